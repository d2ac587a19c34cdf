"""An order that waits for the band: its line, its place as people see it, and what it repeats to the gate."""

from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from evcs.contracts import topics
from evcs.contracts.gun import Figures, Joint, JointRole, LeaveQueue, StartRequest, Verdict, VerdictKind
from evcs.contracts.reasons import Reason
from evcs.contracts.states import OrderState
from evcs.contracts.topics import Address
from evcs.contracts.transformer import TransformerQueue, Waiting
from evcs.contracts.waits import VERDICT_S
from tests.webapi.books import BEGIN, PILE, STATION, Books
from tests.webapi.orders.test_place import sent, wanted
from tests.webapi.said import AT_GUN, at
from webapi.ledger.invariants import check
from webapi.orders import events, life, messages
from webapi.orders.advance import observe
from webapi.orders.models import Order, QueuePlace
from webapi.orders.place import PlaceOrder, place_order
from webapi.orders.queued import QueueView, queue_cleared, queue_level, queue_view
from webapi.orders.stop import stop_order
from webapi.transformers.models import Transformer

UNTIL = at(900)


def waits(order: Order, position: int = 3) -> Verdict:
    return Verdict(
        id="v1",
        request=order.request_id,
        serial=order.serial,
        kind=VerdictKind.QUEUED,
        reason=Reason.BAND_BLOCKED,
        figures=Figures(load_pct=82.0, blocked_pct=80.0),
        position=position,
        queue_until=UNTIL,
        decided_at=at(1),
    )


def placed(books: Books, **changes: object) -> Order:
    customer = books.customer(recharged_fen=30_000)
    wish = wanted(customer.id)
    values = {name: getattr(wish, name) for name in PlaceOrder.__dataclass_fields__}
    order = place_order(books.session, PlaceOrder(**{**values, "may_queue": True, **changes}), at=BEGIN)
    assert isinstance(order, Order)
    return order


@pytest.fixture
def order(books: Books) -> Order:
    """An order that the gate has put in line."""
    found = placed(books)
    events.verdict(books.session, AT_GUN, waits(found), at(2))
    assert found.state is OrderState.QUEUED
    return found


def level(order: Order, transformer: str, *, version: int = 7, position: int = 2, others: int = 0) -> TransformerQueue:
    serials = [order.serial, *(f"{n:032d}" for n in range(others))]
    return TransformerQueue(
        version=version,
        transformer=transformer,
        waiting=tuple(
            Waiting(serial=serial, pile=PILE, gun=1, position=position + n, expires_at=UNTIL, estimate_s=120)
            for n, serial in enumerate(serials)
        ),
    )


def transformer_of(session: Session) -> Address:
    code = session.scalars(select(Transformer.code).where(Transformer.station_code == STATION)).first()
    assert code is not None
    return Address(station=STATION, transformer=code)


def test_only_an_order_from_a_wallet_for_one_gun_may_wait(books: Books) -> None:
    assert placed(books).may_queue is True
    (request,) = sent(books.session, topics.REQUEST)
    assert isinstance(request, StartRequest)
    assert request.may_queue is True
    joint = Joint(number="261124160812", role=JointRole.MAIN)
    assert placed(books, gun=2, joint=joint).may_queue is False


def test_it_waits_as_long_as_the_gate_said_and_the_gate_ends_it_first(books: Books, order: Order) -> None:
    assert order.deadline_at == UNTIL + timedelta(seconds=VERDICT_S)
    assert queue_view(order) == QueueView(3, at(1), UNTIL, None)
    events.verdict(
        books.session,
        AT_GUN,
        Verdict(
            id="v2",
            request=order.request_id,
            serial=order.serial,
            kind=VerdictKind.REFUSED,
            reason=Reason.QUEUE_EXPIRED,
            decided_at=UNTIL,
        ),
        UNTIL,
    )
    assert (order.state, order.refusal_code) == (OrderState.REFUSED, "queue_expired")
    assert queue_view(order) is None
    assert check(books.session) == []


def test_with_the_gate_away_the_own_deadline_gives_the_money_back(books: Books, order: Order) -> None:
    observe(books.session, order, life.DeadlinePassed(), at=UNTIL)
    assert order.state is OrderState.QUEUED
    observe(books.session, order, life.DeadlinePassed(), at=UNTIL + timedelta(seconds=VERDICT_S))
    assert (order.state, order.refusal_code) == (OrderState.REFUSED, "queue_expired")
    assert order.customer is not None
    assert books.wallet(order.customer) == (30_000, 0, 0)


def test_its_repetition_brings_its_place_whatever_is_said_again(books: Books, order: Order) -> None:
    events.verdict(books.session, AT_GUN, waits(order, position=1), at(60))
    request = messages.start_request(order, rules_since_ms=41)
    assert (request.id, request.rules_since_ms) == (order.request_id, 41)
    assert (request.queued_since, request.queue_until, request.expires_at) == (at(1), UNTIL, UNTIL)
    assert order.deadline_at == UNTIL + timedelta(seconds=VERDICT_S)
    first = sent(books.session, topics.REQUEST)[0]
    assert isinstance(first, StartRequest)
    assert first == msgspec.structs.replace(
        request, queued_since=None, queue_until=None, rules_since_ms=None, expires_at=first.expires_at
    )


def test_the_first_place_counts_where_a_new_gate_puts_it_behind_the_others(books: Books, order: Order) -> None:
    later = msgspec.structs.replace(waits(order), decided_at=at(20), queue_until=at(920))
    events.verdict(books.session, AT_GUN, later, at(21))
    request = messages.start_request(order)
    assert (request.queued_since, request.queue_until) == (at(1), UNTIL)


def test_a_verdict_that_comes_again_after_the_admission_changes_nothing(books: Books, order: Order) -> None:
    said = Verdict(
        id="v3",
        request=order.request_id,
        serial=order.serial,
        kind=VerdictKind.ADMITTED,
        decided_at=at(30),
    )
    events.verdict(books.session, AT_GUN, said, at(30))
    kept = order.verdict_json
    events.verdict(books.session, AT_GUN, waits(order), at(31))
    assert (order.state, order.verdict_json) == (OrderState.COMMANDED, kept)


def test_who_was_cancelled_before_the_gate_put_it_in_line_leaves_it(books: Books) -> None:
    order = placed(books)
    stop_order(books.session, order.serial, by="customer:1", at=at(1))
    events.verdict(books.session, AT_GUN, waits(order), at(2))
    assert order.state is OrderState.CANCELLED
    assert isinstance(sent(books.session, topics.REQUEST)[-1], LeaveQueue)


def test_the_newest_place_is_shown(books: Books, order: Order) -> None:
    session, where = books.session, transformer_of(books.session)
    queue_level(session, where, level(order, where.transformer, others=3), BEGIN)
    assert queue_view(order) == QueueView(2, at(1), UNTIL, 120)
    queue_level(session, where, level(order, where.transformer, version=6, position=9), BEGIN)
    assert queue_view(order) == QueueView(2, at(1), UNTIL, 120)
    queue_level(session, where, level(order, where.transformer, version=8, position=1), BEGIN)
    assert queue_view(order) == QueueView(1, at(1), UNTIL, 120)
    queue_level(session, where, TransformerQueue(version=9, transformer=where.transformer), BEGIN)
    assert session.scalars(select(QueuePlace)).all() == []


def test_an_emptied_topic_and_a_foreign_transformer_leave_no_place(books: Books, order: Order) -> None:
    session, where = books.session, transformer_of(books.session)
    queue_level(session, Address(station="elsewhere", transformer=where.transformer), level(order, "x"), BEGIN)
    queue_level(session, Address(station=STATION, transformer="unheard"), level(order, "unheard"), BEGIN)
    assert session.scalars(select(QueuePlace)).all() == []
    queue_level(session, where, level(order, where.transformer), BEGIN)
    assert len(session.scalars(select(QueuePlace)).all()) == 1
    queue_cleared(session, where, BEGIN)
    assert session.scalars(select(QueuePlace)).all() == []
