"""Reading what was last heard at a gun's bay: its parking lock, and the car that shook hands there."""

from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy.orm import Session

from evcs.contracts.gun import BatteryLimits, Vehicle
from webapi.access import Visible
from webapi.guns.said_models import GroundLockLive, VehicleLive
from webapi.piles.masks import masked_number
from webapi.users.roles import Right


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundLockView:
    """A parking lock as it last reported."""

    state: str
    is_occupied: bool | None
    battery_pct: int | None
    alarm: str
    seen_at: datetime
    age_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleView:
    """A car as it introduced itself; what it did not say is none."""

    serial: str | None
    vin: str | None
    battery_type: str | None
    battery_maker: str | None
    bms_version: str | None
    rated_capacity_ah: float | None
    rated_voltage_v: float | None
    charge_count: int | None
    max_voltage_v: float | None
    max_current_a: float | None
    max_temperature_c: int | None
    max_power_kw: float | None
    nominal_energy_kwh: float | None
    soc_pct: float | None
    seen_at: datetime


def ground_lock_of(session: Session, pile: str, gun: int, *, at: datetime) -> GroundLockView | None:
    """The lock of a gun's bay, where one ever reported."""
    row = session.get(GroundLockLive, (pile, gun))
    if row is None:
        return None
    return GroundLockView(
        state=row.state,
        is_occupied=row.is_occupied,
        battery_pct=row.battery_pct,
        alarm=row.alarm,
        seen_at=row.seen_at,
        age_s=max(0.0, (at - row.seen_at).total_seconds()),
    )


def vehicle_of(session: Session, sees: Visible, pile: str, gun: int) -> VehicleView | None:
    """The last car at a gun; its VIN is whole only for who also sees phone numbers in full."""
    row = session.get(VehicleLive, (pile, gun))
    if row is None:
        return None
    car = Vehicle() if row.vehicle_json is None else msgspec.json.decode(row.vehicle_json, type=Vehicle)
    limits = BatteryLimits() if row.limits_json is None else msgspec.json.decode(row.limits_json, type=BatteryLimits)
    vin = car.vin if Right.SEE_PHONES in sees.asker.rights else masked_number(car.vin)
    return VehicleView(
        serial=row.serial,
        vin=vin or None,
        battery_type=car.battery_type or None,
        battery_maker=car.battery_maker or None,
        bms_version=car.bms_version or None,
        rated_capacity_ah=car.rated_capacity_ah,
        rated_voltage_v=car.rated_voltage_v,
        charge_count=car.charge_count,
        max_voltage_v=limits.max_voltage_v,
        max_current_a=limits.max_current_a,
        max_temperature_c=limits.max_temperature_c,
        max_power_kw=limits.max_power_kw,
        nominal_energy_kwh=limits.nominal_energy_kwh,
        soc_pct=limits.soc_pct,
        seen_at=row.seen_at,
    )
