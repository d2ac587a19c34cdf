"""Insulation, from the frames that carry it: one car has a fault of its own, two point at the gun or its cable.

The pile measures insulation before and during a charge and acts by itself; no telemetry has the value. What it and the
car say (0x1D 绝缘故障, 0x25 绝缘状态, stop reason 0x57) is a record each (`rules.faults`); this rule compares the cars.
"""

from datetime import datetime, timedelta

from evcs.contracts.alarm import AlarmKind, Severity
from evcs.contracts.gun import GunEvent, GunEventKind
from evcs.contracts.states import StopClass
from rules.alarms import Open, alarm_id, clear_alarm, raise_alarm
from rules.known import Known, Place

CODE = "insulation_repeated"
WITHIN = timedelta(hours=24)
SIGNS = frozenset({"fault.insulation", "flags2.insulation"})
STOP_CODE = 0x57
"""YKC V1.6 §9: insulation abnormal."""


def on_event(known: Known, place: Place, event: GunEvent, now: datetime) -> None:
    """Two charges with a sign of bad insulation within a day; a charge that ends well takes it back."""
    if place.gun.config is None or now - event.received_at > WITHIN:
        return
    id = alarm_id(CODE, place.pile.number, place.gun.number)
    if event.kind is GunEventKind.STOPPED and event.stop_class is StopClass.NORMAL:
        place.gun.guard.insulation.clear()
        clear_alarm(known, place.station.code, id, now)
        return
    if not _is_sign(event):
        return
    seen = place.gun.guard.insulation
    seen[event.serial or event.id] = event.received_at
    for serial in [serial for serial, at in seen.items() if now - at > WITHIN]:
        del seen[serial]
    if len(seen) < 2:
        return
    raise_alarm(
        known,
        Open(
            id=id,
            code=CODE,
            kind=AlarmKind.WARNING,
            severity=Severity.CRITICAL,
            station=place.station.code,
            pile=place.pile.number,
            gun=place.gun.number,
            serial=event.serial,
            zh=f"24 小时内 {len(seen)} 次充电出现绝缘异常，疑为枪线或桩侧绝缘下降；请停用该枪并检测绝缘。",
            en=f"{len(seen)} charges within 24 h had bad insulation, so it is likely the gun's cable or the pile: "
            "lock the gun out and measure it.",
            value=float(len(seen)),
        ),
        now,
    )


def settle(place: Place) -> None:
    """After a restart: it stands until a charge at this gun has ended well."""
    standing = place.station.alarms.standing.get(alarm_id(CODE, place.pile.number, place.gun.number))
    if standing is not None:
        standing.is_confirmed = True


def _is_sign(event: GunEvent) -> bool:
    if event.kind is GunEventKind.STOPPED:
        return event.pile_code == STOP_CODE
    return any(finding.code in SIGNS for finding in event.findings)
