"""HTTP to a store: each call ends within its time, whatever the other side does, and no answer fills the memory."""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from evcs.store.interface import StoreUnavailable

CONNECT_S = 3.0
ANSWER_BYTES = 64 * 1024
"""Of an answer to a write: a store's reason is one line; the rest would be somebody else's page."""
LINE_BYTES = 64 * 1024 * 1024
"""Of one chunk of an answer to a query: 10,000 rows of all fields have about 2 MiB."""

Failure = (urllib3.exceptions.HTTPError, HTTPException, OSError, UnicodeDecodeError)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said, cut at ANSWER_BYTES."""

    status: int
    body: str
    retry_after_s: float | None = None


class _Watch:
    """Ends a call when its time is over. A time-out of the socket would not: it begins anew with each byte."""

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self.socket: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True

    def _expire(self) -> None:
        self.expired = True
        if self.socket is not None:
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)

    def start(self) -> None:
        self._timer.start()

    def cancel(self) -> None:
        self._timer.cancel()


_calls = threading.local()


def _told(connection: HTTPConnection) -> None:
    watch: _Watch | None = getattr(_calls, "watch", None)
    if watch is not None and connection.sock is not None:
        watch.socket = connection.sock


class _Connection(HTTPConnection):
    """Tells the watch of this thread's call which socket it waits for."""

    def connect(self) -> None:
        super().connect()
        _told(self)

    def request(self, *arguments: Any, **options: Any) -> None:
        _told(self)  # one that is kept open does not connect again
        super().request(*arguments, **options)


class _SafeConnection(HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        _told(self)

    def request(self, *arguments: Any, **options: Any) -> None:
        _told(self)
        super().request(*arguments, **options)


def _bounded(response: urllib3.BaseHTTPResponse) -> urllib3.BaseHTTPResponse:
    body = response.read(ANSWER_BYTES, decode_content=True)
    if response.read(1):
        response.close()
    else:
        response.release_conn()
    return urllib3.HTTPResponse(
        body=BytesIO(body),
        headers=response.headers,
        status=response.status,
        reason=response.reason,
        preload_content=True,
    )


class _Pool(urllib3.HTTPConnectionPool):
    """Where a caller wants the whole answer, it gets a bounded one."""

    ConnectionCls = _Connection

    def urlopen(self, *arguments: Any, **options: Any) -> urllib3.BaseHTTPResponse:
        whole = options.get("preload_content", True)
        response = super().urlopen(*arguments, **(options | {"preload_content": False}))
        return _bounded(response) if whole else response


class _SafePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SafeConnection

    def urlopen(self, *arguments: Any, **options: Any) -> urllib3.BaseHTTPResponse:
        whole = options.get("preload_content", True)
        response = super().urlopen(*arguments, **(options | {"preload_content": False}))
        return _bounded(response) if whole else response


class _Pools(urllib3.PoolManager):
    """Follows no redirect, whoever calls: it would carry token and readings elsewhere."""

    def urlopen(self, *arguments: Any, **options: Any) -> urllib3.BaseHTTPResponse:
        return super().urlopen(*arguments, **(options | {"redirect": False}))


def pool() -> urllib3.PoolManager:
    """Connections that are kept open; never tries again by itself."""
    made = _Pools(num_pools=2, maxsize=8, retries=False)
    made.pool_classes_by_scheme = {"http": _Pool, "https": _SafePool}
    return made


class Wire:
    """One server, under one base address. Safe for several threads."""

    def __init__(self, base: str, where: str, headers: Mapping[str, str]) -> None:
        """``where`` names the server for people, without credentials."""
        self.where = where
        self.pool = pool()
        self._base = base
        self._headers = dict(headers)

    def post(self, path: str, fields: Mapping[str, str], body: bytes, kind: str, within_s: float) -> Answer:
        """POST; raises StoreUnavailable where no whole answer came in time."""
        with self.call(within_s):
            response = self.pool.request(
                "POST",
                self._base + path + "?" + _encoded(fields),
                body=body,
                headers={**self._headers, "Content-Type": kind},
                timeout=timeout(within_s),
            )
            return answer(response.status, response.data, response.headers)

    def lines(self, path: str, fields: Mapping[str, str], form: Mapping[str, str], within_s: float) -> Iterator[bytes]:
        """POST a form; the answer line by line, as it comes. Raises StoreUnavailable, also in the middle.

        A status other than 200 is raised with what the body says.
        """
        with self.call(within_s):
            response = self.pool.request(
                "POST",
                self._base + path + "?" + _encoded(fields),
                body=_encoded(form).encode(),
                headers={**self._headers, "Content-Type": "application/x-www-form-urlencoded"},
                timeout=timeout(within_s),
                preload_content=False,
            )
            try:
                if response.status != 200:
                    said = response.read(ANSWER_BYTES).decode("utf-8", "replace")
                    raise StoreUnavailable(f"{self.where} answers a query with {response.status}: {said[:300].strip()}")
                rest = b""
                for piece in response.stream(256 * 1024):
                    *whole, rest = (rest + piece).split(b"\n")
                    yield from filter(None, whole)
                    if len(rest) > LINE_BYTES:
                        raise StoreUnavailable(f"{self.where} answers a query with a line of {len(rest)} bytes")
                if rest:
                    yield rest
                response.release_conn()
            finally:
                response.close()  # a connection whose answer was not read to its end is of no further use

    @contextmanager
    def call(self, within_s: float) -> Iterator[None]:
        """Whatever goes wrong on the way within, or lasts too long, is StoreUnavailable."""
        watch = _Watch(within_s)
        _calls.watch = watch
        watch.start()
        try:
            yield
            if watch.expired:  # an answer that was cut off may look like a short one
                raise TimeoutError
        except Failure as error:
            if watch.expired:
                raise StoreUnavailable(f"{self.where}: no whole answer within {within_s:.0f} s") from error
            raise StoreUnavailable(f"{self.where}: {type(error).__name__}: {str(error)[:300]}") from error
        finally:
            watch.cancel()
            _calls.watch = None

    def close(self) -> None:
        """Close what is open; the next call would open anew."""
        self.pool.clear()


def timeout(within_s: float) -> urllib3.Timeout:
    """Of the socket: longer than the call's own, whose end is the clearer one."""
    return urllib3.Timeout(connect=CONNECT_S, read=within_s + CONNECT_S)


def answer(status: int, body: bytes | None, headers: Mapping[str, str]) -> Answer:
    """An answer as it is judged; a Retry-After that is a date is not read (no store sends one)."""
    wait = headers.get("Retry-After", "").strip()
    after = float(wait) if wait.isascii() and wait.isdigit() and len(wait) < 7 else None
    return Answer(status, (body or b"").decode("utf-8", "replace"), after)


def _encoded(fields: Mapping[str, str]) -> str:
    return urlencode(fields)
