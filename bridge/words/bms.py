"""What the car's battery management says in the course of a charge (YKC 0x15 to 0x25, GB/T 27930)."""

from dataclasses import dataclass

from evcs.contracts.gun import BatteryLimits, ChargeEnding, Finding, Vehicle
from evcs.contracts.states import StopClass


@dataclass(frozen=True, slots=True)
class VehicleSaid:
    """Handshake (0x15)."""

    pile: str
    gun: int
    serial: str
    vehicle: Vehicle


@dataclass(frozen=True, slots=True)
class LimitsSaid:
    """Parameters (0x17)."""

    pile: str
    gun: int
    serial: str
    limits: BatteryLimits


@dataclass(frozen=True, slots=True)
class EndingSaid:
    """Statistics at the end (0x19)."""

    pile: str
    gun: int
    serial: str
    ending: ChargeEnding


@dataclass(frozen=True, slots=True)
class BmsErrorSaid:
    """Errors of either side (0x1B)."""

    pile: str
    gun: int
    serial: str
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class AbortSaid:
    """The car (0x1D) or the charger (0x21) ended the charge."""

    pile: str
    gun: int
    serial: str
    by_car: bool
    stop_class: StopClass
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class DemandSaid:
    """What the car asks for (0x23). Currents are magnitudes; None: the frame has the zero that stands for none."""

    pile: str
    gun: int
    serial: str
    voltage_v: float | None
    current_a: float | None
    cell_voltage_max_v: float | None
    soc_pct: float | None
    remaining_min: int | None


@dataclass(frozen=True, slots=True)
class BatterySaid:
    """How the battery is (0x25)."""

    pile: str
    gun: int
    serial: str
    temp_max_c: int | None
    temp_min_c: int | None
    findings: tuple[Finding, ...]
    """Status bits that are not normal."""


Said = VehicleSaid | LimitsSaid | EndingSaid | BmsErrorSaid | AbortSaid | DemandSaid | BatterySaid
