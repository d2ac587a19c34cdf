"""Ending a review for which nobody decided: the lower figure, which is taken already, stands."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapi.ledger.holds import release_hold
from webapi.orders.capture import NO_RECORD, capture
from webapi.orders.models import Bill, BillKind, BillRoute, Order
from webapi.orders.reckon import Figures
from webapi.tariffs.price import NOTHING


def close_review(session: Session, order: Order, *, at: datetime, by: str) -> None:
    """Release what is still held for an order in review.

    Where nothing could be reckoned it is settled at 0, provisionally, so that a later record can still correct it.
    """
    if session.scalar(select(Bill.id).where(Bill.order_serial == order.serial)) is None:
        nothing = Figures(NOTHING, 0, BillRoute.NONE)
        capture(session, order, nothing, BillKind.PROVISIONAL, NO_RECORD, at=at, by=by)
        return
    release_hold(session, order, at=at, by=by)
