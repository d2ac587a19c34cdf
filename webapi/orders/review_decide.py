"""Deciding a review: the chosen calculation is billed in full, the difference posted, the hold closed."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from evcs.contracts.money import fen_of_e4
from webapi.orders import life
from webapi.orders.advance import observe
from webapi.orders.capture import Evidence, decide
from webapi.orders.models import Order, RecordVerdict
from webapi.orders.review_queue import is_waiting, reviewed
from webapi.orders.two_sides import Side

DECIDED = "decided"
"""Why a record is settled although it was in review."""


class Undecidable(StrEnum):
    """Why nothing can be decided."""

    OVER = "over"
    """The order is not in review, or its marks are not in yet."""
    NO_FIGURES = "no_figures"
    """The pile has said no amount that could be booked."""
    NO_PAYER = "no_payer"


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided, in fen: both calculations, what was billed before, what is billed now."""

    platform_fen: int
    pile_fen: int | None
    before_fen: int | None
    total_fen: int


def decide_review(session: Session, order: Order, take: Side, *, at: datetime, by: str) -> Decided | Undecidable:
    """Bill one of the two calculations; the caller has locked the order and commits. Where it cannot: nothing."""
    if not is_waiting(order):
        return Undecidable.OVER
    found = reviewed(session, order)
    figures = found.sides.of(take)
    if figures is None:
        return Undecidable.NO_FIGURES
    if order.customer_id is None and figures.priced.total_fen:
        return Undecidable.NO_PAYER
    row = found.row
    evidence = Evidence() if row is None else Evidence(row.id, fen_of_e4(row.pile_amount_e4))
    if row is not None:
        row.verdict, row.verdict_reason = RecordVerdict.SETTLED, DECIDED
    decide(session, order, found.bill, figures, evidence, at=at, by=by)
    observe(session, order, life.ReviewDecided(), at=at, by=by)
    session.flush()
    return Decided(
        platform_fen=found.sides.platform.total_fen,
        pile_fen=None if found.sides.pile is None else found.sides.pile.total_fen,
        before_fen=None if found.bill is None else found.bill.total_fen,
        total_fen=figures.total_fen,
    )
