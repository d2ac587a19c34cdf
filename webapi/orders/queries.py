"""Lists of orders by filter, their totals, and one order by its serial."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from sqlalchemy import ColumnElement, Select, Subquery, false, func, select, tuple_, union
from sqlalchemy.orm import Session, joinedload, selectinload

from webapi.access import Visible
from webapi.database import EnergyKwh
from webapi.http.paging import Name, Page, TimeKey, page_of, read_cursor
from webapi.orders.filter import OrderFilter, Sort
from webapi.orders.models import Order
from webapi.orders.views import OrderView, order_view
from webapi.orders.ways import Ways, ways

MOST_SUMMED = 100_000
"""Orders of which totals are reckoned while somebody waits; an export has them whatever their number."""


class AmountKey(msgspec.Struct, frozen=True, array_like=True):
    """Key of lists by amount, in fen."""

    fen: Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]
    id: Name


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTotals:
    """Sums of the orders that a filter finds. Not complete: there are more than `MOST_SUMMED`, and no sums."""

    complete: bool
    count: int
    energy_kwh: Decimal | None = None
    electricity_fen: int | None = None
    service_fen: int | None = None
    occupancy_fen: int | None = None
    discount_fen: int | None = None
    total_fen: int | None = None


def list_orders(session: Session, sees: Visible, wish: OrderFilter) -> Page[OrderView]:
    """Orders, newest (or largest) first."""
    found = rows(session, ways(session, sees, wish), wish, wish.limit + 1)
    return page_of(found, wish.limit, lambda order: _key_of(order, wish.sort)).map(
        lambda order: order_view(order, sees)
    )


def every_order(session: Session, sees: Visible, wish: OrderFilter, *, at_once: int) -> Iterator[Sequence[Order]]:
    """All orders of a filter, page by page, in the order of the list; each page is forgotten before the next."""
    chosen = ways(session, sees, wish)
    cursor: str | None = None
    while True:
        page = page_of(
            rows(session, chosen, replace(wish, cursor=cursor), at_once + 1),
            at_once,
            lambda order: _key_of(order, wish.sort),
        )
        yield page.items
        session.expunge_all()
        cursor = page.next
        if cursor is None:
            return


def rows(session: Session, chosen: Ways, wish: OrderFilter, most: int) -> Sequence[Order]:
    """So many orders after the cursor, with what their view shows."""
    newest = newest_first(chosen, wish, most)
    query = (
        select(Order)
        .join(newest, newest.c.serial == Order.serial)
        .options(joinedload(Order.customer), joinedload(Order.station), selectinload(Order.hold))
        .order_by(newest.c.key.desc(), newest.c.serial.desc())
    )
    return session.scalars(query).all()


def newest_first(chosen: Ways, wish: OrderFilter, most: int) -> Subquery:
    """Serials and keys of the page: one page of each way, merged."""
    column = _column(wish.sort)
    after = _after(wish)
    pages = [
        select(column.label("key"), Order.serial.label("serial"))
        .where(lead, *chosen.rest, *after)
        .order_by(column.desc(), Order.serial.desc())
        .limit(most)
        for lead in chosen.leads or (false(),)
    ]
    if len(pages) == 1:
        return pages[0].subquery("page")
    parts = [select(one.subquery(f"way_{n}")) for n, one in enumerate(pages)]
    merged = union(*parts).subquery("merged")
    return (
        select(merged.c.key, merged.c.serial)
        .order_by(merged.c.key.desc(), merged.c.serial.desc())
        .limit(most)
        .subquery("page")
    )


def order_totals(session: Session, sees: Visible, wish: OrderFilter) -> OrderTotals:
    """Sums of what the list would show on all its pages; their cost is bounded by `MOST_SUMMED`."""
    found = summed(ways(session, sees, wish), MOST_SUMMED + 1)
    count, energy, *fen = session.execute(found).one()
    if count > MOST_SUMMED:
        return OrderTotals(complete=False, count=MOST_SUMMED)
    electricity, service, occupancy, discount, total = (int(one or 0) for one in fen)
    return OrderTotals(
        complete=True,
        count=count,
        energy_kwh=energy if energy is not None else Decimal("0.0000"),
        electricity_fen=electricity,
        service_fen=service,
        occupancy_fen=occupancy,
        discount_fen=discount,
        total_fen=total,
    )


def summed(chosen: Ways, most: int) -> Select[Any]:
    """The query of the totals, over so many orders at most."""
    inner = (
        select(
            Order.energy_kwh,
            Order.electricity_fen,
            Order.service_fen,
            Order.occupancy_fen,
            Order.discount_fen,
            Order.total_fen,
        )
        .where(chosen.whole)
        .limit(most)
        .subquery()
    )
    fen = ("electricity_fen", "service_fen", "occupancy_fen", "discount_fen", "total_fen")
    sums: list[Any] = [func.count(), func.sum(inner.c.energy_kwh, type_=EnergyKwh)]
    sums += [func.sum(inner.c[name]) for name in fen]
    query: Select[Any] = select(*sums).select_from(inner)
    return query


def find_order(session: Session, sees: Visible, serial: str) -> Order | None:
    """One order."""
    return session.scalars(sees.orders().where(Order.serial == serial)).one_or_none()


def _column(sort: Sort) -> Any:
    return {Sort.REQUESTED: Order.requested_at, Sort.ENDED: Order.ended_at, Sort.AMOUNT: Order.total_fen}[sort]


def _key_of(order: Order, sort: Sort) -> TimeKey | AmountKey:
    if sort is Sort.AMOUNT:
        return AmountKey(order.total_fen, order.serial)
    at = order.ended_at if sort is Sort.ENDED else order.requested_at
    return TimeKey(at or order.requested_at, order.serial)


def _after(wish: OrderFilter) -> tuple[ColumnElement[bool], ...]:
    column = _column(wish.sort)
    if wish.sort is Sort.AMOUNT:
        amount = read_cursor(wish.cursor, AmountKey)
        return () if amount is None else (tuple_(column, Order.serial) < tuple_(amount.fen, amount.id),)
    time = read_cursor(wish.cursor, TimeKey)
    return () if time is None else (tuple_(column, Order.serial) < tuple_(time.at, time.id),)
