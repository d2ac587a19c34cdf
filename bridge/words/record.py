"""The pile's bill and its confirmation."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from evcs.contracts.gun import BandEnergy
from evcs.contracts.states import StartSource, StopClass


@dataclass(frozen=True, slots=True)
class RecordSaid:
    """The pile's bill. Times as UTC, None where the bytes were no time."""

    pile: str
    gun: int
    serial: str
    started_at: datetime | None
    ended_at: datetime | None
    traded_at: datetime | None
    bands: tuple[BandEnergy, ...]
    register_start_kwh: Decimal
    register_end_kwh: Decimal
    energy_kwh: Decimal
    loss_energy_kwh: Decimal
    amount_e4: int
    vin: str
    card: str
    source: StartSource | int
    stop_code: int
    stop_class: StopClass
    stop_zh: str
    stop_en: str


@dataclass(frozen=True, slots=True)
class RecordConfirmed:
    serial: str
    result: int
    """0 stored, 1 illegal."""


Said = RecordSaid
Told = RecordConfirmed
