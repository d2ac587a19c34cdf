"""The dictionary of fault codes on its way to `rules`, and alarms on theirs to the records."""

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
