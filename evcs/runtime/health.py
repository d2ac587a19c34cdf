"""How a service is: what is wrong with it, told over HTTP at /healthz and /readyz, beside /metrics."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Literal

from evcs.runtime import metrics
from evcs.runtime.log import get_logger

log = get_logger()

Level = Literal["ok", "degraded", "down"]
CLIENT_S = 5.0
"""Who connects and says nothing, or does not read, gives its thread back after this."""
_RANK: dict[Level, int] = {"ok": 0, "degraded": 1, "down": 2}


@dataclass(frozen=True, slots=True)
class Health:
    """``degraded`` works on with something missing; ``down`` does not do its job. Reasons are for a person."""

    level: Level = "ok"
    reasons: tuple[str, ...] = ()


OK = Health()


def down(*reasons: str) -> Health:
    """Not doing its job, and why."""
    return Health("down", reasons)


def degraded(*reasons: str) -> Health:
    """Doing its job with something missing, and what."""
    return Health("degraded", reasons)


def worst(*parts: Health) -> Health:
    """The health of a whole: the worst level of its parts, with everybody's reasons."""
    level: Level = max((part.level for part in parts), key=lambda each: _RANK[each], default="ok")
    return Health(level, tuple(reason for part in parts for reason in part.reasons))


class HealthServer:
    """A thread that answers /healthz (503 when down), /readyz (also 503 outside start … stop) and /metrics."""

    def __init__(self, host: str, port: int, health: Callable[[], Health], is_ready: Callable[[], bool]) -> None:
        def ready() -> Health:
            return health() if is_ready() else down("still starting, or stopping")

        class Handler(BaseHTTPRequestHandler):
            timeout = CLIENT_S

            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                if path == "/metrics":
                    self._answer(200, "text/plain; version=0.0.4; charset=utf-8", metrics.exposition())
                elif path in ("/healthz", "/readyz"):
                    found = health() if path == "/healthz" else ready()
                    body = json.dumps({"status": found.level, "reasons": found.reasons}, ensure_ascii=False).encode()
                    self._answer(503 if found.level == "down" else 200, "application/json", body)
                else:
                    self._answer(404, "text/plain", b"/healthz, /readyz, /metrics\n")

            def _answer(self, status: int, kind: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Probes come every few seconds: not a log line each."""

        self._server = ThreadingHTTPServer((host, port), Handler)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.2}, daemon=True)

    @property
    def port(self) -> int:
        """The port really taken (of use where 0 was asked for)."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        self._thread.start()
        log.info("health_listening", address=f"{self._server.server_address[0]!s}:{self.port}")

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
