"""One gun of a simulated pile: plug, car, session, register, and its real-time data. Pure."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum, auto
from random import Random

from bridge.protocols.ykc.codes import MONEY_LIMIT, SOC_FULL, GunHome, GunRole, GunState, StartKind
from bridge.protocols.ykc.messages import NO_CARD, NO_TEMPERATURE, NO_TRADE, RealtimeData, gun_no
from bridge.simulator.battery import MOST_A, Battery
from bridge.simulator.biller import STEPS_PER_KWH, Tally

UNITS_PER_STEP = 36_000_000
"""Energy flows in units of 0.1 V × 0.1 A × 1 ms = 10⁻⁵ J; 0.0001 kWh is 360 J."""
AC_DV = 2200
"""An AC pile shows the mains, 0.1 V."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def kwh(steps: int) -> Decimal:
    """Steps of 0.0001 kWh (or of 0.0001 yuan) as an exact decimal."""
    return Decimal(steps).scaleb(-4)


def instant(ms: int) -> datetime:
    """Milliseconds since 1970 → aware time."""
    return _EPOCH + timedelta(milliseconds=ms)


@dataclass(slots=True)
class Car:
    """What stands at the gun, or at two of them."""

    battery: Battery
    vin: str
    manual_stop_after_s: float | None = None
    """The driver presses stop at the pile after this much charging."""


class Phase(Enum):
    """How far a session is."""

    STARTING = auto()
    CHARGING = auto()
    STOPPING = auto()


class AskedBy(Enum):
    """Who asked for a start, and so which answer it gets."""

    PLATFORM = auto()  # 0x34 → 0x33
    PLATFORM_JOINT = auto()  # 0xA4 → 0xA3
    PILE = auto()  # 0x31 or 0xA1 → 0x32 or 0xA2; nothing follows it but data


@dataclass(frozen=True, slots=True)
class Seat:
    """A gun's place in a joint charge."""

    number: str
    role: GunRole


@dataclass(frozen=True, slots=True)
class StartOrder:
    """What a session begins with. `seq` is the sequence field of the command, for an answer that refuses."""

    trade_no: str
    balance_e4: int
    kind: StartKind = StartKind.APP
    card: str = NO_CARD
    asked_by: AskedBy = AskedBy.PLATFORM
    seq: bytes = b"\0\0"
    seat: Seat | None = None


@dataclass(slots=True)
class Session:
    """A start that was accepted, until its record. `…_ms` are the caller's clock, `…_pile_ms` the pile's."""

    order: StartOrder
    balance_e4: int
    tally: Tally
    phase: Phase
    meter_start: int
    start_pile_ms: int
    together: tuple[int, ...] = ()
    """The guns that start with this one, itself among them."""
    charging_ms: int = 0
    heated_ms: int = 0
    stopping_ms: int = 0
    stop_reason: int = 0

    @property
    def trade_no(self) -> str:
        return self.order.trade_no


@dataclass(slots=True)
class Gun:
    """State of a gun. Its register counts 0.0001 kWh and the rest in units; it never goes back."""

    pile_no: str
    number: int
    dice: Random
    register: int
    gun_w: int
    is_ac: bool = False
    car: Car | None = None
    session: Session | None = None
    fault_bits: int = 0
    faulty: bool = False
    shown: str = ""
    """What stands on the screen: why a start was refused."""
    volts_dv: int = 0
    amps_da: int = 0
    cable_c: int | None = None
    """What the cable's sensor says, ℃; None: as the current warms it."""
    _residue: int = field(default=0, repr=False)

    @property
    def is_plugged(self) -> bool:
        return self.car is not None

    @property
    def _cable_temp(self) -> int:
        return min(90, round(24 + self.amps_da / 150)) if self.cable_c is None else self.cable_c

    @property
    def is_drawing(self) -> bool:
        """Whether current may flow."""
        return self.session is not None and self.session.phase is not Phase.STARTING

    @property
    def power_w(self) -> int:
        """Output power now, W: exactly what volts and amperes of 0x13 say."""
        return self.volts_dv * self.amps_da // 100

    def wanted_w(self, now_ms: int, stop_s: float, guns_on_car: int = 1) -> int:
        """What the car would draw here now without any cap, W; from two guns it takes half each."""
        session, car = self.session, self.car
        if session is None or car is None or session.phase is Phase.STARTING:
            return 0
        wanted = car.battery.demand_w((now_ms - session.charging_ms - session.heated_ms) / 1000) / guns_on_car
        if session.phase is Phase.STOPPING:
            wanted *= max(0.0, 1 - (now_ms - session.stopping_ms) / (stop_s * 1000)) if stop_s > 0 else 0.0
        return min(int(wanted), self.gun_w, int(MOST_A * car.battery.voltage_v))

    def flow(self, watts: int, span_ms: int, band: int, factor: int, guns_on_car: int = 1) -> int | None:
        """Let current flow for `span_ms` at no more than `watts`; return why it ends here, or None.

        The balance is never passed: the last step stops where it is used up.
        """
        session, car = self.session, self.car
        if session is None or car is None:
            return None
        battery = car.battery
        self.volts_dv = AC_DV if self.is_ac else round(battery.voltage_v * 10)
        self.amps_da = watts * 100 // self.volts_dv
        before = self._residue
        units = self.volts_dv * self.amps_da * span_ms * factor
        steps, residue = divmod(before + units, UNITS_PER_STEP)
        room = session.tally.room(band, session.balance_e4)
        used_up = room is not None and steps >= room
        if used_up and room is not None:
            steps, residue = room, 0
            units = max(0, steps * UNITS_PER_STEP - before)
        self.register += steps
        self._residue = residue
        session.tally.add(band, steps)
        if battery.is_cold:
            session.heated_ms += span_ms
        seconds = span_ms * factor / 1000 / guns_on_car
        car.battery = battery.charged(units / UNITS_PER_STEP / STEPS_PER_KWH * 1000, seconds)
        if used_up:
            return MONEY_LIMIT
        return SOC_FULL if car.battery.is_full else None

    def cut_current(self) -> None:
        """Contactor open."""
        self.volts_dv = self.amps_da = 0

    def charged_min(self, now_ms: int) -> int:
        """Minutes of charging, as far as the field goes; 0 without current."""
        session = self.session
        return min(0xFFFF, (now_ms - session.charging_ms) // 60_000) if session is not None and self.is_drawing else 0

    @property
    def remain_min(self) -> int:
        """Minutes until the car has what it wants at the present power."""
        if self.car is None or not self.power_w:
            return 0
        return min(0xFFFF, round(self.car.battery.need_wh * 60 / self.power_w))

    def realtime(self, now_ms: int) -> RealtimeData:
        """0x13 as of now; the transaction number stands only while charging. AC piles know nothing of the battery."""
        charging = self.is_drawing
        shown = self.session if charging else None
        battery = self.car.battery if self.car is not None and charging and not self.is_ac else None
        state = GunState.FAULT if self.faulty else GunState.CHARGING if charging else GunState.IDLE
        energy = kwh(shown.tally.total_steps) if shown else Decimal(0)
        return RealtimeData(
            trade_no=shown.trade_no if shown else NO_TRADE,
            pile_no=self.pile_no,
            gun_no=gun_no(self.number),
            state=state,
            gun_home=GunHome.AWAY if self.is_plugged else GunHome.HOME,
            plugged=int(self.is_plugged),
            voltage=Decimal(self.volts_dv).scaleb(-1),
            current=Decimal(self.amps_da).scaleb(-1),
            cable_temp=self._cable_temp if battery else NO_TEMPERATURE,
            cable_code=NO_CARD,
            soc=int(battery.soc_pct) if battery else 0,
            battery_temp_max=round(battery.temp_c) if battery else NO_TEMPERATURE,
            charged_min=self.charged_min(now_ms),
            remain_min=self.remain_min if battery else 0,
            kwh=energy,
            kwh_loss=energy,
            amount=kwh(shown.tally.total_e4) if shown else Decimal(0),
            fault_bits=self.fault_bits,
        )
