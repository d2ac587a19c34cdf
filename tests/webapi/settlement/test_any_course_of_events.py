"""Whatever happens in whatever order: the books stay right, and no order is settled or corrected twice."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from evcs.contracts.states import OrderState
from tests.webapi.books import BEGIN, FLAT, PEAK, VALLEY, Books, changed, mark, record
from webapi.database import sessions
from webapi.ledger.errors import InsufficientFunds, NoOpenHold
from webapi.ledger.holds import lengthen_hold, release_hold
from webapi.ledger.invariants import check, figures
from webapi.ledger.models import Transaction
from webapi.orders.life import RecordOutcome
from webapi.orders.marks import keep_mark
from webapi.orders.models import Order
from webapi.orders.provisional import settle_provisionally
from webapi.orders.reckon_anew import reckon_anew
from webapi.orders.review import close_review
from webapi.orders.settle import settle_record
from webapi.recharges.place import RechargeOrder, place_recharge

fen = st.integers(1, 20_000)
kwh = st.integers(0, 500_000).map(lambda steps: Decimal(steps).scaleb(-4))
deeds = st.lists(
    st.one_of(
        st.tuples(st.just("recharge"), fen),
        st.tuples(st.just("order"), fen, st.one_of(st.none(), fen)),
        st.tuples(st.just("lengthen"), fen),
        st.tuples(st.just("release")),
        st.tuples(st.just("mark"), st.integers(1, 130), kwh),
        st.tuples(st.just("provisional")),
        st.tuples(
            st.just("record"), kwh, kwh, kwh, st.sampled_from((-900, -1, 0, 1, 900)), st.sampled_from((0.0, 0.0, 90.0))
        ),
        st.tuples(st.just("reckon_anew")),
        st.tuples(st.just("close_review")),
    ),
    max_size=25,
)


class Course:
    """Carries out deeds on the newest order of one customer."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.customer = books.customer(recharged_fen=10_000)
        self.order: Order | None = None
        self.recharges = 0

    def do(self, deed: tuple[object, ...]) -> None:
        """One deed; what the rules forbid changes nothing."""
        try:
            with self.books.session.begin_nested():
                getattr(self, f"do_{deed[0]}")(*deed[1:])
        except (InsufficientFunds, NoOpenHold):
            if self.order is not None and self.order not in self.books.session:
                self.order = None

    def do_recharge(self, amount: int) -> None:
        self.recharges += 1
        order = RechargeOrder(self.customer.id, amount, f"{self.customer.id}-{self.recharges}", "x")
        place_recharge(self.books.session, order, at=BEGIN, by="t")

    def do_order(self, hold: int, goal: int | None) -> None:
        self.order = None
        self.order = self.books.order(self.customer, hold_fen=hold, goal_amount_fen=goal)

    def do_lengthen(self, more: int) -> None:
        if self.order:
            lengthen_hold(self.books.session, self.order, more, at=BEGIN, by="t")

    def do_release(self) -> None:
        if self.order and self.order.state is OrderState.CHARGING:
            release_hold(self.books.session, self.order, at=BEGIN, by="t")
            self.order.state = OrderState.CANCELLED

    def do_mark(self, minutes: int, energy: Decimal) -> None:
        if self.order:
            keep_mark(self.books.session, self.order, mark(self.order.serial, minutes, str(energy)))

    def do_provisional(self) -> None:
        if self.order and self.order.state is OrderState.CHARGING:
            settled = settle_provisionally(self.books.session, self.order, at=BEGIN)
            self.order.state = OrderState.SETTLED if settled else OrderState.REVIEW

    def do_record(self, peak: Decimal, flat: Decimal, valley: Decimal, off_fen: int, clock_offset_s: float) -> None:
        if not self.order:
            return
        exact = peak * 152_345 + flat * 112_345 + valley * 72_345
        amount_e4 = max(0, int(exact / 10) + off_fen * 100)
        said = record(self.order.serial, ((PEAK, peak), (FLAT, flat), (VALLEY, valley)), amount_e4)
        said = changed(said, clock_offset_s=clock_offset_s)
        was = self.order.state
        settled = settle_record(self.books.session, said, at=BEGIN + timedelta(hours=3))
        if was not in (OrderState.SETTLED,) and settled.outcome is RecordOutcome.SETTLED:
            self.order.state = OrderState.SETTLED
        elif was is not OrderState.SETTLED and settled.outcome in (RecordOutcome.REVIEW, RecordOutcome.AWAITS_MARKS):
            self.order.state = OrderState.REVIEW

    def do_reckon_anew(self) -> None:
        if self.order and self.order.state in (OrderState.REVIEW, OrderState.SETTLED):
            outcome = reckon_anew(self.books.session, self.order, at=BEGIN + timedelta(hours=3), by="t")
            if outcome is not None:
                self.order.state = OrderState.REVIEW if outcome is RecordOutcome.REVIEW else OrderState.SETTLED

    def do_close_review(self) -> None:
        if self.order and self.order.state is OrderState.REVIEW:
            close_review(self.books.session, self.order, at=BEGIN, by="t")
            self.order.state = OrderState.SETTLED


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deeds)
def test_the_books_stay_right(books: Books, course: list[tuple[object, ...]]) -> None:
    run = Course(books)
    for deed in course:
        run.do(deed)
    books.session.commit()
    assert check(books.session) == []
    own = figures(books.session, run.customer.id)
    assert own.sources == own.uses
    keys = books.session.scalars(select(Transaction.key).where(Transaction.order_serial.is_not(None)))
    kinds = Counter(tuple(key.split(":")[:2]) for key in keys if not key.startswith("hold:"))
    assert all(often == 1 for often in kinds.values())


def test_a_record_that_arrives_in_many_sessions_at_once_is_settled_once(engine: Engine, books: Books) -> None:
    customer = books.customer(recharged_fen=10_000)
    serial = books.order(customer, hold_fen=8_000).serial
    books.session.commit()

    def settle(n: int) -> str:
        with sessions(engine).begin() as session:
            return str(settle_record(session, record(serial, n=n), at=BEGIN).outcome)

    with ThreadPoolExecutor(5) as pool:
        outcomes = Counter(pool.map(settle, range(5)))
    assert outcomes == {"settled": 1, "repeated": 4}
    assert books.wallet(customer) == (10_000 - 6567, 0, 0)


def test_what_is_not_committed_never_happened(engine: Engine, books: Books) -> None:
    customer = books.customer(recharged_fen=10_000)
    serial = books.order(customer, hold_fen=8_000).serial
    books.session.commit()
    with sessions(engine)() as session:
        settle_record(session, record(serial), at=BEGIN)
        session.rollback()
    assert books.wallet(customer) == (2_000, 8_000, 0)
    books.session.rollback()
    with sessions(engine).begin() as session:
        assert settle_record(session, record(serial, n=2), at=BEGIN).outcome is RecordOutcome.SETTLED
    assert books.wallet(customer) == (10_000 - 6567, 0, 0)
