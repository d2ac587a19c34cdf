"""The daily bill of a station (日账单): its orders by the day they ended, beside the books by the day they were posted.

Both are the same money cut in two ways (domain 4.1): an order belongs to the Beijing day of its charging end
(`business_date`), a posting to the day on which it was made (`posting_date`). What settles late for an earlier day is a
line of its own, 补记, so that for every day and station: amount of the orders = posted on the day + posted later.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evcs.contracts.times import BEIJING, civil_day
from webapi.ledger.models import Account, AccountKind, Entry, Transaction, TransactionKind
from webapi.orders.models import Order
from webapi.stations.models import Station
from webapi.transformers.load_figures import month_of

CLOSES_AFTER = timedelta(days=1, hours=6)
"""A day is closed for posting at 06:00 of the next one."""
BILLED = (TransactionKind.SETTLEMENT, TransactionKind.CORRECTION, TransactionKind.DECISION)
"""What makes up an order's amount; refunds stand apart."""


@dataclass(frozen=True, slots=True)
class LatePart:
    """补记: posted on this day for an earlier one, fen; what a correction took back is below 0."""

    business_date: date
    amount_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyBill:
    """One day of one station, in fen. `posted_fen`: on the day for the day; `later_fen`: for it, on later days."""

    station: str
    day: date
    closed: bool
    orders: int
    energy_kwh: Decimal
    electricity_fen: int
    service_fen: int
    occupancy_fen: int
    discount_fen: int
    total_fen: int
    posted_fen: int
    later_fen: int
    late: tuple[LatePart, ...]
    refunded_fen: int
    books_fen: int
    difference_fen: int

    @property
    def agrees(self) -> bool:
        """Whether orders and books say the same of this day."""
        return self.difference_fen == 0


@dataclass(frozen=True, slots=True)
class DailyBills:
    """Days of a station, the newest first, and their sums."""

    items: tuple[DailyBill, ...]
    orders: int
    energy_kwh: Decimal
    total_fen: int
    books_fen: int
    refunded_fen: int
    difference_fen: int


@dataclass(slots=True)
class _Day:
    orders: int = 0
    energy_kwh: Decimal = Decimal(0)
    electricity_fen: int = 0
    service_fen: int = 0
    occupancy_fen: int = 0
    discount_fen: int = 0
    total_fen: int = 0
    refunded_fen: int = 0
    posted: dict[date, int] = field(default_factory=lambda: defaultdict(int))
    """By the day on which it was posted, what was posted for this day."""


def daily_bills(session: Session, station: Station, first: date, last: date, *, at: datetime) -> DailyBills:
    """The bills of the days from first to last, both included; days without anything are left out."""
    days: dict[date, _Day] = defaultdict(_Day)
    _orders(session, station, first, last, days)
    _postings(session, station, first, last, days)
    late = _late(session, station, first, last)
    shown = {*(day for day in days if first <= day <= last), *late}
    bills = tuple(_bill(station.code, day, days[day], late.get(day, ()), at) for day in sorted(shown, reverse=True))
    return DailyBills(
        bills,
        orders=sum(bill.orders for bill in bills),
        energy_kwh=sum((bill.energy_kwh for bill in bills), Decimal(0)),
        total_fen=sum(bill.total_fen for bill in bills),
        books_fen=sum(bill.books_fen for bill in bills),
        refunded_fen=sum(bill.refunded_fen for bill in bills),
        difference_fen=sum(bill.difference_fen for bill in bills),
    )


def is_closed(day: date, at: datetime) -> bool:
    """Whether nothing more is posted for a day except as 补记."""
    return at >= datetime(day.year, day.month, day.day, tzinfo=BEIJING) + CLOSES_AFTER


def _bill(station: str, day: date, found: _Day, late: tuple[LatePart, ...], at: datetime) -> DailyBill:
    posted = found.posted.get(day, 0)
    later = sum(amount for on, amount in found.posted.items() if on > day)
    return DailyBill(
        station=station,
        day=day,
        closed=is_closed(day, at),
        orders=found.orders,
        energy_kwh=found.energy_kwh,
        electricity_fen=found.electricity_fen,
        service_fen=found.service_fen,
        occupancy_fen=found.occupancy_fen,
        discount_fen=found.discount_fen,
        total_fen=found.total_fen,
        posted_fen=posted,
        later_fen=later,
        late=late,
        refunded_fen=found.refunded_fen,
        books_fen=posted + sum(part.amount_fen for part in late),
        difference_fen=found.total_fen - sum(found.posted.values()),
    )


def _orders(session: Session, station: Station, first: date, last: date, days: Mapping[date, _Day]) -> None:
    rows = session.execute(
        select(
            Order.business_date,
            func.count(),
            func.sum(Order.energy_kwh),
            func.sum(Order.electricity_fen),
            func.sum(Order.service_fen),
            func.sum(Order.occupancy_fen),
            func.sum(Order.discount_fen),
            func.sum(Order.total_fen),
        )
        .where(Order.station_code == station.code, Order.business_date.between(first, last))
        .where(Order.settled_at.is_not(None))
        .group_by(Order.business_date)
    )
    for day, orders, energy, electricity, service, occupancy, discount, total in rows:
        if day is None:
            continue
        found = days[day]
        found.orders, found.energy_kwh = int(orders), energy or Decimal(0)
        found.electricity_fen, found.service_fen = int(electricity), int(service)
        found.occupancy_fen, found.discount_fen, found.total_fen = int(occupancy), int(discount), int(total)


def _postings(session: Session, station: Station, first: date, last: date, days: Mapping[date, _Day]) -> None:
    """What the books say of orders that ended on these days, whenever it was posted."""
    rows = session.execute(
        select(Order.business_date, Transaction.posting_date, Transaction.kind, func.sum(Entry.amount_fen))
        .join(Transaction, Transaction.order_serial == Order.serial)
        .join(Entry, Entry.transaction_id == Transaction.id)
        .join(Account, Account.id == Entry.account_id)
        .where(Order.station_code == station.code, Order.business_date.between(first, last))
        .where(Account.kind.in_((AccountKind.REVENUE, AccountKind.DISCOUNT)))
        .group_by(Order.business_date, Transaction.posting_date, Transaction.kind)
    )
    for day, posted_on, kind, amount in rows:
        if day is None:
            continue
        if kind in BILLED:
            days[day].posted[posted_on] += int(amount)
        else:
            days[day].refunded_fen -= int(amount)


def _late(session: Session, station: Station, first: date, last: date) -> dict[date, tuple[LatePart, ...]]:
    """补记 by the day on which it was posted."""
    rows = session.execute(
        select(Transaction.posting_date, Order.business_date, func.sum(Entry.amount_fen))
        .join(Order, Order.serial == Transaction.order_serial)
        .join(Entry, Entry.transaction_id == Transaction.id)
        .join(Account, Account.id == Entry.account_id)
        .where(Transaction.tenant_id == station.tenant_id, Transaction.posting_date.between(first, last))
        .where(Order.station_code == station.code, Order.business_date < Transaction.posting_date)
        .where(Transaction.kind.in_(BILLED), Account.kind.in_((AccountKind.REVENUE, AccountKind.DISCOUNT)))
        .group_by(Transaction.posting_date, Order.business_date)
        .order_by(Transaction.posting_date, Order.business_date)
    )
    found: dict[date, list[LatePart]] = defaultdict(list)
    for posted_on, business, amount in rows:
        if business is not None:
            found[posted_on].append(LatePart(business, int(amount)))
    return {day: tuple(parts) for day, parts in found.items()}


def month_days(month: str, at: datetime) -> tuple[date, date]:
    """First and last day of a month `yyyy-mm` as far as it has come; raises ValueError for what is none."""
    begin, end = (civil_day(one) for one in month_of(month))
    return begin, min(end - timedelta(days=1), max(begin, civil_day(at)))
