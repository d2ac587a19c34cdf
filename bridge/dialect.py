"""A protocol as a link uses it: frames in, words out, and back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from bridge.protocols.base import CrcOrder, Frame, Splitter
from bridge.words import NotUnderstood, Said, Told
from evcs.contracts.pile import FrameField
from evcs.contracts.power import PowerControl


@dataclass(frozen=True, slots=True)
class Encoded:
    """A frame on its way out, with its type for counters."""

    raw: bytes
    code: int


@dataclass(frozen=True, slots=True)
class CardsPerFrame:
    """How many offline cards one frame carries."""

    stored: int
    cleared: int
    asked: int


@dataclass(frozen=True, slots=True)
class Described:
    """A frame for people."""

    frame_type: str
    """`0x13`."""
    title_zh: str = ""
    title_en: str = ""
    fields: tuple[FrameField, ...] = ()
    problem: str = ""
    """Why its fields cannot be read; empty where they can."""


class Dialect(Protocol):
    """A protocol as a link uses it."""

    name: str
    power_control: PowerControl
    cards_per_frame: CardsPerFrame

    def splitter(self) -> Splitter:
        """A fresh splitter for a new connection."""

    def hear(self, frame: Frame, odd: Callable[[str], None]) -> Said | NotUnderstood:
        """Frame → what the pile says; FrameError where its values make no sense.

        `odd` is called with the name of each field whose code no table has; the code itself is kept as a number.
        """

    def tell(self, told: Told, seq: bytes | int, crc_order: CrcOrder | None = None) -> Encoded:
        """What to tell → frame; FrameError where this protocol cannot express it. Without an order its own."""

    def describe(self, raw: bytes) -> Described:
        """A whole frame, either way, for people; passwords are not among its fields' values."""

    def redacted(self, raw: bytes) -> bytes:
        """A whole frame, either way, as it may be shown and kept: passwords are zeros."""

    def for_log(self, raw: bytes) -> bytes:
        """A whole frame, either way, as a log may hold it: passwords and numbers of cards are zeros."""

    def units_of(self, allowance_kw: float, rated_kw: float) -> int:
        """Allowance → the units of this protocol's power command, rounded down, within its bounds."""

    def kw_of(self, units: int, rated_kw: float) -> float:
        """Units that a pile confirmed → kW that it may draw."""
