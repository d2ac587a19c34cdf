"""Why an order was refused or failed, in words with figures."""

from dataclasses import dataclass

import msgspec

from evcs.contracts.gun import Figures, Verdict, VerdictKind
from evcs.contracts.reasons import Reason, Sentence, sentence
from webapi.orders.models import Order
from webapi.refusals import Figure


class PileWords(msgspec.Struct, frozen=True, kw_only=True):
    """A pile's own words, as they are kept beside the gate's figures."""

    pile_code: int | None = None
    zh: str = ""
    en: str = ""


@dataclass(frozen=True, slots=True)
class RefusalView:
    """A reason with its sentences; the figures on which it rests."""

    code: str
    zh: str
    en: str
    figures: tuple[Figure, ...] = ()


def refusal_of(order: Order) -> RefusalView | None:
    """Why, as the gate or the pile said it; None where nothing was refused."""
    if order.refusal_code is None:
        return None
    reason = Reason(order.refusal_code)
    figures = _figures(order)
    said = _gate_said(order, reason) or sentence(reason, **{figure.name: figure.value for figure in figures})
    if reason is Reason.PILE_REFUSED:
        words = _pile_words(order)
        code = _pile_code(words.pile_code if words.pile_code is not None else order.stop_code)
        said = Sentence(
            sentence(reason, pile_reason=words.zh or code).zh, sentence(reason, pile_reason=words.en or code).en
        )
    return RefusalView(reason.value, said.zh, said.en, figures)


def sentence_of(code: str | None) -> Sentence | None:
    """The sentence of a reason kept as its code; none where it is none of ours."""
    return None if code is None or code not in set(Reason) else sentence(Reason(code))


def _gate_said(order: Order, reason: Reason) -> Sentence | None:
    """The gate's own sentences, where they are about this reason."""
    if order.verdict_json is None:
        return None
    try:
        verdict = msgspec.json.decode(order.verdict_json, type=Verdict)
    except msgspec.DecodeError:
        return None
    if verdict.kind is not VerdictKind.REFUSED or verdict.reason is not reason or not verdict.zh:
        return None
    return Sentence(verdict.zh, verdict.en or verdict.zh)


def _figures(order: Order) -> tuple[Figure, ...]:
    if order.refusal_figures_json is None:
        return ()
    try:
        known = msgspec.json.decode(order.refusal_figures_json, type=Figures)
    except msgspec.DecodeError:
        return ()
    given = ((name, getattr(known, name)) for name in Figures.__struct_fields__)
    return tuple(Figure(name, str(value)) for name, value in given if value is not None)


def _pile_code(code: int | None) -> str:
    """The pile's code as its manual spells it, where it gave no words."""
    return "—" if code is None else f"0x{code:02X}"


def _pile_words(order: Order) -> PileWords:
    try:
        return msgspec.json.decode(order.refusal_figures_json or "{}", type=PileWords)
    except msgspec.DecodeError:
        return PileWords()
