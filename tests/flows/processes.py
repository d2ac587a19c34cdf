"""The services of a scenario as real processes: started from their own `__main__`, killed without mercy."""

import json
import os
import signal
import subprocess
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from tests.flows import forks
from tests.flows.forks import Fork


class Service:
    """What `python -m <module>` runs, with its own environment and log file."""

    def __init__(self, module: str, environment: Mapping[str, str], log: Path) -> None:
        self.module = module
        self._environment = {**os.environ, **environment, "PYTHONUNBUFFERED": "1"}
        self._log = log
        self._process: Fork | None = None

    def give(self, environment: Mapping[str, str]) -> None:
        """Further variables, from its next start on."""
        self._environment.update(environment)

    def start(self) -> None:
        """Start it; a service that runs already is a mistake of the test."""
        assert self._process is None or self._process.poll() is not None, f"{self.module} runs"
        self._process = forks.start(self.module, self._environment, self._log)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """SIGKILL: no farewell, no flush."""
        assert self._process is not None
        assert self.running, f"{self.module} had died before:\n{self.tail()}"
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)

    def freeze(self) -> None:
        """SIGSTOP: it stands still, its connections stay."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT: it goes on where it stood, with all that came meanwhile."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def events(self, name: str) -> list[datetime]:
        """When it logged this event, over all its runs."""
        lines = self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        found = [json.loads(line) for line in lines if line.startswith("{") and f'"{name}"' in line]
        return [datetime.fromisoformat(line["at"]) for line in found if line["event"] == name]

    def stop(self) -> int:
        """SIGTERM and wait; the exit code."""
        if self._process is None:
            return 0
        if self.running:
            self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGKILL)
            code = self._process.wait(5)
        return code

    def tail(self, lines: int = 30) -> str:
        """The end of its log, for a failed assertion."""
        text = self._log.read_text(errors="replace") if self._log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])
