"""Plays worker, rules and ingest at a real broker: publishes configuration and commands, sees everything."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, TypeVar

from bridge.settings import Settings
from bridge.simulator.link import SimulatedPile
from bridge.simulator.options import PileOptions
from bridge.worker import Worker
from evcs.contracts.bridge import ServiceStatus
from evcs.contracts.config import PileConfig, TariffTable
from evcs.contracts.gun import RecordConfirm, Start, Stop
from evcs.contracts.pile import PileStatus
from evcs.contracts.reasons import Reason
from evcs.contracts.topics import (
    CONFIG_PILE,
    CONFIG_TARIFF,
    CONFIRM,
    PILE_STATUS,
    SERVICE,
    START,
    STOP,
    Address,
    Topic,
)
from evcs.runtime.clock import SystemClock
from evcs.runtime.mqtt import AsyncSession, Delivery
from tests.bridge.kit import STATION

P = TypeVar("P")

QUICK = PileOptions(
    start_delay_s=(0.1, 0.2),
    ramp_s=0.2,
    stop_s=0.1,
    record_delay_s=0.1,
    report_s=0.5,
    resend_s=(0, 2, 4, 6, 8),
    reconnect_s=(0.1, 0.5),
    answer_wait_s=2.0,
    cold_share=0,
    manual_stop_share=0,
    energy_factor=200,
)
"""A pile that does in seconds what takes minutes."""


class Office:
    """One clean session that is everybody but the bridge."""

    def __init__(self, port: int, *, clean: bool = True) -> None:
        self.clock = SystemClock()
        self.seen: list[Delivery] = []
        self._changed = asyncio.Condition()
        self.session = AsyncSession(
            Settings(mqtt_port=port, mqtt_reconnect_s=0.2, mqtt_keepalive=2),
            self.clock,
            client_id="office",
            clean=clean,
        )
        self._levels: dict[str, bytes] = {}
        self.session.subscribe("evcs/v1/#", 1, self._take)
        self.session.on_connected(self._levels_again)

    def _levels_again(self) -> None:
        for topic, payload in self._levels.items():
            self.session.publish(topic, payload, retain=True)

    def _take(self, delivery: Delivery) -> None:
        delivery.ack()
        self.seen.append(delivery)
        asyncio.get_running_loop().create_task(self._tell())

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def say(self, topic: Topic[P], payload: P, **levels: str | int) -> None:
        at, text = topic.at(**levels), topic.encode(payload)
        if topic.retained:
            self._levels[at] = text
        await self.session.publish(at, text, retain=topic.retained)

    async def open(self, *configs: PileConfig, tables: tuple[TariffTable, ...] = ()) -> None:
        """Services ready, configuration retained."""
        await self.session.start()
        for name, instance in (("ingest", "1"), ("rules", "1-of-1"), ("worker", "1-of-1")):
            level = ServiceStatus(version=1, name=name, instance=instance, ready=True, since_ms=1)
            await self.say(SERVICE, level, name=name, instance=instance)
        for table in tables:
            await self.say(CONFIG_TARIFF, table, version=table.tariff_version)
        for config in configs:
            await self.say(CONFIG_PILE, config, pile=config.pile)

    def of(self, topic: Topic[P]) -> list[tuple[Address, P]]:
        """Everything seen on a topic, oldest first."""
        found = []
        for delivery in self.seen:
            address = topic.parse(delivery.topic)
            if address is not None and delivery.payload:
                found.append((address, topic.decode(delivery.payload)))
        return found

    async def wait(
        self, topic: Topic[P], want: Callable[[P], bool] = lambda _: True, within_s: float = 20.0, after: int = 0
    ) -> P:
        """The first payload of a topic that is wanted, also one that came already (from the after-th message on)."""

        def find() -> P | None:
            for delivery in self.seen[after:]:
                if topic.parse(delivery.topic) is not None and delivery.payload:
                    payload = topic.decode(delivery.payload)
                    if want(payload):
                        return payload
            return None

        try:
            async with asyncio.timeout(within_s), self._changed:
                await self._changed.wait_for(lambda: find() is not None)
        except TimeoutError:
            newest = [payload for _, payload in self.of(topic)][-5:]
            raise AssertionError(f"no such {topic.leaf} within {within_s} s; the newest were {newest}") from None
        found = find()
        assert found is not None
        return found

    async def online(self, pile: str, after: int = 0) -> PileStatus:
        return await self.wait(
            PILE_STATUS,
            lambda status: status.pile == pile and status.online and status.tariff_version is not None,
            after=after,
        )

    async def start(self, status: PileStatus, serial: str, gun: int = 1, **other: Any) -> Start:
        values: dict[str, Any] = {
            "id": f"start-{serial[-4:]}",
            "bridge": status.bridge,
            "link": status.link,
            "serial": serial,
            "balance_fen": 20_000,
            "tariff_version": status.tariff_version,
            "expires_at": self.clock.now() + timedelta(seconds=20),
        }
        command = Start(**{**values, **other})
        await self.say(START, command, station=STATION, pile=status.pile, gun=gun)
        return command

    async def stop(self, status: PileStatus, serial: str, gun: int = 1, command_id: str = "stop-1") -> None:
        command = Stop(
            id=command_id,
            bridge=status.bridge,
            link=status.link,
            serial=serial,
            why=Reason.STOPPED_BY_PERSON,
            expires_at=self.clock.now() + timedelta(seconds=30),
        )
        await self.say(STOP, command, station=STATION, pile=status.pile, gun=gun)

    async def confirm(self, pile: str, serial: str, gun: int = 1, confirm_id: str = "confirm-1") -> None:
        await self.say(CONFIRM, RecordConfirm(id=confirm_id, serial=serial), station=STATION, pile=pile, gun=gun)


@asynccontextmanager
async def office_at(
    port: int, *configs: PileConfig, tables: tuple[TariffTable, ...] = (), clean: bool = True
) -> AsyncIterator[Office]:
    """`clean=False`: it loses nothing while it is away, as the worker and ingest do not."""
    office = Office(port, clean=clean)
    await office.open(*configs, tables=tables)
    try:
        yield office
    finally:
        await office.session.stop(0)


@asynccontextmanager
async def bridge_at(port: int, **settings: Any) -> AsyncIterator[Worker]:
    """A running bridge on a free port."""
    values: dict[str, Any] = {"mqtt_port": port, "bridge_port": 0, "mqtt_keepalive": 2, "mqtt_reconnect_s": 0.2}
    worker = Worker(Settings(**{**values, **settings}), SystemClock())
    try:
        await worker.start()
        yield worker
    finally:
        await worker.stop()


@asynccontextmanager
async def pile_at(worker: Worker, number: str, guns: int = 2, **options: Any) -> AsyncIterator[SimulatedPile]:
    """A simulated pile that holds its connection."""
    pile = SimulatedPile(
        "127.0.0.1", worker.listener.port, number, guns, options=options.pop("nature", QUICK), **options
    )
    task = asyncio.create_task(pile.run())
    try:
        yield pile
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
