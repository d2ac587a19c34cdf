"""Alarms of rules as a process on real brokers: raised, retained, cleared, and still right after a kill."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import pytest

from evcs.contracts.alarm import Alarm
from evcs.contracts.config import FaultCode
from evcs.contracts.topics import ALARM
from evcs.runtime.clock import SystemClock
from evcs.runtime.mqtt import AsyncSession, Delivery, view_session
from evcs.runtime.settings import MqttSettings
from tests.rules.process import Bus, Rules, bus_on, until
from tests.rules.town import Town
from tests.servers import Broker

pytestmark = pytest.mark.flow

STOP = FaultCode(code="bit1", zh="急停按钮动作故障", en="emergency stop pressed", severity="critical")


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


class Console:
    """Who looks at the open alarms: what stands under each topic, and everything that came."""

    def __init__(self, port: int) -> None:
        settings = MqttSettings(mqtt_port=port, mqtt_reconnect_s=0.1)
        self._session = AsyncSession(settings, SystemClock(), client_id=f"console-{id(self)}", clean=True)
        self._session.subscribe(ALARM.everywhere, 1, self._on_alarm)
        self.stands: dict[str, Alarm] = {}
        self.came: list[Alarm] = []

    def _on_alarm(self, delivery: Delivery) -> None:
        if delivery.payload:
            alarm = ALARM.decode(delivery.payload)
            self.stands[delivery.topic] = alarm
            self.came.append(alarm)
        else:
            self.stands.pop(delivery.topic, None)
        delivery.ack()

    @property
    def codes(self) -> set[str]:
        return {alarm.code for alarm in self.stands.values() if alarm.open}

    async def start(self) -> None:
        await self._session.start()

    async def stop(self) -> None:
        await self._session.stop(0)


@asynccontextmanager
async def console_on(port: int) -> AsyncIterator[Console]:
    console = Console(port)
    await console.start()
    try:
        yield console
    finally:
        await console.stop()


async def retained(port: int) -> set[str]:
    """The codes that somebody finds who comes now: the view says when it has heard every retained level."""
    found: dict[str, Alarm] = {}

    def hear(delivery: Delivery) -> None:
        if delivery.payload:
            alarm = ALARM.decode(delivery.payload)
            found[alarm.alarm] = alarm

    view = view_session(MqttSettings(mqtt_port=port, mqtt_reconnect_s=0.1), SystemClock(), client_id="late-console")
    view.subscribe(ALARM.everywhere, 0, hear)
    await view.start()
    await view.picture()
    await view.stop(0)
    return {alarm.code for alarm in found.values()}


async def begin(bus: Bus, town: Town, rules: Rules) -> None:
    await bus.say(*town.picture(now()), town.codes(STOP))
    await bus.say(town.answer(0, await rules.start(bus)))
    await until(lambda: len(bus.of("session")) >= len(town.guns), "a session level for each gun")


async def test_a_fault_bit_stands_retained_until_it_is_cleared(broker: Broker, rules: Rules, town: Town) -> None:
    async with bus_on(broker.port) as bus, console_on(broker.port) as console:
        await begin(bus, town, rules)
        await bus.say(town.level("p1", 1, "faulted", now(), fault_bits=1))
        await until(lambda: console.codes == {"bit1"}, "the alarm")
        assert console.came[0].zh == STOP.zh
        assert await retained(broker.port) == {"bit1"}
        await bus.say(town.level("p1", 1, "idle", now()))
        await until(lambda: not console.stands, "its topic is empty")
        assert [alarm.open for alarm in console.came] == [True, False]
        assert await retained(broker.port) == set()
        await bus.say(town.event("p1", 1, now(), "stopped", of="a", pile_code=0x72, stop_class="abnormal"))
        await until(lambda: [alarm.code for alarm in console.came[2:]] == ["stop_72", "stop_72"], "raised and cleared")
        await until(lambda: not console.stands, "its topic is empty")


async def test_killed_between_it_forgets_nothing_and_leaves_nothing(broker: Broker, rules: Rules, town: Town) -> None:
    async with bus_on(broker.port) as bus, console_on(broker.port) as console:
        await begin(bus, town, rules)
        bad = [town.level("p1", 1, "faulted", now(), fault_bits=1), town.level("p2", 1, "faulted", now(), fault_bits=1)]
        await bus.say(*bad)
        await until(lambda: len(console.stands) == 2, "both alarms")
        before = {alarm.alarm: alarm.raised_at for alarm in console.came}
        rules.kill()
        # While it is away one is repaired, the clock of the other pile is found wrong, and a charge ends abnormally.
        await bus.say(
            town.level("p2", 1, "idle", now()),
            town.pile("p1", clock_offset_s=-90.0),
            town.event("p2", 1, now(), "stopped", of="a", pile_code=0x72, stop_class="abnormal"),
        )
        await rules.start(bus)
        await until(lambda: console.codes == {"bit1", "clock_wrong"}, "what is true now")
        stands = {alarm.alarm: alarm for alarm in console.stands.values()}
        assert set(stands) == {"bit1-p1-1", "clock_wrong-p1"}
        assert stands["bit1-p1-1"].raised_at == before["bit1-p1-1"], "the same alarm, not another one"
        await until(lambda: any(alarm.code == "stop_72" for alarm in console.came), "what was said meanwhile")
        await until(lambda: len(console.stands) == 2, "which is over")
        assert await retained(broker.port) == {"bit1", "clock_wrong"}


async def test_a_broker_that_lost_everything_gets_the_alarms_again(broker: Broker, rules: Rules, town: Town) -> None:
    async with bus_on(broker.port) as bus:
        async with console_on(broker.port) as console:
            await begin(bus, town, rules)
            await bus.say(town.level("p1", 1, "faulted", now(), fault_bits=1))
            await until(lambda: console.codes == {"bit1"}, "the alarm")
        broker.kill()
        broker.lose_store()
        broker.start()
        async with console_on(broker.port) as console:
            await until(lambda: console.codes == {"bit1"}, "the alarm stands again")
