"""Order refunds: by line, never beyond what the order cost, and every figure of the day still agrees."""

from datetime import date, timedelta

import pytest
from sqlalchemy.orm import Session

from evcs.contracts.states import OrderState
from tests.webapi.books import BEGIN, STATION, Books, record
from webapi.ledger.invariants import check
from webapi.ledger.models import Wallet
from webapi.orders.explain.check import explain_order
from webapi.orders.models import Order
from webapi.orders.settle import settle_record
from webapi.recharges.place import RechargeOrder, place_recharge
from webapi.reconcile.daily_bill import daily_bills
from webapi.refunds.errors import RefundRefused
from webapi.refunds.order_refund import approve_order_refund, ask_order_refund, rest_of
from webapi.refunds.withdraw import reject
from webapi.stations.models import Station

END = BEGIN + timedelta(minutes=141)
DAY = date(2026, 11, 24)


def settled(books: Books, recharged_fen: int = 10_000, *, gift_fen: int = 0) -> Order:
    """The worked example: 42.84 yuan of electricity and 22.83 of service."""
    customer = books.customer()
    paid = RechargeOrder(customer.id, recharged_fen, number="1", reason="test", gift_fen=gift_fen)
    place_recharge(books.session, paid, at=BEGIN, by="user:1")
    order = books.order(customer, hold_fen=min(recharged_fen, 8_000))
    order.state = OrderState.SETTLED
    settle_record(books.session, record(order.serial), at=END)
    assert (order.electricity_fen, order.service_fen, order.total_fen) == (4284, 2283, 6567)
    return order


def give_back(session: Session, order: Order, electricity_fen: int, service_fen: int) -> None:
    asked = ask_order_refund(session, order, electricity_fen, service_fen, "投诉", at=END, by="user:1")
    approve_order_refund(session, asked, None, at=END, by="user:2")


def test_what_was_given_back_by_line_stands_apart_from_what_the_order_cost(session: Session, books: Books) -> None:
    order = settled(books)
    give_back(session, order, 0, 500)
    assert (order.state, order.total_fen) == (OrderState.SETTLED, 6567)
    assert session.get_one(Wallet, order.customer_id, populate_existing=True).available_fen == 10_000 - 6567 + 500
    give_back(session, order, 4284, 1783)
    assert order.state is OrderState.REFUNDED
    assert session.get_one(Wallet, order.customer_id, populate_existing=True).available_fen == 10_000
    session.commit()
    assert check(session) == []
    (explained,) = explain_order(session, order)
    assert explained[1].is_right
    found = daily_bills(session, session.get_one(Station, STATION), DAY, DAY, at=END + timedelta(days=1))
    (bill,) = found.items
    assert (bill.total_fen, bill.books_fen, bill.refunded_fen, bill.agrees) == (6567, 6567, 6567, True)


def test_never_more_than_the_line_or_the_whole_also_with_refunds_that_wait(session: Session, books: Books) -> None:
    order = settled(books)
    for electricity, service in ((4285, 0), (0, 2284)):
        with pytest.raises(RefundRefused, match="refund_over_order"):
            ask_order_refund(session, order, electricity, service, "x", at=END, by="user:1")
    waiting = ask_order_refund(session, order, 4000, 0, "x", at=END, by="user:1")
    with pytest.raises(RefundRefused) as refused:
        ask_order_refund(session, order, 300, 0, "x", at=END, by="user:1")
    assert "25.67" in refused.value.sentence.zh
    assert "2.84" in refused.value.sentence.en
    reject(session, waiting, "no", at=END, by="user:2")
    assert rest_of(session, order).total_fen == 6567
    give_back(session, order, 4284, 0)


def test_only_what_is_finally_settled(session: Session, books: Books) -> None:
    order = settled(books)
    for state, provisional in (
        (OrderState.CHARGING, False),
        (OrderState.REVIEW, False),
        (OrderState.REFUNDED, False),
        (OrderState.SETTLED, True),
    ):
        order.state, order.provisional = state, provisional
        session.flush()
        with pytest.raises(RefundRefused, match="refund_order_not_settled"):
            ask_order_refund(session, order, 0, 1, "x", at=END, by="user:1")


def test_what_a_gift_paid_goes_back_to_the_gift_and_a_debt_is_paid_first(session: Session, books: Books) -> None:
    order = settled(books, 5_000, gift_fen=1_000)
    wallet = session.get_one(Wallet, order.customer_id, populate_existing=True)
    assert (wallet.available_fen, wallet.gift_fen, wallet.debt_fen) == (0, 0, 567)
    give_back(session, order, 0, 2_000)
    session.refresh(wallet)
    # 2,000 of 6,567 fen: 304.5 of the 1,000 that the gift paid.
    assert (wallet.gift_fen, wallet.debt_fen, wallet.available_fen) == (304, 0, 2_000 - 304 - 567)
    give_back(session, order, 4_284, 283)
    session.refresh(wallet)
    assert (wallet.gift_fen, wallet.debt_fen, wallet.available_fen) == (1_000, 0, 5_000)
    session.commit()
    assert check(session) == []
