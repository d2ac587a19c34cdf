"""A service stops cleanly at a signal, hard at the second, and ends with code 1 when it cannot go on."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator

import pytest

from evcs.runtime.clock import ManualClock
from evcs.runtime.health import OK, Health, HealthServer, degraded, down, worst
from evcs.runtime.run import StallGuard
from tests.servers import free_port

Started = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Started]:
    made: list[subprocess.Popen[str]] = []

    def go(mode: str, **environment: str) -> "subprocess.Popen[str]":
        made.append(
            subprocess.Popen(
                [sys.executable, "-m", "tests.evcs.runtime.service", mode],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env={"PATH": "", **environment},
            )
        )
        return made[-1]

    yield go
    for process in made:
        process.kill()
        process.communicate()


def line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize("mode", ["plain", "sync plain"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_cleanly(start: Started, mode: str, number: signal.Signals) -> None:
    process = start(mode)
    assert line(process) == "started"
    process.send_signal(number)
    out, err = process.communicate(timeout=10)
    assert out.split() == ["stopping", "stopped"]
    assert process.returncode == 0
    assert "Traceback" not in err


@pytest.mark.parametrize("mode", ["stop hangs", "sync stop hangs"])
def test_a_second_signal_ends_it_at_once(start: Started, mode: str) -> None:
    process = start(mode)
    assert line(process) == "started"
    process.terminate()
    assert line(process) == "stopping"
    process.terminate()
    assert process.wait(timeout=5) == 130


def test_a_signal_ends_a_start_that_waits(start: Started) -> None:
    process = start("start waits")
    assert line(process) == "starting"
    process.terminate()
    assert process.wait(timeout=10) == 0


@pytest.mark.parametrize(
    ("mode", "reason"),
    [("start fails", "no disk"), ("part fails", "disk full"), ("sync start fails", "no disk"), ("sync part fails", "")],
)
def test_a_failure_is_logged_and_ends_with_code_1(start: Started, mode: str, reason: str) -> None:
    process = start(mode)
    out, err = process.communicate(timeout=10)
    assert process.returncode == 1
    assert out.split()[-2:] == ["stopping", "stopped"]
    if reason:
        (told,) = [entry for entry in map(json.loads, err.splitlines()) if entry["event"] == "service_failed"]
        assert reason in told["reason"]


def test_a_failed_callback_is_logged_and_the_service_goes_on(start: Started) -> None:
    process = start("callback fails")
    assert line(process) == "started"
    process.terminate()
    _, err = process.communicate(timeout=10)
    assert process.returncode == 0
    assert any(json.loads(each)["event"] == "callback_failed" for each in err.splitlines())


def test_wrong_settings_end_with_code_2_before_anything_starts(start: Started) -> None:
    process = start("plain", EVCS_HEALTH_PORT="x", EVCS_MQTT_PORT="y")
    out, err = process.communicate(timeout=10)
    assert process.returncode == 2
    assert out == ""
    assert "EVCS_HEALTH_PORT" in err
    assert "EVCS_MQTT_PORT" in err


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_health_is_told_over_http(start: Started) -> None:
    port = free_port()
    process = start("degraded", EVCS_HEALTH_PORT=str(port))
    assert line(process) == "started"
    status, body = get(port, "/healthz")
    assert (status, json.loads(body)) == (200, {"status": "degraded", "reasons": ["the store is slow"]})
    deadline = time.monotonic() + 5  # "started" is said inside start(), ready only after it
    while get(port, "/readyz")[0] != 200:
        assert time.monotonic() < deadline
    assert "python_info" in get(port, "/metrics")[1]
    assert get(port, "/other")[0] == 404


def test_down_and_not_ready_answer_503() -> None:
    health = down("no broker")
    ready = False
    server = HealthServer("127.0.0.1", 0, lambda: health, lambda: ready)
    server.start()
    assert get(server.port, "/healthz")[0] == 503
    assert "no broker" in get(server.port, "/healthz")[1]
    health = OK
    assert get(server.port, "/healthz")[0] == 200
    assert get(server.port, "/readyz")[0] == 503
    ready = True
    assert get(server.port, "/readyz")[0] == 200
    server.stop()


def test_a_caller_who_says_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evcs.runtime.health.CLIENT_S", 0.1)
    server = HealthServer("127.0.0.1", 0, lambda: OK, lambda: True)
    server.start()
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as silent:
        silent.sendall(b"GET /healthz HT")
        assert silent.recv(1) == b""
    server.stop()


def test_the_worst_part_counts_and_everybody_gives_reasons() -> None:
    assert worst() == OK
    assert worst(OK, degraded("a"), down("b"), degraded("c")) == Health("down", ("a", "b", "c"))


async def test_a_stalled_loop_is_noticed() -> None:
    clock = ManualClock()
    stalls: list[float] = []
    told = asyncio.Event()

    def on_stall(seconds: float) -> None:
        stalls.append(seconds)
        told.set()

    guard = StallGuard(clock, on_stall, limit_s=0.2)
    guard.start()
    clock.advance(60)  # as the monotonic clock shows it after the machine was suspended
    await asyncio.wait_for(told.wait(), 5)
    assert stalls[0] == pytest.approx(60, abs=0.1)
    guard.stop()
