"""Pure: readings → `G/telemetry`, with the power that the frames do not have."""

from decimal import Decimal
from typing import TypeVar

from bridge.actions import Publish
from bridge.gun import Gun, Shown
from bridge.gun_bms import GunBms
from bridge.gun_voice import GunVoice
from bridge.moment import Moment
from bridge.words import Reading
from evcs.contracts.gun import Telemetry
from evcs.contracts.states import GunState
from evcs.contracts.times import from_ms
from evcs.contracts.topics import TELEMETRY

V = TypeVar("V")

AC_POWER_OVER_S = 5.0
"""Shortest time over which an AC gun's power is derived from its energy."""


class GunTelemetry:
    """One gun's live values, each under a receive time of its own."""

    __slots__ = ("_ac", "_at", "_bms", "_gun", "_kind", "_last_ms", "_voice")

    def __init__(self, gun: Gun, kind: str, voice: GunVoice, bms: GunBms) -> None:
        self._gun = gun
        self._bms = bms
        self._kind = kind
        self._voice = voice
        self._at = ""
        """The topic, once it was needed."""
        self._last_ms = 0
        self._ac: tuple[str | None, Decimal, int] | None = None

    def logged_in(self) -> None:
        """A new link: energy counted before it says nothing about the power now."""
        self._ac = None

    def publish(self, reading: Reading, shown: Shown, now: Moment) -> None:
        """A reading, with what the car has said in the same charge; the pile's own value comes first."""
        self._last_ms = max(now.wall_ms, self._last_ms + 1)
        battery = self._bms.battery(self._gun.running, now)
        point = Telemetry(
            receipt=self._voice.voice.receipt(TELEMETRY),
            received_at=from_ms(self._last_ms),
            pile=self._voice.pile,
            gun=self._voice.number,
            state=shown.state,
            serial=shown.serial if shown.state is not GunState.FINISHED else reading.serial,
            voltage_v=reading.voltage_v,
            current_a=reading.current_a,
            power_kw=self._power_kw(reading),
            energy_kwh=reading.energy_kwh,
            soc_pct=_first(reading.soc_pct, battery.soc_pct),
            cable_temp_c=reading.cable_temp_c,
            battery_temp_max_c=_first(reading.battery_temp_max_c, battery.temp_max_c),
            battery_temp_min_c=battery.temp_min_c,
            cell_voltage_max_v=battery.cell_voltage_max_v,
            demand_voltage_v=battery.demand_voltage_v,
            demand_current_a=battery.demand_current_a,
            limit_voltage_v=battery.limit_voltage_v,
            limit_current_a=battery.limit_current_a,
            max_power_kw=battery.max_power_kw,
            elapsed_min=reading.elapsed_min,
            remaining_min=_first(reading.remaining_min, battery.remaining_min),
            cost_fen=reading.cost_fen,
        )
        if not self._at:
            self._at = self._voice.voice.at(TELEMETRY, self._voice.number)
        self._voice.voice.add(Publish(self._at, TELEMETRY.encode(point), droppable=True))

    def _power_kw(self, reading: Reading) -> float | None:
        """DC: V × I, since the frame has no power. AC: from the energy since the last reading (phases unknown)."""
        if reading.voltage_v is None or reading.current_a is None:
            self._ac = None
            return None
        if self._kind != "ac":
            return round(reading.voltage_v * reading.current_a / 1000, 3)
        if reading.energy_kwh is None:
            return None
        before = self._ac
        if before is None or before[0] != reading.serial:
            self._ac = (reading.serial, reading.energy_kwh, self._last_ms)
            return None
        seconds = (self._last_ms - before[2]) / 1000
        if seconds < AC_POWER_OVER_S:
            return None
        self._ac = (reading.serial, reading.energy_kwh, self._last_ms)
        return round(max(0.0, float(reading.energy_kwh - before[1]) * 3600 / seconds), 3)


def _first(pile: V | None, car: V | None) -> V | None:
    return pile if pile is not None else car
