"""Starts a service as a fork of a process that has imported it already: seconds of imports once, not for each scenario.

What runs is the service's own `__main__` in a process of its own, with its own environment, log and signals, as
`python -m <module>` runs it; that command itself is what test_one_command and the run of `evcs up` start.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[2]
STARTED_WITHIN_S = 90.0
"""For the imports of the largest service on a machine that is busy."""


class Forks:
    """The process that forks one service; ended with the process that made it."""

    def __init__(self, module: str) -> None:
        self.module = module
        self._turn = threading.Lock()
        self._news = threading.Condition()
        self._answers: list[int] = []
        self._codes: dict[int, int] = {}
        self._gone = False
        self._process = subprocess.Popen(
            [sys.executable, "-u", "-m", "tests.flows.forker", module],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True).start()

    def start(self, environment: dict[str, str], log: Path) -> "Fork":
        """A running service."""
        with self._turn:
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps({"environment": environment, "log": str(log)}).encode() + b"\n")
            self._process.stdin.flush()
            self._await(lambda: bool(self._answers), STARTED_WITHIN_S)
            return Fork(self, self._answers.pop())

    def code(self, pid: int) -> int | None:
        """With what it ended, as `subprocess` says it; None while it runs."""
        with self._news:
            return self._codes.get(pid)

    def wait(self, pid: int, within_s: float) -> int:
        """The same as soon as it has ended."""
        self._await(lambda: pid in self._codes, within_s)
        return self._codes[pid]

    def _await(self, done: Callable[[], bool], within_s: float) -> None:
        with self._news:
            if not self._news.wait_for(lambda: done() or self._gone, within_s):
                raise subprocess.TimeoutExpired(self.module, within_s)
            if not done():
                raise RuntimeError(f"the process that forks {self.module} has ended")

    def _read(self, news: IO[bytes]) -> None:
        for line in news:
            told = json.loads(line)
            with self._news:
                if "started" in told:
                    self._answers.append(told["started"])
                else:
                    self._codes[told["ended"]] = told["code"]
                self._news.notify_all()
        with self._news:
            self._gone = True
            self._news.notify_all()


class Fork:
    """A service that was forked, with the words of `subprocess.Popen`."""

    def __init__(self, forks: Forks, pid: int) -> None:
        self._forks = forks
        self.pid = pid

    def poll(self) -> int | None:
        return self._forks.code(self.pid)

    def wait(self, timeout: float) -> int:
        return self._forks.wait(self.pid, timeout)

    def send_signal(self, number: int) -> None:
        """Nothing is sent to what has ended: its number may be somebody else's by now."""
        if self.poll() is None:
            os.kill(self.pid, number)


_FORKS: dict[tuple[int, str], Forks] = {}


def prepare(*modules: str) -> None:
    """Let the imports of all of them begin, at the same time."""
    for module in modules:
        key = (os.getpid(), module)
        if key not in _FORKS:
            _FORKS[key] = Forks(module)


def start(module: str, environment: dict[str, str], log: Path) -> Fork:
    """A service by its module; the process that forks it is started with the first."""
    prepare(module)
    return _FORKS[os.getpid(), module].start(environment, log)
