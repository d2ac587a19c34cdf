"""What a car and its charger said in the course of a charge (BMS frames), kept with the order of that serial.

From `G/event`: who the car is (0x15), what it can take (0x17), how the charge ended (0x19), and the findings of 0x1B,
0x1D, 0x21 and 0x25. The same event again changes nothing.
"""

from datetime import datetime
from typing import TypeVar

import msgspec
from sqlalchemy.orm import Session

from evcs.contracts.gun import BatteryLimits, ChargeEnding, Finding, GunEvent, GunEventKind, Vehicle
from evcs.contracts.times import Instant
from evcs.runtime.log import get_logger
from webapi.audit.note import note
from webapi.cards.numbers import is_vin, masked_vin
from webapi.orders.models import Order

log = get_logger()

T = TypeVar("T")

FINDINGS = frozenset(
    {
        GunEventKind.BMS_ERROR,
        GunEventKind.BMS_WARNING,
        GunEventKind.BMS_STOPPED,
        GunEventKind.CHARGER_STOPPED,
    }
)
COURSE = FINDINGS | {GunEventKind.BMS_HANDSHAKE, GunEventKind.BMS_LIMITS, GunEventKind.CHARGE_ENDED}
"""Events that belong into the order of their serial."""
MOST_FINDINGS = 40
"""A flag that flickers fills no database: the first half tells how it began, the newest half how it ended."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """The findings of one event."""

    id: str
    kind: str
    at: Instant
    findings: tuple[Finding, ...]


class Findings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was found in the course of a charge, in order of arrival."""

    items: tuple[Found, ...] = ()
    left_out: int = 0


def keep_course(session: Session, order: Order, event: GunEvent, *, at: datetime) -> None:
    """Write an event of COURSE into the order; the caller has locked it."""
    if event.vehicle is not None:
        order.vehicle_json = msgspec.json.encode(event.vehicle).decode()
        compare_vin(session, order, event.vehicle.vin, at=at)
    if event.limits is not None:
        order.limits_json = msgspec.json.encode(event.limits).decode()
    if event.ending is not None:
        order.ending_json = msgspec.json.encode(event.ending).decode()
    if event.kind in FINDINGS:
        _keep_findings(order, event)


def compare_vin(session: Session, order: Order, vin: str, *, at: datetime) -> None:
    """Take a VIN for the order's where none is known; another one than known is kept beside it and noted, once."""
    if not is_vin(vin) or vin in (order.vin, order.other_vin):
        return
    if order.vin is None:
        order.vin = vin
        return
    if order.other_vin is not None:
        return
    order.other_vin = vin
    log.warning("vin_differs", serial=order.serial, known=masked_vin(order.vin), said=masked_vin(vin))
    note(
        session,
        at=at,
        actor=f"pile:{order.pile_number}",
        action="vin_differs",
        tenant_id=order.tenant_id,
        station=order.station_code,
        object_kind="order",
        object_id=order.serial,
    )


def vehicle_of(order: Order) -> Vehicle | None:
    """What the car said about itself."""
    return _read(order.vehicle_json, Vehicle)


def limits_of(order: Order) -> BatteryLimits | None:
    """What car and pile could take and give."""
    return _read(order.limits_json, BatteryLimits)


def ending_of(order: Order) -> ChargeEnding | None:
    """The car's and the charger's own statistics of the charge."""
    return _read(order.ending_json, ChargeEnding)


def findings_of(order: Order) -> Findings:
    """What was not normal."""
    return _read(order.findings_json, Findings) or Findings()


def _keep_findings(order: Order, event: GunEvent) -> None:
    kept = findings_of(order)
    if any(found.id == event.id for found in kept.items):
        return
    items = (*kept.items, Found(id=event.id, kind=event.kind.value, at=event.received_at, findings=event.findings))
    left_out = kept.left_out
    if len(items) > MOST_FINDINGS:
        half = MOST_FINDINGS // 2
        items, left_out = (*items[:half], *items[half + 1 :]), left_out + 1
    order.findings_json = msgspec.json.encode(Findings(items=items, left_out=left_out)).decode()


def _read(text: str | None, kind: type[T]) -> T | None:
    return None if text is None else msgspec.json.decode(text, type=kind)
