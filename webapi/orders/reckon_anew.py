"""Reckoning anew, with marks that came behind their record, whatever of an order nobody has decided yet."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from evcs.contracts import topics
from evcs.contracts.money import fen_of_e4
from evcs.contracts.states import OrderState
from evcs.runtime.log import get_logger
from webapi.ledger.holds import keep_held, release_hold
from webapi.orders.capture import Evidence, correct
from webapi.orders.life import RecordOutcome
from webapi.orders.models import Bill, BillKind, ChargeRecord, Order, RecordVerdict
from webapi.orders.provisional import settle_provisionally
from webapi.orders.reckon import WHOLE_HOLD_FEN, Agreed, Disputed, Reckoning
from webapi.orders.settle import ANOTHER_RECORD, reckon, take_up, verdict_of

log = get_logger()


def reckon_anew(session: Session, order: Order, *, at: datetime, by: str) -> RecordOutcome | None:
    """Do both calculations again with all marks that are here; the caller has locked the order and commits.

    Nothing taken yet: settle by the first record that can be reckoned now. Taken, and the record is not what was
    settled by: what was taken stands, the difference is held, and the end of the review takes it (`close_review`).
    None: there is nothing to reckon (no record, or decided), and nothing has changed.
    """
    bills = {bill.kind: bill for bill in session.scalars(select(Bill).where(Bill.order_serial == order.serial))}
    if not bills:
        return _take_up(session, order, at, by) if order.state is OrderState.REVIEW else None
    row = record_of(session, bills)
    is_decided = row is None or (row.verdict is RecordVerdict.REVIEW and order.state is not OrderState.REVIEW)
    if row is None or is_decided:
        return None
    before = row.verdict, row.verdict_reason
    reckoning = reckon(session, order, topics.RECORD.decode(row.decoded_json.encode()))
    row.verdict, row.verdict_reason = verdict_of(reckoning, is_correction=False)
    bill = bills[BillKind.FINAL]
    if before != (row.verdict, row.verdict_reason):
        log.info("order_reckoned_anew", serial=order.serial, verdict=row.verdict.value, why=row.verdict_reason)
    if isinstance(reckoning, Agreed):
        if order.state is OrderState.REVIEW and not correct_by(session, order, bill, row, reckoning, at=at, by=by):
            release_hold(session, order, at=at, by=by)
        return RecordOutcome.SETTLED
    keep_fen = WHOLE_HOLD_FEN
    if isinstance(reckoning, Disputed):
        keep_fen = reckoning.figures.total_fen + reckoning.difference_fen - bill.total_fen
    keep_held(session, order, keep_fen, at=at, by=by)
    return RecordOutcome.REVIEW


def record_of(session: Session, bills: dict[BillKind, Bill]) -> ChargeRecord | None:
    """The record by which an order was settled, where that is still open to be corrected once."""
    if bills.keys() != {BillKind.FINAL} or bills[BillKind.FINAL].record_id is None:
        return None
    return session.get_one(ChargeRecord, bills[BillKind.FINAL].record_id)


def correct_by(
    session: Session, order: Order, bill: Bill, row: ChargeRecord, reckoning: Reckoning, *, at: datetime, by: str
) -> bool:
    """Correct the bill where the figures are others now; False where there is nothing to correct."""
    if not isinstance(reckoning, Agreed | Disputed) or reckoning.figures.total_fen == bill.total_fen:
        return False
    evidence = Evidence(row.id, fen_of_e4(row.pile_amount_e4))
    correct(session, order, bill, reckoning.figures, evidence, at=at, by=by)
    return True


def _take_up(session: Session, order: Order, at: datetime, by: str) -> RecordOutcome | None:
    rows = session.scalars(
        select(ChargeRecord)
        .where(
            ChargeRecord.serial == order.serial,
            ChargeRecord.pile_number == order.pile_number,
            ChargeRecord.gun_no == order.gun_no,
            ChargeRecord.verdict_reason.is_distinct_from(ANOTHER_RECORD),
        )
        .order_by(ChargeRecord.id)
    ).all()
    for row in rows:
        settled = take_up(session, order, row, topics.RECORD.decode(row.decoded_json.encode()), at=at, by=by)
        log.info(
            "record_reckoned",
            serial=order.serial,
            verdict=row.verdict.value,
            why=row.verdict_reason,
            total_fen=order.total_fen,
        )
        if order.settled_at is not None:
            return settled.outcome
    if rows:
        return RecordOutcome.REVIEW
    return RecordOutcome.SETTLED if settle_provisionally(session, order, at=at) else None
