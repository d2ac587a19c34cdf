"""No kilowatt-hour is free by accident: an offline charge is its card's, what nobody explains waits for a person."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from evcs.contracts import topics
from evcs.contracts.gun import ChargeRecord
from evcs.contracts.order import OrderChange
from evcs.contracts.states import OrderState, StartSource
from tests.webapi.books import BEGIN, PILE, Books, changed, record
from tests.webapi.orders.at_pile import UID, AtPile
from tests.webapi.orders.test_place import sent
from tests.webapi.said import AT_GUN
from webapi.audit.models import AuditEntry
from webapi.cards.bind import block, unbind
from webapi.ledger.invariants import check
from webapi.orders import events
from webapi.orders.models import ChargeRecord as RecordRow
from webapi.orders.models import Order, RecordVerdict
from webapi.orders.orphans import adopt_orphan
from webapi.piles.models import Pile

SERIAL = f"{PILE}01261124205000" + "0001"
AN_HOUR_LATER = BEGIN + timedelta(minutes=200)


@pytest.fixture
def scene(books: Books) -> AtPile:
    return AtPile(books)


def offline(n: int = 1, **told: object) -> ChargeRecord:
    """The record of an offline card: begun at BEGIN, 65.67 yuan."""
    return changed(record(SERIAL, n=n), **{"source": StartSource.OFFLINE_CARD, "card": UID, **told})


def send(scene: AtPile, said: ChargeRecord) -> RecordRow:
    (answer,) = events.record(scene.session, AT_GUN, said, AN_HOUR_LATER)
    assert topics.CONFIRM.decode(answer.payload).serial == said.serial
    scene.session.flush()
    return scene.session.scalars(select(RecordRow).order_by(RecordRow.id.desc()).limit(1)).one()


def test_an_offline_charge_becomes_an_order_of_the_cards_customer(scene: AtPile) -> None:
    scene.card()
    row = send(scene, offline())
    order = scene.session.get_one(Order, SERIAL)
    assert (row.verdict, order.state, order.source) == (
        RecordVerdict.SETTLED,
        OrderState.SETTLED,
        StartSource.OFFLINE_CARD,
    )
    assert (order.customer_id, order.card_number, order.total_fen) == (scene.customer.id, UID, 6_567)
    assert (order.started_at, order.ended_at) == (BEGIN, BEGIN + timedelta(minutes=140))
    assert scene.wallet == (30_000 - 6_567, 0, 0)
    assert [change.state for change in sent(scene.session, topics.ORDER) if isinstance(change, OrderChange)] == [
        OrderState.SETTLED
    ]
    entry = scene.session.scalars(select(AuditEntry).where(AuditEntry.action == "order_adopt")).one()
    assert (entry.outcome, entry.object_id) == ("offline_card", SERIAL)
    assert check(scene.session) == []


def test_the_same_offline_record_again_changes_nothing_and_is_confirmed(scene: AtPile) -> None:
    scene.card()
    send(scene, offline())
    row = send(scene, offline(n=2))
    assert (row.verdict, row.repeats) == (RecordVerdict.SETTLED, 1)
    assert scene.wallet == (30_000 - 6_567, 0, 0)


def test_another_record_for_the_adopted_order_goes_to_review(scene: AtPile) -> None:
    scene.card()
    send(scene, offline())
    row = send(scene, offline(n=2, stop_code=0x42))
    assert (row.verdict, row.verdict_reason) == (RecordVerdict.REVIEW, "another_record")
    assert scene.wallet == (30_000 - 6_567, 0, 0)


def test_what_the_wallet_cannot_pay_is_a_debt(books: Books) -> None:
    scene = AtPile(books, recharged_fen=1_000)
    scene.card()
    send(scene, offline())
    assert scene.wallet == (0, 0, 5_567)
    assert check(scene.session) == []


def test_it_is_the_customer_who_had_the_card_then(scene: AtPile) -> None:
    card = scene.card()
    unbind(card, "换卡", at=BEGIN + timedelta(minutes=150))
    scene.session.flush()
    later = scene.books.customer(recharged_fen=10_000)
    scene.card(customer=later).bound_at = BEGIN + timedelta(minutes=160)
    send(scene, offline())
    assert scene.session.get_one(Order, SERIAL).customer_id == scene.customer.id
    assert scene.books.wallet(later) == (10_000, 0, 0)


def test_a_pile_whose_clock_is_a_little_slow_still_finds_a_card_that_was_just_bound(scene: AtPile) -> None:
    scene.card().bound_at = BEGIN + timedelta(seconds=59)
    send(scene, offline(card=UID.lower()))
    assert scene.session.get_one(Order, SERIAL).customer_id == scene.customer.id


def test_a_card_that_was_bound_after_the_charge_does_not_pay_for_it(scene: AtPile) -> None:
    scene.card().bound_at = BEGIN + timedelta(seconds=61)
    assert send(scene, offline()).verdict_reason == "card_unknown"


def test_a_card_that_was_blocked_only_afterwards_pays(scene: AtPile) -> None:
    block(scene.card(), "挂失", at=BEGIN + timedelta(minutes=150))
    send(scene, offline())
    assert scene.session.get_one(Order, SERIAL).state is OrderState.SETTLED


def _unknown(scene: AtPile) -> ChargeRecord:
    return offline()


def _blocked(scene: AtPile) -> ChargeRecord:
    block(scene.card(), "挂失", at=BEGIN)
    return offline()


def _by_app(scene: AtPile) -> ChargeRecord:
    scene.card()
    return offline(source=StartSource.APP)


def _no_card(scene: AtPile) -> ChargeRecord:
    return offline(card="0" * 16)


def _strange_card(scene: AtPile) -> ChargeRecord:
    return offline(card="\x00\x01")


@pytest.mark.parametrize(
    ("sends", "reason"),
    [
        (_unknown, "card_unknown"),
        (_blocked, "card_blocked"),
        (_by_app, "unknown_serial"),
        (_no_card, "card_unknown"),
        (_strange_card, "card_unknown"),
    ],
)
def test_what_nobody_explains_is_kept_and_said_aloud(
    scene: AtPile, sends: Callable[[AtPile], ChargeRecord], reason: str
) -> None:
    row = send(scene, sends(scene))
    assert (row.verdict, row.verdict_reason) == (RecordVerdict.ORPHAN, reason)
    assert scene.session.get(Order, SERIAL) is None
    entry = scene.session.scalars(select(AuditEntry).where(AuditEntry.action == "record_orphaned")).one()
    assert (entry.outcome, entry.object_id) == (reason, str(row.id))
    assert scene.wallet == (30_000, 0, 0)


def test_without_a_tariff_nothing_is_taken_and_a_person_decides(scene: AtPile) -> None:
    scene.card()
    scene.session.get_one(Pile, PILE).confirmed_tariff_version_id = None
    row = send(scene, offline())
    order = scene.session.get_one(Order, SERIAL)
    assert (row.verdict, row.verdict_reason, order.state) == (RecordVerdict.REVIEW, "no_tariff", OrderState.REVIEW)
    assert scene.wallet == (30_000, 0, 0)


def test_a_person_gives_an_orphan_to_the_customer_who_charged(scene: AtPile) -> None:
    row = send(scene, offline())
    order = adopt_orphan(scene.session, row, scene.customer, by="user:7", at=AN_HOUR_LATER)
    assert order is not None
    assert (order.state, order.total_fen, order.created_by) == (OrderState.SETTLED, 6_567, "user:7")
    assert (row.verdict, row.verdict_reason) == (RecordVerdict.SETTLED, None)
    assert scene.wallet == (30_000 - 6_567, 0, 0)
    again = adopt_orphan(scene.session, row, scene.customer, by="user:7", at=AN_HOUR_LATER)
    assert again is None
    assert send(scene, offline(n=2)).repeats == 1
    assert scene.wallet == (30_000 - 6_567, 0, 0)
    assert check(scene.session) == []


def test_an_orphan_whose_amounts_differ_goes_to_review_with_the_lower_taken(scene: AtPile) -> None:
    row = send(scene, offline(amount_e4=700_000))
    order = adopt_orphan(scene.session, row, scene.customer, by="user:7", at=AN_HOUR_LATER)
    assert order is not None
    assert (order.state, order.total_fen, row.verdict) == (OrderState.REVIEW, 6_567, RecordVerdict.REVIEW)
    assert order.energy_kwh == Decimal("57.0769")


def test_a_pile_cannot_take_the_serial_of_another_pile(scene: AtPile) -> None:
    """An order under it would stand in the way of that pile's next one."""
    scene.card()
    own = scene.session.get_one(Pile, PILE)
    scene.session.add(
        Pile(
            number="32010600019237",
            station_code=own.station_code,
            transformer_code=own.transformer_code,
            name="2",
            rated_kw=own.rated_kw,
            source_networks=[],
            created_at=BEGIN,
        )
    )
    row = send(scene, offline(serial="32010600019237" + SERIAL[14:]))
    assert (row.verdict, row.verdict_reason) == (RecordVerdict.ORPHAN, "foreign_serial")
    assert scene.wallet == (30_000, 0, 0)
