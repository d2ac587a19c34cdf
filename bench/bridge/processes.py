"""The processes of one measurement: started, read from, and ended by their ids; CPU and memory from /proc."""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from time import monotonic, sleep
from types import TracebackType
from typing import Self

from bench.cpu import cpu_s
from tests.servers import free_port

PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024
STOP_WITHIN_S = 15.0
CONNECTS_WITHIN_S = 60.0


class Process:
    """A Python module in a process of its own, spoken to by lines."""

    def __init__(self, module: str, *arguments: str, env: Mapping[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if env else None,
            text=True,
            env={**os.environ, **(env or {})},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def line(self) -> str:
        """What it says next; RuntimeError where it has ended."""
        assert self._process.stdout is not None
        text = self._process.stdout.readline()
        if not text:
            raise RuntimeError(f"{self._process.args!r} ended with {self._process.wait()}")
        return text.strip()

    def ask(self, line: str = "") -> str:
        """Say a line, and what it answers."""
        self.tell(line)
        return self.line()

    def tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()

    def cpu_s(self) -> float:
        """CPU seconds so far, user and system."""
        return cpu_s(self._process.pid)

    def resident_kib(self) -> int:
        """Memory that it holds now."""
        with open(f"/proc/{self._process.pid}/statm") as statm:
            return int(statm.read().split()[1]) * PAGE_KIB


def await_port(port: int) -> None:
    """Return once somebody listens there; TimeoutError."""
    end = monotonic() + CONNECTS_WITHIN_S
    while monotonic() < end:
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        sleep(0.05)
    raise TimeoutError(f"nothing listens on port {port}")


def bridge_env(broker_port: int, port: int, var: str) -> dict[str, str]:
    """Settings of the bridge under measurement: its defaults, at these ports."""
    return {
        "EVCS_MQTT_PORT": str(broker_port),
        "EVCS_BRIDGE_PORT": str(port),
        "EVCS_BRIDGE_SERVICES_WAIT_S": "0",
        "EVCS_HEALTH_PORT": str(free_port()),
        "EVCS_BRIDGE_UNLOGGED_PER_ADDRESS": "12000",
        "EVCS_VAR": var,
        "EVCS_LOG_LEVEL": "error",
    }
