"""A protocol as a link uses it: frames in, words out, and back."""

from dataclasses import dataclass
from typing import Protocol

from bridge.protocols.base import Frame, Splitter
from bridge.words import NotUnderstood, Said, Told
from evcs.contracts.power import PowerControl


@dataclass(frozen=True, slots=True)
class Encoded:
    """A frame on its way out, with its type for counters."""

    raw: bytes
    code: int


class Dialect(Protocol):
    """A protocol as a link uses it."""

    name: str
    power_control: PowerControl

    def splitter(self) -> Splitter:
        """A fresh splitter for a new connection."""

    def hear(self, frame: Frame) -> Said | NotUnderstood:
        """Frame → what the pile says; FrameError where its values make no sense."""

    def tell(self, told: Told, seq: bytes | int) -> Encoded:
        """What to tell → frame; FrameError where this protocol cannot express it."""

    def redacted(self, raw: bytes) -> bytes:
        """A whole frame, either way, as it may be shown and kept: passwords are zeros."""

    def units_of(self, allowance_kw: float, rated_kw: float) -> int:
        """Allowance → the units of this protocol's power command, rounded down, within its bounds."""

    def kw_of(self, units: int, rated_kw: float) -> float:
        """Units that a pile confirmed → kW that it may draw."""
