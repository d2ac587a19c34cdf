"""What pure code asks to be done: bytes to a pile, a message to the broker, the end of a connection."""

from dataclasses import dataclass
from enum import StrEnum

import msgspec


class Send(msgspec.Struct, frozen=True, gc=False):
    """A whole frame for the pile."""

    frame: bytes
    code: int


class Publish(msgspec.Struct, frozen=True, gc=False):
    """A message for the broker. `droppable`: telemetry, which gives way when the broker is slow or away."""

    topic: str
    payload: bytes
    retain: bool = False
    droppable: bool = False
    version: int = 0
    """Of a level."""
    qos: int = 1


class CloseReason(StrEnum):
    """Why the bridge ended a connection, for logs and counters."""

    LOGIN_REFUSED = "login_refused"
    NOT_A_LOGIN = "not_a_login"
    LOGIN_TIMEOUT = "login_timeout"
    SILENT = "silent"
    REPLACED = "replaced"
    HELD_ELSEWHERE = "held_elsewhere"
    CONFIG_CHANGED = "config_changed"
    TOO_MANY = "too_many"
    TOO_MANY_FROM_ADDRESS = "too_many_from_address"
    SLOW_READER = "slow_reader"
    PEER = "peer"
    SHUTDOWN = "shutdown"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Close:
    """End the connection, after what was sent before."""

    reason: CloseReason


@dataclass(frozen=True, slots=True)
class Took:
    """This connection now holds the pile; an older connection of it has to go."""

    pile: str


@dataclass(frozen=True, slots=True)
class Note:
    """A line for the log, by its fixed event name."""

    event: str
    fields: tuple[tuple[str, object], ...] = ()
    is_warning: bool = False


Action = Send | Publish | Close | Took | Note
