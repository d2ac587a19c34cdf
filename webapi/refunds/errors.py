"""Why a refund is not made."""

from http import HTTPStatus

from evcs.contracts.reasons import Sentence
from webapi.http.problems import TEXTS, Code, Problem
from webapi.refusals import Figure


class RefundRefused(Problem):
    """It may not be made as things stand; `figures` stand in the code's sentence. Raised before anything has moved."""

    def __init__(self, code: Code, **figures: str) -> None:
        text = TEXTS[code]
        super().__init__(
            HTTPStatus.CONFLICT,
            code,
            Sentence(text.zh.format(**figures), text.en.format(**figures)),
            figures=tuple(Figure(name, value) for name, value in figures.items()),
        )
