"""Deciding a review: whichever calculation is taken, the money is right and the bill follows from its evidence."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from evcs.contracts.gun import ChargeRecord as Record
from evcs.contracts.states import OrderState
from tests.webapi.books import BEGIN, PEAK, SHARP, Books, changed, mark, record
from webapi.ledger.invariants import check
from webapi.ledger.models import Hold, HoldState, Transaction, TransactionKind
from webapi.orders import life
from webapi.orders.advance import lock_order, observe
from webapi.orders.explain.check import explain_order
from webapi.orders.explain.words import words_of
from webapi.orders.marks import keep_mark
from webapi.orders.models import Bill, BillKind, ChargeRecord, Order, RecordVerdict
from webapi.orders.review_decide import Decided, Undecidable, decide_review
from webapi.orders.settle import settle_record
from webapi.orders.two_sides import Side

LATER = BEGIN + timedelta(hours=3)
HOUR = BEGIN + timedelta(minutes=60)
NOTHING_DRAWN: tuple[()] = ()


def in_review(books: Books, order: Order, said: Record) -> None:
    """What the worker does with a record; then its marks are in."""
    settled = settle_record(books.session, said, at=LATER)
    assert settled.outcome is not None
    observe(books.session, order, life.RecordStored(settled.outcome, settled.has_energy, order.ended_at), at=LATER)
    if order.exception_code == life.Trouble.MARKS_AWAITED.value:
        observe(books.session, order, life.DeadlinePassed(), at=LATER + timedelta(hours=1))
    books.session.flush()
    assert (order.state, order.exception_code) == (OrderState.REVIEW, "record_differs")


def decide(books: Books, order: Order, take: Side) -> Decided | Undecidable:
    """As over HTTP; the books are right afterwards, and every bill follows from its evidence alone."""
    locked = lock_order(books.session, order.serial)
    assert locked is order
    done = decide_review(books.session, order, take, at=LATER + timedelta(days=1), by="user:1")
    assert check(books.session) == []
    explained = [found for _, found in explain_order(books.session, order)]
    assert [one.differences for one in explained] == [()] * len(explained)
    if isinstance(done, Decided):
        assert explained[-1].bundle.bill.kind == "decision"
        assert explained[-1].total_fen == done.total_fen == order.total_fen
    return done


def marked(books: Books, order: Order) -> None:
    for minutes, energy in ((0, "0"), (60, "20")):
        keep_mark(books.session, order, mark(order.serial, minutes, energy))


CASES = {
    "the pile says more": (record, {"amount_e4": 700_000}, False, 6567, 7000),
    "the pile says less": (record, {"amount_e4": 500_001}, False, 6567, 5000),
    "a band that was never touched": (
        record,
        {"energies": ((SHARP, Decimal(20)),), "amount_e4": 344_690, "ended_at": HOUR},
        True,
        3047,
        3447,
    ),
    "energy that only the marks saw": (record, {"energies": NOTHING_DRAWN, "amount_e4": 0}, True, 3047, 0),
    "an amount without energy": (record, {"energies": NOTHING_DRAWN, "amount_e4": 200_000}, True, 3047, 2000),
}


@pytest.mark.parametrize("take", list(Side))
@pytest.mark.parametrize("case", CASES)
def test_either_calculation_can_be_taken(books: Books, case: str, take: Side) -> None:
    make, said, has_marks, platform_fen, pile_fen = CASES[case]
    customer = books.customer(recharged_fen=10_000)
    order = books.order(customer, hold_fen=8_000)
    if has_marks:
        marked(books, order)
    in_review(books, order, make(order.serial, **said))
    done = decide(books, order, take)
    assert isinstance(done, Decided)
    assert (done.platform_fen, done.pile_fen) == (platform_fen, pile_fen)
    total = platform_fen if take is Side.PLATFORM else pile_fen
    assert (order.state, order.total_fen, order.deadline_at) == (OrderState.SETTLED, total, None)
    assert books.wallet(customer) == (10_000 - total, 0, 0)
    assert books.session.get_one(Hold, order.serial).state is not HoldState.OPEN
    posted = books.session.scalars(select(Transaction).where(Transaction.kind == TransactionKind.DECISION)).all()
    assert {(one.key, one.created_by) for one in posted} <= {(f"decision:{order.serial}", "user:1")}
    row = books.session.scalars(select(ChargeRecord)).one()
    assert (row.verdict, row.verdict_reason) == (RecordVerdict.SETTLED, "decided")


def test_a_record_that_cannot_be_believed_is_nothing_by_us_and_its_amount_by_the_pile(books: Books) -> None:
    for take, total in ((Side.PLATFORM, 0), (Side.PILE, 6567)):
        customer = books.customer(recharged_fen=10_000)
        order = books.order(customer, hold_fen=8_000)
        in_review(books, order, changed(record(order.serial), register_end_kwh=Decimal(2000)))
        assert isinstance(decide(books, order, take), Decided)
        assert books.wallet(customer) == (10_000 - total, 0, 0)


def test_what_the_wallet_cannot_pay_is_a_debt_and_the_words_say_so(books: Books) -> None:
    customer = books.customer(recharged_fen=6_600)
    order = books.order(customer, hold_fen=6_600)
    in_review(books, order, record(order.serial, amount_e4=990_000))
    decide(books, order, Side.PILE)
    assert books.wallet(customer) == (0, 0, 9_900 - 6_600)
    _, explained = explain_order(books.session, order)[-1]
    assert "余额不足，记为欠费 33.00 元。" in [said.zh for said in words_of(explained)]


def test_the_goal_limits_what_a_decision_takes(books: Books) -> None:
    customer = books.customer(recharged_fen=10_000)
    order = books.order(customer, hold_fen=6_800, goal_amount_fen=6_800)
    in_review(books, order, record(order.serial, amount_e4=700_000))
    decide(books, order, Side.PILE)
    assert (order.total_fen, order.discount_fen) == (6_800, 200)
    assert books.wallet(customer) == (3_200, 0, 0)


def test_energy_that_the_gun_cannot_have_delivered_is_never_billed_by_the_pile(books: Books) -> None:
    customer = books.customer(recharged_fen=10_000)
    order = books.order(customer, hold_fen=8_000)
    in_review(books, order, record(order.serial, ((PEAK, Decimal(9_000)),), 137_110_500))
    assert decide(books, order, Side.PILE) is Undecidable.NO_FIGURES
    assert books.wallet(customer) == (2_000, 8_000, 0)


def test_a_charge_of_nobody_cannot_be_decided(books: Books) -> None:
    order = books.order(None)
    in_review(books, order, record(order.serial))
    assert decide(books, order, Side.PLATFORM) is Undecidable.NO_PAYER
    assert order.state is OrderState.REVIEW


def test_while_marks_are_awaited_and_once_it_is_decided_nothing_is(books: Books) -> None:
    order = books.order(books.customer(recharged_fen=10_000), hold_fen=8_000)
    in_review(books, order, record(order.serial, amount_e4=700_000))
    observe(books.session, order, life.MarkSeen(), at=LATER)
    assert decide(books, order, Side.PILE) is Undecidable.OVER
    observe(books.session, order, life.DeadlinePassed(), at=LATER + timedelta(hours=1))
    assert isinstance(decide(books, order, Side.PILE), Decided)
    assert decide(books, order, Side.PLATFORM) is Undecidable.OVER
    assert order.total_fen == 7000


def test_whatever_comes_after_a_decision_changes_no_money(books: Books) -> None:
    customer = books.customer(recharged_fen=10_000)
    order = books.order(customer, hold_fen=8_000)
    in_review(books, order, record(order.serial, amount_e4=700_000))
    decide(books, order, Side.PILE)
    keep_mark(books.session, order, mark(order.serial, 139, "60"))
    observe(books.session, order, life.MarkSeen(), at=LATER + timedelta(days=2))
    observe(books.session, order, life.DeadlinePassed(), at=LATER + timedelta(days=8))
    again = settle_record(books.session, record(order.serial, ((PEAK, Decimal(50)),), 761_725), at=LATER)
    assert again.row.verdict_reason == "another_record"
    assert (books.wallet(customer), order.state) == ((3_000, 0, 0), OrderState.SETTLED)
    kinds = books.session.scalars(select(Bill.kind).order_by(Bill.id)).all()
    assert kinds == [BillKind.FINAL, BillKind.DECISION]
    assert check(books.session) == []
