"""Faults that a pile reports (feature F073): fault bits from the gun's level, stop reasons and findings from events.

Bits stand in a level and are open as long as they do. A stop reason, and what car or charger gave for an end (0x1B,
0x1D, 0x21), are over when they are known: a record raised and cleared at once, unless the dictionary makes it lock the
gun; then it stands until a lockout does, or until a charge at this gun has ended well. What the car warns of while it
charges (0x25) stands until the car takes it back or the charge is over. Codes: `bit1` …, `stop_4a` …, the finding's.
"""

from datetime import datetime

from evcs.contracts.alarm import AlarmAction, AlarmKind
from evcs.contracts.gun import Finding, GunEvent, GunEventKind
from evcs.contracts.states import RUNNING, GunState, StopClass
from rules.alarms import Open, alarm_id, clear_alarm, raise_alarm, raise_once
from rules.fault_codes import Described
from rules.known import Known, Place
from rules.open_alarms import Standing

BITS = 32
"""More than any protocol here has; a level's number may be larger than its field was."""
FAULTED = "faulted"
"""Of our own: the pile says that a gun is faulty and names no fault (legal: protocol reference §8)."""
_BIT, _STOP = "bit", "stop_"
_WARNED = f"{GunEventKind.BMS_WARNING.value}="
"""Begins `raw` of what a car warns of, by which a restart knows it again."""
_ENDS = (GunEventKind.BMS_STOPPED, GunEventKind.CHARGER_STOPPED)
_REASON = "reason."
"""Findings that say why an end was wanted, not what is broken."""


def fault_numbers(bits: int, base: int) -> list[int]:
    """Which of Bit1 … are set; `base` as in PileLimits (0: Bit1 is 0x0001). Bit0 and beyond the table are told too."""
    return [place + 1 - base for place in range(BITS) if bits >> place & 1]


def follow_level(known: Known, place: Place, now: datetime) -> None:
    """Bring the gun's faults to what its level says. While it is offline its bits are not known: nothing is cleared."""
    level, gun, limits = place.gun.level, place.gun, place.pile.limits
    if level is None or limits is None or gun.config is None or not known.has_picture:
        return
    is_online = level.state is not GunState.OFFLINE
    wanted: dict[str, str] = {}
    if level.fault_bits > 0:
        for number in fault_numbers(level.fault_bits, limits.fault_bit_base):
            wanted[f"{_BIT}{number}"] = hex(level.fault_bits)
    if level.state is GunState.FAULTED and not wanted:
        wanted[FAULTED] = ""
    ran_serial = gun.guard.ran_serial
    gun.guard.ran_serial = level.serial if level.state in (*RUNNING, GunState.OFFLINE) else None
    if not wanted and not place.station.alarms.standing:
        return
    for code, raw in wanted.items():
        raise_alarm(known, _open(known, place, code, level.serial or ran_serial, raw), now)
    for standing in place.station.alarms.of_gun(place.pile.number, gun.number):
        open = standing.open
        if open.kind is not AlarmKind.FAULT:
            continue
        if open.code == FAULTED or open.code.startswith(_BIT):
            is_over = is_online and open.code not in wanted
        elif open.raw.startswith(_WARNED):
            is_over = open.serial is None or not gun.is_running(open.serial)
        else:
            is_over = _is_locked_out(place, now)
        # After a restart nothing else says that it still holds.
        standing.is_confirmed = True
        if is_over:
            clear_alarm(known, place.station.code, open.id, now)


def on_event(known: Known, place: Place, event: GunEvent, now: datetime) -> None:
    """A stop reason, or findings of the car or the charger."""
    if place.pile.limits is None or place.gun.config is None:
        return
    match event.kind:
        case GunEventKind.STOPPED:
            _stopped(known, place, event, now)
        case GunEventKind.BMS_WARNING:
            _warned(known, place, event, now)
        case GunEventKind.BMS_ERROR:
            for finding in event.findings:
                _instant(known, place, _found(known, place, event, finding), event.received_at, now)
        case GunEventKind.BMS_STOPPED | GunEventKind.CHARGER_STOPPED:
            for finding in event.findings:
                if not finding.code.startswith(_REASON):
                    _instant(known, place, _found(known, place, event, finding), event.received_at, now)


def _stopped(known: Known, place: Place, event: GunEvent, now: datetime) -> None:
    if event.stop_class is StopClass.NORMAL:
        for standing in _lasting(place):
            clear_alarm(known, place.station.code, standing.open.id, now)
    elif event.pile_code is not None:
        code = f"{_STOP}{event.pile_code:02x}"
        open = _open(known, place, code, event.serial, f"0x{event.pile_code:02X}")
        _instant(known, place, open, event.received_at, now)


def _warned(known: Known, place: Place, event: GunEvent, now: datetime) -> None:
    said = {finding.code for finding in event.findings}
    for standing in place.station.alarms.of_gun(place.pile.number, place.gun.number):
        if standing.open.raw.startswith(_WARNED) and standing.open.code not in said:
            clear_alarm(known, place.station.code, standing.open.id, now)
    for finding in event.findings:
        open = _found(known, place, event, finding)
        if event.serial is not None and place.gun.is_running(event.serial):
            raise_alarm(known, open, now, at=min(event.received_at, now))
        else:
            # Delivered late: the charge is over, and no word will come that takes it back.
            raise_once(known, open, event.received_at, now)


def _instant(known: Known, place: Place, open: Open, at: datetime, now: datetime) -> None:
    is_lasting = open.action in (AlarmAction.LOCK, AlarmAction.STOP)
    if is_lasting and not _is_locked_out(place, now):
        raise_alarm(known, open, now, at=min(at, now))
    else:
        raise_once(known, open, min(at, now), now)


def _lasting(place: Place) -> list[Standing]:
    """Of stop reasons and findings, those that keep their gun from starting."""
    return [
        standing
        for standing in place.station.alarms.of_gun(place.pile.number, place.gun.number)
        if standing.open.kind is AlarmKind.FAULT
        and standing.open.code != FAULTED
        and not standing.open.code.startswith(_BIT)
        and not standing.open.raw.startswith(_WARNED)
    ]


def _is_locked_out(place: Place, now: datetime) -> bool:
    """Whether a person's lockout has taken over what an alarm locked."""
    holders = (place.station.config, place.pile.limits, place.gun.config)
    lockouts = [holder.lockout for holder in holders if holder is not None and holder.lockout is not None]
    return any(lockout.in_force(now) for lockout in lockouts)


def _found(known: Known, place: Place, event: GunEvent, finding: Finding) -> Open:
    """An alarm from a finding: its own words say more than the dictionary's (one code has several values)."""
    raw = f"{event.kind.value}={finding.value}"
    return _open(known, place, finding.code, event.serial, raw, words=(finding.zh, finding.en))


def _open(
    known: Known, place: Place, code: str, serial: str | None, raw: str, words: tuple[str, str] | None = None
) -> Open:
    limits = place.pile.limits
    assert limits is not None
    if code == FAULTED:
        told = Described("充电桩报告该枪故障，未给出故障位", "the pile reports a fault and names none")
    else:
        told = known.dictionary.describe(limits.protocol, limits.maker, limits.model, code)
    zh, en = words or (told.zh, told.en)
    return Open(
        id=alarm_id(code, place.pile.number, place.gun.number),
        code=code,
        kind=AlarmKind.FAULT,
        severity=told.severity,
        station=place.station.code,
        pile=place.pile.number,
        gun=place.gun.number,
        serial=serial,
        action=told.action,
        zh=zh,
        en=en,
        protocol="" if code == FAULTED else limits.protocol,
        known=told.known,
        raw=raw,
    )
