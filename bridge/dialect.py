"""What piles say and are told, whatever their protocol: the words between `pile` and a protocol's `translate`."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from bridge.protocols.base import Frame, Splitter
from evcs.contracts.config import TariffTable
from evcs.contracts.gun import BandEnergy
from evcs.contracts.power import PowerControl
from evcs.contracts.reasons import Reason
from evcs.contracts.states import StartSource, StopClass


class WireState(StrEnum):
    """A gun as its pile reports it; what it means for the platform is decided in `gun`."""

    OFFLINE = "offline"
    FAULTED = "faulted"
    IDLE = "idle"
    CHARGING = "charging"


@dataclass(frozen=True, slots=True)
class LoginSaid:
    pile: str
    kind: str
    """dc or ac."""
    gun_count: int
    protocol: str
    """With its version, `ykc1.6`."""
    firmware: str


@dataclass(frozen=True, slots=True)
class HeartbeatSaid:
    pile: str
    gun_text: str
    """The gun as it stood in the frame: the answer repeats it, also where it is no gun of ours."""


@dataclass(frozen=True, slots=True)
class TariffChecked:
    """The pile names the tariff model that it has and asks whether it is the right one."""

    pile: str
    model_no: str


@dataclass(frozen=True, slots=True)
class TariffAsked:
    pile: str


@dataclass(frozen=True, slots=True)
class Reading:
    """Live values of a gun. None: the pile has no such value, or said the zero that stands for none."""

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
class Answered:
    """The pile's answer to a start or a stop; a refusal comes with its code, words and our reason."""

    ok: bool
    code: int
    reason: Reason | None
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class StartAnswered:
    pile: str
    gun: int
    serial: str
    answer: Answered
    not_plugged: bool
    """The refusal that a later plug-in takes back (YKC: within 60 s)."""


@dataclass(frozen=True, slots=True)
class StopAnswered:
    pile: str
    gun: int
    answer: Answered


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
class NotUnderstood:
    """A well-formed frame that this bridge has no use for: an unknown type, or one of the other direction."""

    code: int


Said = (
    LoginSaid
    | HeartbeatSaid
    | TariffChecked
    | TariffAsked
    | Reading
    | StartAnswered
    | StopAnswered
    | PowerAnswered
    | ClockSaid
    | RecordSaid
)


@dataclass(frozen=True, slots=True)
class LoginAnswer:
    pile: str
    ok: bool


@dataclass(frozen=True, slots=True)
class HeartbeatAnswer:
    pile: str
    gun_text: str


@dataclass(frozen=True, slots=True)
class TariffAnswer:
    pile: str
    model_no: str
    same: bool


@dataclass(frozen=True, slots=True)
class TariffTold:
    pile: str
    table: TariffTable


@dataclass(frozen=True, slots=True)
class ReadGun:
    pile: str
    gun: int


@dataclass(frozen=True, slots=True)
class StartTold:
    pile: str
    gun: int
    serial: str
    balance_fen: int
    card: str | None


@dataclass(frozen=True, slots=True)
class StopTold:
    pile: str
    gun: int


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


@dataclass(frozen=True, slots=True)
class RecordConfirmed:
    serial: str
    result: int
    """0 stored, 1 illegal."""


Told = (
    LoginAnswer
    | HeartbeatAnswer
    | TariffAnswer
    | TariffTold
    | ReadGun
    | StartTold
    | StopTold
    | PowerTold
    | ClockSet
    | RecordConfirmed
)


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

    def units_of(self, allowance_kw: float, rated_kw: float) -> int:
        """Allowance → the units of this protocol's power command, rounded down, within its bounds."""

    def kw_of(self, units: int, rated_kw: float) -> float:
        """Units that a pile confirmed → kW that it may draw."""
