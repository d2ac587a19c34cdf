"""Two guns on one car: both orders or none, one goal between them, and one that fails takes the other with it."""

from decimal import Decimal

import msgspec
import pytest
from sqlalchemy import func, select

from evcs.contracts import topics
from evcs.contracts.gun import Goal, GunLevel, Joint, JointRole, StartRequest, VerdictKind
from evcs.contracts.pile import Outcome
from evcs.contracts.reasons import Reason
from evcs.contracts.states import GoalKind, GunState, OrderState
from tests.webapi.books import BEGIN, Books
from tests.webapi.orders.at_pile import AT_GUN_2, AtPile
from tests.webapi.orders.test_place import FULL, sent, wanted
from tests.webapi.said import AT_GUN, at, level, reply, verdict
from webapi.guns.events import gun_level
from webapi.ledger.invariants import check
from webapi.orders import events
from webapi.orders.models import Order
from webapi.orders.place import place_order
from webapi.orders.place_joint import JointOrders, place_joint, split
from webapi.orders.stop import stop_order
from webapi.refusals import Refusal

NUMBER = "261124205000"
"""20:50:00 on 2026-11-24 in Beijing."""


@pytest.fixture
def scene(books: Books) -> AtPile:
    return AtPile(books)


def both(scene: AtPile, goal: Goal = FULL) -> JointOrders:
    placed = place_joint(scene.session, wanted(scene.customer.id, goal=goal), 2, at=BEGIN)
    assert isinstance(placed, JointOrders)
    return placed


def test_two_orders_share_a_number_and_the_wallet(scene: AtPile) -> None:
    pair = both(scene)
    requests = [one for one in sent(scene.session, topics.REQUEST) if isinstance(one, StartRequest)]
    assert [one.joint for one in requests] == [
        Joint(number=NUMBER, role=JointRole.MAIN),
        Joint(number=NUMBER, role=JointRole.AUXILIARY),
    ]
    assert [one.serial for one in requests] == [pair.main.serial, pair.auxiliary.serial]
    # 300 yuan: half of it for the first gun, so that the other has as much.
    assert [one.balance_fen for one in requests] == [15_000, 15_000]
    assert scene.wallet == (0, 30_000, 0)
    assert check(scene.session) == []


def test_a_second_joint_charge_of_the_pile_in_the_same_second_has_another_number(scene: AtPile) -> None:
    first = both(scene)
    stop_order(scene.session, first.main.serial, by="user:1", at=BEGIN)
    second = both(scene)
    assert (first.main.joint_number, second.main.joint_number) == (NUMBER, "261124205001")


@pytest.mark.parametrize(
    ("goal", "goals"),
    [
        (FULL, (FULL, FULL)),
        (Goal(kind=GoalKind.TIME, duration_s=600), (Goal(kind=GoalKind.TIME, duration_s=600),) * 2),
        (
            Goal(kind=GoalKind.AMOUNT, amount_fen=2_501),
            (Goal(kind=GoalKind.AMOUNT, amount_fen=1_251), Goal(kind=GoalKind.AMOUNT, amount_fen=1_250)),
        ),
        (
            Goal(kind=GoalKind.ENERGY, energy_kwh=Decimal("20.0001")),
            (
                Goal(kind=GoalKind.ENERGY, energy_kwh=Decimal("10.0001")),
                Goal(kind=GoalKind.ENERGY, energy_kwh=Decimal("10.0000")),
            ),
        ),
    ],
)
def test_an_amount_or_energy_is_the_cars_and_halved(goal: Goal, goals: tuple[Goal, Goal]) -> None:
    assert split(goal) == goals


def test_an_amount_goal_holds_that_amount_for_both(scene: AtPile) -> None:
    both(scene, Goal(kind=GoalKind.AMOUNT, amount_fen=2_501))
    assert scene.wallet == (30_000 - 2_501, 2_501, 0)


@pytest.mark.parametrize(
    ("recharged_fen", "goal", "reason", "figure"),
    [
        (999, FULL, Reason.BALANCE_TOO_LOW, "10.00"),
        (2_000, Goal(kind=GoalKind.AMOUNT, amount_fen=2_001), Reason.GOAL_OVER_BALANCE, "20.01"),
    ],
)
def test_what_the_wallet_cannot_carry_is_refused_for_the_car(
    scene: AtPile, recharged_fen: int, goal: Goal, reason: Reason, figure: str
) -> None:
    customer = scene.books.customer(recharged_fen=recharged_fen)
    refused = place_joint(scene.session, wanted(customer.id, goal=goal), 2, at=BEGIN)
    assert isinstance(refused, Refusal)
    assert refused.reason is reason
    assert figure in [one.value for one in refused.figures]


def test_a_gun_that_is_taken_leaves_nothing_of_the_other(scene: AtPile) -> None:
    other = scene.books.customer(recharged_fen=5_000)
    taken = place_order(scene.session, wanted(other.id, gun=2), at=BEGIN)
    assert isinstance(taken, Order)
    refused = place_joint(scene.session, wanted(scene.customer.id), 2, at=BEGIN)
    assert refused == Refusal(Reason.GUN_RESERVED_BY_ORDER)
    assert scene.session.scalars(select(Order.serial)).all() == [taken.serial]
    assert [one.serial for one in sent(scene.session, topics.REQUEST)] == [taken.serial]
    assert scene.wallet == (30_000, 0, 0)
    assert check(scene.session) == []


def test_one_that_the_gate_refuses_takes_the_other_with_it(scene: AtPile) -> None:
    pair = both(scene)
    admitted = verdict(pair.main.request_id, pair.main.serial, VerdictKind.ADMITTED)
    events.verdict(scene.session, AT_GUN, admitted, at(1))
    refused = verdict(pair.auxiliary.request_id, pair.auxiliary.serial, VerdictKind.REFUSED, Reason.NO_HEADROOM)
    events.verdict(scene.session, AT_GUN_2, refused, at(1))
    assert (pair.auxiliary.state, pair.auxiliary.refusal_code) == (OrderState.REFUSED, "no_headroom")
    assert (pair.main.state, pair.main.stop_reason) == (OrderState.STOPPING, Reason.JOINT_CANCELLED.value)
    assert [stop.why for stop in sent(scene.session, topics.STOP)] == [Reason.JOINT_CANCELLED]
    events.reply(scene.session, AT_GUN, reply(pair.main.serial, Outcome.REFUSED, Reason.JOINT_CANCELLED), at(2))
    assert (pair.main.state, pair.main.refusal_code) == (OrderState.CANCELLED, "joint_cancelled")
    assert scene.wallet == (30_000, 0, 0)


def test_one_that_fails_ends_the_other_although_it_charges(scene: AtPile) -> None:
    pair = both(scene)
    for order, address in ((pair.main, AT_GUN), (pair.auxiliary, AT_GUN_2)):
        events.verdict(scene.session, address, verdict(order.request_id, order.serial, VerdictKind.ADMITTED), at(1))
    gun_level(scene.session, AT_GUN, level(GunState.CHARGING, 2, pair.main.serial, seconds=5), at(5))
    failed = reply(pair.auxiliary.serial, Outcome.REFUSED, Reason.PILE_REFUSED)
    events.reply(scene.session, AT_GUN_2, failed, at(6))
    assert pair.auxiliary.state is OrderState.START_FAILED
    assert (pair.main.state, pair.main.stop_reason) == (OrderState.STOPPING, Reason.JOINT_CANCELLED.value)


def test_the_end_of_one_charge_is_not_the_end_of_the_other(scene: AtPile) -> None:
    pair = both(scene)
    for order, address, n in ((pair.main, AT_GUN, 1), (pair.auxiliary, AT_GUN_2, 2)):
        events.verdict(scene.session, address, verdict(order.request_id, order.serial, VerdictKind.ADMITTED), at(1))
        seen = level(GunState.CHARGING, 2, order.serial, seconds=5)
        gun_level(scene.session, address, seen if n == 1 else _of_gun_2(seen), at(5))
    gun_level(scene.session, AT_GUN, level(GunState.FINISHED, 3, pair.main.serial, seconds=600), at(600))
    assert (pair.main.state, pair.auxiliary.state) == (OrderState.ENDED, OrderState.CHARGING)
    stop_order(scene.session, pair.auxiliary.serial, by="user:1", at=at(700))
    assert (pair.main.state, pair.auxiliary.state) == (OrderState.ENDED, OrderState.STOPPING)


def _of_gun_2(seen: GunLevel) -> GunLevel:
    return msgspec.structs.replace(seen, gun=2)


MAIN = Joint(number=NUMBER)
AUXILIARY = Joint(number=NUMBER, role=JointRole.AUXILIARY)


def test_two_requests_at_the_pile_become_two_orders(scene: AtPile) -> None:
    scene.card()
    main = scene.order(scene.ask(id="e-1", joint=MAIN))
    auxiliary = scene.order(scene.ask(id="e-2", joint=AUXILIARY, gun=2, seconds=1))
    assert (main.joint_number, auxiliary.joint_number) == (NUMBER, NUMBER)
    assert (main.joint_role, auxiliary.joint_role) == ("main", "auxiliary")
    assert (main.pile_balance_fen, auxiliary.pile_balance_fen) == (15_000, 15_000)
    assert scene.told() == []


def test_a_second_gun_that_is_refused_cancels_the_first_at_the_pile(scene: AtPile) -> None:
    scene.card()
    main = scene.order(scene.ask(id="e-1", joint=MAIN))
    second = scene.ask(id="e-2", card="00000000AAAAAAAA", joint=AUXILIARY, gun=2, seconds=1)
    assert second.reason == Reason.CARD_UNKNOWN.value
    assert (main.state, main.refusal_code) == (OrderState.CANCELLED, Reason.JOINT_CANCELLED.value)
    assert sorted((told.gun, told.card_request, told.reason) for told in scene.told()) == [
        (1, "e-1", Reason.JOINT_CANCELLED),
        (2, "e-2", Reason.CARD_UNKNOWN),
    ]
    assert scene.wallet == (30_000, 0, 0)


def test_behind_a_first_gun_that_was_refused_the_second_is_refused_too(scene: AtPile) -> None:
    scene.card()
    assert scene.ask(id="e-1", card="00000000AAAAAAAA", joint=MAIN).reason == Reason.CARD_UNKNOWN.value
    second = scene.ask(id="e-2", joint=AUXILIARY, gun=2, seconds=1)
    assert second.reason == Reason.JOINT_CANCELLED.value
    assert scene.session.scalar(select(func.count()).select_from(Order)) == 0


def test_behind_a_first_gun_that_the_gate_refused_the_second_is_refused_too(scene: AtPile) -> None:
    scene.card()
    main = scene.order(scene.ask(id="e-1", joint=MAIN))
    events.verdict(
        scene.session, AT_GUN, verdict(main.request_id, main.serial, VerdictKind.REFUSED, Reason.NO_HEADROOM), at(1)
    )
    second = scene.ask(id="e-2", joint=AUXILIARY, gun=2, seconds=2)
    assert second.reason == Reason.JOINT_CANCELLED.value


def test_a_number_that_a_pile_uses_again_joins_nothing_old(scene: AtPile) -> None:
    scene.card()
    scene.ask(id="e-1", card="00000000AAAAAAAA", joint=MAIN)
    later = scene.ask(id="e-2", joint=AUXILIARY, gun=2, seconds=600)
    assert later.order_serial is not None


def test_an_earlier_charge_under_the_same_number_is_not_taken_for_the_other_gun(scene: AtPile) -> None:
    """A pile without a clock numbers all alike; the first charge still waits for its record when the second fails."""
    scene.card()
    first = scene.order(scene.ask(id="e-1", joint=MAIN))
    gun_level(scene.session, AT_GUN, level(GunState.CHARGING, 2, first.serial, seconds=5), at(5))
    gun_level(scene.session, AT_GUN, level(GunState.FINISHED, 3, first.serial, seconds=300), at(300))
    assert first.state is OrderState.ENDED
    main = scene.order(scene.ask(id="e-2", joint=MAIN, seconds=400))
    auxiliary = scene.order(scene.ask(id="e-3", joint=AUXILIARY, gun=2, seconds=401))
    refused = verdict(auxiliary.request_id, auxiliary.serial, VerdictKind.REFUSED, Reason.NO_HEADROOM)
    events.verdict(scene.session, AT_GUN_2, refused, at(402))
    assert auxiliary.state is OrderState.REFUSED
    assert (main.state, main.refusal_code) == (OrderState.CANCELLED, Reason.JOINT_CANCELLED.value)
    assert first.state is OrderState.ENDED


def test_an_earlier_charge_under_the_same_number_is_not_stopped_by_a_later_one(scene: AtPile) -> None:
    scene.card()
    first = scene.order(scene.ask(id="e-1", joint=MAIN))
    gun_level(scene.session, AT_GUN, level(GunState.CHARGING, 2, first.serial, seconds=5), at(5))
    later = scene.order(scene.ask(id="e-2", joint=AUXILIARY, gun=2, seconds=600))
    refused = verdict(later.request_id, later.serial, VerdictKind.REFUSED, Reason.NO_HEADROOM)
    events.verdict(scene.session, AT_GUN_2, refused, at(601))
    assert (later.state, first.state) == (OrderState.REFUSED, OrderState.CHARGING)
