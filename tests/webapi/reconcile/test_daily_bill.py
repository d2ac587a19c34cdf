"""Daily bills: orders by the day they ended, books by the day they were posted, 补记 in between."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.webapi.books import BEGIN, PEAK, STATION, Books, record
from tests.webapi.http.conftest import still, world
from tests.webapi.http.world import World
from webapi.orders.settle import settle_record
from webapi.reconcile.daily_bill import DailyBills, daily_bills, is_closed, month_days
from webapi.stations.models import Station
from webapi.users.models import Role

__all__ = ["still", "world"]

DAY = date(2026, 11, 24)
END = BEGIN + timedelta(minutes=141)
NEXT = BEGIN + timedelta(days=1)
MONTH = (date(2026, 11, 1), date(2026, 11, 30))


def bills(session: Session) -> DailyBills:
    session.commit()
    return daily_bills(session, session.get_one(Station, STATION), *MONTH, at=NEXT)


def test_settled_on_its_day_orders_and_books_agree(session: Session, books: Books) -> None:
    customer = books.customer(recharged_fen=20_000)
    for n in (1, 2):
        order = books.order(customer, hold_fen=8_000, gun=n)
        settle_record(session, record(order.serial, gun=n), at=END)
    found = bills(session)
    (bill,) = found.items
    assert (bill.day, bill.orders, bill.total_fen, bill.posted_fen) == (DAY, 2, 2 * 6567, 2 * 6567)
    assert (bill.electricity_fen, bill.service_fen) == (2 * 4284, 2 * 2283)
    assert (bill.energy_kwh, bill.agrees, bill.late, bill.later_fen) == (Decimal("114.1538"), True, (), 0)
    assert (found.total_fen, found.books_fen, found.difference_fen) == (13_134, 13_134, 0)


def test_what_settles_after_its_day_is_a_line_of_its_own(session: Session, books: Books) -> None:
    customer = books.customer(recharged_fen=20_000)
    in_time = books.order(customer, hold_fen=8_000)
    settle_record(session, record(in_time.serial), at=END)
    late = books.order(customer, hold_fen=8_000, gun=2)
    late.ended_at = END
    settle_record(
        session, record(late.serial, ((PEAK, Decimal("10.0000")),), 152_345, gun=2), at=END + timedelta(days=2)
    )
    found = bills(session)
    newest, oldest = found.items
    assert (oldest.day, oldest.orders, oldest.posted_fen, oldest.later_fen) == (DAY, 2, 6567, late.total_fen)
    assert newest.day == DAY + timedelta(days=2)
    assert (newest.orders, newest.total_fen, newest.books_fen) == (0, 0, late.total_fen)
    assert [(part.business_date, part.amount_fen) for part in newest.late] == [(DAY, late.total_fen)]
    assert all(bill.agrees for bill in found.items)
    assert found.total_fen == found.books_fen


def test_an_order_that_says_another_amount_than_the_books_is_a_difference(session: Session, books: Books) -> None:
    order = books.order(books.customer(recharged_fen=20_000), hold_fen=8_000)
    settle_record(session, record(order.serial), at=END)
    session.execute(text("UPDATE charging_order SET total_fen = total_fen + 5, service_fen = service_fen + 5"))
    (bill,) = bills(session).items
    assert (bill.difference_fen, bill.agrees) == (5, False)


def test_a_month_without_orders_is_empty(session: Session, books: Books) -> None:
    found = bills(session)
    assert (found.items, found.total_fen, found.energy_kwh) == ((), 0, 0)


@pytest.mark.parametrize(
    ("month", "expected"),
    [
        ("2026-11", (date(2026, 11, 1), DAY)),
        ("2026-02", (date(2026, 2, 1), date(2026, 2, 28))),
        ("2025-12", (date(2025, 12, 1), date(2025, 12, 31))),
        ("2026-12", (date(2026, 12, 1), date(2026, 12, 1))),
    ],
)
def test_a_month_goes_as_far_as_it_has_come(month: str, expected: tuple[date, date]) -> None:
    assert month_days(month, BEGIN) == expected


def test_a_day_closes_at_six_of_the_next() -> None:
    six = BEGIN.replace(hour=22, minute=0)  # 06:00 of the 25th in Beijing
    assert not is_closed(DAY, six - timedelta(seconds=1))
    assert is_closed(DAY, six)


def test_bills_are_of_own_stations_and_of_months_that_have_begun(still: World) -> None:
    own = f"/stations/{still.ours.station}/daily-bills"
    answer = still.call("GET", f"{own}?month=2026-11")
    assert (answer.status_code, answer.json["items"]) == (200, [])
    assert still.call("GET", f"{own}?month=2027-01").json["code"] == "month_to_come"
    assert still.call("GET", f"{own}?month=2026-13").status_code == 422
    assert still.call("GET", own).status_code == 422
    assert still.call("GET", f"/stations/{still.theirs.station}/daily-bills?month=2026-11").status_code == 404
    limited = f"/stations/{still.ours.other_station}/daily-bills?month=2026-11"
    assert still.call("GET", limited, token=still.ours.limited_token).status_code == 404
    assert still.call("GET", f"{own}?month=2026-11", token=still.ours.tokens[Role.VIEWER]).status_code == 403
