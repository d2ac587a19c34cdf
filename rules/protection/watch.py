"""The rules applied: to each reading of a gun, to a meter's voltages, and to the time in which nothing is heard."""

from datetime import datetime

from evcs.contracts.alarm import AlarmKind
from evcs.contracts.gun import Telemetry
from evcs.contracts.states import GunState
from evcs.contracts.transformer import TransformerReading
from rules.alarms import Open, alarm_id, clear_alarm, raise_alarm
from rules.bands import lasted
from rules.known import Known, Place
from rules.protection.rule import WELL, Judged, Rule, S
from rules.protection.sample import Silence, phases_of
from rules.protection.table import BY_CODE, GUN_RULES, PHASE_RULES, REST_RULES, SILENT
from rules.station import Gun, Station, Transformer

UNSAID_S = 1800.0
"""A gun at rest that was too hot and says no temperature any more is taken to have cooled after half an hour."""


def on_telemetry(known: Known, place: Place, telemetry: Telemetry, now: datetime) -> None:
    """A reading against every rule."""
    gun = place.gun
    if gun.config is None or not known.has_picture:
        return
    guard = gun.guard
    guard.heard_at = now
    timers = guard.timers
    if SILENT.code in timers.open:
        _clear(known, place, SILENT.code, now)
    at = min(telemetry.received_at, now)
    sample = guard.sample(telemetry, at, _has_order(known, gun, telemetry))
    if sample is None:
        return
    if timers.bad and not sample.is_charging:
        timers.forget_charge(BY_CODE)
    is_calm = not timers.bad and not timers.open
    for rule in GUN_RULES if sample.is_charging else REST_RULES:
        judged = rule.judge(sample)
        if judged is None or (is_calm and judged is WELL):
            continue
        verdict = timers.follow(rule, judged, at)
        if verdict is True:
            raise_alarm(known, _open(place, rule, judged, telemetry.serial), now)
        elif verdict is False:
            _clear(known, place, rule.code, now)


def on_reading(known: Known, station: Station, transformer: Transformer, reading: TransformerReading) -> None:
    """A meter's phase voltages, at the time of its reading."""
    at = transformer.reading_at
    if transformer.config is None or at is None or transformer.reading is not reading or not known.has_picture:
        return
    phases = phases_of(reading.phase_voltage_v)
    for rule in PHASE_RULES:
        judged = rule.judge(phases)
        if judged is None:
            continue
        verdict = transformer.voltage.follow(rule, judged, at)
        id = alarm_id(rule.code, transformer.code)
        if verdict is True:
            zh, en = rule.words(judged)
            open = Open(
                id=id,
                code=rule.code,
                kind=AlarmKind.WARNING,
                severity=rule.severity,
                station=station.code,
                transformer=transformer.code,
                action=rule.action,
                zh=zh,
                en=en,
                value=round(judged.value, 1),
                limit=round(judged.limit, 1),
                unit=rule.unit,
            )
            raise_alarm(known, open, at)
        elif verdict is False:
            clear_alarm(known, station.code, id, at)


def tick_gun(known: Known, place: Place, now: datetime) -> None:
    """What time alone brings: silence; a charge that is over, with what was said about it; well for long enough."""
    gun, level = place.gun, place.gun.level
    guard = gun.guard
    is_charging = level is not None and level.state is GunState.CHARGING
    if not is_charging or place.pile.link is None:
        guard.heard_at = None
    elif guard.heard_at is None:
        guard.heard_at = now
    else:
        for_s = (now - guard.heard_at).total_seconds()
        judged = SILENT.judge(Silence(for_s)) if for_s > 0 else None
        if judged is not None and judged.is_bad:
            guard.timers.open.add(SILENT.code)
            raise_alarm(known, _open(place, SILENT, judged, level.serial if level is not None else None), now)
    for code in sorted(guard.timers.open):
        if code == SILENT.code:
            is_over = guard.heard_at is None
        else:
            rule = BY_CODE[code]
            is_away = level is None or level.state is GunState.OFFLINE
            is_over = guard.timers.is_due(rule, now)
            if not is_charging and not is_away:
                # Many piles say no temperature at rest: what nobody speaks of any more has cooled meanwhile.
                said_at = guard.timers.said.setdefault(code, now)
                is_over = is_over or rule.only_charging or lasted(said_at, UNSAID_S, now)
        if is_over:
            _clear(known, place, code, now)


def settle(station: Station) -> None:
    """After a restart: what stood open is held until its rule finds it well."""
    for standing in station.alarms.standing.values():
        open = standing.open
        if open.pile is not None and open.gun is not None and (open.code in BY_CODE or open.code == SILENT.code):
            station.pile(open.pile).gun(open.gun).guard.timers.open.add(open.code)
            standing.is_confirmed = True
        elif open.transformer is not None and any(rule.code == open.code for rule in PHASE_RULES):
            station.transformer(open.transformer).voltage.open.add(open.code)
            standing.is_confirmed = True


def _has_order(known: Known, gun: Gun, telemetry: Telemetry) -> bool | None:
    if not known.is_sure:
        return None
    session = gun.session
    return session is not None and telemetry.serial in (None, session.serial)


def _clear(known: Known, place: Place, code: str, now: datetime) -> None:
    place.gun.guard.timers.drop(code)
    clear_alarm(known, place.station.code, alarm_id(code, place.pile.number, place.gun.number), now)


def _open(place: Place, rule: Rule[S], judged: Judged, serial: str | None) -> Open:
    zh, en = rule.words(judged)
    return Open(
        id=alarm_id(rule.code, place.pile.number, place.gun.number),
        code=rule.code,
        kind=AlarmKind.WARNING,
        severity=rule.severity,
        station=place.station.code,
        pile=place.pile.number,
        gun=place.gun.number,
        serial=serial,
        action=rule.action,
        zh=zh,
        en=en,
        value=round(judged.value, 2),
        limit=round(judged.limit, 2),
        unit=rule.unit,
    )
