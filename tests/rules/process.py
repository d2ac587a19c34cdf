"""`python -m rules` as a process of a test, and beside it one who speaks for worker, bridge and meter."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

from evcs.contracts.bridge import ServiceStatus
from evcs.contracts.topics import PILE_POWER, POLICY, SERVICE, SESSION, START, STOP, VERDICT, Topic
from evcs.runtime.clock import SystemClock
from evcs.runtime.mqtt import AsyncSession, Delivery
from evcs.runtime.settings import MqttSettings
from rules.messages import Heard

ROOT = Path(__file__).parents[2]
WITHIN_S = 30.0
TOLD: tuple[Topic[Any], ...] = (SESSION, VERDICT, START, STOP, PILE_POWER, POLICY)


async def until(holds: Callable[[], bool], what: str, within_s: float = WITHIN_S) -> None:
    """Wait until something in another process is so."""
    deadline = monotonic() + within_s
    while not holds():
        assert monotonic() < deadline, f"not within {within_s} s: {what}"
        await asyncio.sleep(0.02)


class Bus:
    """Publishes what others would, and keeps what rules publishes in the order of its arrival."""

    def __init__(self, port: int) -> None:
        settings = MqttSettings(mqtt_port=port, mqtt_reconnect_s=0.1)
        self._session = AsyncSession(settings, SystemClock(), client_id="test-others", clean=True)
        self._session.subscribe(SERVICE.everywhere, 1, self._on_service)
        for topic in TOLD:
            self._session.subscribe(topic.everywhere, 1, self._on_told)
        self.rules: dict[str, ServiceStatus] = {}
        self.told: list[tuple[str, Any]] = []
        """Leaf and payload, in order."""

    async def start(self) -> None:
        await self._session.start()

    async def stop(self) -> None:
        await self._session.stop(0)

    def _on_service(self, delivery: Delivery) -> None:
        status = SERVICE.decode(delivery.payload)
        if status.name == "rules":
            self.rules[status.instance] = status
        delivery.ack()

    def _on_told(self, delivery: Delivery) -> None:
        for topic in TOLD:
            if topic.parse(delivery.topic) is not None and delivery.payload:
                self.told.append((topic.leaf, topic.decode(delivery.payload)))
        delivery.ack()

    def of(self, leaf: str) -> list[Any]:
        """What came on one leaf."""
        return [payload for name, payload in self.told if name == leaf]

    def verdict_on(self, request: str) -> Any:
        """The newest verdict on a request, or None."""
        return next((verdict for verdict in reversed(self.of("verdict")) if verdict.request == request), None)

    async def say(self, *messages: Heard) -> None:
        """Return when the broker has acknowledged them."""
        sent = []
        for message in messages:
            address = message.address
            levels = {name: getattr(address, name) for name in address.__slots__ if getattr(address, name)}
            levels.pop("shard", None)
            name = message.topic.at(**levels)
            payload = message.topic.encode(message.payload)
            sent.append(self._session.publish(name, payload, retain=message.topic.retained))
        await asyncio.gather(*sent)

    async def raw(self, name: str, payload: bytes) -> None:
        """Publish bytes that are no message."""
        await self._session.publish(name, payload)


@asynccontextmanager
async def bus_on(port: int) -> AsyncIterator[Bus]:
    bus = Bus(port)
    await bus.start()
    try:
        yield bus
    finally:
        await bus.stop()


class Rules:
    """The process; what it logs is kept."""

    def __init__(self, folder: Path, port: int, **settings: object) -> None:
        self.log = folder / "rules.log"
        self._env = {
            **{name: value for name, value in os.environ.items() if not name.startswith("EVCS_")},
            "EVCS_MQTT_PORT": str(port),
            "EVCS_MQTT_RECONNECT_S": "0.1",
            **{f"EVCS_{name.upper()}": str(value) for name, value in settings.items()},
        }
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self, bus: Bus) -> int:
        """Return its `since_ms` when its service level says ready."""
        before = {status.since_ms for status in bus.rules.values()}
        self.launch()

        def is_there() -> bool:
            return any(status.ready and status.since_ms not in before for status in bus.rules.values())

        await until(is_there, "rules is ready")
        return max(status.since_ms for status in bus.rules.values())

    def launch(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "rules"], env=self._env, cwd=ROOT, stderr=log, stdin=subprocess.DEVNULL
            )

    def kill(self) -> None:
        """SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def freeze(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    async def exit_code(self) -> int:
        assert self._process is not None
        return await asyncio.to_thread(self._process.wait, WITHIN_S)

    async def stop(self) -> int:
        """SIGTERM; its exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        return await self.exit_code()
