"""What rules look at: one reading of a gun with what is impossible taken out, and what its last minutes add to it."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from evcs.contracts.gun import Telemetry
from evcs.contracts.states import GunState
from rules.protection.rule import UNSEEN, Timers

SLOPE_OVER, SLOPE_LEAST = timedelta(seconds=180), timedelta(seconds=60)
"""A slope is taken over at most the last three minutes, and not over less than one."""
AT_REST = frozenset({GunState.IDLE, GunState.PLUGGED, GunState.FINISHED})

VOLTS, AMPS, KW = (0.0, 2000.0), (0.0, 2000.0), (0.0, 2000.0)
CELSIUS = (-40.0, 150.0)
"""Beyond it is no sensor, or a broken one (a byte of 0xFF decodes to 205 °C): no reading, so no alarm."""
PERCENT, KWH = (0.0, 100.0), (0.0, 100_000.0)


class Sample(msgspec.Struct, frozen=True, gc=False):
    """A reading of a gun; None: not said, or impossible."""

    is_charging: bool
    is_at_rest: bool
    voltage_v: float | None = None
    current_a: float | None = None
    power_kw: float | None = None
    cable_c: float | None = None
    cable_c_per_min: float | None = None
    """How fast the cable's temperature moves."""
    battery_c: float | None = None
    soc_pct: float | None = None
    still_s: float | None = None
    """For how long the SOC has not risen in this charge."""
    still_kwh: float | None = None
    """What was delivered since it last rose."""
    demand_v: float | None = None
    demand_a: float | None = None
    limit_v: float | None = None
    limit_a: float | None = None
    has_order: bool | None = None
    """Whether an order is known for what runs; None: the engine is not sure of its sessions."""


def possible(value: float | None, within: tuple[float, float]) -> float | None:
    """The value, or None where it cannot be (also for NaN, which is within nothing)."""
    return value if value is not None and within[0] <= value <= within[1] else None


def positive(value: float | None, within: tuple[float, float]) -> float | None:
    """A demand or limit: one of 0 is none."""
    return value if value is not None and 0 < value <= within[1] else None


@dataclass(slots=True)
class Guard:
    """What is remembered of one gun for its rules."""

    timers: Timers = field(default_factory=Timers)
    at: datetime | None = None
    """Of the newest reading."""
    heard_at: datetime | None = None
    """When it came, by our clock."""
    stop_sent_at: datetime | None = None
    """Of a charge that nobody admitted and an alarm stops."""
    lifted_at: datetime | None = None
    """When it was last asked whether its power may come back."""
    ran_serial: str | None = None
    """The charge that the level before this one showed: a fault that ended it is said with no serial any more."""
    insulation: dict[str, datetime] = field(default_factory=dict)
    """Charges of the last day (by serial) in which the insulation was said to be bad."""
    _cable: deque[tuple[datetime, float]] = field(default_factory=deque)
    _serial: str | None = None
    _soc_pct: float | None = None
    _soc_at: datetime | None = None
    _soc_kwh: float | None = None

    def sample(self, telemetry: Telemetry, at: datetime, has_order: bool | None) -> Sample | None:
        """The sample of a reading; None for one older than the newest."""
        if self.at is not None:
            if at < self.at:
                return None
            if at - self.at > UNSEEN:
                self.timers.forget_unfinished()
                self._cable.clear()
        self.at = at
        is_charging = telemetry.state is GunState.CHARGING
        cable_c = possible(telemetry.cable_temp_c, CELSIUS)
        slope = None if cable_c is None else self._slope(at, cable_c)
        if not is_charging:
            self._serial = self._soc_at = None
            is_at_rest = telemetry.state in AT_REST
            return Sample(
                False,
                is_at_rest,
                current_a=possible(telemetry.current_a, AMPS),
                cable_c=cable_c,
                cable_c_per_min=slope,
            )
        soc_pct = possible(telemetry.soc_pct, PERCENT)
        energy = telemetry.energy_kwh
        kwh = None if energy is None or not energy.is_finite() else possible(float(energy), KWH)
        self._follow_soc(telemetry.serial, soc_pct, kwh, at)
        still_s = still_kwh = None
        if self._soc_at is not None and soc_pct is not None:
            still_s = (at - self._soc_at).total_seconds()
            if kwh is not None and self._soc_kwh is not None:
                still_kwh = kwh - self._soc_kwh
        return Sample(
            True,
            False,
            possible(telemetry.voltage_v, VOLTS),
            possible(telemetry.current_a, AMPS),
            possible(telemetry.power_kw, KW),
            cable_c,
            slope,
            possible(telemetry.battery_temp_max_c, CELSIUS),
            soc_pct,
            still_s,
            still_kwh,
            positive(telemetry.demand_voltage_v, VOLTS),
            positive(telemetry.demand_current_a, AMPS),
            positive(telemetry.limit_voltage_v, VOLTS),
            positive(telemetry.limit_current_a, AMPS),
            has_order,
        )

    def _slope(self, at: datetime, cable_c: float) -> float | None:
        """°C per minute since the oldest reading of the last three minutes; 0 where it falls."""
        cable = self._cable
        if cable and cable_c < cable[-1][1]:
            cable.clear()
            cable.append((at, cable_c))
            return 0.0
        while cable and at - cable[0][0] > SLOPE_OVER:
            cable.popleft()
        cable.append((at, cable_c))
        over = at - cable[0][0]
        return None if over < SLOPE_LEAST else (cable_c - cable[0][1]) * 60 / over.total_seconds()

    def _follow_soc(self, serial: str | None, soc_pct: float | None, kwh: float | None, at: datetime) -> None:
        if soc_pct is None:
            return
        is_new = self._soc_at is None or serial != self._serial
        if is_new or self._soc_pct is None or soc_pct > self._soc_pct or self._soc_kwh is None:
            self._serial, self._soc_pct, self._soc_at, self._soc_kwh = serial, soc_pct, at, kwh


class Silence(msgspec.Struct, frozen=True, gc=False):
    """A gun that says it charges, and how long ago it was last heard; its pile is online."""

    for_s: float


class Phases(msgspec.Struct, frozen=True, gc=False):
    """The phase voltages (phase to neutral) of a transformer's low-voltage side."""

    least_v: float | None
    most_v: float | None


PHASE_V = (100.0, 300.0)
"""Beyond it is a phase that is not connected or another way of measuring (line to line): no reading."""


def phases_of(said: tuple[float, float, float] | None) -> Phases:
    """The lowest and the highest of what may be."""
    good = [volts for volts in said or () if possible(volts, PHASE_V) is not None]
    return Phases(min(good), max(good)) if good else Phases(None, None)
