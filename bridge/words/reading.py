"""Live values of a gun."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

import msgspec


class WireState(StrEnum):
    """A gun as its pile reports it; what it means for the platform is decided in `gun`."""

    OFFLINE = "offline"
    FAULTED = "faulted"
    IDLE = "idle"
    CHARGING = "charging"


class Reading(msgspec.Struct, frozen=True, gc=False):
    """Live values of a gun. None: the pile has no such value, or said the zero that stands for none.

    A struct, as all that is made for every frame: a frozen dataclass takes six times as long.
    """

    pile: str
    gun: int
    wire: WireState | None
    """None: a state code that we do not know."""
    serial: str | None
    plugged: bool | None
    fault_bits: int
    voltage_v: float | None = None
    current_a: float | None = None
    energy_kwh: Decimal | None = None
    soc_pct: float | None = None
    cable_temp_c: int | None = None
    battery_temp_max_c: int | None = None
    elapsed_min: int | None = None
    remaining_min: int | None = None
    cost_fen: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ReadGun:
    pile: str
    gun: int


Said = Reading
Told = ReadGun
