"""Which of the two languages to answer in: Chinese unless English is asked for."""

from flask import has_request_context, request

from evcs.contracts.reasons import Sentence


def language() -> str:
    """`zh` or `en`, by Accept-Language."""
    if not has_request_context():
        return "zh"
    wanted = request.accept_languages.best_match(["zh-CN", "zh", "en"], default="zh")
    return "en" if wanted == "en" else "zh"


def say(sentence: Sentence) -> str:
    """The sentence in the language of the request."""
    return sentence.en if language() == "en" else sentence.zh
