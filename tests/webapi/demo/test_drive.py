"""The demo's customers over real HTTP: they recharge when low, order at plugged guns, and outlive a restart."""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from threading import Event, Thread

import pytest
from sqlalchemy import Engine, func, select, update
from werkzeug.serving import BaseWSGIServer, make_server

from evcs.contracts.states import GoalKind, GunState, OrderState
from evcs.contracts.times import to_ms
from evcs.runtime.clock import ManualClock
from evcs.store.open import open_store
from tests.webapi.http.world import NOW
from webapi.app import create_app
from webapi.customers.models import Customer
from webapi.database import sessions
from webapi.demo.client import ApiAway, ApiRefused, Client, Endpoint, GunSeen
from webapi.demo.drive import AGAIN_S, Drive
from webapi.demo.goals import draw_goal
from webapi.demo.seed import Fleet, seed
from webapi.demo.sign_in_file import SignIn
from webapi.demo.town import CUSTOMERS
from webapi.guns.models import GunLive
from webapi.http.call import Adapters
from webapi.orders.models import Order
from webapi.piles.models import BridgeLive, Pile, PileLive
from webapi.recharges.models import Recharge
from webapi.users.models import UserSession

SIGN_IN = SignIn("demo", "a-random-password")
PILE = "55031412000001"


class Site:
    """A seeded demo behind a real HTTP server; gun 1 of the first pile is plugged."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine = engine
        self.clock = ManualClock(NOW)
        store = open_store(f"sqlite:///{folder / 'telemetry.db'}")
        app = create_app(Adapters(engine, sessions(engine), store, self.clock))
        self.server: BaseWSGIServer = make_server("127.0.0.1", 0, app, threaded=True)
        self._thread = Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        with sessions(engine)() as session:
            seed(session, Fleet(2, 2), SIGN_IN, at=NOW)
            session.execute(update(Pile).values(confirmed_tariff_version_id="demo-1"))
            started = to_ms(NOW)
            session.add(BridgeLive(bridge="b1", online=True, started_ms=started, since=NOW, version=1, address=""))
            session.flush()
            session.add(
                PileLive(
                    pile_number=PILE,
                    online=True,
                    since=NOW,
                    version=1,
                    bridge="b1",
                    bridge_started_ms=started,
                    link="l1",
                    login_at=NOW,
                    updated_at=NOW,
                )
            )
            session.add(
                GunLive(
                    pile_number=PILE,
                    gun_no=1,
                    state=GunState.PLUGGED,
                    fault_bits=0,
                    since=NOW,
                    login_ms=started,
                    version=1,
                    updated_at=NOW,
                )
            )
            session.commit()

    def client(self) -> Client:
        return Client(Endpoint("127.0.0.1", self.server.server_port), SIGN_IN, Event())

    def drive(self) -> Drive:
        return Drive(self.client(), self.clock, Random(1), Event(), Event())

    def stop(self) -> None:
        self.server.shutdown()
        self._thread.join()
        self.server.server_close()

    def count(self, table: type) -> int:
        with sessions(self.engine)() as session:
            return session.scalar(select(func.count()).select_from(table)) or 0

    def end_order(self, state: OrderState) -> None:
        with sessions(self.engine)() as session:
            session.execute(update(Order).values(state=state))
            session.commit()


@pytest.fixture
def site(engine: Engine, tmp_path: Path) -> Iterator[Site]:
    site = Site(engine, tmp_path)
    yield site
    site.stop()


def test_customer_recharges_and_orders_where_a_car_is_plugged_in_once(site: Site) -> None:
    drive = site.drive()
    for _ in range(3):
        drive.round()
    assert (site.count(Recharge), site.count(Order)) == (len(CUSTOMERS), 1)
    with sessions(site.engine)() as session:
        order = session.scalars(select(Order)).one()
    assert (order.pile_number, order.gun_no, order.state) == (PILE, 1, OrderState.HOLDING)


def test_refused_start_is_tried_again_later_and_not_at_once(site: Site) -> None:
    with sessions(site.engine)() as session:
        session.execute(update(Customer).values(blocked_at=NOW))
        session.commit()
    drive = site.drive()
    drive.round()
    with sessions(site.engine)() as session:
        session.execute(update(Customer).values(blocked_at=None))
        session.commit()
    drive.round()
    assert site.count(Order) == 0
    site.clock.advance(AGAIN_S)
    drive.round()
    assert site.count(Order) == 1


def test_gun_is_ordered_again_when_the_gate_refused_and_the_time_is_over(site: Site) -> None:
    drive = site.drive()
    drive.round()
    site.end_order(OrderState.REFUSED)
    drive.round()
    assert site.count(Order) == 1
    site.clock.advance(AGAIN_S)
    drive.round()
    assert site.count(Order) == 2


def test_session_that_ended_is_opened_again(site: Site) -> None:
    client = site.client()
    assert len(client.guns()) == 4
    with sessions(site.engine)() as session:
        session.execute(update(UserSession).values(ended_at=NOW))
        session.commit()
    assert len(client.customers()) == 6
    assert site.count(UserSession) == 2


def test_refusal_carries_its_problem(site: Site) -> None:
    with pytest.raises(ApiRefused) as refused:
        site.client().order_of("1" * 32)
    assert (refused.value.problem.status, refused.value.problem.code) == (404, "not_found")


def test_api_away_is_told_apart_and_the_drive_lives_on(site: Site) -> None:
    stopping = Event()
    client = Client(Endpoint("127.0.0.1", 1), SIGN_IN, stopping)
    with pytest.raises(ApiAway):
        client.guns()
    drive = Drive(client, site.clock, Random(1), stopping, Event())
    drive.start()
    drive.stop()
    assert stopping.is_set()


def test_what_nobody_expected_ends_the_process_and_not_only_the_thread(site: Site) -> None:
    class Broken(Client):
        def guns(self) -> list[GunSeen]:
            raise KeyError("pile")

    stopping, failed = Event(), Event()
    drive = Drive(Broken(Endpoint("127.0.0.1", 1), SIGN_IN, stopping), site.clock, Random(1), stopping, failed)
    drive.start()
    assert failed.wait(5)
    drive.stop()


def test_all_kinds_of_goal_are_drawn_and_each_is_one_that_the_api_takes() -> None:
    dice = Random(7)
    goals = [draw_goal(dice) for _ in range(200)]
    assert {goal.kind for goal in goals} == set(GoalKind)
    assert all(goal.amount_fen is None or goal.amount_fen >= 500 for goal in goals)
    assert [draw_goal(Random(3)) for _ in range(3)] == [draw_goal(Random(3)) for _ in range(3)]
