"""Settling without a record: by the order's register marks, provisionally, until a late record corrects it once."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapi.orders.capture import NO_RECORD, capture
from webapi.orders.marks import readings_of
from webapi.orders.models import Bill, BillKind, BillRoute, Order
from webapi.orders.reckon import Agreed, Figures, Unclear, reckon_marks
from webapi.orders.settle import WORKER, limit_of, meter_of, observed_of, table_of
from webapi.tariffs.price import NOTHING


def settle_provisionally(
    session: Session, order: Order, *, at: datetime, by: str = WORKER, pile_fen: int | None = None
) -> bool:
    """Settle an order by its marks; False where there is nothing to bill by and a person has to look.

    An order that never charged and has no marks is settled at 0. `pile_fen` is what the pile said, where the marks
    are to take at most that. The caller has locked the order and commits. Settled already: nothing happens.
    """
    if session.scalar(select(Bill.id).where(Bill.order_serial == order.serial)) is not None:
        return True
    readings = readings_of(session, order)
    if not readings and order.started_at is None:
        reckoning: Agreed | Unclear = Agreed(Figures(NOTHING, 0, BillRoute.NONE))
    else:
        reckoning = reckon_marks(
            table_of(session, order),
            readings,
            meter_of(session, order),
            limit=limit_of(order),
            observed=observed_of(order),
            pile_fen=pile_fen,
        )
    if isinstance(reckoning, Unclear):
        return False
    if order.customer_id is None and reckoning.figures.priced.total_fen:
        return False
    if readings:
        order.started_at = order.started_at or readings[0].at
        order.ended_at = order.ended_at or readings[-1].at
    capture(session, order, reckoning.figures, BillKind.PROVISIONAL, NO_RECORD, at=at, by=by)
    return True
