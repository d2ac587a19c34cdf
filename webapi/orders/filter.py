"""Which orders are wanted: everything an operator can narrow the list by, and what of it is a plain condition."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, func
from sqlalchemy.orm import InstrumentedAttribute

from evcs.contracts.states import GoalKind, OrderState, StartSource, StopClass
from webapi.http.paging import PageWish
from webapi.orders.models import Order

REACH = timedelta(days=31)
"""No order is longer under way, from its request to its end and settlement: every state before has its deadline."""

SERIAL_DIGITS = 32


class Tab(StrEnum):
    """The tabs of the order page: 充电中, 异常, 待核, 启动失败, 全部."""

    CHARGING = "charging"
    EXCEPTION = "exception"
    REVIEW = "review"
    FAILED = "failed"
    ALL = "all"


STATES_OF: dict[Tab, frozenset[OrderState]] = {
    Tab.CHARGING: frozenset(
        {
            OrderState.HOLDING,
            OrderState.QUEUED,
            OrderState.COMMANDED,
            OrderState.STARTING,
            OrderState.CHARGING,
            OrderState.STOPPING,
            OrderState.ENDED,
        }
    ),
    Tab.EXCEPTION: frozenset({OrderState.EXCEPTION}),
    Tab.REVIEW: frozenset({OrderState.REVIEW}),
    Tab.FAILED: frozenset({OrderState.REFUSED, OrderState.START_FAILED}),
    Tab.ALL: frozenset(OrderState),
}


class Sort(StrEnum):
    """By what a list is sorted, always the newest or largest first. `ended`: only what has ended."""

    REQUESTED = "requested"
    ENDED = "ended"
    AMOUNT = "amount"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilter(PageWish):
    """Which orders; ranges of instants are half-open, those of days, amounts and energies hold both ends."""

    tab: Tab = Tab.ALL
    sort: Sort = Sort.REQUESTED
    state: Sequence[OrderState] = ()
    station: Sequence[str] = ()
    pile: str | None = None
    gun: int | None = None
    customer: int | None = None
    phone: str | None = None
    card: str | None = None
    plate: str | None = None
    vin: str | None = None
    number: str | None = None
    """The first digits of the serial."""
    joint: str | None = None
    source: Sequence[StartSource] = ()
    goal: Sequence[GoalKind] = ()
    since: datetime | None = None
    until: datetime | None = None
    begun_since: datetime | None = None
    begun_until: datetime | None = None
    ended_since: datetime | None = None
    ended_until: datetime | None = None
    settled_since: datetime | None = None
    settled_until: datetime | None = None
    day_since: date | None = None
    day_until: date | None = None
    amount_least_fen: int | None = None
    amount_most_fen: int | None = None
    energy_least_kwh: Decimal | None = None
    energy_most_kwh: Decimal | None = None
    stop_reason: str | None = None
    stop_class: StopClass | None = None
    failure: str | None = None
    trouble: str | None = None

    @property
    def states(self) -> frozenset[OrderState]:
        """The states of the tab that are asked for."""
        of_tab = STATES_OF[self.tab]
        return of_tab & frozenset(self.state) if self.state else of_tab


def conditions(wish: OrderFilter) -> list[ColumnElement[bool]]:
    """What is no matter of whose and which state an order is, nor of cards, cars and phones."""
    found: list[ColumnElement[bool]] = []
    for column, wanted in (
        (Order.pile_number, wish.pile),
        (Order.gun_no, wish.gun),
        (Order.customer_id, wish.customer),
        (Order.joint_number, wish.joint),
        (Order.stop_reason, wish.stop_reason),
        (Order.stop_class, None if wish.stop_class is None else wish.stop_class.value),
        (Order.refusal_code, wish.failure),
        (Order.exception_code, wish.trouble),
    ):
        if wanted is not None:
            found.append(column == wanted)
    if wish.source:
        found.append(Order.source.in_(wish.source))
    if wish.goal:
        found.append(Order.goal_kind.in_(wish.goal))
    if wish.number is not None:
        # Padded, not by LIKE: a range of the primary key whatever the database's collation.
        found.append(Order.serial >= wish.number.ljust(SERIAL_DIGITS, "0"))
        found.append(Order.serial <= wish.number.ljust(SERIAL_DIGITS, "9"))
    return [*found, *_times(wish), *_figures(wish)]


def _times(wish: OrderFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for column, since, until in (
        (Order.requested_at, wish.since, wish.until),
        (Order.started_at, wish.begun_since, wish.begun_until),
        (_walked(Order.ended_at, wish.sort is Sort.ENDED), wish.ended_since, wish.ended_until),
        (Order.settled_at, wish.settled_since, wish.settled_until),
    ):
        if since is not None:
            found.append(column >= since)
        if until is not None:
            found.append(column < until)
    if wish.day_since is not None:
        found.append(Order.business_date >= wish.day_since)
    if wish.day_until is not None:
        found.append(Order.business_date <= wish.day_until)
    return [*found, *_implied(wish)]


def _implied(wish: OrderFilter) -> list[ColumnElement[bool]]:
    """What a range of another time says about the request: the list walks by that, and need not walk to its end."""
    found: list[ColumnElement[bool]] = []
    begins = [at for at in (wish.begun_since, wish.ended_since, wish.settled_since, _day(wish.day_since)) if at]
    ends = [at for at in (wish.begun_until, wish.ended_until, wish.settled_until) if at]
    if begins:
        found.append(Order.requested_at >= max(begins) - REACH)
    if ends:
        found.append(Order.requested_at < min(ends) + timedelta(minutes=1))
    if wish.day_until is not None:
        last = _day(wish.day_until)
        if last is not None:
            found.append(Order.requested_at < last + timedelta(days=2))
    return found


def _day(day: date | None) -> datetime | None:
    """The midnight, UTC, that a Beijing day is near to."""
    return None if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC)


def _walked(column: InstrumentedAttribute[Any], is_sorted_by: bool) -> Any:
    """A column that has an index, spelt so that none is used unless the list is sorted by it.

    Else a database may take the rows of a wide range by that index, and sort them all for one page.
    """
    return column if is_sorted_by else func.coalesce(column, column)


def _figures(wish: OrderFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    total = _walked(Order.total_fen, wish.sort is Sort.AMOUNT)
    if wish.amount_least_fen is not None:
        found.append(total >= wish.amount_least_fen)
    if wish.amount_most_fen is not None:
        found.append(total <= wish.amount_most_fen)
    if wish.energy_least_kwh is not None:
        found.append(Order.energy_kwh >= wish.energy_least_kwh)
    if wish.energy_most_kwh is not None:
        found.append(Order.energy_kwh <= wish.energy_most_kwh)
    return found
