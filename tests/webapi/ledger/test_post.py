"""Posting, holding and recharging: once each, and never more than is there."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import Engine, func, select

from evcs.contracts.reasons import Reason
from tests.webapi.books import BEGIN, Books
from webapi.customers.models import Customer
from webapi.database import sessions
from webapi.ledger.accounts import available, clearing, debt, held
from webapi.ledger.errors import InsufficientFunds, KeyTaken, NoOpenHold
from webapi.ledger.holds import HoldRefusal, covered_kwh, lengthen_hold, place_hold, release_hold, size_hold
from webapi.ledger.invariants import check, figures
from webapi.ledger.models import Hold, HoldState, Transaction, TransactionKind
from webapi.ledger.post import Move, Posting, post
from webapi.orders.models import Order
from webapi.recharges.models import Recharge
from webapi.recharges.place import RechargeOrder, place_recharge


def _posting(books: Books, customer: Customer, amount: int, key: str = "k") -> Posting:
    return Posting(
        key,
        TransactionKind.RECHARGE,
        books.tenant_id,
        (Move(clearing("manual"), -amount), Move(available(customer.id), amount)),
        customer_id=customer.id,
    )


def test_the_same_posting_twice_is_one(books: Books) -> None:
    customer = books.customer()
    first = post(books.session, _posting(books, customer, 100), at=BEGIN, by="a")
    again = post(books.session, _posting(books, customer, 100), at=BEGIN, by="b")
    assert (first.is_new, again.is_new) == (True, False)
    assert first.transaction_id == again.transaction_id
    assert books.wallet(customer) == (100, 0, 0)


def test_a_key_that_stands_for_something_else_is_refused(books: Books) -> None:
    customer = books.customer()
    post(books.session, _posting(books, customer, 100), at=BEGIN, by="a")
    with pytest.raises(KeyTaken):
        post(books.session, _posting(books, customer, 101), at=BEGIN, by="a")


def test_a_posting_that_is_none_is_refused_before_it_is_written(books: Books) -> None:
    one, other = books.customer(), books.customer()
    for moves in (
        (Move(clearing("manual"), -1), Move(available(one.id), 2)),
        (),
        (Move(available(one.id), 1), Move(available(one.id), -1)),
        (Move(available(other.id), 1), Move(available(one.id), -1)),
    ):
        posting = Posting("k", TransactionKind.RECHARGE, books.tenant_id, moves, customer_id=one.id)
        with pytest.raises(ValueError, match="k: "):
            post(books.session, posting, at=BEGIN, by="a")


def test_posting_date_is_the_beijing_day(books: Books) -> None:
    customer = books.customer()
    late = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)
    post(books.session, _posting(books, customer, 5), at=late, by="a")
    assert books.session.scalar(select(Transaction.posting_date)) == date(2026, 11, 25)


def test_no_more_leaves_an_account_than_is_there(books: Books) -> None:
    customer = books.customer(recharged_fen=100)
    moves = (Move(available(customer.id), -101), Move(held(customer.id), 101))
    posting = Posting("h", TransactionKind.HOLD, books.tenant_id, moves, customer_id=customer.id)
    with pytest.raises(InsufficientFunds):
        post(books.session, posting, at=BEGIN, by="a")
    too_much_paid = (Move(clearing("manual"), -1), Move(debt(customer.id), 1))
    posting = Posting("d", TransactionKind.DEBT_PAID, books.tenant_id, too_much_paid, customer_id=customer.id)
    with pytest.raises(InsufficientFunds):
        post(books.session, posting, at=BEGIN, by="a")
    assert books.wallet(customer) == (100, 0, 0)


def test_a_hold_is_placed_lengthened_and_given_back_once(books: Books) -> None:
    customer = books.customer(recharged_fen=1000)
    order = books.order(customer, hold_fen=600)
    assert books.wallet(customer) == (400, 600, 0)
    lengthen_hold(books.session, order, 300, at=BEGIN, by="worker")
    assert books.wallet(customer) == (100, 900, 0)
    with pytest.raises(InsufficientFunds):
        lengthen_hold(books.session, order, 101, at=BEGIN, by="worker")
    assert release_hold(books.session, order, at=BEGIN, by="worker") == 900
    assert release_hold(books.session, order, at=BEGIN, by="worker") == 0
    assert books.wallet(customer) == (1000, 0, 0)
    assert books.session.get_one(Hold, order.serial).state is HoldState.RELEASED
    with pytest.raises(NoOpenHold):
        lengthen_hold(books.session, order, 1, at=BEGIN, by="worker")


def test_the_size_of_a_hold() -> None:
    def size(**given: int | None) -> int | HoldRefusal:
        figures: dict[str, int | None] = {"goal_amount_fen": None, "available_fen": 100_000, "debt_fen": 0, **given}
        return size_hold(rated_kw=Decimal(60), dearest_e5=120_000, **figures)  # type: ignore[arg-type]

    assert size() == 14_400, "60 kW for 2 h at 1.2 yuan"
    assert size(available_fen=7_000) == 7_000
    assert size_hold(
        goal_amount_fen=None, available_fen=100_000, debt_fen=0, rated_kw=Decimal(120), dearest_e5=172_345
    ) == (20_000)
    assert size(goal_amount_fen=3_000) == 3_000
    assert size(goal_amount_fen=30_000) == 30_000
    assert size(goal_amount_fen=100_001) == HoldRefusal(Reason.GOAL_OVER_BALANCE, 100_000, goal_fen=100_001)
    assert size(available_fen=499) == HoldRefusal(Reason.BALANCE_TOO_LOW, 499, minimum_fen=500)
    assert size(debt_fen=1) == HoldRefusal(Reason.IN_DEBT, 100_000, debt_fen=1)


def test_covered_energy_is_rounded_down() -> None:
    assert covered_kwh(10_000, 172_345) == Decimal("58.0231")
    assert covered_kwh(1, 100_000) == Decimal("0.0100")
    assert covered_kwh(1, 0) > 400_000


def test_a_recharge_pays_a_debt_first_and_counts_once(books: Books) -> None:
    customer = books.customer(recharged_fen=0)
    owes = (Move(debt(customer.id), -250), Move(clearing("manual"), 250))
    posting = Posting("x", TransactionKind.SETTLEMENT, books.tenant_id, owes, customer_id=customer.id)
    post(books.session, posting, at=BEGIN, by="test")
    order = RechargeOrder(customer.id, 1000, number="n1", reason="现金", voucher="收据 7")
    first = place_recharge(books.session, order, at=BEGIN, by="user:1")
    again = place_recharge(books.session, order, at=BEGIN, by="user:2")
    assert first.id == again.id
    assert books.wallet(customer) == (750, 0, 0)
    with pytest.raises(KeyTaken):
        place_recharge(books.session, RechargeOrder(customer.id, 999, "n1", "现金"), at=BEGIN, by="user:1")
    assert check(books.session) == []
    assert figures(books.session, customer.id).paid_in == 750


def test_two_starts_at_once_cannot_use_the_same_fen(engine: Engine, books: Books) -> None:
    customer = books.customer(recharged_fen=1000)
    serials = [books.order(customer).serial for _ in range(6)]
    books.session.commit()

    def hold(serial: str) -> bool:
        with sessions(engine)() as session:
            try:
                place_hold(session, session.get_one(Order, serial), 300, at=BEGIN, by="test")
                session.commit()
            except InsufficientFunds:
                return False
            return True

    with ThreadPoolExecutor(6) as pool:
        placed = list(pool.map(hold, serials))
    assert sum(placed) == 3
    assert books.wallet(customer) == (100, 900, 0)
    assert check(books.session) == []


def test_a_recharge_from_many_clients_at_once_counts_once(engine: Engine, books: Books) -> None:
    customer = books.customer()
    books.session.commit()

    def recharge(_: int) -> int:
        with sessions(engine).begin() as session:
            return place_recharge(session, RechargeOrder(customer.id, 100, "one", "x"), at=BEGIN, by="t").id

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(recharge, range(6)))) == 1
    assert books.wallet(customer) == (100, 0, 0)
    assert books.session.scalar(select(func.count()).select_from(Recharge)) == 1
