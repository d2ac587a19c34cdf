"""Stopping an order: the wish is kept, the command leaves by the outbox, the worker repeats it until the end shows.

`stop_order(session, serial, by=…, at=clock.now()) -> Order`: the caller commits. Works before the command (the
order is cancelled, its hold released), while commanded, starting and charging, and while the link is lost; again, or
after the end, it changes nothing.
"""

from datetime import datetime

from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from evcs.contracts.reasons import Reason
from webapi.orders import life
from webapi.orders.advance import lock_order, observe
from webapi.orders.models import Order


def stop_order(
    session: Session, serial: str, *, by: str, at: datetime, why: Reason = Reason.STOPPED_BY_PERSON
) -> Order:
    """Wish an order to end. Raises NoResultFound for a serial that is no order."""
    order = lock_order(session, serial)
    if order is None:
        raise NoResultFound(f"no order {serial}")
    wished = order.stop_requested_at is not None
    observe(session, order, life.StopWished(why), at=at, by=by)
    if not wished and order.stop_requested_at is not None:
        order.stop_asked_by = by
    session.flush()
    return order
