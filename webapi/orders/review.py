"""Ending a review for which nobody decided: the lower figure stands."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evcs.contracts import topics
from evcs.contracts.money import fen_of_e4
from webapi.ledger.holds import release_hold
from webapi.orders.capture import NO_RECORD, capture
from webapi.orders.models import Bill, BillKind, BillRoute, ChargeRecord, Order
from webapi.orders.provisional import settle_provisionally
from webapi.orders.reckon import Figures
from webapi.orders.reckon_anew import correct_by, record_of
from webapi.orders.settle import reckon
from webapi.tariffs.price import NOTHING


def close_review(session: Session, order: Order, *, at: datetime, by: str) -> None:
    """Release what is still held for an order in review, after taking what the marks that came late make its due.

    Where nothing was taken yet, because the record could not be believed, it is settled by the marks or the pile's own
    amount, whichever is lower; without usable marks at 0. Provisionally, so that a later record can still correct it.
    """
    bills = {bill.kind: bill for bill in session.scalars(select(Bill).where(Bill.order_serial == order.serial))}
    if bills:
        row = record_of(session, bills)
        if row is None or not _correct(session, order, bills[BillKind.FINAL], row, at=at, by=by):
            release_hold(session, order, at=at, by=by)
        return
    if not settle_provisionally(session, order, at=at, by=by, pile_fen=_lowest_said(session, order)):
        nothing = Figures(NOTHING, 0, BillRoute.NONE)
        capture(session, order, nothing, BillKind.PROVISIONAL, NO_RECORD, at=at, by=by)


def _correct(session: Session, order: Order, bill: Bill, row: ChargeRecord, *, at: datetime, by: str) -> bool:
    reckoning = reckon(session, order, topics.RECORD.decode(row.decoded_json.encode()))
    return correct_by(session, order, bill, row, reckoning, at=at, by=by)


def _lowest_said(session: Session, order: Order) -> int | None:
    """The lowest amount of the pile's records of this order, in fen."""
    lowest_e4 = session.scalar(
        select(func.min(ChargeRecord.pile_amount_e4)).where(
            ChargeRecord.serial == order.serial,
            ChargeRecord.pile_number == order.pile_number,
            ChargeRecord.gun_no == order.gun_no,
        )
    )
    return None if lowest_e4 is None else fen_of_e4(lowest_e4)
