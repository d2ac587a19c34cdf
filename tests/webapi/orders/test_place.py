"""Placing and stopping orders: what is checked, held and sent, and that two at once never share anything."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from threading import Barrier

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from evcs.contracts import topics
from evcs.contracts.gun import Goal, StartRequest, Stop
from evcs.contracts.order import OrderChange
from evcs.contracts.reasons import Reason
from evcs.contracts.states import GoalKind, OrderState
from tests.webapi.books import BEGIN, PILE, STATION, Books
from webapi.database import sessions
from webapi.ledger.invariants import check
from webapi.ledger.models import Hold, HoldState, Wallet
from webapi.orders.models import Order
from webapi.orders.place import PlaceOrder, place_order
from webapi.orders.stop import stop_order
from webapi.piles.models import BridgeLive, Pile, PileLive
from webapi.refusals import Refusal
from webapi.worker.models import OutboxRow

FULL = Goal(kind=GoalKind.FULL)


def wanted(customer_id: int, *, goal: Goal = FULL, gun: int = 1) -> PlaceOrder:
    return PlaceOrder(customer_id=customer_id, pile=PILE, gun=gun, goal=goal, by=f"customer:{customer_id}")


def link(session: Session) -> None:
    """The pile is logged in."""
    session.add(BridgeLive(bridge="b1", online=True, started_ms=7, since=BEGIN, version=1, address=""))
    session.add(
        PileLive(
            pile_number=PILE,
            online=True,
            since=BEGIN,
            version=1,
            bridge="b1",
            bridge_started_ms=7,
            link="b1-7-1",
            login_at=BEGIN,
            updated_at=BEGIN,
        )
    )
    session.flush()


def sent(session: Session, topic: topics.Topic[topics.P]) -> list[topics.P]:
    rows = session.scalars(select(OutboxRow).order_by(OutboxRow.id))
    return [topic.decode(row.payload) for row in rows if topic.parse(row.topic) is not None]


def test_an_order_holds_money_and_asks_the_gate(books: Books) -> None:
    customer = books.customer(recharged_fen=50_000)
    order = place_order(books.session, wanted(customer.id), at=BEGIN)
    assert isinstance(order, Order)
    assert order.state is OrderState.HOLDING
    assert order.deadline_at == BEGIN + timedelta(seconds=35)
    # 120 kW × 2 h × 1.72345 yuan is more than the most that is held.
    assert books.wallet(customer) == (30_000, 20_000, 0)
    (request,) = sent(books.session, topics.REQUEST)
    assert isinstance(request, StartRequest)
    assert request == StartRequest(
        id=order.request_id or "",
        serial=order.serial,
        goal=FULL,
        source=order.source,
        tariff_version="v1",
        balance_fen=20_000,
        covered_kwh=Decimal("116.0463"),
        price_e5=request.price_e5,
        expires_at=BEGIN + timedelta(seconds=30),
    )
    assert (len(request.price_e5), request.price_e5[0], max(request.price_e5)) == (48, 72345, 172345)
    (row,) = books.session.scalars(select(OutboxRow).where(OutboxRow.topic.endswith("/request")))
    assert row.topic == topics.REQUEST.at(station=STATION, pile=PILE, gun=1)
    assert row.expires_at == request.expires_at
    (change,) = sent(books.session, topics.ORDER)
    assert isinstance(change, OrderChange)
    assert (change.state, change.serial) == (OrderState.HOLDING, order.serial)
    assert check(books.session) == []


def test_an_amount_goal_is_the_hold_and_the_balance_of_the_pile(books: Books) -> None:
    customer = books.customer(recharged_fen=5_000)
    order = place_order(books.session, wanted(customer.id, goal=Goal(kind=GoalKind.AMOUNT, amount_fen=3_000)), at=BEGIN)
    assert isinstance(order, Order)
    assert order.pile_balance_fen == 3_000
    assert books.wallet(customer) == (2_000, 3_000, 0)


@pytest.mark.parametrize(
    ("recharged", "goal", "reason", "said"),
    [
        (499, FULL, Reason.BALANCE_TOO_LOW, "¥4.99 is below ¥5.00"),
        (2_000, Goal(kind=GoalKind.AMOUNT, amount_fen=2_001), Reason.GOAL_OVER_BALANCE, "¥20.01 is above"),
    ],
)
def test_a_wallet_that_cannot_pay_refuses_with_the_figures(
    books: Books, recharged: int, goal: Goal, reason: Reason, said: str
) -> None:
    customer = books.customer(recharged_fen=recharged)
    refusal = place_order(books.session, wanted(customer.id, goal=goal), at=BEGIN)
    assert isinstance(refusal, Refusal)
    assert refusal.reason is reason
    assert said in refusal.sentence.en
    assert books.session.scalar(select(func.count()).select_from(Order)) == 0


def test_a_blocked_customer_a_taken_gun_and_a_pile_without_tariff_are_refused(books: Books) -> None:
    customer, other = books.customer(recharged_fen=50_000), books.customer(recharged_fen=50_000)
    assert isinstance(place_order(books.session, wanted(customer.id), at=BEGIN), Order)
    assert place_order(books.session, wanted(other.id), at=BEGIN) == Refusal(Reason.GUN_RESERVED_BY_ORDER)
    other.blocked_at = BEGIN
    assert place_order(books.session, wanted(other.id, gun=2), at=BEGIN) == Refusal(Reason.CUSTOMER_BLOCKED)
    other.blocked_at = None
    books.session.get_one(Pile, PILE).confirmed_tariff_version_id = None
    books.session.flush()
    assert place_order(books.session, wanted(other.id, gun=2), at=BEGIN) == Refusal(Reason.NO_TARIFF)


def test_a_gun_that_does_not_exist_is_an_error_of_the_caller(books: Books) -> None:
    customer = books.customer(recharged_fen=50_000)
    with pytest.raises(NoResultFound):
        place_order(books.session, wanted(customer.id, gun=9), at=BEGIN)


def at_once(engine: Engine, jobs: list[Callable[[Session], object]]) -> list[object]:
    """Each job in a transaction of its own, all begun together."""
    together = Barrier(len(jobs))

    def run(job: Callable[[Session], object]) -> object:
        together.wait()
        with sessions(engine).begin() as session:
            return job(session)

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


def test_parallel_starts_on_one_gun_make_one_order(engine: Engine, books: Books) -> None:
    customers = [books.customer(recharged_fen=50_000).id for _ in range(6)]
    books.session.commit()
    jobs: list[Callable[[Session], object]] = [
        lambda session, c=c: place_order(session, wanted(c), at=BEGIN)  # type: ignore[misc]
        for c in customers
    ]
    made = at_once(engine, jobs)
    assert sum(isinstance(one, Order) for one in made) == 1
    assert [one for one in made if not isinstance(one, Order)] == [Refusal(Reason.GUN_RESERVED_BY_ORDER)] * 5


def test_parallel_starts_of_one_wallet_cannot_use_the_same_fen(engine: Engine, books: Books) -> None:
    customer = books.customer(recharged_fen=20_300).id
    books.session.commit()
    jobs: list[Callable[[Session], object]] = [
        lambda session, gun=gun: place_order(session, wanted(customer, gun=gun), at=BEGIN)  # type: ignore[misc]
        for gun in (1, 2)
    ]
    made = at_once(engine, jobs)
    assert sorted(type(one).__name__ for one in made) == ["Order", "Refusal"]
    with sessions(engine)() as session:
        wallet = session.get_one(Wallet, customer)
        assert (wallet.available_fen, wallet.held_fen) == (300, 20_000)
        assert check(session) == []


def test_serials_differ_also_within_one_second(books: Books) -> None:
    customer = books.customer(recharged_fen=50_000)
    serials = set()
    for _ in range(3):
        order = place_order(books.session, wanted(customer.id), at=BEGIN)
        assert isinstance(order, Order)
        serials.add(order.serial)
        stop_order(books.session, order.serial, by="customer:1", at=BEGIN)
    assert len(serials) == 3
    assert all(serial.startswith("3201060001923601261124205000") for serial in serials)


def test_a_stop_before_the_command_cancels_and_releases(books: Books) -> None:
    customer = books.customer(recharged_fen=50_000)
    order = place_order(books.session, wanted(customer.id), at=BEGIN)
    assert isinstance(order, Order)
    stopped = stop_order(books.session, order.serial, by="user:7", at=BEGIN)
    assert (stopped.state, stopped.stop_asked_by) == (OrderState.CANCELLED, "user:7")
    assert books.wallet(customer) == (50_000, 0, 0)
    assert books.session.get_one(Hold, order.serial).state is HoldState.RELEASED
    assert sent(books.session, topics.STOP) == []
    assert check(books.session) == []


def test_a_stop_of_a_charge_is_sent_once_to_the_link_in_force(books: Books) -> None:
    link(books.session)
    order = books.order(books.customer(recharged_fen=50_000), hold_fen=20_000)
    for _ in range(2):
        stop_order(books.session, order.serial, by="user:7", at=BEGIN)
    (stop,) = sent(books.session, topics.STOP)
    assert isinstance(stop, Stop)
    assert (stop.bridge, stop.link, stop.serial) == ("b1", "b1-7-1", order.serial)
    assert (stop.id, stop.why) == (order.stop_id, Reason.STOPPED_BY_PERSON)
    assert stop.expires_at == BEGIN + timedelta(seconds=10)
    assert order.state is OrderState.STOPPING
    assert order.deadline_at == BEGIN + timedelta(seconds=10)


def test_a_stop_of_a_pile_that_is_away_keeps_the_wish(books: Books) -> None:
    order = books.order(books.customer(recharged_fen=50_000), hold_fen=20_000)
    stop_order(books.session, order.serial, by="user:7", at=BEGIN)
    assert sent(books.session, topics.STOP) == []
    assert (order.state, order.stop_requested_at) == (OrderState.STOPPING, BEGIN)
