"""For bench.ingest: a broker, a backlog in it, and the processes that take it, each told by its own CPU time."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic, sleep

from bench.cpu import cpu_s
from evcs.runtime.clock import SystemClock
from evcs.runtime.mqtt import AsyncSession
from evcs.runtime.settings import MqttSettings

ROOT = Path(__file__).parents[1]


class Child:
    """A process of this bench."""

    def __init__(self, command: Sequence[str], env: dict[str, str], log: Path) -> None:
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                command, env=os.environ | env, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=file, stderr=file
            )

    @property
    def cpu_s(self) -> float:
        return cpu_s(self.process.pid)

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(30)


def python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


async def publish(port: int, messages: Sequence[tuple[str, bytes]]) -> None:
    """Return when the broker has all of them."""
    session = AsyncSession(MqttSettings(mqtt_port=port), SystemClock(), client_id="bench-pub", clean=True)
    await session.start()
    waiting: list[asyncio.Future[None]] = []
    for topic, payload in messages:
        await session.room()
        waiting.append(session.publish(topic, payload))
    await asyncio.gather(*waiting)
    await session.stop(0)


def wait_for(holds: Callable[[], bool], what: str, within_s: float = 120.0, every_s: float = 0.1) -> None:
    """Wait for something in another process."""
    end = monotonic() + within_s
    while not holds():
        if monotonic() > end:
            raise TimeoutError(what)
        sleep(every_s)
