"""The examination: what is wrong is found, marked and told with what to do."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from rich.console import Console

from evcs import doctor
from evcs.runtime.settings import variable
from evcs.up.place import RunLock, prepare
from evcs.up.settings import PORT_FIELDS, UpSettings


@pytest.fixture
def settings(tmp_path: Path) -> UpSettings:
    servers = [socket.create_server(("127.0.0.1", 0)) for _ in PORT_FIELDS]
    ports = {name: server.getsockname()[1] for name, server in zip(PORT_FIELDS, servers, strict=True)}
    for server in servers:
        server.close()
    return UpSettings(var=tmp_path / "var", **ports)


@pytest.fixture(params=[(200, b'{"status": "degraded", "reasons": ["mqtt: slow"]}'), (200, b"<html>")])
def answering(request: pytest.FixtureRequest) -> Iterator[tuple[int, bytes]]:
    status, body = request.param

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1], body
    server.shutdown()
    server.server_close()


def test_machine_that_has_everything_passes(settings: UpSettings) -> None:
    out = io.StringIO()
    assert doctor.examine(settings, Console(file=out, width=300)) == 0
    assert "all ports are free" in out.getvalue()
    assert "wrong" not in out.getvalue()


def test_taken_port_fails_it_and_is_told(settings: UpSettings) -> None:
    out = io.StringIO()
    with socket.create_server(("127.0.0.1", settings.http_port)):
        assert doctor.examine(settings, Console(file=out, width=300)) == 1
    assert f"{variable('http_port')}=" in out.getvalue()


def test_services_of_a_run_are_asked_how_they_are(settings: UpSettings) -> None:
    prepare(settings.folder())
    lock = RunLock.take(settings.folder())
    findings = list(doctor.network(settings))
    lock.release()
    assert findings[0].text.startswith("a run is going on")
    assert [finding.text.split()[0] for finding in findings[1:]] == ["bridge", "ingest", "rules", "worker", "webapi"]
    assert all(finding.mark == "wrong" and "does not answer" in finding.text for finding in findings[1:])


def test_what_a_service_says_is_passed_on(answering: tuple[int, bytes]) -> None:
    port, body = answering
    finding = doctor.health("rules", f"http://127.0.0.1:{port}/healthz")
    if body.startswith(b"{"):
        assert finding == doctor.Finding("note", "rules is degraded: mqtt: slow")
    else:
        assert finding.mark == "wrong"
        assert "not as a service of this platform" in finding.text
