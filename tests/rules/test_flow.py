"""Rules as a process on real brokers: the reservation first, then the start; repeated, killed, frozen, not alone."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from evcs.contracts.bridge import ServiceStatus
from evcs.contracts.reasons import Reason
from evcs.contracts.topics import SERVICE
from evcs.runtime.clock import SystemClock
from tests.rules.process import Bus, Rules, bus_on, until
from tests.rules.town import Town, heard, serial_of
from tests.servers import Broker

pytestmark = pytest.mark.flow


@pytest.fixture
def rules(broker: Broker, tmp_path: Path) -> Iterator[Rules]:
    started = Rules(tmp_path, broker.port)
    yield started
    started.kill()


@pytest.fixture
def town() -> Town:
    return Town([{"pile": "p1", "guns": [100.0]}, {"pile": "p2", "guns": [100.0]}])


def now() -> datetime:
    return SystemClock().now()


async def sure(bus: Bus, town: Town, since_ms: int, resumes: int = 0) -> None:
    """The worker's answer, and what it brings about: a level for each gun."""
    before = len(bus.of("session"))
    await bus.say(town.answer(resumes, since_ms))
    await until(lambda: len(bus.of("session")) >= before + len(town.guns), "a session level for each gun")


async def test_a_start_goes_out_only_behind_its_reservation(broker: Broker, rules: Rules, town: Town) -> None:
    async with bus_on(broker.port) as bus:
        await bus.say(*town.picture(now()))
        since_ms = await rules.start(bus)
        await bus.say(town.request("p1", 1, now(), id="early"))
        await until(lambda: bus.verdict_on("early") is not None, "a verdict")
        assert bus.verdict_on("early").reason is Reason.ENGINE_NOT_SURE
        await sure(bus, town, since_ms)
        assert [level.held for level in bus.of("session")] == [None, None]

        bus.told.clear()
        await bus.say(town.request("p1", 1, now(), id="a"))
        await until(lambda: bool(bus.of("start")) and bool(bus.of("verdict")), "verdict and start")
        told = [leaf for leaf, _ in bus.told if leaf != "policy"]
        # Verdict and start leave together; NATS keeps the order within a topic only.
        assert (told[0], set(told[1:])) == ("session", {"verdict", "start"})
        assert bus.of("session")[0].held.serial == serial_of("a")
        assert (bus.of("start")[0].bridge, bus.of("start")[0].link) == ("b1", "l1")

        # Again, as the worker does when it hears nothing: the same verdict and no second reservation.
        await bus.say(town.request("p1", 1, now(), id="a"))
        await until(lambda: len(bus.of("verdict")) == 2, "the verdict again")
        assert bus.of("verdict")[0] == bus.of("verdict")[1]
        assert len(bus.of("session")) == 1
        assert await rules.stop() == 0
        await until(lambda: not bus.rules["1-of-1"].ready, "its level says that it is gone")


async def test_killed_between_it_goes_on_with_what_it_reserved(broker: Broker, rules: Rules, town: Town) -> None:
    async with bus_on(broker.port) as bus:
        await bus.say(*town.picture(now()))
        await sure(bus, town, await rules.start(bus))
        await bus.say(town.request("p1", 1, now(), id="a"))
        await until(lambda: bool(bus.of("start")), "the start")
        rules.kill()
        # While it is away its request waits with the broker, and so does the request of somebody else.
        await bus.say(town.request("p2", 1, now(), id="b"), town.level("p1", 1, "charging", now(), of="a"))
        since_ms = await rules.start(bus)
        await until(lambda: bus.verdict_on("b") is not None, "a verdict on what waited")
        assert bus.verdict_on("b").reason is Reason.ENGINE_NOT_SURE
        bus.told.clear()
        await bus.say(town.resume("p1", 1, now(), of="a", since_ms=since_ms))
        await sure(bus, town, since_ms, resumes=1)
        held = {level.pile: level.held for level in bus.of("session")}
        assert held["p1"].serial == serial_of("a")
        assert held["p1"].request_id == "a"
        assert held["p2"] is None
        await bus.say(town.request("p2", 1, now(), id="c"))
        await until(lambda: bus.verdict_on("c") is not None, "a verdict")
        assert bus.verdict_on("c").kind == "admitted"
        assert bus.verdict_on("c").figures.planned_pct == pytest.approx(10.0)


async def test_a_broker_that_lost_everything_gets_the_levels_again(broker: Broker, rules: Rules, town: Town) -> None:
    async with bus_on(broker.port) as bus:
        await bus.say(*town.picture(now()))
        await sure(bus, town, await rules.start(bus))
        await bus.say(town.request("p1", 1, now(), id="a"))
        await until(lambda: bool(bus.of("start")), "the start")
        broker.kill()
        broker.lose_store()
        bus.told.clear()
        broker.start()

        def both_levels() -> bool:
            return {level.pile for level in bus.of("session")} == {"p1", "p2"}

        await until(both_levels, "its levels stand again")
        newest = {level.pile: level for level in bus.of("session")}
        assert newest["p1"].held.serial == serial_of("a")
        # It still knows the station, though nobody has published its configuration again.
        await bus.say(town.request("p1", 1, now(), id="a"))
        await until(lambda: bus.verdict_on("a") is not None, "the same verdict")
        assert bus.verdict_on("a").kind == "admitted"


@pytest.mark.parametrize("brokers", ["mosquitto"], indirect=True)  # it waits longer than a stall; one kind is enough
async def test_frozen_for_long_it_counts_as_just_started(broker: Broker, rules: Rules, town: Town) -> None:
    async with bus_on(broker.port) as bus:
        await bus.say(*town.picture(now()))
        since_ms = await rules.start(bus)
        await sure(bus, town, since_ms)
        rules.freeze()
        frozen = now()
        await bus.say(town.request("p1", 1, frozen, id="late"))
        await until(lambda: (now() - frozen).total_seconds() > 11, "longer than a stall may last")
        rules.thaw()
        await until(
            lambda: bus.rules["1-of-1"].ready and bus.rules["1-of-1"].since_ms > since_ms, "it asks for a resume"
        )
        await until(lambda: bus.verdict_on("late") is not None, "a verdict")
        assert bus.verdict_on("late").reason is Reason.ENGINE_NOT_SURE


async def test_another_split_of_the_shards_is_refused(broker: Broker, rules: Rules, town: Town) -> None:
    other = ServiceStatus(version=1, name="rules", instance="2-of-4", ready=True, since_ms=1)
    async with bus_on(broker.port) as bus:
        await bus.say(heard(SERVICE, other, name="rules", instance="2-of-4"))
        rules.launch()
        assert await rules.exit_code() == 1
        assert "1-of-1" not in bus.rules
        assert "2-of-4 is ready" in rules.log.read_text()


async def test_a_message_that_is_none_delays_nothing(broker: Broker, rules: Rules, town: Town) -> None:
    async with bus_on(broker.port) as bus:
        await bus.say(*town.picture(now()))
        await sure(bus, town, await rules.start(bus))
        good = town.request("p1", 1, now(), id="a")
        name = good.topic.at(station="s1", pile="p1", gun=1)
        await bus.raw(name, b'{"kind":"start","id":"x"}')
        await bus.raw(name, b"\xff")
        await bus.say(good)
        await until(lambda: bus.verdict_on("a") is not None, "a verdict")
        assert bus.verdict_on("a").kind == "admitted"
