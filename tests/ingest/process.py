"""`python -m ingest` as a process of a test, a publisher beside it, and a look into its store."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

from evcs.contracts.bridge import ServiceStatus
from evcs.contracts.topics import SERVICE
from evcs.runtime.clock import SystemClock
from evcs.runtime.mqtt import AsyncSession, Delivery
from evcs.runtime.settings import MqttSettings
from evcs.store.interface import CurvePoint, GunSeries, StoreUnavailable
from evcs.store.open import open_reader
from tests.ingest.messages import PILE, at

ROOT = Path(__file__).parents[2]
WITHIN_S = 30.0


async def until(holds: Callable[[], bool], what: str, within_s: float = WITHIN_S) -> None:
    """Wait until something in another process is so."""
    deadline = monotonic() + within_s
    while not holds():
        assert monotonic() < deadline, f"not within {within_s} s: {what}"
        await asyncio.sleep(0.02)


class Bus:
    """Publishes telemetry as a bridge does, and follows the service level of ingest."""

    def __init__(self, port: int) -> None:
        settings = MqttSettings(mqtt_port=port, mqtt_reconnect_s=0.1)
        self._session = AsyncSession(settings, SystemClock(), client_id="test-bridge", clean=True)
        self._session.subscribe(SERVICE.everywhere, 1, self._on_level)
        self._ready: dict[int, bool] = {}
        """By start of ingest: the last word."""
        self.standing: ServiceStatus | None = None
        """The last level that came."""

    def _on_level(self, delivery: Delivery) -> None:
        status = SERVICE.decode(delivery.payload)
        assert (status.name, status.instance) == ("ingest", "1")
        self._ready[status.since_ms] = status.ready
        self.standing = status
        delivery.ack()

    @property
    def starts(self) -> int:
        """How many starts of ingest have said that they are ready."""
        return len(self._ready)

    def is_ready(self) -> bool:
        """Whether the newest start of ingest is ready."""
        return bool(self._ready) and self._ready[max(self._ready)]

    async def publish(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Return when the broker has acknowledged all of them."""
        waiting = []
        for topic, payload in messages:
            await self._session.room()
            waiting.append(self._session.publish(topic, payload))
        await asyncio.gather(*waiting)


@asynccontextmanager
async def bus_on(port: int) -> AsyncIterator[Bus]:
    bus = Bus(port)
    await bus._session.start()
    try:
        yield bus
    finally:
        await bus._session.stop(0)


class Ingest:
    """The process. What it logs is kept; so is its store."""

    def __init__(self, folder: Path, port: int, **settings: object) -> None:
        self.var = folder / "var"
        self.database = self.var / "telemetry.db"
        self._store_url = str(settings.get("store_url", f"sqlite:///{self.database}"))
        self.log = folder / "ingest.log"
        self._env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("EVCS_")},
            "EVCS_MQTT_PORT": str(port),
            "EVCS_MQTT_RECONNECT_S": "0.1",
            "EVCS_STORE_URL": self._store_url,
            "EVCS_VAR": str(self.var),
            **{f"EVCS_{name.upper()}": str(value) for name, value in settings.items()},
        }
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self, bus: Bus) -> None:
        """Return when its service level says ready."""
        starts = bus.starts
        self._launch()
        await until(lambda: bus.starts > starts and bus.is_ready(), "ingest is ready")

    def _launch(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "ingest"], env=self._env, cwd=ROOT, stderr=log, stdin=subprocess.DEVNULL
            )

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    async def stop(self) -> int:
        """SIGTERM; its exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self._process.wait, WITHIN_S)

    def events(self, name: str) -> list[dict[str, object]]:
        """What it logged under this name."""
        told = (json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{"))
        return [event for event in told if event["event"] == name]

    def points(self, *, station: str = "s1", pile: str = PILE, gun: int = 1) -> tuple[CurvePoint, ...]:
        """What is in its store of one gun: time, power, and the receipt's number."""
        store = open_reader(self._store_url)
        try:
            series = GunSeries(station, pile, gun)
            return store.curve(series, at(-1), at(10_000_000), ["power_kw", "receipt_n"]).points
        except StoreUnavailable:
            return ()
        finally:
            store.close()
