"""`python -m evcs up` as a person meets it: what it says, how it ends, what it refuses."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from evcs.runtime.settings import variable
from evcs.up.place import is_locked
from evcs.up.settings import PORT_FIELDS

ROOT = Path(__file__).resolve().parents[2]
WITHIN_S = 60.0


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A run of its own: folder and free ports."""
    with ExitStack() as stack:
        servers = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in PORT_FIELDS]
        ports = {
            variable(name): str(server.getsockname()[1]) for name, server in zip(PORT_FIELDS, servers, strict=True)
        }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EVCS_")}
    return {**kept, **ports, "EVCS_VAR": str(tmp_path / "var")}


def heed_hangup() -> None:
    """As on a terminal, also where these tests run under nohup: an ignored signal is inherited."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@contextmanager
def up(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "evcs", "up"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        preexec_fn=heed_hangup,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def read_until(process: subprocess.Popen[str], words: str) -> str:
    """Its output up to the line with these words; the test's own time limit ends a wait in vain."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if words in line:
            return said
    raise AssertionError(f"{words!r} was never said:\n{said}")


def accepts(port: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(port))) == 0


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_ends_a_run_cleanly(environment: dict[str, str], how: signal.Signals) -> None:
    with up(environment) as process:
        said = read_until(process, "broker is ready")
        assert f"http://127.0.0.1:{environment['EVCS_HTTP_PORT']}/docs" in said
        assert accepts(environment["EVCS_MQTT_PORT"])
        process.send_signal(how)
        read_until(process, "the next run goes on with it")
        assert process.wait(WITHIN_S) == 0
    assert not any(accepts(environment[variable(name)]) for name in PORT_FIELDS)
    assert not is_locked(Path(environment["EVCS_VAR"]))


def test_run_that_nobody_reads_any_more_ends(environment: dict[str, str]) -> None:
    with up(environment) as process:
        assert process.stdout is not None
        read_until(process, "Ctrl-C stops everything")
        process.stdout.close()
        assert process.wait(WITHIN_S) == 0
    assert not is_locked(Path(environment["EVCS_VAR"]))


def test_next_run_after_a_killed_one_starts_at_once(environment: dict[str, str]) -> None:
    with up(environment) as process:
        read_until(process, "broker is ready")
        process.kill()
        process.wait(WITHIN_S)
    with up(environment) as process:
        read_until(process, "broker is ready")
        process.terminate()
        assert process.wait(WITHIN_S) == 0


def test_second_run_on_one_folder_is_refused(environment: dict[str, str]) -> None:
    with up(environment) as first:
        read_until(first, "broker is ready")
        with up(environment) as second:
            said = read_until(second, "another run already works on")
            assert f"(pid {first.pid})" in said
            assert second.wait(WITHIN_S) == 1
        assert accepts(environment["EVCS_MQTT_PORT"])


def test_taken_port_is_refused_before_anything_starts(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", int(environment["EVCS_BRIDGE_PORT"]))), up(environment) as process:
        said = read_until(process, "is taken")
        assert process.wait(WITHIN_S) == 1
    assert "EVCS_BRIDGE_PORT=" in said
    assert not (Path(environment["EVCS_VAR"]) / "nats").exists()


def test_folder_that_cannot_be_made_is_refused(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with up({**environment, "EVCS_VAR": str(tmp_path / "file" / "var")}) as process:
        said = read_until(process, "cannot be written")
        assert process.wait(WITHIN_S) == 1
    assert "EVCS_VAR=" in said


def test_wrong_settings_are_told_together(environment: dict[str, str]) -> None:
    with up({**environment, "EVCS_HTTP_PORT": "many", "EVCS_SIMULATOR_PILES": "0"}) as process:
        said, _ = process.communicate(timeout=WITHIN_S)
        assert process.returncode == 2
    assert "EVCS_HTTP_PORT" in said
    assert "EVCS_SIMULATOR_PILES" in said
