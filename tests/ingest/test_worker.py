"""The worker within the test, on real brokers, over a store and a reject file that can be held up."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

import pytest

from evcs.contracts.bridge import ServiceStatus
from evcs.contracts.envelope import encode
from evcs.contracts.topics import SERVICE
from evcs.runtime.clock import SystemClock
from evcs.store.interface import GunSeries, Point, StoreUnavailable
from evcs.store.sqlite import SqliteStore
from ingest.rejects import Reject, RejectFile
from ingest.settings import Settings
from ingest.worker import Worker
from tests.ingest.messages import PILE, at, sent, telemetry
from tests.ingest.process import Bus, bus_on, until
from tests.servers import Broker, Nats

pytestmark = pytest.mark.flow


class Gated(SqliteStore):
    """The embedded store behind a gate that a test can close; it notes the sizes of what was written."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, writable=True)
        self.gate = threading.Event()
        self.gate.set()
        self.tried = 0
        self.written: list[int] = []
        self.breaks = False

    def write(self, points: Sequence[Point]) -> None:
        self.tried += len(points)
        if self.breaks and points:
            raise StoreUnavailable("broken for a test")
        self.gate.wait()
        super().write(points)
        if points:
            self.written.append(len(points))

    @property
    def total(self) -> int:
        return sum(self.written)

    def instants(self) -> set[datetime]:
        """When the points of the gun that all tests here use are from."""
        curve = self.curve(GunSeries("s1", PILE, 1), at(-1), at(1_000_000), ["power_kw"])
        return {point.at for point in curve.points}


class Start(Protocol):
    """Starts a worker of this test; settings by name."""

    async def __call__(self, store: Gated, rejects: "Stuck | None" = None, **settings: object) -> Worker: ...


@pytest.fixture
async def start(broker: Broker, tmp_path: Path) -> AsyncIterator[Start]:
    started: list[Worker] = []

    async def start_one(store: Gated, rejects: "Stuck | None" = None, **settings: object) -> Worker:
        given = {
            "mqtt_port": broker.port,
            "mqtt_reconnect_s": 0.1,
            "store_url": f"sqlite:///{tmp_path}/telemetry.db",
            "var": tmp_path,
            "batch_wait_s": 0.1,
        }
        worker = Worker(Settings.model_validate(given | settings), store, SystemClock(), rejects)
        started.append(worker)
        await worker.start()
        return worker

    yield start_one
    for worker in started:
        await worker.stop()


@pytest.fixture
async def bus(broker: Broker) -> AsyncIterator[Bus]:
    async with bus_on(broker.port) as opened:
        yield opened


@pytest.fixture
def gated(tmp_path: Path) -> Callable[[], Gated]:
    return lambda: Gated(tmp_path / "telemetry.db")


async def test_a_message_is_acknowledged_only_after_its_point_is_written(
    start: Start, bus: Bus, gated: Callable[[], Gated]
) -> None:
    """What was in the store's hands when its worker went comes again to the next; what was written does not."""
    first = gated()
    worker = await start(first)
    await bus.publish(sent(telemetry(n)) for n in range(5))
    await until(lambda: first.total == 5 and len(worker._batches) == 0, "five are written and acknowledged")
    first.gate.clear()
    await bus.publish(sent(telemetry(n)) for n in range(5, 12))
    await until(lambda: first.tried == 12, "seven are with the store, which does not answer")
    await worker._session.stop()  # the connection ends as by a kill: nobody acknowledges any more
    second = gated()
    await start(second)
    await until(lambda: second.total == 7, "exactly these seven come again")
    await bus.publish([sent(telemetry(99))])
    await until(lambda: second.total == 8, "and then what is new")
    first.gate.set()


async def test_with_its_hands_full_it_lets_go_and_gets_the_rest_later(
    start: Start, bus: Bus, gated: Callable[[], Gated]
) -> None:
    store = gated()
    await (await start(store)).stop()
    # A backlog: it comes in readings of the socket larger than what may be held, before the broker can be let wait.
    await bus.publish(sent(telemetry(n)) for n in range(400))
    store.gate.clear()
    worker = await start(store, held_messages=50, store_patience_s=0.5)
    try:
        # Which of the two depends on whether what comes first is new, or was given before and is held already.
        await until(
            lambda: worker._session.connection >= 3 or worker._paused_on == worker._session.connection > 1,
            "it has left the broker twice, or has left it and lets it wait",
        )
        assert len(worker._batches) == 50
    finally:
        store.gate.set()
    await until(lambda: len(store.instants()) == 400, "all are there")
    assert store.total < 800, "what is written is acknowledged before it leaves, and seldom comes again"


class Stuck(RejectFile):
    """A reject file whose disk does not answer until a test lets it, or that has no room."""

    def __init__(self, folder: Path, *, is_full: bool = False) -> None:
        super().__init__(folder)
        self.gate = threading.Event()
        self.is_full = is_full
        self.tried = 0

    def append(self, rejects: Sequence[Reject]) -> None:
        self.tried += len(rejects)
        if self.is_full:
            raise OSError(28, "No space left on device")
        self.gate.wait()
        super().append(rejects)


async def test_a_reject_file_that_hangs_or_is_full_delays_no_point(
    start: Start, bus: Bus, gated: Callable[[], Gated], tmp_path: Path
) -> None:
    for is_full in (True, False):
        store, rejects = gated(), Stuck(tmp_path / "rejects", is_full=is_full)
        worker = await start(store, rejects)
        topic, good = sent(telemetry(int(is_full)))
        await bus.publish([(topic, b"bad"), (topic, good)])
        await until(lambda s=store, r=rejects: s.total == 1 and r.tried == 1, "the good one is stored")
        rejects.gate.set()
        await worker.stop()
    assert len(rejects.path.read_text().splitlines()) == 1


async def test_health_says_since_when_and_why_the_store_is_away(
    start: Start, bus: Bus, gated: Callable[[], Gated]
) -> None:
    store = gated()
    worker = await start(store, store_patience_s=0.3, store_backoff_s=0.2)
    await until(lambda: worker.health().level == "ok", "all is well")
    store.breaks = True
    await bus.publish([sent(telemetry(0))])
    await until(lambda: worker.health().level == "degraded", "at once: degraded")
    await until(lambda: worker.health().level == "down" and not worker._session.connected, "past its patience: down")
    assert any("broken for a test" in reason for reason in worker.health().reasons)
    store.breaks = False
    await until(lambda: store.total > 0 and worker._session.connected, "it writes and comes back")
    assert store.instants() == {at(0)}
    assert not any("store away" in reason for reason in worker.health().reasons)


async def test_a_busy_station_is_not_held_up_by_the_wait_for_a_full_batch(
    start: Start, bus: Bus, gated: Callable[[], Gated]
) -> None:
    """Beside NATS a subscription has a window of 200: waiting for more of one shard would be waiting for the clock."""
    store = gated()
    await start(store, batch_wait_s=30)
    async with asyncio.timeout(20):
        await bus.publish(sent(telemetry(n)) for n in range(1_000))
        await until(lambda: store.total >= 900, "all but less than half a window")


async def test_a_former_level_from_a_fast_clock_is_outbid(start: Start, bus: Bus, gated: Callable[[], Gated]) -> None:
    """A run whose clock was an hour ahead left its will above what ours says: readers would heed nothing of ours."""
    ahead = SystemClock().now_ms() + 3_600_000
    former = ServiceStatus(version=ahead, name="ingest", instance="1", ready=False, since_ms=ahead)
    topic = SERVICE.at(name="ingest", instance="1")
    await bus._session.publish(topic, encode(former), retain=True)
    store = gated()
    worker = await start(store)
    since = worker._presence.since_ms
    await until(lambda: bus._ready.get(since) is True, "it is ready")
    await until(lambda: bus.standing is not None and bus.standing.since_ms == since, "its own level stands")
    await until(lambda: bus.standing is not None and bus.standing.version > ahead, "above the former one")
    await bus.publish([sent(telemetry(0))])
    await until(lambda: store.total == 1, "it works on")


async def test_a_slow_store_lets_the_broker_wait_and_not_repeat(
    broker: Broker, start: Start, bus: Bus, gated: Callable[[], Gated]
) -> None:
    store = gated()
    store.write([])
    store.gate.clear()
    # Mosquitto gives what it has; NATS has a window of 200.
    worker = await start(store, held_messages=300 if isinstance(broker, Nats) else 1_000)
    try:
        await bus.publish(sent(telemetry(n), f"s{n % 40}") for n in range(4_000))
        await until(lambda: worker._paused_on == 1, "nothing more is read")
    finally:
        store.gate.set()
    await until(lambda: store.total >= 4_000, "all are written")
    await until(lambda: len(worker._batches) == 0, "and nothing is left")
    assert worker._session.connection == 1, "the broker was never left"
    with sqlite3.connect(store._path) as connection:
        assert connection.execute("SELECT count(*) FROM gun").fetchone() == (4_000,)
    connection.close()
