"""A simulated meter of one transformer: reads what its guns draw, publishes `T/reading` as an MQTT user of its own."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random

from bridge.simulator.transformer_load import Load, TransformerLoad
from evcs.contracts.topics import READING
from evcs.runtime.clock import Clock
from evcs.runtime.mqtt import AsyncSession
from evcs.runtime.settings import MqttSettings

OUT_OF_DATE = 1000
"""Readings that a broker did not take are given up at this many: an old one is worth nothing."""


@dataclass(frozen=True, slots=True)
class MeterSpec:
    """Which transformer, which piles hang on it (by the six digits of their numbers), what else it feeds."""

    station: str
    transformer: str
    first: int
    last: int
    rated_kva: float
    base_peak_kw: float = 0.0


@dataclass(frozen=True, slots=True)
class MeterNature:
    """How good a meter is. Times in s, `loss` as the share of readings that never come."""

    every_s: float = 3.0
    lag_s: float = 0.0
    loss: float = 0.0


def meter_specs(text: str) -> tuple[MeterSpec, ...]:
    """ "STATION/TRANSFORMER:first-last:kVA:base kW", several with commas → specs; ValueError for anything else."""
    found = []
    for word in filter(None, (part.strip() for part in text.split(","))):
        try:
            place, piles, rated_kva, base_kw = word.split(":")
            station, transformer = place.split("/")
            first, last = (int(number) for number in piles.split("-"))
            spec = MeterSpec(station, transformer, first, last, float(rated_kva), float(base_kw))
        except ValueError:
            raise ValueError(f'"{word}" is not "STATION/TRANSFORMER:first-last:kVA:base kW"') from None
        if not (1 <= first <= last and spec.rated_kva > 0 and spec.base_peak_kw >= 0 and station and transformer):
            raise ValueError(f'"{word}": piles run backwards, or a power is negative')
        found.append(spec)
    return tuple(found)


class TransformerMeter:
    """One meter: samples every second, publishes every few seconds what it saw `lag_s` ago."""

    def __init__(
        self,
        spec: MeterSpec,
        nature: MeterNature,
        settings: MqttSettings,
        clock: Clock,
        seed: int,
        guns_w: Callable[[], float],
    ) -> None:
        self._nature = nature
        self._clock = clock
        self._guns_w = guns_w
        self._load = TransformerLoad(spec.transformer, spec.rated_kva, spec.base_peak_kw, seed)
        self._dice = Random(f"{seed}/{spec.transformer}/meter")
        self._topic = READING.at(station=spec.station, transformer=spec.transformer)
        self._session = AsyncSession(
            settings, clock, client_id=f"meter-{spec.transformer}", clean=True, window=4, bound=OUT_OF_DATE
        )
        self._seen: deque[tuple[datetime, Load]] = deque()
        self.published = 0

    async def run(self) -> None:
        """Publish until cancelled; waits for the broker."""
        try:
            await self._session.start()
            while True:
                self.read()
                await asyncio.sleep(self._nature.every_s)
        finally:
            await self._session.stop()

    def read(self) -> None:
        """One look at the guns, and the publication of what the meter knows by now."""
        now = self._clock.now()
        self._seen.append((now, self._load.load(self._guns_w(), now)))
        while len(self._seen) > 1 and (now - self._seen[1][0]).total_seconds() >= self._nature.lag_s:
            self._seen.popleft()
        at, load = self._seen[0]
        if (now - at).total_seconds() < self._nature.lag_s or self._dice.random() < self._nature.loss:
            return
        if not self._session.connected:
            return  # nobody wants to hear later what the load was now
        self.published += 1
        self._session.publish(self._topic, READING.encode(self._load.reading(load, now)), droppable=True)
