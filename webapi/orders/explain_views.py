"""A bill explained, as it goes over HTTP."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from evcs.contracts.reasons import Sentence
from webapi.orders.evidence_models import OrderEvidence
from webapi.orders.explain.check import explain_order, without_evidence
from webapi.orders.explain.explanation import Difference, Explanation
from webapi.orders.explain.rebuild import ExactLine
from webapi.orders.explain.words import words_of
from webapi.orders.models import Order


@dataclass(frozen=True, slots=True)
class BillExplained:
    """One bill of an order. Amounts in fen."""

    n: int
    kind: str
    route: str
    tariff_version: str | None
    hash: str
    before_hash: str
    made_at: datetime
    is_right: bool
    total_fen: int | None
    discount_fen: int
    pile_total_fen: int | None
    lines: tuple[ExactLine, ...]
    sentences: tuple[Sentence, ...]
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class OrderExplained:
    """All bills of an order, oldest first."""

    serial: str
    is_right: bool
    bills: tuple[BillExplained, ...]
    without_evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """A bundle as it is kept: its hash is over exactly the text `content`."""

    n: int
    hash: str
    before_hash: str
    made_at: datetime
    content: str


@dataclass(frozen=True, slots=True)
class EvidencesView:
    """The bundles of an order, oldest first."""

    serial: str
    items: tuple[EvidenceView, ...]


def explained_view(session: Session, order: Order) -> OrderExplained:
    """Every bill of an order, rebuilt and compared now."""
    bills = tuple(_bill(row, one) for row, one in explain_order(session, order))
    return OrderExplained(
        order.serial, all(bill.is_right for bill in bills), bills, without_evidence(session, order.serial)
    )


def evidence_view(row: OrderEvidence) -> EvidenceView:
    """A bundle to be kept elsewhere and checked there."""
    return EvidenceView(row.n, row.hash, row.before_hash, row.made_at, row.content)


def _bill(row: OrderEvidence, one: Explanation) -> BillExplained:
    bill = one.bundle.bill
    return BillExplained(
        row.n,
        bill.kind,
        bill.route,
        None if one.bundle.tariff is None else one.bundle.tariff.version,
        row.hash,
        row.before_hash,
        row.made_at,
        one.is_right,
        one.total_fen,
        one.discount_fen,
        bill.pile_total_fen,
        one.lines,
        words_of(one),
        one.differences,
    )
