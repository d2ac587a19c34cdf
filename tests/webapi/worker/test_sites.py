"""Lockouts, station stops and limits by hand through a real broker and database: what the worker does by itself."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from evcs.contracts import topics
from evcs.contracts.alarm import Alarm, AlarmAction, AlarmKind, Severity
from evcs.contracts.gun import Goal
from evcs.contracts.reasons import Reason
from evcs.contracts.session import Held, SessionLevel
from evcs.contracts.states import CapState, GoalKind, GunState
from tests.webapi.books import BEGIN, PILE, STATION
from tests.webapi.worker.scene import GUN, Scene, until
from webapi.database import sessions
from webapi.guns.models import Gun, GunLive
from webapi.guns.power_models import GunSessionLive, PowerSettingGun, SettingState
from webapi.guns.power_settings import Limit, set_power
from webapi.guns.power_settings import Wish as PowerWish
from webapi.stations.lockouts import Wish, lock_out
from webapi.stations.models import Station
from webapi.stations.stop import lift_stop, lock_station, rows_of, stop_station
from webapi.stations.stop_models import StopOutcome

FOREIGN = "9" * 32


@pytest.fixture
def running(scene: Scene) -> Scene:
    """The worker runs, the pile is logged in, its gun 1 is plugged."""
    scene.start()
    scene.peer.log_in()
    scene.peer.level(GunState.PLUGGED, 1)
    shows(scene, GunState.PLUGGED)
    return scene


def shows(scene: Scene, state: GunState) -> None:
    def look() -> bool:
        with sessions(scene.engine)() as session:
            live = session.get(GunLive, (PILE, 1))
            return live is not None and live.state is state

    until(look, f"the gun is {state.value}")


def level(version: int, **more: Any) -> SessionLevel:
    held = Held(
        serial=FOREIGN,
        goal=Goal(kind=GoalKind.FULL),
        covered_kwh=Decimal(10),
        reserved_kw=0.0,
        cap_kw=60.0,
        bound_by="hand",
        cap_state=CapState.CONFIRMED,
        admitted_at=BEGIN,
    )
    return SessionLevel(version=version, pile=PILE, gun=1, held=held, hand_limit_kw=60.0, **more)


def test_a_limit_goes_out_and_follows_what_the_engine_says(running: Scene) -> None:
    seen = running.observer.count
    with sessions(running.engine).begin() as session:
        gun = session.get_one(Gun, (PILE, 1))
        wish = PowerWish(((PILE, 1),), Limit(kw=Decimal(60)), "x")
        setting = set_power(session, [gun], wish, by="user:1", at=running.clock.now()).id
    _, config = running.observer.wait(
        topics.CONFIG_STATION, lambda one: one.piles[0].guns[0].hand_limit_kw == 60.0, after=seen
    )
    assert config.piles[0].guns[1].hand_limit_kw is None
    running.peer.say(topics.SESSION, level(5))

    def state() -> SettingState:
        with sessions(running.engine)() as session:
            return session.get_one(PowerSettingGun, (setting, PILE, 1)).state

    until(lambda: state() is SettingState.CONFIRMED, "the limit is confirmed")
    running.peer.send(topics.SESSION.at(**GUN), b"", retain=True)

    def is_gone() -> bool:
        with sessions(running.engine)() as session:
            return session.get(GunSessionLive, (PILE, 1)) is None

    until(is_gone, "the level is forgotten")


def test_an_engine_that_is_away_is_named_in_time(running: Scene) -> None:
    running.peer.level(GunState.CHARGING, 2, FOREIGN)
    shows(running, GunState.CHARGING)
    with sessions(running.engine).begin() as session:
        gun = session.get_one(Gun, (PILE, 1))
        wish = PowerWish(((PILE, 1),), Limit(pct=Decimal(50)), "x")
        setting = set_power(session, [gun], wish, by="user:1", at=running.clock.now()).id
    running.later(31)

    def look() -> str | None:
        with sessions(running.engine)() as session:
            return session.get_one(PowerSettingGun, (setting, PILE, 1)).reason

    until(lambda: look() == Reason.ENGINE_AWAY.value, "the engine is named")


def test_a_timed_lockout_goes_out_and_is_ended(running: Scene) -> None:
    seen = running.observer.count
    with sessions(running.engine).begin() as session:
        gun = session.get_one(Gun, (PILE, 1))
        lock_out(session, gun, Wish("x", until=BEGIN + timedelta(minutes=5)), by="user:1", at=running.clock.now())
    running.observer.wait(topics.CONFIG_PILE, lambda one: one.guns[0].lockout is not None, after=seen)
    running.observer.wait(topics.CONFIG_STATION, lambda one: one.piles[0].guns[0].lockout is not None, after=seen)
    seen = running.observer.count
    running.later(301)
    running.observer.wait(topics.CONFIG_PILE, lambda one: one.guns[0].lockout is None, after=seen)
    with sessions(running.engine)() as session:
        assert session.get_one(Gun, (PILE, 1)).lockout_since is None


def test_a_charge_at_a_locked_place_is_stopped_whenever_it_begins(running: Scene) -> None:
    with sessions(running.engine).begin() as session:
        lock_out(session, session.get_one(Gun, (PILE, 1)), Wish("x"), by="user:1", at=running.clock.now())
    running.peer.level(GunState.CHARGING, 2, FOREIGN)
    _, stop = running.observer.wait(topics.STOP, lambda one: one.why is Reason.LOCKOUT_STOPPED)
    assert stop.serial == FOREIGN


def test_an_alarm_with_the_action_lock_makes_a_lockout(running: Scene) -> None:
    alarm = Alarm(
        version=1,
        alarm="a-1",
        code="over_temperature",
        kind=AlarmKind.WARNING,
        severity=Severity.CRITICAL,
        open=True,
        raised_at=BEGIN,
        pile=PILE,
        gun=1,
        action=AlarmAction.LOCK,
        zh="枪线过热",
        en="Too hot",
    )
    running.peer.say(topics.ALARM, alarm, station=STATION, alarm="a-1")
    _, config = running.observer.wait(topics.CONFIG_STATION, lambda one: one.piles[0].guns[0].lockout is not None)
    lockout = config.piles[0].guns[0].lockout
    assert lockout is not None
    assert (lockout.who, lockout.why) == ("rule:over_temperature", "枪线过热")


def test_a_station_stop_is_pursued_until_all_is_still(running: Scene) -> None:
    running.peer.level(GunState.CHARGING, 2, FOREIGN)
    shows(running, GunState.CHARGING)
    with sessions(running.engine).begin() as session:
        stop_station(session, lock_station(session, STATION), by="user:1", reason="x", at=running.clock.now())
        since = session.get_one(Station, STATION).station_stop_since
    assert since is not None
    first, stop = running.observer.wait(topics.STOP, lambda one: one.why is Reason.STATION_STOPPED)
    assert stop.serial is None

    def outcome() -> StopOutcome:
        with sessions(running.engine)() as session:
            return rows_of(session, STATION, since)[0].outcome

    assert outcome() is StopOutcome.ASKED
    running.later(11)
    running.observer.wait(
        topics.STOP, lambda one: one.why is Reason.STATION_STOPPED and one.id != stop.id, after=first + 1
    )
    running.later(20)
    until(lambda: outcome() is StopOutcome.NOT_REACHED, "it is named after 30 s")
    running.peer.level(GunState.FINISHED, 3, FOREIGN, 40)
    until(lambda: outcome() is StopOutcome.STOPPED, "its pile says that it is over")
    with sessions(running.engine).begin() as session:
        assert lift_stop(session, lock_station(session, STATION))
    running.observer.wait(topics.CONFIG_STATION, lambda one: one.station_stop is None and one.version > 2)
