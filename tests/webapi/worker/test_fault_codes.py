"""The dictionary of fault codes on its way to `rules`, and alarms on theirs to the records."""

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import select

from evcs.contracts import topics
from evcs.contracts.alarm import Alarm, AlarmKind, Severity
from evcs.contracts.config import FaultCodes
from tests.webapi.books import BEGIN, PILE, STATION
from tests.webapi.worker.scene import Scene, until
from webapi.database import sessions
from webapi.faults.dictionary import NewFaultCode, add_entry
from webapi.faults.models import AlarmRecord
from webapi.guns.models import Gun


def zh_of(table: FaultCodes, code: str) -> str | None:
    return next((one.zh for one in table.codes if one.code == code), None)


def test_worker_publishes_a_changed_table_under_a_higher_version(scene: Scene) -> None:
    scene.start()
    _, shipped = scene.observer.wait(topics.CONFIG_FAULT_CODES, lambda table: zh_of(table, "stop_72") == "急停开入")
    with sessions(scene.engine).begin() as session:
        wish = NewFaultCode(
            protocol="ykc", code="stop_a7", text_zh="冷却液不足", text_en="coolant low", severity=Severity.WARNING
        )
        add_entry(session, wish, at=BEGIN, by="user:1")
    _, changed = scene.observer.wait(topics.CONFIG_FAULT_CODES, lambda table: zh_of(table, "stop_a7") == "冷却液不足")
    assert changed.version > shipped.version


def test_an_alarm_goes_from_its_level_to_its_record_and_ends_with_it(scene: Scene) -> None:
    scene.start()
    level = Alarm(
        version=1,
        alarm="a-1",
        code="bit13",
        kind=AlarmKind.FAULT,
        severity=Severity.CRITICAL,
        open=True,
        raised_at=BEGIN,
        pile=PILE,
        protocol="ykc",
        zh="门打开",
        en="door open",
    )

    def record() -> AlarmRecord | None:
        with sessions(scene.engine)() as session:
            return session.scalars(select(AlarmRecord)).one_or_none()

    def is_open() -> bool | None:
        found = record()
        return None if found is None else found.cleared_at is None

    levels = {"station": STATION, "alarm": "a-1"}
    scene.peer.say(topics.ALARM, level, **levels)
    until(lambda: is_open() is True, "the record is open")
    scene.peer.say(topics.ALARM, msgspec.structs.replace(level, version=2, open=False, cleared_at=BEGIN), **levels)
    until(lambda: is_open() is False, "the record is closed")
    scene.peer.send(topics.ALARM.at(**levels), b"", retain=True)
    scene.peer.say(topics.ALARM, msgspec.structs.replace(level, version=3, open=True), **levels)
    until(lambda: is_open() is True, "raised at the same time it is the same record")


def test_what_was_raised_and_over_while_the_worker_was_away_is_a_record(scene: Scene) -> None:
    """A stop reason is an alarm for a moment: no picture ever shows it."""
    scene.start()
    scene.stop()
    levels = {"station": STATION, "alarm": "stop-1"}
    for n in (1, 2):
        over = Alarm(
            version=n,
            alarm="stop-1",
            code="stop_72",
            kind=AlarmKind.FAULT,
            severity=Severity.CRITICAL,
            open=False,
            raised_at=BEGIN + timedelta(minutes=n),
            cleared_at=BEGIN + timedelta(minutes=n),
            pile=PILE,
            protocol="ykc",
            zh="急停开入",
            en="emergency stop pressed",
        )
        scene.peer.say(topics.ALARM, over, **levels)
        scene.peer.send(topics.ALARM.at(**levels), b"", retain=True)
    scene.start()

    def moments() -> list[datetime]:
        with sessions(scene.engine)() as session:
            query = select(AlarmRecord.raised_at).where(AlarmRecord.cleared_at == AlarmRecord.raised_at)
            return sorted(session.scalars(query))

    until(lambda: moments() == [BEGIN + timedelta(minutes=n) for n in (1, 2)], "both are recorded")
    assert not list(scene.settings.var.glob("rejects/*"))


def test_an_alarm_that_locks_makes_a_lockout_of_its_gun_once(scene: Scene) -> None:
    scene.start()
    level = Alarm(
        version=1,
        alarm="hot-1",
        code="connector_hot",
        kind=AlarmKind.WARNING,
        severity=Severity.CRITICAL,
        open=True,
        raised_at=BEGIN,
        pile=PILE,
        gun=1,
        action="lock",
        zh="枪头过温",
        en="connector too hot",
    )
    levels = {"station": STATION, "alarm": "hot-1"}
    scene.peer.say(topics.ALARM, level, **levels)
    _, station = scene.observer.wait(
        topics.CONFIG_STATION, lambda one: any(gun.lockout for pile in one.piles for gun in pile.guns)
    )
    locked = [(gun.gun, gun.lockout.why) for pile in station.piles for gun in pile.guns if gun.lockout is not None]
    assert locked == [(1, "枪头过温")]
    with sessions(scene.engine).begin() as session:
        gun = session.get_one(Gun, (PILE, 1))
        gun.lockout_since = gun.lockout_by = gun.lockout_reason = None
    scene.peer.say(topics.ALARM, msgspec.structs.replace(level, version=2, count=2), **levels)

    def count() -> int | None:
        with sessions(scene.engine)() as session:
            return session.scalar(select(AlarmRecord.count))

    until(lambda: count() == 2, "the second level is handled")
    with sessions(scene.engine)() as session:
        assert session.get_one(Gun, (PILE, 1)).lockout_since is None
