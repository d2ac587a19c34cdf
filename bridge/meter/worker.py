"""Modbus TCP → `T/reading`: a task for each meter, so that a slow one delays no other. Subscribes to nothing."""

import asyncio

from bridge.meter.config import MappedMeter
from bridge.meter.line import Line, MeterAway, MeterRefuses
from bridge.meter.reading import reading_of
from bridge.meter.registers import Quantity, blocks
from bridge.meter.settings import Settings
from evcs.contracts.topics import READING
from evcs.runtime.clock import Clock
from evcs.runtime.health import OK, Health, degraded, worst
from evcs.runtime.log import get_logger
from evcs.runtime.metrics import counter
from evcs.runtime.mqtt import AsyncSession
from evcs.runtime.run import spawn

log = get_logger()

READINGS = counter("meter", "readings", "readings of transformers published", ["transformer"])
FAILURES = counter("meter", "failures", "attempts at a meter that gave no reading", ["transformer", "why"])
BAD_VALUES = counter("meter", "bad_values", "quantities without a possible value", ["transformer", "quantity"])

FIRST_BACKOFF_S = 1.0
WAITING_MOST = 100
"""Readings that the broker has not taken; older ones are dropped, since they are worth nothing by then."""


class MeterTask:
    """One meter: reads it every period, publishes, waits longer and longer while it does not answer."""

    def __init__(self, mapped: MappedMeter, settings: Settings, session: AsyncSession, clock: Clock) -> None:
        self._meter = mapped.meter
        self._registers = mapped.registers
        self._blocks = blocks(mapped.registers.registers, mapped.registers.largest_gap)
        self._line = Line(mapped.meter, settings.meter_timeout_s)
        self._session = session
        self._clock = clock
        self._longest_s = settings.meter_backoff_s
        self._topic = READING.at(station=mapped.meter.station, transformer=mapped.meter.transformer)
        self._backoff_s = FIRST_BACKOFF_S
        self._told_bad: set[Quantity] = set()
        self.wrong = ""
        """Why there is no reading; empty: there is."""

    async def run(self) -> None:
        """Until cancelled. The next reading begins a period after the one before began."""
        try:
            while True:
                began = self._clock.monotonic()
                wait_s = await self.read()
                await asyncio.sleep(max(0.0, wait_s - (self._clock.monotonic() - began)))
        finally:
            self._line.close()

    async def read(self) -> float:
        """One attempt; how many seconds behind its begin the next one is due."""
        try:
            words = await self._line.read(self._blocks)
        except MeterAway as error:
            self._failed("away", str(error))
            wait_s, self._backoff_s = self._backoff_s, min(self._backoff_s * 2, self._longest_s)
            return max(wait_s, self._meter.period_s)
        except MeterRefuses as error:
            self._failed("refused", str(error))
            return self._meter.period_s
        self._backoff_s = FIRST_BACKOFF_S
        read = reading_of(self._meter.transformer, self._registers, words, self._clock.now())
        self._tell_bad(read.bad)
        if read.reading is None:
            self._failed("impossible", ", ".join(read.bad))
            return self._meter.period_s
        if self.wrong:
            log.info("meter_back", transformer=self._meter.transformer)
            self.wrong = ""
        if self._session.connected:
            # Nobody wants to hear later what the load was now.
            self._session.publish(self._topic, READING.encode(read.reading), droppable=True)
            READINGS.labels(self._meter.transformer).inc()
        return self._meter.period_s

    def _failed(self, why: str, reason: str) -> None:
        FAILURES.labels(self._meter.transformer, why).inc()
        told = f"{self._meter.transformer}: {why}"
        if self.wrong != told:
            log.warning("meter_gives_no_reading", transformer=self._meter.transformer, why=why, reason=reason)
        self.wrong = told

    def _tell_bad(self, bad: tuple[Quantity, ...]) -> None:
        for quantity in bad:
            BAD_VALUES.labels(self._meter.transformer, quantity.value).inc()
        new = set(bad) - self._told_bad
        if new:
            log.warning("meter_values_impossible", transformer=self._meter.transformer, quantities=sorted(new))
        self._told_bad |= new


class Worker:
    """All meters of the configuration."""

    def __init__(self, settings: Settings, meters: tuple[MappedMeter, ...], clock: Clock) -> None:
        self._meters = meters
        self._session = AsyncSession(
            settings,
            clock,
            client_id=f"meter-{settings.meter_instance}",
            clean=True,
            window=len(meters) * 4,
            bound=WAITING_MOST + len(meters) * 4,
        )
        self._tasks = [MeterTask(mapped, settings, self._session, clock) for mapped in meters]
        self._running: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Return when the broker is there; meters are read from then on."""
        for mapped in self._meters:
            if not mapped.registers.verified:
                log.warning("register_map_unverified", transformer=mapped.meter.transformer, map=mapped.meter.map)
        await self._session.start()
        self._running = [
            spawn(task.run(), f"meter-{mapped.meter.transformer}")
            for task, mapped in zip(self._tasks, self._meters, strict=True)
        ]

    async def stop(self) -> None:
        """Stop reading, then leave the broker."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self._session.stop()

    def health(self) -> Health:
        """Degraded while a meter gives no reading: its transformer's band becomes unknown after 60 s."""
        silent = [task.wrong for task in self._tasks if task.wrong]
        return worst(self._session.health(), degraded(*silent) if silent else OK)
