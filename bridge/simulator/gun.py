"""One gun of a simulated pile: plug, car, session, register, and the frames that describe them. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum, auto
from random import Random

from bridge.protocols.ykc.codes import MONEY_LIMIT, SOC_FULL, GunHome, GunState, StartKind
from bridge.protocols.ykc.messages import NO_CARD, NO_TEMPERATURE, NO_TRADE, RealtimeData, TransactionRecord, gun_no
from bridge.simulator.battery import Battery
from bridge.simulator.biller import STEPS_PER_KWH, Tally

UNITS_PER_STEP = 36_000_000
"""Energy flows in units of 0.1 V × 0.1 A × 1 ms = 10⁻⁵ J; 0.0001 kWh is 360 J."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def kwh(steps: int) -> Decimal:
    """Steps of 0.0001 kWh (or of 0.0001 yuan) as an exact decimal."""
    return Decimal(steps).scaleb(-4)


def instant(ms: int) -> datetime:
    """Milliseconds since 1970 → aware time."""
    return _EPOCH + timedelta(milliseconds=ms)


@dataclass(slots=True)
class Car:
    """What stands at the gun."""

    battery: Battery
    vin: str
    manual_stop_after_s: float | None = None
    """The driver presses stop at the pile after this much charging."""


class Phase(Enum):
    """How far a session is."""

    STARTING = auto()
    CHARGING = auto()
    STOPPING = auto()


@dataclass(slots=True)
class Session:
    """A start that was accepted, until its record. `…_ms` are the caller's clock, `…_pile_ms` the pile's."""

    trade_no: str
    physical_card: str
    balance_e4: int
    seq: bytes
    tally: Tally
    phase: Phase
    meter_start: int
    start_pile_ms: int
    charging_ms: int = 0
    stopping_ms: int = 0
    stop_reason: int = 0


class Gun:
    """State of a gun. Its register counts 0.0001 kWh and the rest in units; it never goes back."""

    def __init__(self, pile_no: str, number: int, dice: Random, register_steps: int, gun_w: int) -> None:
        self.pile_no = pile_no
        self.number = number
        self.dice = dice
        self.gun_w = gun_w
        self.car: Car | None = None
        self.session: Session | None = None
        self.fault_bits = 0
        self.faulty = False
        self.register = register_steps
        self._residue = 0
        self.volts_dv = 0
        self.amps_da = 0

    @property
    def is_plugged(self) -> bool:
        return self.car is not None

    @property
    def is_drawing(self) -> bool:
        """Whether current may flow."""
        return self.session is not None and self.session.phase is not Phase.STARTING

    @property
    def power_w(self) -> int:
        """Output power now, W: exactly what volts and amperes of 0x13 say."""
        return self.volts_dv * self.amps_da // 100

    def wanted_w(self, now_ms: int, stop_s: float) -> int:
        """What the car would draw now without any cap, W."""
        if self.session is None or self.car is None or self.session.phase is Phase.STARTING:
            return 0
        wanted = self.car.battery.demand_w((now_ms - self.session.charging_ms) / 1000)
        if self.session.phase is Phase.STOPPING:
            wanted *= max(0.0, 1 - (now_ms - self.session.stopping_ms) / (stop_s * 1000)) if stop_s > 0 else 0.0
        return min(int(wanted), self.gun_w)

    def flow(self, watts: int, span_ms: int, band: int, factor: int) -> int | None:
        """Let current flow for `span_ms` at no more than `watts`; return why it ends here, or None.

        The balance is never passed: the last step stops where it is used up.
        """
        session, car = self.session, self.car
        if session is None or car is None:
            return None
        self.volts_dv = round(car.battery.voltage_v * 10)
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
        car.battery = car.battery.charged(units / UNITS_PER_STEP / STEPS_PER_KWH * 1000, span_ms * factor / 1000)
        if used_up:
            return MONEY_LIMIT
        return SOC_FULL if car.battery.is_full else None

    def cut_current(self) -> None:
        """Contactor open."""
        self.volts_dv = self.amps_da = 0

    def realtime(self, now_ms: int) -> RealtimeData:
        """0x13 as of now; the transaction number stands only while charging."""
        session = self.session
        charging = session is not None and session.phase is not Phase.STARTING
        shown = session if charging else None
        battery = self.car.battery if self.car is not None else None
        state = GunState.FAULT if self.faulty else GunState.CHARGING if charging else GunState.IDLE
        energy = kwh(shown.tally.total_steps) if shown else Decimal(0)
        hot = battery if charging else None
        remain = round(battery.need_wh * 60 / self.power_w) if charging and battery and self.power_w else 0
        return RealtimeData(
            trade_no=shown.trade_no if shown else NO_TRADE,
            pile_no=self.pile_no,
            gun_no=gun_no(self.number),
            state=state,
            gun_home=GunHome.AWAY if self.is_plugged else GunHome.HOME,
            plugged=int(self.is_plugged),
            voltage=Decimal(self.volts_dv).scaleb(-1),
            current=Decimal(self.amps_da).scaleb(-1),
            cable_temp=min(90, round(24 + self.amps_da / 150)) if hot else NO_TEMPERATURE,
            cable_code=NO_CARD,
            soc=int(hot.soc_pct) if hot else 0,
            battery_temp_max=round(hot.temp_c) if hot else NO_TEMPERATURE,
            charged_min=min(0xFFFF, (now_ms - shown.charging_ms) // 60_000) if shown else 0,
            remain_min=min(0xFFFF, remain),
            kwh=energy,
            kwh_loss=energy,
            amount=kwh(shown.tally.total_e4) if shown else Decimal(0),
            fault_bits=self.fault_bits,
        )

    def record(self, end_pile_ms: int, reason: int) -> TransactionRecord:
        """0x3B of the session as if it ended now. Needs a session."""
        session = self.session
        if session is None:
            raise ValueError(f"gun {self.number} has no session")
        tally = session.tally
        prices = [Decimal(price).scaleb(-5) for price in tally.tariff.prices_e5]
        energies = [kwh(steps) for steps in tally.steps]
        amounts = [kwh(amount) for amount in tally.amounts_e4()]
        return TransactionRecord(
            trade_no=session.trade_no,
            pile_no=self.pile_no,
            gun_no=gun_no(self.number),
            start_time=instant(session.start_pile_ms),
            end_time=instant(end_pile_ms),
            sharp_price=prices[0],
            sharp_kwh=energies[0],
            sharp_kwh_loss=energies[0],
            sharp_amount=amounts[0],
            peak_price=prices[1],
            peak_kwh=energies[1],
            peak_kwh_loss=energies[1],
            peak_amount=amounts[1],
            flat_price=prices[2],
            flat_kwh=energies[2],
            flat_kwh_loss=energies[2],
            flat_amount=amounts[2],
            valley_price=prices[3],
            valley_kwh=energies[3],
            valley_kwh_loss=energies[3],
            valley_amount=amounts[3],
            meter_start=kwh(session.meter_start),
            meter_end=kwh(self.register),
            total_kwh=kwh(tally.total_steps),
            total_kwh_loss=kwh(tally.total_steps),
            total_amount=kwh(tally.total_e4),
            vin=self.car.vin if self.car is not None else "",
            trade_flag=StartKind.APP,
            trade_time=instant(end_pile_ms),
            stop_reason=reason,
            physical_card=session.physical_card,
        )
