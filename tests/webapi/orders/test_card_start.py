"""Card and VIN starts: whose card it is, what speaks against it, who is told, and that a request counts once."""

from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from evcs.contracts import topics
from evcs.contracts.gun import CardMode, StartRequest, VerdictKind
from evcs.contracts.pile import Outcome, PileCommandKind
from evcs.contracts.reasons import Reason
from evcs.contracts.states import GoalKind, GunState, OrderState, StartSource
from tests.webapi.books import BEGIN, PILE, Books
from tests.webapi.orders.at_pile import LINK, UID, VIN, AtPile
from tests.webapi.orders.test_place import sent, wanted
from tests.webapi.said import AT_GUN, at, level, pile, reply, verdict
from webapi.audit.models import AuditEntry
from webapi.cards.bind import block, unbind
from webapi.cards.models import CardAttempt
from webapi.cards.numbers import password_of, spellings
from webapi.guns.events import gun_level
from webapi.ledger.invariants import check
from webapi.orders import events, life
from webapi.orders.advance import observe
from webapi.orders.models import Order
from webapi.orders.place import place_order
from webapi.orders.stop import stop_order
from webapi.piles.models import Pile
from webapi.tenants.models import Tenant


@pytest.fixture
def scene(books: Books) -> AtPile:
    return AtPile(books)


def test_a_card_places_an_order_that_asks_the_gate_until_the_pile_waits_no_more(scene: AtPile) -> None:
    scene.card()
    order = scene.order(scene.ask())
    assert (order.state, order.source, order.goal_kind) == (OrderState.HOLDING, StartSource.CARD, GoalKind.FULL)
    assert order.deadline_at == at(10)
    assert scene.wallet == (10_000, 20_000, 0)
    (request,) = sent(scene.session, topics.REQUEST)
    assert isinstance(request, StartRequest)
    assert (request.source, request.card, request.printed_card) == (StartSource.CARD, UID, "8800000000000042")
    assert (request.card_request, request.expires_at, request.joint) == ("e-1", at(10), None)
    assert scene.told() == []
    assert check(scene.session) == []


@pytest.mark.parametrize("read", ["540A4BD100000000", "D14B0A5400000000", "00000000540A4BD1"])
def test_a_card_is_found_however_the_pile_writes_its_number(scene: AtPile, read: str) -> None:
    scene.card()
    order = scene.order(scene.ask(card=read))
    assert order.customer_id == scene.customer.id
    assert order.card_number == read, "0x42 names the card as this pile knows it"


def test_a_car_starts_by_its_vin(scene: AtPile) -> None:
    scene.vehicle()
    order = scene.order(scene.ask(mode=CardMode.VIN, vin=VIN))
    assert (order.source, order.vin, order.card_number) == (StartSource.VIN, VIN, None)
    (request,) = sent(scene.session, topics.REQUEST)
    assert isinstance(request, StartRequest)
    assert (request.card, request.card_request) == (None, "e-1")


def _unknown(scene: AtPile) -> CardAttempt:
    return scene.ask(card="00000000AAAAAAAA")


def _zero(scene: AtPile) -> CardAttempt:
    return scene.ask(card="0" * 16)


def _unbound(scene: AtPile) -> CardAttempt:
    unbind(scene.card(), "退卡", at=BEGIN)
    return scene.ask()


def _blocked(scene: AtPile) -> CardAttempt:
    block(scene.card(), "挂失", at=BEGIN)
    return scene.ask()


def _no_password(scene: AtPile) -> CardAttempt:
    scene.card(pin="1234")
    return scene.ask()


def _wrong_password(scene: AtPile) -> CardAttempt:
    scene.card(pin="1234")
    return scene.ask(password=password_of("4321"))


def _password_of_none(scene: AtPile) -> CardAttempt:
    scene.card()
    return scene.ask(password=password_of("1234"))


def _customer_blocked(scene: AtPile) -> CardAttempt:
    scene.card()
    scene.customer.blocked_at = BEGIN
    return scene.ask()


def _archived(scene: AtPile) -> CardAttempt:
    scene.card()
    scene.customer.archived_at = BEGIN
    return scene.ask()


def _poor(scene: AtPile) -> CardAttempt:
    scene.card(customer=scene.books.customer(recharged_fen=499))
    return scene.ask()


def _gun_taken(scene: AtPile) -> CardAttempt:
    scene.card()
    other = scene.books.customer(recharged_fen=5_000)
    assert isinstance(place_order(scene.session, wanted(other.id), at=BEGIN), Order)
    return scene.ask()


def _no_tariff(scene: AtPile) -> CardAttempt:
    scene.card()
    scene.session.get_one(Pile, PILE).confirmed_tariff_version_id = None
    return scene.ask()


def _vin_unknown(scene: AtPile) -> CardAttempt:
    return scene.ask(mode=CardMode.VIN, vin=VIN)


def _vin_no_text(scene: AtPile) -> CardAttempt:
    return scene.ask(mode=CardMode.VIN, vin="\x00" * 17)


def _vehicle_blocked(scene: AtPile) -> CardAttempt:
    block(scene.vehicle(), "已出售", at=BEGIN)
    return scene.ask(mode=CardMode.VIN, vin=VIN)


def _not_plug_and_charge(scene: AtPile) -> CardAttempt:
    scene.vehicle(plug_and_charge=False)
    return scene.ask(mode=CardMode.VIN, vin=VIN)


def _account(scene: AtPile) -> CardAttempt:
    return scene.ask(mode=CardMode.ACCOUNT)


def _strange_mode(scene: AtPile) -> CardAttempt:
    return scene.ask(mode=9)


@pytest.mark.parametrize(
    ("asks", "reason", "is_known"),
    [
        (_unknown, Reason.CARD_UNKNOWN, False),
        (_zero, Reason.CARD_UNKNOWN, False),
        (_unbound, Reason.CARD_UNKNOWN, False),
        (_blocked, Reason.CARD_BLOCKED, True),
        (_no_password, Reason.WRONG_PASSWORD, True),
        (_wrong_password, Reason.WRONG_PASSWORD, True),
        (_password_of_none, Reason.WRONG_PASSWORD, True),
        (_customer_blocked, Reason.CUSTOMER_BLOCKED, True),
        (_archived, Reason.ACCOUNT_NOT_ALLOWED, True),
        (_poor, Reason.BALANCE_TOO_LOW, True),
        (_gun_taken, Reason.GUN_RESERVED_BY_ORDER, True),
        (_no_tariff, Reason.NO_TARIFF, True),
        (_vin_unknown, Reason.VIN_UNKNOWN, False),
        (_vin_no_text, Reason.VIN_UNKNOWN, False),
        (_vehicle_blocked, Reason.VEHICLE_BLOCKED, True),
        (_not_plug_and_charge, Reason.ACCOUNT_NOT_ALLOWED, True),
        (_account, Reason.CARD_MODE_UNSUPPORTED, False),
        (_strange_mode, Reason.CARD_MODE_UNSUPPORTED, False),
    ],
)
def test_a_refusal_is_told_at_the_pile_kept_and_audited(
    scene: AtPile, asks: Callable[[AtPile], CardAttempt], reason: Reason, is_known: bool
) -> None:
    attempt = asks(scene)
    assert (attempt.reason, attempt.order_serial) == (reason.value, None)
    assert (attempt.customer_id is not None) is is_known
    (told,) = scene.told()
    assert (told.kind, told.card_request, told.reason) == (PileCommandKind.REFUSE_CARD, "e-1", reason)
    assert (told.gun, told.bridge, told.link, told.expires_at) == (1, "b1", LINK, at(10))
    entry = scene.session.scalars(select(AuditEntry).where(AuditEntry.action == "card_start")).one()
    assert (entry.actor, entry.outcome, entry.object_id) == (f"pile:{PILE}", reason.value, "e-1")
    assert scene.wallet[1] == 0
    assert check(scene.session) == []


def test_the_right_password_starts(scene: AtPile) -> None:
    scene.card(pin="1234")
    assert scene.order(scene.ask(password=password_of("1234"))).state is OrderState.HOLDING


def test_guessing_a_password_ends_at_that_pile_for_a_while(scene: AtPile) -> None:
    scene.card(pin="1234")
    for n in range(5):
        scene.ask(id=f"e-{n}", password=password_of(f"000{n}"), seconds=n)
    right = password_of("1234")
    assert scene.ask(id="e-right", password=right, seconds=6).reason == Reason.WRONG_PASSWORD.value
    assert scene.order(scene.ask(id="e-later", password=right, seconds=605)).state is OrderState.HOLDING


def test_guessing_under_another_spelling_of_the_card_is_the_same_guessing(scene: AtPile) -> None:
    scene.card(pin="1234")
    for n in range(5):
        uid = spellings(UID)[n % 2]
        scene.ask(id=f"e-{n}", card=uid, password=password_of(f"000{n}"), seconds=n)
    right = scene.ask(id="e-right", password=password_of("1234"), seconds=6)
    assert right.reason == Reason.WRONG_PASSWORD.value


def test_no_password_is_kept_or_logged(scene: AtPile, capsys: pytest.CaptureFixture[str]) -> None:
    scene.card(pin="1234")
    wrong = password_of("4321")
    attempt = scene.ask(password=wrong)
    kept = {column.key: getattr(attempt, column.key) for column in CardAttempt.__table__.columns}
    assert wrong not in repr(kept)
    assert all(wrong not in (row.details_json or "") for row in scene.session.scalars(select(AuditEntry)))
    said = capsys.readouterr()
    assert wrong not in said.out + said.err


def test_a_card_of_another_operator_is_unknown(scene: AtPile) -> None:
    other = Tenant(code="other", name="另一家", created_at=BEGIN)
    scene.session.add(other)
    scene.session.flush()
    card = scene.card()
    card.tenant_id = other.id
    assert scene.ask().reason == Reason.CARD_UNKNOWN.value


def test_a_refusal_goes_to_the_newest_login_where_the_bridge_names_none(scene: AtPile) -> None:
    scene.ask(link="")
    assert [told.link for told in scene.told()] == [pile().link]


def test_the_same_event_again_is_the_same_order(scene: AtPile) -> None:
    scene.card()
    first = scene.ask()
    again = scene.ask()
    assert again.order_serial == first.order_serial
    assert scene.session.scalar(select(func.count()).select_from(Order)) == 1
    assert len(sent(scene.session, topics.REQUEST)) == 1


def test_the_same_refused_event_again_is_told_once(scene: AtPile) -> None:
    scene.ask()
    scene.ask(heard_s=2)
    assert len(scene.told()) == 1


def test_a_request_that_comes_too_late_starts_nothing(scene: AtPile) -> None:
    scene.card()
    attempt = scene.ask(heard_s=11)
    assert attempt.reason == Reason.EXPIRED.value
    assert scene.told() == [], "the bridge has refused by itself"
    assert scene.wallet == (30_000, 0, 0)


def test_the_gates_refusal_is_told_at_the_pile_and_releases_the_hold(scene: AtPile) -> None:
    scene.card()
    order = scene.order(scene.ask())
    said = verdict(order.request_id, order.serial, VerdictKind.REFUSED, Reason.NO_HEADROOM)
    events.verdict(scene.session, AT_GUN, said, at(1))
    assert order.state is OrderState.REFUSED
    (told,) = scene.told()
    assert (told.reason, told.link, told.expires_at) == (Reason.NO_HEADROOM, LINK, at(10))
    assert scene.wallet == (30_000, 0, 0)


def test_without_a_verdict_the_order_ends_when_the_pile_waits_no_more(scene: AtPile) -> None:
    scene.card()
    order = scene.order(scene.ask())
    observe(scene.session, order, life.DeadlinePassed(), at=at(9.9))
    assert order.state is OrderState.HOLDING
    observe(scene.session, order, life.DeadlinePassed(), at=at(10))
    assert (order.state, order.refusal_code) == (OrderState.REFUSED, Reason.ENGINE_AWAY.value)
    assert scene.wallet == (30_000, 0, 0)
    assert scene.told() == [], "the bridge refuses by itself at that time"


def test_a_start_that_failed_before_anything_was_written_is_told(scene: AtPile) -> None:
    scene.card()
    order = scene.order(scene.ask())
    events.verdict(scene.session, AT_GUN, verdict(order.request_id, order.serial, VerdictKind.ADMITTED), at(1))
    events.reply(scene.session, AT_GUN, reply(order.serial, Outcome.REFUSED, Reason.CAP_NOT_CONFIRMED), at(7))
    assert order.state is OrderState.START_FAILED
    assert [told.reason for told in scene.told()] == [Reason.CAP_NOT_CONFIRMED]


def test_once_the_pile_starts_it_is_not_told_the_contrary(scene: AtPile) -> None:
    scene.card()
    order = scene.order(scene.ask())
    events.verdict(scene.session, AT_GUN, verdict(order.request_id, order.serial, VerdictKind.ADMITTED), at(1))
    gun_level(scene.session, AT_GUN, level(GunState.STARTING, 2, order.serial, seconds=2), at(2))
    events.reply(scene.session, AT_GUN, reply(order.serial, Outcome.REFUSED, Reason.PILE_REFUSED), at(3))
    assert order.state is OrderState.START_FAILED
    assert scene.told() == []


@pytest.mark.parametrize("admitted", [False, True])
def test_a_stop_before_the_start_is_told_at_the_pile(scene: AtPile, admitted: bool) -> None:
    scene.card()
    order = scene.order(scene.ask())
    if admitted:
        events.verdict(scene.session, AT_GUN, verdict(order.request_id, order.serial, VerdictKind.ADMITTED), at(1))
    stop_order(scene.session, order.serial, by="user:1", at=at(2))
    assert [told.reason for told in scene.told()] == [Reason.STOPPED_BY_PERSON]


@pytest.mark.parametrize("seconds", [3, 10.5])
def test_the_next_swipe_takes_the_place_of_one_that_still_waits(scene: AtPile, seconds: float) -> None:
    """The pile waits for its newest question only: it reconnected, or another card was held against it."""
    scene.card()
    first = scene.order(scene.ask())
    second = scene.order(scene.ask(id="e-2", seconds=seconds))
    assert (first.state, first.refusal_code) == (OrderState.CANCELLED, Reason.EXPIRED.value)
    assert second.state is OrderState.HOLDING
    assert scene.wallet == (10_000, 20_000, 0)
    assert check(scene.session) == []


def test_a_swipe_while_the_gun_is_commanded_is_refused(scene: AtPile) -> None:
    scene.card()
    order = scene.order(scene.ask())
    events.verdict(scene.session, AT_GUN, verdict(order.request_id, order.serial, VerdictKind.ADMITTED), at(1))
    assert scene.ask(id="e-2", seconds=3).reason == Reason.GUN_RESERVED_BY_ORDER.value
    assert order.state is OrderState.COMMANDED


def test_an_order_from_elsewhere_does_not_give_way_to_a_card(scene: AtPile) -> None:
    scene.card()
    other = scene.books.customer(recharged_fen=5_000)
    placed = place_order(scene.session, wanted(other.id), at=BEGIN)
    assert isinstance(placed, Order)
    assert scene.ask().reason == Reason.GUN_RESERVED_BY_ORDER.value
    assert placed.state is OrderState.HOLDING


def test_a_refusal_keeps_the_figures_of_its_sentence(scene: AtPile) -> None:
    scene.card()
    scene.order(scene.ask())
    attempt = scene.ask(id="e-2", gun=2, seconds=1)
    assert attempt.order_serial is not None, "what is left of the wallet is enough for the other gun"
    third = scene.books.customer(recharged_fen=100)
    scene.card("00000000BBBBBBBB", customer=third)
    gun_level(scene.session, AT_GUN, level(GunState.PLUGGED, 2), at(1))
    observe(scene.session, scene.order(attempt), life.StopWished(Reason.STOPPED_BY_PERSON), at=at(2))
    poor = scene.ask(id="e-3", gun=2, card="00000000BBBBBBBB", seconds=3)
    assert (poor.reason, poor.figures_json) == (
        Reason.BALANCE_TOO_LOW.value,
        '[{"name":"available_yuan","value":"1.00"},{"name":"minimum_yuan","value":"5.00"},'
        '{"name":"goal_yuan","value":"0.00"},{"name":"debt_yuan","value":"0.00"}]',
    )
