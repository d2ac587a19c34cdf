"""`evcs up`, as `make run` starts it: a stranger sees a settled charge, and stopping leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from evcs.up.settings import PORT_FIELDS
from tests.flows.forks import ROOT
from tests.servers import free_port

pytestmark = [pytest.mark.flow, pytest.mark.timeout(400)]

SETTLED = re.compile(r"orders \d+ open, ([1-9]\d*) settled \((\d+\.\d\d) yuan\)")
START_WITHIN_S = 120


class OneCommand:
    """The command over one folder, with ports of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = {f"EVCS_{name.upper()}": str(free_port()) for name in PORT_FIELDS}
        self.output = folder / "output"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.output.unlink(missing_ok=True)
        with self.output.open("wb") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "evcs", "up"],
                cwd=ROOT,
                env={**os.environ, **self.ports, "EVCS_VAR": str(self.folder / "var")},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )

    def shows(self, what: Callable[[str], bool], within_s: float) -> str:
        """Its output, as soon as it shows this."""
        deadline = time.monotonic() + within_s
        while not what(text := self.output.read_text(errors="replace")):
            assert self._process is not None
            assert self._process.poll() is None, text
            assert time.monotonic() < deadline, text
            time.sleep(0.1)  # a file has no event to await
        return text

    def interrupt(self) -> int:
        """Ctrl-C; the exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(40)

    def end(self) -> None:
        """Whatever became of it, it runs no more."""
        if self._process is not None and self._process.poll() is None:
            self.interrupt()

    def left_behind(self) -> list[str]:
        """Command lines of processes that still work in its folder or on its ports."""
        own = (str(self.folder), *self.ports.values())
        found = []
        for status in Path("/proc").glob("[0-9]*"):
            try:
                environment = (status / "environ").read_bytes().decode(errors="replace")
                command = (status / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if f"EVCS_VAR={self.folder}" in environment or any(word in command for word in own):
                found.append(command)
        return found


@pytest.fixture
def one_command(tmp_path: Path) -> Iterator[OneCommand]:
    run = OneCommand(tmp_path)
    yield run
    run.end()


def settled(text: str) -> bool:
    return SETTLED.search(text) is not None


def test_a_stranger_sees_a_settled_charge_and_the_next_run_goes_on(one_command: OneCommand) -> None:
    one_command.start()
    text = one_command.shows(settled, START_WITHIN_S)
    assert f"http://127.0.0.1:{one_command.ports['EVCS_HTTP_PORT']}/docs" in text
    assert "username: demo" in text
    sign_in = one_command.folder / "var" / "demo-sign-in.txt"
    assert sign_in.stat().st_mode & 0o777 == 0o600
    password = sign_in.read_text()
    assert one_command.interrupt() == 0
    assert one_command.left_behind() == []

    one_command.start()
    text = one_command.shows(settled, START_WITHIN_S)
    assert sign_in.read_text() == password
    assert one_command.interrupt() == 0
    assert one_command.left_behind() == []
