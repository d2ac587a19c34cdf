"""The server as it runs: who speaks slowly holds up nobody for long."""

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from time import monotonic, sleep

from tests.servers import free_port

ROOT = Path(__file__).parents[3]


def health(port: int, within_s: float) -> int:
    """Status of /healthz; tried again while nobody listens yet."""
    deadline = monotonic() + within_s
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=within_s) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except (ConnectionError, urllib.error.URLError):
            if monotonic() > deadline:
                raise
        sleep(0.05)  # a port has no event to await


def nothing_more_from(connection: socket.socket) -> bool:
    """Whether the other side is gone, by its farewell or without one."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_slow_speakers_do_not_hold_every_thread(tmp_path: Path, migrated_sqlite: Path) -> None:
    port = free_port()
    environment = {
        **os.environ,
        "EVCS_DATABASE_URL": f"sqlite:///{migrated_sqlite}",
        "EVCS_STORE_URL": f"sqlite:///{tmp_path / 'telemetry.db'}",
        "EVCS_HTTP_PORT": str(port),
        "EVCS_HTTP_THREADS": "2",
    }
    with subprocess.Popen([sys.executable, "-m", "webapi"], cwd=ROOT, env=environment) as process, ExitStack() as open_:
        try:
            assert health(port, 20) == 200
            for _ in range(4):
                slow = open_.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
                slow.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX")
            assert health(port, 20) == 200
        finally:
            process.send_signal(signal.SIGTERM)
    assert process.returncode == 0


def test_a_killed_server_leaves_its_port_at_once_even_with_a_request_in_hand(
    tmp_path: Path, migrated_sqlite: Path
) -> None:
    port = free_port()
    environment = {
        **os.environ,
        "EVCS_DATABASE_URL": f"sqlite:///{migrated_sqlite}",
        "EVCS_STORE_URL": f"sqlite:///{tmp_path / 'telemetry.db'}",
        "EVCS_HTTP_PORT": str(port),
    }
    with subprocess.Popen([sys.executable, "-m", "webapi"], cwd=ROOT, env=environment) as process, ExitStack() as open_:
        assert health(port, 30) == 200
        slow = open_.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
        slow.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX")
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        assert nothing_more_from(slow)
        deadline = monotonic() + 3
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) != 0:
                    break
            assert monotonic() < deadline, "somebody still listens"
            sleep(0.02)
