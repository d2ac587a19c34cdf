"""Marks and record are two topics: in whatever order and however often they come, an order costs the same."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from evcs.contracts import waits
from evcs.contracts.gun import ChargeRecord, MarkReason, MeterMark
from evcs.contracts.states import OrderState
from tests.webapi.books import BEGIN, FLAT, PEAK, SHARP, Books, changed, mark, record
from tests.webapi.said import AT_GUN
from webapi.ledger.invariants import check
from webapi.ledger.models import Account, Entry, Hold, Transaction, TransactionKind
from webapi.orders import events, life
from webapi.orders.advance import observe
from webapi.orders.models import Bill, BillLine, Order
from webapi.orders.models import ChargeRecord as RecordRow

CAME = BEGIN + timedelta(hours=3)
IN = CAME + timedelta(seconds=2 * waits.MARKS_S)
"""When every wait for marks is over."""
CLOSED = CAME + timedelta(days=8)
RECHARGED = 30_000


@dataclass(frozen=True)
class Charge:
    """What bridge and pile say of one charge: its marks in order of time, and the record, under a serial of zeros."""

    marks: tuple[tuple[int, Decimal, MarkReason], ...]
    record: ChargeRecord
    started: bool
    """Whether its first charging level came before all of this."""
    goal_fen: int | None

    def place(self, books: Books) -> tuple[Order, list[MeterMark], ChargeRecord]:
        order = books.order(
            books.customer(recharged_fen=RECHARGED),
            hold_fen=self.goal_fen or 9_000,
            goal_amount_fen=self.goal_fen,
            started=self.started,
            state=OrderState.CHARGING if self.started else OrderState.COMMANDED,
        )
        marks = [mark(order.serial, minutes, str(energy), why) for minutes, energy, why in self.marks]
        return order, marks, changed(self.record, serial=order.serial)


@st.composite
def charges(draw: st.DrawFn) -> Charge:
    """A charge from 20:50, mostly across 22:00 where 峰 ends, whose record may be wrong in any way."""
    minutes = sorted(draw(st.sets(st.integers(1, 130), min_size=1, max_size=4)))
    # As much as 120 kW can give, in steps of the meter.
    powers = [draw(st.integers(0, 200)) for _ in minutes]
    marks = [(0, Decimal(0), MarkReason.BEGIN)]
    for minute, power in zip(minutes, powers, strict=True):
        drawn = Decimal((minute - marks[-1][0]) * power) / 100
        marks.append((minute, marks[-1][1] + drawn, MarkReason.PERIODIC))
    last, seen, _ = marks[-1]
    marks[-1] = (last, seen, MarkReason.END)
    off = [Decimal(0), Decimal(0), Decimal(0), Decimal("0.3"), Decimal(-5), -seen]
    total = max(Decimal(0), seen + draw(st.sampled_from(off)))
    flat = (total * draw(st.integers(0, 100)) / 100).quantize(Decimal("0.0001")) if last > 70 else Decimal(0)
    bands = ((PEAK, total - flat), (FLAT, flat))
    exact = (total - flat) * 152_345 + flat * 112_345
    amount_e4 = max(0, int(exact / 10) + draw(st.sampled_from([0, 0, 0, -90_000, 90_000, -(10**9)])))
    said = record("0" * 32, bands, amount_e4, ended_at=BEGIN + timedelta(minutes=last))
    match draw(st.sampled_from(["right", "sums", "register", "clock", "untimed", "backwards", "band"])):
        case "sums":
            said = changed(said, energy_kwh=total + 1, register_end_kwh=said.register_end_kwh + 1)
        case "register":
            said = changed(said, register_end_kwh=said.register_end_kwh + 1)
        case "clock":
            said = changed(said, clock_offset_s=90.0)
        case "untimed":
            came = said.received_at
            said = changed(said, is_timed=False, started_at=came, ended_at=came, traded_at=came)
        case "backwards":
            said = changed(said, ended_at=BEGIN - timedelta(minutes=5))
        case "band":
            said = changed(record("0" * 32, ((SHARP, total),), amount_e4), ended_at=said.ended_at)
    return Charge(tuple(marks), said, draw(st.booleans()), draw(st.sampled_from([None, None, 3_000])))


def deadlines(books: Books, order: Order, until: datetime) -> None:
    """Let the order see its deadlines, as the worker does."""
    while order.deadline_at is not None and order.deadline_at <= until:
        observe(books.session, order, life.DeadlinePassed(), at=order.deadline_at)


def hear(books: Books, messages: Sequence[MeterMark | ChargeRecord], at: datetime) -> None:
    for message in messages:
        if isinstance(message, MeterMark):
            events.meter(books.session, AT_GUN, message, at)
        else:
            events.record(books.session, AT_GUN, message, at)
    books.session.flush()


@dataclass(frozen=True)
class Outcome:
    """Everything that an order has come to: state, figures, bills, money."""

    order: tuple[object, ...]
    hold: tuple[object, ...]
    bills: tuple[object, ...]
    verdict: tuple[object, ...]
    ledger: tuple[tuple[str, int], ...]


def outcome(books: Books, order: Order) -> Outcome:
    session = books.session
    session.flush()
    hold = session.get_one(Hold, order.serial)
    row = session.scalars(select(RecordRow).where(RecordRow.serial == order.serial)).one()
    bills = session.scalars(select(Bill).where(Bill.order_serial == order.serial).order_by(Bill.id)).all()
    entries = session.execute(
        select(Account.code, func.sum(Entry.amount_fen))
        .join(Entry, Entry.account_id == Account.id)
        .join(Transaction, Transaction.id == Entry.transaction_id)
        .where(Transaction.order_serial == order.serial)
        .group_by(Account.code)
    )
    return Outcome(
        order=(
            order.state,
            order.state_since,
            order.deadline_at,
            order.exception_code,
            order.started_at,
            order.ended_at,
            order.settled_at,
            order.business_date,
            order.provisional,
            order.energy_kwh,
            order.electricity_fen,
            order.service_fen,
            order.discount_fen,
            order.total_fen,
            order.pile_total_fen,
            order.last_mark_energy_kwh,
        ),
        hold=(hold.state, hold.captured_fen, hold.released_fen, hold.rest_fen, hold.closed_at),
        bills=tuple((bill.kind, bill.route, bill.total_fen, bill.pile_total_fen, lines_of(bill)) for bill in bills),
        verdict=(row.verdict, row.verdict_reason),
        ledger=tuple(
            sorted((code.replace(f":{order.customer_id}:", ":#:"), int(sum_)) for code, sum_ in entries if sum_)
        ),
    )


def settlements_of(books: Books, order: Order) -> int:
    """How often money was taken by a settlement; what marks add later to a review is a correction."""
    of_order = Transaction.order_serial == order.serial
    counted = select(func.count()).where(of_order, Transaction.kind == TransactionKind.SETTLEMENT)
    return books.session.scalar(counted) or 0


def lines_of(bill: Bill) -> frozenset[tuple[object, ...]]:
    def said(line: BillLine) -> tuple[object, ...]:
        return line.band, line.energy_kwh, line.electricity_fen, line.service_fen

    return frozenset(said(line) for line in bill.lines)


@contextmanager
def undone(books: Books) -> Iterator[None]:
    """Whatever an example writes is gone after it: the database stays small."""
    savepoint = books.session.begin_nested()
    try:
        yield
    finally:
        savepoint.rollback()
        books.session.expunge_all()


per_database = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_a_wrong_record_that_comes_before_the_end_is_not_billed_without_it(books: Books) -> None:
    """As it was once: 39.9 kWh of 峰 were drawn, and with the begin alone nothing would be paid for them."""
    total = Decimal("39.9000")
    said = record("0" * 32, ((PEAK, total),), 617_857, ended_at=BEGIN + timedelta(minutes=30))
    said = changed(said, energy_kwh=total + 1, register_end_kwh=said.register_end_kwh)
    marks = ((0, Decimal(0), MarkReason.BEGIN), (30, total, MarkReason.END))
    order, (begin, end), said = Charge(marks, said, started=True, goal_fen=None).place(books)
    hear(books, [begin, said], CAME)
    assert (order.state, order.exception_code, order.total_fen) == (OrderState.REVIEW, "marks_awaited", 0)
    assert books.session.get_one(Hold, order.serial).rest_fen == 9_000
    hear(books, [end, said, end], CAME + timedelta(seconds=5))
    assert order.deadline_at == CAME + timedelta(seconds=5 + waits.MARKS_S)
    deadlines(books, order, CAME + timedelta(minutes=1))
    assert (order.state, order.exception_code) == (OrderState.REVIEW, "record_differs")
    assert (order.energy_kwh, order.total_fen, order.pile_total_fen) == (total, 6079, 6179)
    assert books.session.get_one(Hold, order.serial).rest_fen == 100, "the yuan in dispute"
    assert order.deadline_at == CAME + timedelta(seconds=waits.REVIEW_S)
    assert check(books.session) == []


@per_database
@given(charges(), st.data())
def test_any_order_and_repetition_of_marks_and_record_comes_to_the_same(
    books: Books, charge: Charge, data: st.DataObject
) -> None:
    with undone(books):
        first, marks, said = charge.place(books)
        hear(books, [*marks, said], CAME)
        other, marks, said = charge.place(books)
        once: list[MeterMark | ChargeRecord] = [*marks, said]
        twice = data.draw(st.lists(st.sampled_from(range(len(once))), max_size=6))
        mixed = data.draw(st.permutations([*range(len(once)), *twice]))
        hear(books, [once[place] for place in mixed], CAME)
        for until in (IN, CLOSED):
            for order in (first, other):
                deadlines(books, order, until)
            assert outcome(books, other) == outcome(books, first)
            assert settlements_of(books, other) <= 1
        assert first.state is not OrderState.REVIEW
        assert check(books.session) == []


@per_database
@given(charges(), st.data())
def test_marks_that_come_when_the_wait_is_over_are_paid_at_the_end_of_the_review(
    books: Books, charge: Charge, data: st.DataObject
) -> None:
    with undone(books):
        first, marks, said = charge.place(books)
        hear(books, [*marks, said], CAME)
        deadlines(books, first, CLOSED)
        other, marks, said = charge.place(books)
        is_late = [data.draw(st.booleans()) for _ in marks]
        hear(books, [*(one for one, late in zip(marks, is_late, strict=True) if not late), said], CAME)
        deadlines(books, other, IN)
        hear(books, [one for one, late in zip(marks, is_late, strict=True) if late], CAME + timedelta(days=1))
        deadlines(books, other, CLOSED)
        # Agreement is within a fen of the pile's amount: some marks may agree from below, all of them from above.
        assert abs(other.total_fen - first.total_fen) <= 2
        assert {first.state, other.state} <= {OrderState.SETTLED, OrderState.START_FAILED}
        assert books.session.get_one(Hold, other.serial).rest_fen == 0
        assert check(books.session) == []
