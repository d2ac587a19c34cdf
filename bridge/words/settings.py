"""Power, work permission and clock of a pile."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PowerAnswered:
    pile: str
    ok: bool
    code: int


@dataclass(frozen=True, slots=True)
class ClockSaid:
    """The pile's clock, as UTC; None where its bytes were no time."""

    pile: str
    time: datetime | None


@dataclass(frozen=True, slots=True)
class PowerTold:
    """Power cap in the protocol's units, and whether the pile may work at all."""

    pile: str
    units: int
    locked: bool


@dataclass(frozen=True, slots=True)
class ClockSet:
    pile: str
    time: datetime


Said = PowerAnswered | ClockSaid
Told = PowerTold | ClockSet
