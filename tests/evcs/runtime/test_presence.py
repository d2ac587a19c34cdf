"""A service's level: the will outranks the connection it ends and no later one; attendance knows who is there."""

import asyncio

import pytest

from evcs.contracts.bridge import ServiceStatus
from evcs.contracts.topics import SERVICE
from evcs.runtime import presence as presence_module
from evcs.runtime.clock import ManualClock
from evcs.runtime.presence import Attendance, Presence, repeatedly


class Told:
    def __init__(self) -> None:
        self.levels: list[ServiceStatus] = []

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False, droppable: bool = False
    ) -> None:
        assert retain
        self.levels.append(decoded(payload))


def decoded(payload: bytes) -> ServiceStatus:
    status = SERVICE.decoder(payload)
    assert isinstance(status, ServiceStatus)
    return status


def test_a_will_ends_its_own_connection_and_not_the_next() -> None:
    clock = ManualClock()
    presence = Presence(clock, "rules", "1-of-1")
    session = Told()
    will = decoded(presence.will().payload)
    presence.announce(session)
    presence.announce(session)
    clock.advance(0.1)
    later_will = decoded(presence.will().payload)
    presence.announce(session)
    versions = [level.version for level in session.levels]
    assert versions[0] < versions[1] < will.version < versions[2] < later_will.version
    assert not will.ready
    assert all(level.ready for level in session.levels)
    assert {level.since_ms for level in session.levels} == {presence.since_ms}


def test_renewed_presence_has_a_new_since() -> None:
    presence = Presence(ManualClock(), "rules", "1-of-1")
    before = presence.since_ms
    presence.renew()
    assert presence.since_ms > before


def level(name: str, instance: str, ready: bool = True, version: int = 1) -> ServiceStatus:
    return ServiceStatus(version=version, name=name, instance=instance, ready=ready, since_ms=1)


async def test_every_shard_and_one_of_the_rest_must_be_there() -> None:
    attendance = Attendance(["ingest", "rules"])
    complete = asyncio.create_task(attendance.complete(5))
    attendance.take(level("ingest", "a"))
    attendance.take(level("rules", "1-of-2"))
    assert attendance.missing() == ["rules"]
    await asyncio.sleep(0)
    assert not complete.done()
    attendance.take(level("rules", "2-of-2"))
    assert await complete
    attendance.take(level("rules", "2-of-2", ready=False, version=3))
    attendance.take(level("rules", "2-of-2", ready=True, version=2))
    assert attendance.missing() == ["rules"]
    attendance.begin()
    assert attendance.missing() == ["ingest", "rules"]


async def test_waiting_for_readers_ends_and_says_so() -> None:
    assert not await Attendance(["ingest"]).complete(0.01)


def test_a_former_run_whose_will_stands_above_is_outbid_by_a_new_connection() -> None:
    clock = ManualClock()
    former = Presence(clock, "rules", "1-of-1")
    will = decoded(former.will().payload)
    clock.advance(0.5)
    presence, session = Presence(clock, "rules", "1-of-1"), Told()
    presence.will()
    presence.announce(session)
    assert session.levels[-1].version < will.version
    assert not presence.is_outbid(session.levels[-1])
    assert presence.is_outbid(will)
    later_will = decoded(presence.will().payload)
    presence.announce(session)
    assert will.version < session.levels[-1].version < later_will.version
    assert not presence.is_outbid(will)


async def test_a_level_is_repeated_unchanged_below_its_will(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that subscribed at the moment of the announcement may have missed it."""
    monkeypatch.setattr(presence_module, "REPEATED_AFTER_S", (0.0, 0.01, 0.02))
    presence, session = Presence(ManualClock(), "rules", "1-of-1"), Told()
    will = decoded(presence.will().payload)
    presence.announce(session)
    await repeatedly(lambda: presence.repeat(session))
    assert len(session.levels) == 4
    assert all(level == session.levels[0] and level.ready for level in session.levels)
    assert session.levels[-1].version < will.version
