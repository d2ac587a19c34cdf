"""Ingest as a process between real brokers and a real InfluxDB, either of which is killed, stopped or slow."""

import asyncio
import json
import os
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

import pytest

from evcs.contracts.states import GunState
from evcs.contracts.times import to_ms
from evcs.runtime.clock import SystemClock
from evcs.store.interface import GunSeries, StoreUnavailable
from evcs.store.open import open_reader
from tests.ingest.messages import SERIAL, T0, sent, telemetry
from tests.ingest.process import Bus, Ingest, bus_on, until
from tests.middle import Behaviour, Middle, Silent, Slow, StoredUnsaid
from tests.servers import Broker
from tests.stores import InfluxDb

pytestmark = pytest.mark.flow

GUNS = 50
STATIONS = 5


@pytest.fixture
def server(tmp_path: Path) -> Iterator[InfluxDb]:
    """An InfluxDB of this test's own, to be killed."""
    started = InfluxDb(tmp_path / "influx")
    started.start()
    yield started
    started.kill()


@pytest.fixture
def middle(server: InfluxDb) -> Iterator[Middle]:
    opened = Middle(server.port)
    yield opened
    opened.stop()


@pytest.fixture
def ingest(broker: Broker, middle: Middle, tmp_path: Path) -> Iterator[Ingest]:
    started = Ingest(
        tmp_path,
        broker.port,
        store_url=f"influxdb1+http://127.0.0.1:{middle.port}/evcs/raw?retention=inf",
        batch_wait_s=0.2,
        batch_points=200,
        store_patience_s=1,
        store_backoff_s=1,
    )
    yield started
    started.kill()


def fleet(first: int, last: int, start: datetime = T0) -> list[tuple[str, bytes]]:
    """Readings `first` … `last − 1` of every gun, 15 s apart; their receipts number them."""
    made = []
    for n in range(first, last):
        for gun in range(GUNS):
            told = telemetry(n, pile=f"{32010200000001 + gun}", power_kw=float(n))
            at = start + timedelta(seconds=15 * n, milliseconds=gun)
            made.append(sent(type(told)(**{**fields(told), "received_at": at}), f"s{gun % STATIONS}"))
    return made


def fields(told: object) -> dict[str, object]:
    return {name: getattr(told, name) for name in told.__struct_fields__}  # type: ignore[attr-defined]


async def count_is(server: InfluxDb, expected: int, within_s: float = 60.0) -> None:
    await until(lambda: server.count() >= expected, f"{expected} points in the store", within_s)
    assert server.count() == expected, "each once"


async def test_a_killed_influxdb_that_comes_back_gets_every_point(
    broker: Broker, server: InfluxDb, ingest: Ingest
) -> None:
    async with bus_on(broker.port) as bus:
        await ingest.start(bus)
        await bus.publish(fleet(0, 10))
        await count_is(server, 10 * GUNS)
        server.kill()
        await bus.publish(fleet(10, 40))
        await until(lambda: len(ingest.events("broker_left")) > 0, "ingest leaves the broker")
        await bus.publish(fleet(40, 50))
        await asyncio.to_thread(server.start)
        await bus.publish(fleet(50, 60))
        await count_is(server, 60 * GUNS)
        await until(lambda: len(ingest.events("store_back")) >= 1, "it says that the store is back")
        assert not (ingest.var / "rejects").exists(), "nothing was set aside"
        assert await ingest.stop() == 0


async def test_an_influxdb_that_stands_still_and_goes_on_has_every_point_once(
    broker: Broker, server: InfluxDb, ingest: Ingest
) -> None:
    """SIGSTOP: connections are taken and never answered, so that only the time of a call ends it."""
    async with bus_on(broker.port) as bus:
        await ingest.start(bus)
        await bus.publish(fleet(0, 4))
        await count_is(server, 4 * GUNS)
        assert server._process is not None
        os.kill(server._process.pid, signal.SIGSTOP)
        try:
            await bus.publish(fleet(4, 20))
            await until(lambda: len(ingest.events("store_away")) > 0, "the call has ended")
        finally:
            os.kill(server._process.pid, signal.SIGCONT)
        await bus.publish(fleet(20, 24))
        await count_is(server, 24 * GUNS)


@pytest.mark.parametrize("behaviour", [Silent(), StoredUnsaid()], ids=["not stored", "stored, not said"])
async def test_ingest_killed_amid_a_post_leaves_every_point_once(
    broker: Broker, server: InfluxDb, middle: Middle, ingest: Ingest, behaviour: Behaviour
) -> None:
    async with bus_on(broker.port) as bus:
        await ingest.start(bus)
        await bus.publish(fleet(0, 4))
        await count_is(server, 4 * GUNS)
        middle.then = lambda path, body: behaviour if body else None
        before = len(middle.writes())
        await bus.publish(fleet(4, 20))
        await until(lambda: len(middle.writes()) > before, "a post is under way")
        ingest.kill()
        middle.then = lambda path, body: None
        await ingest.start(bus)
        await count_is(server, 20 * GUNS)


async def test_what_the_store_refuses_is_set_aside_with_its_reason_and_delays_nothing(
    broker: Broker, server: InfluxDb, ingest: Ingest
) -> None:
    async with bus_on(broker.port) as bus:
        await ingest.start(bus)
        await bus.publish(fleet(0, 1))
        await count_is(server, GUNS)
        # What an older release or another writer may have left: a field of another type.
        line = f'gun,station=x,pile=x,gun=1 max_power_kw="much" {to_ms(T0)}'
        await asyncio.to_thread(server.write, line)
        topic, payload = sent(telemetry(3, pile="32010299999999", max_power_kw=90.0), "s1")
        await bus.publish([*fleet(1, 4), (topic, payload), *fleet(4, 8)])
        await count_is(server, 8 * GUNS)
        file = ingest.var / "rejects" / "rejects.jsonl"
        await until(file.exists, "it is set aside")
        lines = [json.loads(text) for text in file.read_text().splitlines()]
        assert [(one["topic"], one["reason"]) for one in lines] == [(topic, "refused_by_store")]
        assert "field type conflict" in lines[0]["detail"]
        assert "max_power_kw" in lines[0]["detail"]
        assert await ingest.stop() == 0
        await ingest.start(bus)
        await bus.publish(fleet(8, 9))
        await count_is(server, 9 * GUNS)
        assert len(file.read_text().splitlines()) == 1, "it was acknowledged"


class LiveGun:
    """One gun that goes on reporting, each half second; how late the store has it."""

    def __init__(self, bus: Bus, url: str) -> None:
        self._bus = bus
        self._reader = open_reader(url)
        self.series = GunSeries("live", "32010277777777", 1)
        self.latest_s: list[float] = []
        """Age of the newest stored reading, as often as it was looked at."""
        self.count = 0

    async def report(self) -> None:
        clock = SystemClock()
        while True:
            told = telemetry(self.count, pile=self.series.pile, state=GunState.CHARGING, serial=SERIAL)
            await self._bus.publish([sent(type(told)(**{**fields(told), "received_at": clock.now()}), "live")])
            self.count += 1
            await asyncio.sleep(0.5)

    async def look(self, goes_on: Callable[[], bool]) -> None:
        while goes_on():
            if (found := await asyncio.to_thread(self.is_there)) is not None:
                self.latest_s.append((datetime.now(UTC) - found).total_seconds())
            await asyncio.sleep(0.1)

    def is_there(self) -> datetime | None:
        """When its newest stored reading is from."""
        try:
            found = self._reader.latest([self.series])
        except StoreUnavailable:
            return None  # also where nobody has made the place yet
        return found[self.series].at if self.series in found else None


async def test_live_data_is_not_late_while_a_long_gap_is_filled(
    broker: Broker, server: InfluxDb, middle: Middle, ingest: Ingest
) -> None:
    """Ten minutes of a fleet in a few seconds, and a store that is slow, so that the gap takes long to fill.

    Promise D5: in the queue of the broker what comes now stands behind the gap, so it comes beside it as well.
    """
    url = server.url()
    readings = 40
    started = datetime.now(UTC) - timedelta(seconds=15 * readings)
    async with bus_on(broker.port) as bus:
        await ingest.start(bus)
        server.kill()
        live = LiveGun(bus, url)
        reporting = asyncio.create_task(live.report())
        await bus.publish(fleet(0, readings, started))
        await until(lambda: len(ingest.events("broker_left")) > 0, "ingest leaves the broker")
        middle.then = lambda path, body: Slow(1.2)
        await asyncio.to_thread(server.start)
        back = monotonic()
        await until(lambda: live.is_there() is not None, "the first live reading is there")
        first_s = monotonic() - back
        # Each post of 200 points takes 1.2 s: the gap alone takes 12 s, and the live readings come in between.
        await live.look(lambda: server.count() - live.count < GUNS * readings - 200 and monotonic() - back < 60)
        filled_s = monotonic() - back
        middle.then = lambda path, body: None
        worst = max(live.latest_s)
        assert worst < 8, f"live data was {worst:.1f} s late while the gap was filled in {filled_s:.1f} s"
        await until(lambda: len(ingest.events("live_lane_ended")) > 0, "the queue has caught up")
        reporting.cancel()
        await count_is(server, GUNS * readings + live.count)
        assert filled_s > 10, "the gap took its time"
        assert first_s < 8, f"the first live reading came {first_s:.1f} s after the store"
