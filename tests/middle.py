"""A small real HTTP server between a store's client and its server: passes on, or answers itself as a test says."""

import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR

FOR_EVER_S = 600.0


@dataclass(frozen=True)
class Says:
    """An answer of its own."""

    status: int
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Raw:
    """Bytes in place of an HTTP answer, then `drips`, a byte each `every_s`; then the connection is closed."""

    data: bytes
    drips: bytes = b""
    every_s: float = 0.1


@dataclass(frozen=True)
class Silent:
    """No answer; the connection stays open."""


@dataclass(frozen=True)
class StoredUnsaid:
    """The request is passed on, and its answer is not: the connection is closed."""


@dataclass(frozen=True)
class Slow:
    """The request is passed on after a while."""

    seconds: float


Behaviour = Says | Raw | Silent | StoredUnsaid | Slow


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that was killed, or has hung up, is what many tests are about."""


class Middle:
    """Between 127.0.0.1:port and the server. What `then` gives for a request is done; None: it is passed on."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.posts: list[tuple[str, bytes]] = []
        """Path and body of each request, in order of arrival."""
        self.tokens: list[str] = []
        """Their Authorization."""
        self.then: Callable[[str, bytes], Behaviour | None] = lambda path, body: None
        self._over = threading.Event()
        middle = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                middle._handle(self)

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, name="middle", daemon=True).start()

    def writes(self) -> list[bytes]:
        """Bodies of the writes."""
        return [body for path, body in self.posts if "/write" in path]

    def stop(self) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def _handle(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length", "0")))
        self.posts.append((request.path, body))
        self.tokens.append(request.headers.get("Authorization", ""))
        does = self.then(request.path, body) if "/write" in request.path else None
        match does:
            case None:
                self._pass_on(request, body, answer=True)
            case Says(status, text, headers):
                self._answer(request, status, text.encode(), headers)
            case Slow(seconds):
                self._over.wait(seconds)
                self._pass_on(request, body, answer=True)
            case StoredUnsaid():
                self._pass_on(request, body, answer=False)
                self._cut(request)
            case Silent():
                self._over.wait(FOR_EVER_S)
            case Raw(data, drips, every_s):
                request.connection.sendall(data)
                for at in range(len(drips)):
                    if self._over.wait(every_s):
                        break
                    try:
                        request.connection.sendall(drips[at : at + 1])
                    except OSError:
                        break
                self._cut(request)

    def _pass_on(self, request: BaseHTTPRequestHandler, body: bytes, answer: bool) -> None:
        connection = HTTPConnection("127.0.0.1", self.target, timeout=30)
        kept = {name: request.headers[name] for name in ("Authorization", "Content-Type") if name in request.headers}
        try:
            connection.request("POST", request.path, body, kept)
            said = connection.getresponse()
            data = said.read()
        except OSError:
            self._cut(request)
            return
        finally:
            connection.close()
        if answer:
            self._answer(request, said.status, data, {})

    def _answer(self, request: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str]) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        if status != 204:
            request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if status != 204:
            request.wfile.write(body)

    def _cut(self, request: BaseHTTPRequestHandler) -> None:
        request.close_connection = True
        try:
            request.connection.shutdown(SHUT_RDWR)
        except OSError:
            socket.socket.close(request.connection)
