"""Structured logs: one line per event, JSON for machines and colours for a terminal, secrets redacted by one table."""

import logging
import sys
from collections.abc import Callable, MutableMapping
from typing import Literal, Protocol, cast

import structlog

Fields = MutableMapping[str, object]


class Logger(Protocol):
    """What the rooms use of structlog, with types. Events have fixed names; everything variable is a field."""

    def debug(self, event: str, **fields: object) -> None: ...
    def info(self, event: str, **fields: object) -> None: ...
    def warning(self, event: str, **fields: object) -> None: ...
    def error(self, event: str, **fields: object) -> None: ...
    def exception(self, event: str, **fields: object) -> None: ...
    def bind(self, **fields: object) -> "Logger": ...


def _hidden(_: object) -> object:
    return "[redacted]"


def _tail(value: object) -> object:
    """The last four characters: enough to tell two cards apart on the telephone, useless to a thief."""
    text = str(value)
    return f"…{text[-4:]}" if len(text) > 4 else "…"


#: The one table of what never stands in a log. A field is matched by its whole name, or by the part after the last "_"
#: (``mqtt_password``, ``start_token``), so that a new field of a known kind is covered without being listed.
REDACTED: dict[str, Callable[[object], object]] = {
    "password": _hidden,
    "secret": _hidden,
    "token": _hidden,
    "authorization": _hidden,
    "cookie": _hidden,
    "session_key": _hidden,
    "api_key": _hidden,
    "private_key": _hidden,
    "key": _hidden,
    "pin": _hidden,
    "card": _tail,
    "card_no": _tail,
    "card_number": _tail,
    "physical_card_no": _tail,
    "logical_card_no": _tail,
    "phone": _tail,
}


def redact(_logger: object, _method: str, fields: Fields) -> Fields:
    """Structlog processor that applies the table."""
    for name, value in fields.items():
        rule = REDACTED.get(name) or REDACTED.get(name.rpartition("_")[2])
        if rule is not None and value is not None:
            fields[name] = rule(value)
    return fields


def get_logger(**fields: object) -> Logger:
    """A logger that writes these fields with each of its events. May be made at import: it opens nothing."""
    return cast(Logger, structlog.get_logger(**fields))


class _StandardError(logging.Handler):
    """Standard error as it is when the line is written: who draws on the terminal puts something of its own there."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; what cannot be written is told as logging tells it."""
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except Exception:
            self.handleError(record)


def setup(
    service: str,
    level: str = "info",
    form: Literal["auto", "json", "console"] = "auto",
) -> None:
    """Send this process's logs, also those of libraries, to standard error under the service's name."""
    console = form == "console" or (form == "auto" and sys.stderr.isatty())

    def name_service(_logger: object, _method: str, fields: Fields) -> Fields:
        fields.setdefault("service", service)
        return fields

    before: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        cast(structlog.typing.Processor, name_service),
        cast(structlog.typing.Processor, redact),
    ]
    last: list[structlog.typing.Processor]
    if console:
        # Without the values of local variables, which may be secrets.
        traceback = structlog.dev.RichTracebackFormatter(show_locals=False)
        last = [structlog.dev.ConsoleRenderer(timestamp_key="at", exception_formatter=traceback)]
    else:
        last = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *before,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = _StandardError()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # Libraries tell at info what is debug to us; gmqtt also logs losses that the sessions report themselves.
    for name, least in (("gmqtt", logging.CRITICAL), ("urllib3", logging.WARNING), ("apscheduler", logging.WARNING)):
        logging.getLogger(name).setLevel(least)
