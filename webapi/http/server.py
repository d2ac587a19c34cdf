"""The one place that touches gunicorn: one worker process with threads, logs where all our logs go."""

from collections.abc import Callable
from typing import Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from webapi.settings import Settings


class _Log(Logger):  # type: ignore[misc]
    """gunicorn's own lines, through our handlers; no access log (the audit and the event log say more)."""

    def setup(self, cfg: Any) -> None:
        """Leave handlers and level to the root logger."""
        self.error_log.propagate = True
        self.error_log.handlers.clear()
        self.access_log.handlers.clear()
        self.access_log.propagate = False


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
            ("worker_class", "gthread"),
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
