"""Lists of orders by filter, newest first, and one order by its serial."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import tuple_
from sqlalchemy.orm import Session, joinedload, selectinload

from evcs.contracts.states import OrderState
from webapi.access import Visible
from webapi.http.paging import Page, PageWish, TimeKey, page_of, read_cursor
from webapi.orders.models import Order
from webapi.orders.views import OrderView, order_view


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilter(PageWish):
    """Which orders; the range of `requested_at` is half-open."""

    state: Sequence[OrderState] = ()
    station: str | None = None
    pile: str | None = None
    gun: int | None = None
    customer: int | None = None
    joint: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def list_orders(session: Session, sees: Visible, wish: OrderFilter) -> Page[OrderView]:
    """Orders, newest first."""
    query = sees.orders().options(joinedload(Order.customer), joinedload(Order.station), selectinload(Order.hold))
    if wish.station is not None:
        query = query.where(Order.station_code == wish.station)
    if wish.pile is not None:
        query = query.where(Order.pile_number == wish.pile)
    if wish.gun is not None:
        query = query.where(Order.gun_no == wish.gun)
    if wish.customer is not None:
        query = query.where(Order.customer_id == wish.customer)
    if wish.joint is not None:
        query = query.where(Order.joint_number == wish.joint)
    if wish.since is not None:
        query = query.where(Order.requested_at >= wish.since)
    if wish.until is not None:
        query = query.where(Order.requested_at < wish.until)
    if wish.state:
        query = query.where(Order.state.in_(wish.state))
    after = read_cursor(wish.cursor, TimeKey)
    if after is not None:
        query = query.where(tuple_(Order.requested_at, Order.serial) < tuple_(after.at, after.id))
    found = session.scalars(query.order_by(Order.requested_at.desc(), Order.serial.desc()).limit(wish.limit + 1)).all()
    return page_of(found, wish.limit, lambda order: TimeKey(order.requested_at, order.serial)).map(
        lambda order: order_view(order, sees)
    )


def find_order(session: Session, sees: Visible, serial: str) -> Order | None:
    """One order."""
    return session.scalars(sees.orders().where(Order.serial == serial)).one_or_none()
