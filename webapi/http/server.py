"""The one place that touches gunicorn: one worker process with threads, logs where all our logs go."""

import ctypes
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from webapi.settings import Settings


class _Log(Logger):  # type: ignore[misc]
    """gunicorn's own lines, through our handlers; no access log (the audit and the event log say more)."""

    def setup(self, cfg: Any) -> None:
        """Leave handlers and level to the root logger."""
        self.error_log.propagate = True
        self.error_log.handlers.clear()
        self.access_log.handlers.clear()
        self.access_log.propagate = False


_PR_SET_PDEATHSIG = 1
HEAD_WITHIN_S = 5.0
"""For the head of a request, from its first byte."""
WHOLE_WITHIN_S = 30.0
"""For a request from head to the last byte of its answer; a database that is busy may take 10 s of it."""


def end_with_parent() -> None:
    """Let this process be killed with the one that made it (Linux, prctl(2)).

    Else a worker whose master was killed serves on for a while, and who starts the service anew finds the port taken.
    """
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died in between: nobody will be told any more
        os._exit(1)


class Worker(ThreadWorker):  # type: ignore[misc]
    """Takes the connection from who speaks or listens too slowly: some dozen of them would hold every thread."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._until: dict[Any, float] = {}

    def init_process(self) -> None:
        """In the worker's own process, before anything is opened."""
        end_with_parent()
        super().init_process()

    def handle(self, conn: Any) -> Any:
        """In a thread of the pool: from the first byte on."""
        self._until[conn] = monotonic() + HEAD_WITHIN_S
        try:
            return super().handle(conn)
        finally:
            self._until.pop(conn, None)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """The head is complete."""
        self._until[conn] = monotonic() + WHOLE_WITHIN_S
        return super().handle_request(req, conn)

    def murder_pending(self) -> None:
        """Called every second: what has had its time is shut, so that the thread that waits for it is free."""
        super().murder_pending()
        now = monotonic()
        for conn, until in list(self._until.items()):
            if now > until:
                with suppress(OSError):
                    conn.sock.shutdown(socket.SHUT_RDWR)


class Server(BaseApplication):  # type: ignore[misc]
    """Runs until SIGTERM or SIGINT; requests being served are finished first."""

    def __init__(self, settings: Settings, make: Callable[[], object]) -> None:
        self._settings = settings
        self._make = make
        super().__init__()

    def load_config(self) -> None:
        """What gunicorn is told."""
        settings = self._settings
        host = f"[{settings.http_host}]" if ":" in settings.http_host else settings.http_host
        for name, value in (
            ("bind", f"{host}:{settings.http_port}"),
            ("worker_class", Worker),
            ("workers", 1),
            ("threads", settings.http_threads),
            ("timeout", settings.http_timeout_s),
            ("graceful_timeout", 10),
            ("keepalive", 5),
            ("limit_request_line", 4094),
            ("limit_request_fields", 64),
            ("logger_class", _Log),
            ("control_socket_disable", True),
        ):
            self.cfg.set(name, value)

    def load(self) -> object:
        """The app, made in the worker process."""
        return self._make()
