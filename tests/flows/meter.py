"""A transformer's meter whose reading a scenario sets."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import paho.mqtt.client as mqtt

from evcs.contracts import topics
from evcs.contracts.transformer import TransformerReading
from evcs.runtime.clock import Clock, SystemClock
from tests.flows.town import STATION, TRANSFORMER
from webapi.database import open_database, sessions
from webapi.transformers.models import Transformer

EVERY_S = 1.0


def give_meter(database_url: str, *, blocked_release_s: int, **figures: int) -> None:
    """The transformer of the town has a meter, its band opens so quickly, and these figures of its rule are other."""
    engine = open_database(database_url)
    with sessions(engine).begin() as session:
        transformer = session.get_one(Transformer, TRANSFORMER)
        transformer.has_meter = True
        transformer.blocked_release_s = blocked_release_s
        transformer.base_load_kw = Decimal(0)
        for name, value in figures.items():
            assert hasattr(transformer, name), name
            setattr(transformer, name, value)
    engine.dispose()


class LoadMeter:
    """Says every second what the transformer carries."""

    def __init__(self, port: int, load_kva: float, offset_file: Path | None = None) -> None:
        self.load_kva = load_kva
        self.is_dead = False
        self._clock: Clock = SystemClock(offset_file)
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="load-meter")
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port, keepalive=10)
        self._client.loop_start()

    def say(self) -> None:
        reading = TransformerReading(transformer=TRANSFORMER, received_at=self._clock.now(), apparent_kva=self.load_kva)
        name = topics.READING.at(station=STATION, transformer=TRANSFORMER)
        self._client.publish(name, topics.READING.encode(reading), qos=1)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@contextlib.asynccontextmanager
async def metered(port: int, load_kva: float, offset_file: Path | None = None) -> AsyncIterator[LoadMeter]:
    """A meter that reads in the background while it lives; its clock is the scenario's where that is moved."""
    meter = LoadMeter(port, load_kva, offset_file)

    async def read() -> None:
        while True:
            if not meter.is_dead:
                meter.say()
            await asyncio.sleep(EVERY_S)

    reading = asyncio.create_task(read())
    try:
        yield meter
    finally:
        reading.cancel()
        meter.close()
