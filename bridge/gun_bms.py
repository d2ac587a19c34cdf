"""Pure: what car and charger say in the course of one gun's charge → events, and values for the next telemetry."""

from dataclasses import dataclass
from math import inf

from bridge.gun import Gun
from bridge.gun_voice import GunVoice
from bridge.moment import Moment
from bridge.tally import Drop
from bridge.words import AbortSaid, BatterySaid, BmsErrorSaid, DemandSaid, EndingSaid, LimitsSaid, VehicleSaid
from bridge.words.bms import Said as BmsSaid
from evcs.contracts.gun import BatteryLimits, Finding, GunEventKind
from evcs.contracts.states import StopClass
from evcs.contracts.waits import TELEMETRY_FRESH_S


@dataclass(frozen=True, slots=True)
class Battery:
    """What is known of the car besides the pile's own reading; None: never said, or too long ago."""

    demand_voltage_v: float | None = None
    demand_current_a: float | None = None
    cell_voltage_max_v: float | None = None
    soc_pct: float | None = None
    remaining_min: int | None = None
    temp_max_c: int | None = None
    temp_min_c: int | None = None
    limit_voltage_v: float | None = None
    limit_current_a: float | None = None
    max_power_kw: float | None = None


NOTHING_SAID = Battery()


class GunBms:
    """The BMS frames of the charge that runs or was the last on this gun (YKC V1.6 §4.3, GB/T 27930)."""

    __slots__ = (
        "_battery",
        "_demand",
        "_demand_until",
        "_gun",
        "_limits",
        "_serial",
        "_state",
        "_state_until",
        "_stop_class",
        "_voice",
        "_warnings",
    )

    def __init__(self, gun: Gun, voice: GunVoice) -> None:
        self._gun = gun
        self._voice = voice
        self._serial: str | None = None
        self._limits: BatteryLimits | None = None
        self._demand: DemandSaid | None = None
        self._demand_until = inf
        self._state: BatterySaid | None = None
        self._state_until = inf
        self._battery = NOTHING_SAID
        self._warnings: tuple[Finding, ...] = ()
        self._stop_class: StopClass | None = None

    def heard(self, said: BmsSaid, raw: bytes, now: Moment) -> None:
        """A BMS frame. One of a serial that has nothing to do with this gun now is counted and changes nothing."""
        if not self._gun.is_of_now(said.serial):
            self._voice.voice.tally.drop(Drop.UNEXPECTED)
            return
        if said.serial != self._serial:
            self._begin(said.serial)
        match said:
            case DemandSaid():
                self._demand, self._demand_until = said, now.mono + TELEMETRY_FRESH_S
                self._put_together()
            case BatterySaid():
                self._state, self._state_until = said, now.mono + TELEMETRY_FRESH_S
                self._put_together()
                self._warn(said, raw, now)
            case VehicleSaid(vehicle=vehicle):
                self._voice.event(
                    GunEventKind.BMS_HANDSHAKE,
                    now,
                    serial=said.serial,
                    vin=vehicle.vin or None,
                    vehicle=vehicle,
                    frame_hex=raw.hex(),
                )
            case LimitsSaid(limits=limits):
                self._limits = limits
                self._put_together()
                self._voice.event(GunEventKind.BMS_LIMITS, now, serial=said.serial, limits=limits, frame_hex=raw.hex())
            case EndingSaid(ending=ending):
                self._voice.event(
                    GunEventKind.CHARGE_ENDED, now, serial=said.serial, ending=ending, frame_hex=raw.hex()
                )
            case BmsErrorSaid(findings=findings):
                self._voice.event(
                    GunEventKind.BMS_ERROR, now, serial=said.serial, findings=findings, frame_hex=raw.hex()
                )
            case AbortSaid():
                self._aborted(said, raw, now)

    def _begin(self, serial: str) -> None:
        """Another charge: nothing of the car before holds."""
        self._serial = serial
        self._limits, self._demand, self._state = None, None, None
        self._demand_until = self._state_until = inf
        self._battery = NOTHING_SAID
        self._warnings, self._stop_class = (), None

    def _warn(self, said: BatterySaid, raw: bytes, now: Moment) -> None:
        if said.findings == self._warnings:
            return
        self._warnings = said.findings
        self._voice.event(
            GunEventKind.BMS_WARNING, now, serial=said.serial, findings=said.findings, frame_hex=raw.hex()
        )

    def _aborted(self, said: AbortSaid, raw: bytes, now: Moment) -> None:
        # Both sides say why. A fault that either of them names outweighs the other's "as agreed".
        if self._stop_class is not StopClass.ABNORMAL and said.stop_class is not StopClass.UNKNOWN:
            self._stop_class = said.stop_class
        self._voice.event(
            GunEventKind.BMS_STOPPED if said.by_car else GunEventKind.CHARGER_STOPPED,
            now,
            serial=said.serial,
            stop_class=said.stop_class,
            findings=said.findings,
            frame_hex=raw.hex(),
        )

    def battery(self, serial: str | None, now: Moment) -> Battery:
        """What belongs to a reading of this serial: limits for the whole charge, the rest as long as it is fresh."""
        if serial is None or serial != self._serial:
            return NOTHING_SAID
        if now.mono > self._demand_until:
            self._demand, self._demand_until = None, inf
            self._put_together()
        if now.mono > self._state_until:
            self._state, self._state_until = None, inf
            self._put_together()
        return self._battery

    def _put_together(self) -> None:
        demand, state, limits = self._demand, self._state, self._limits
        self._battery = Battery(
            demand_voltage_v=None if demand is None else demand.voltage_v,
            demand_current_a=None if demand is None else demand.current_a,
            cell_voltage_max_v=None if demand is None else demand.cell_voltage_max_v,
            soc_pct=None if demand is None else demand.soc_pct,
            remaining_min=None if demand is None else demand.remaining_min,
            temp_max_c=None if state is None else state.temp_max_c,
            temp_min_c=None if state is None else state.temp_min_c,
            limit_voltage_v=None if limits is None else limits.max_voltage_v,
            limit_current_a=None if limits is None else limits.max_current_a,
            max_power_kw=None if limits is None else limits.max_power_kw,
        )

    def stop_class(self, serial: str) -> StopClass | None:
        """Why car or charger ended the charge, where they said so."""
        return self._stop_class if serial == self._serial else None
