"""What a simulated pile wants done: bytes to write, frames it understood, hang up."""

from dataclasses import dataclass

from bridge.protocols.base import UnknownFrame
from bridge.protocols.ykc.messages import YkcMessage


@dataclass(frozen=True, slots=True)
class Sent:
    """Bytes to write to the platform."""

    message: YkcMessage
    raw: bytes


@dataclass(frozen=True, slots=True)
class Received:
    """A frame that came from the platform, as understood."""

    message: YkcMessage | UnknownFrame
    raw: bytes


@dataclass(frozen=True, slots=True)
class HangUp:
    """Give the connection up; connect again not before `wait_s`."""

    why: str
    wait_s: float = 0.0
    silent: bool = False
    """The peer hears nothing of it, as when a mast or the mains fails: no FIN, no RST."""


Action = Sent | Received | HangUp
