"""Alarms raised and cleared under deterministic ids: flapping merged, found again after a restart, ended for good.

Every source calls `raise_alarm` while its condition holds (again is no harm) and `clear_alarm` when it does not; nobody
else publishes `S/alarm/{alarm}`. An end is published as open = false and the topic is emptied behind it. The same alarm
with the same `raised_at` is one record, also where it opens again within the flapping time: then `count` has grown.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from evcs.contracts.alarm import Alarm, AlarmAction, AlarmKind, Severity
from evcs.contracts.times import to_ms
from evcs.contracts.topics import ALARM
from rules.bands import lasted
from rules.known import Known
from rules.messages import Clear, Publish
from rules.open_alarms import FLAPS_WITHIN, Open, Past, Standing, StationAlarms, alarm_id
from rules.station import Station

__all__ = ["AlarmAction", "AlarmKind", "Open", "Severity", "alarm_id", "clear_alarm", "raise_alarm", "raise_once"]

UPDATE_APART_S = 10.0
"""A changed count or figure of an open alarm is published at most this often."""
CONFIRM_WITHIN = timedelta(minutes=5)
"""An alarm found after a restart that no source has confirmed by then is not true any more."""


def raise_alarm(
    known: Known, open: Open, now: datetime, *, at: datetime | None = None, until: datetime | None = None
) -> None:
    """Let an alarm stand open; while it does, only its figures and count are brought up to date, at a bounded rate.

    `at`: when it was raised, where the source knows better than `now`. `until`: it ends by itself then, where its
    source only hears of what is wrong and never of what is well again.
    """
    station = known.station(open.station)
    alarms = station.alarms
    if alarms.is_gone:
        return
    standing = alarms.standing.get(open.id)
    if standing is not None and standing.open.serial not in (None, open.serial):
        # The order of the moment it began; the charge may have ended by it, and another one begun.
        open = replace(open, serial=standing.open.serial)
    if standing is not None and standing.is_wanted:
        standing.is_confirmed, standing.until = True, until
        if open != standing.open:
            standing.open, standing.has_changed = open, True
            _tell_if_due(known, station, standing, now)
        return
    past = alarms.past.setdefault(open.id, Past())
    past.note(at or now)
    if standing is None:
        standing = alarms.standing[open.id] = Standing(open, past.first_at or now, count=past.count)
        alarms.to_clear.discard(open.id)
    else:
        standing.open, standing.is_wanted, standing.quiet_since = open, True, None
        standing.count, standing.has_changed = standing.count + 1, True
        past.first_at, past.count = standing.raised_at, standing.count
    standing.is_confirmed, standing.until = True, until
    standing.flaps = standing.flaps or past.flaps
    _tell_if_due(known, station, standing, now)


def clear_alarm(known: Known, station: str, id: str, now: datetime) -> None:
    """End an alarm, if it stands; what flaps stays open until it has been quiet for five minutes."""
    place = known.stations.get(station)
    if place is None:
        return
    standing = place.alarms.standing.get(id)
    if standing is None or not standing.is_wanted:
        return
    if standing.flaps:
        standing.is_wanted, standing.is_confirmed, standing.quiet_since = False, True, now
        return
    _end(known, place, standing, now)


def raise_once(known: Known, open: Open, at: datetime, now: datetime) -> None:
    """What is over as soon as it is known (a stop reason): a record raised and cleared at `at`.

    The same event again is the same record. One that stands open under this id is left as it is.
    """
    station = known.station(open.station)
    if open.id in station.alarms.standing or station.alarms.is_gone:
        return
    past = station.alarms.past.setdefault(open.id, Past())
    past.note(now)
    standing = Standing(open, at)
    station.alarms.standing[open.id] = standing
    _tell(known, station, standing, now)
    _end(known, station, standing, now, at)


def on_own_alarm(known: Known, station: Station, level: Alarm, now: datetime) -> None:
    """A level on our own topic: ours coming back, or what an earlier run of this owner left."""
    alarms = station.alarms
    past = alarms.past.setdefault(level.alarm, Past())
    if level.version <= past.version:
        return
    past.version = level.version
    standing = alarms.standing.get(level.alarm)
    if not level.open:
        if standing is None:
            alarms.to_clear.add(level.alarm)
            if known.has_picture:
                _empty(known, station)
        return
    if standing is None:
        standing = Standing(
            _open_of(station.code, level),
            level.raised_at,
            is_confirmed=False,
            found_at=now,
            count=level.count,
        )
        past.found(level, now)
        alarms.standing[level.alarm] = standing
    elif standing.told is None:
        # Raised before the picture brought it: it is the same, so it goes on.
        standing.raised_at, standing.count = level.raised_at, max(standing.count, level.count)
        past.found(level, now)
    standing.told, standing.told_at, standing.has_changed = level, now, True


def settle(known: Known, now: datetime) -> None:
    """The picture is complete: publish what was raised and empty what ended meanwhile."""
    for station in known.stations.values():
        for standing in station.alarms.standing.values():
            if standing.told is None:
                _tell(known, station, standing, now)
        _empty(known, station)


def tick(known: Known, station: Station, now: datetime) -> None:
    """What time alone brings: quiet after flapping, changed figures, an alarm that nothing stands behind any more."""
    alarms = station.alarms
    for standing in list(alarms.standing.values()):
        is_over = lasted(standing.quiet_since, FLAPS_WITHIN.total_seconds(), now)
        is_over = is_over or (standing.until is not None and now >= standing.until)
        if is_over or (known.is_sure and (_is_homeless(station, standing.open) or _is_forsaken(standing, now))):
            _end(known, station, standing, now)
        else:
            _tell_if_due(known, station, standing, now)
    if alarms.past:
        _forget(alarms, now)


def station_gone(known: Known, station: str, now: datetime) -> None:
    """A station's configuration was taken away: nothing stands open there any more."""
    place = known.stations.get(station)
    if place is not None:
        place.alarms.is_gone = True
        for standing in list(place.alarms.standing.values()):
            _end(known, place, standing, now)


def _is_homeless(station: Station, open: Open) -> bool:
    """Whether the station, pile or gun that it is about is not configured any more."""
    if station.config is None:
        return True
    transformer = None if open.transformer is None else station.transformers.get(open.transformer)
    if open.transformer is not None and (transformer is None or transformer.config is None):
        return True
    if open.pile is None:
        return False
    pile = station.piles.get(open.pile)
    if pile is None or pile.limits is None:
        return True
    return open.gun is not None and (open.gun not in pile.guns or pile.guns[open.gun].config is None)


def _is_forsaken(standing: Standing, now: datetime) -> bool:
    return not standing.is_confirmed and lasted(standing.found_at, CONFIRM_WITHIN.total_seconds(), now)


def _forget(alarms: StationAlarms, now: datetime) -> None:
    for id, past in list(alarms.past.items()):
        past.forget(now)
        if not past.raises and id not in alarms.standing:
            del alarms.past[id]


def _tell_if_due(known: Known, station: Station, standing: Standing, now: datetime) -> None:
    if standing.told is None or (standing.has_changed and lasted(standing.told_at, UPDATE_APART_S, now)):
        _tell(known, station, standing, now)


def _tell(known: Known, station: Station, standing: Standing, now: datetime) -> None:
    """Publish the level where it says something new."""
    if not known.has_picture:
        return
    past = station.alarms.past.setdefault(standing.open.id, Past())
    version = max(to_ms(now), past.version + 1)
    told = standing.told
    standing.has_changed = False
    if told is not None and _level(standing, told.version) == told:
        return
    past.version = version
    standing.told, standing.told_at = _level(standing, version), now
    known.out.append(Publish(ALARM, _name(station, standing.open.id), standing.told))


def _end(known: Known, station: Station, standing: Standing, now: datetime, at: datetime | None = None) -> None:
    id = standing.open.id
    del station.alarms.standing[id]
    if standing.told is not None:
        past = station.alarms.past.setdefault(id, Past())
        past.version = max(to_ms(now), past.version + 1)
        known.out.append(Publish(ALARM, _name(station, id), _level(standing, past.version, at or now)))
        known.out.append(Clear(_name(station, id)))


def _empty(known: Known, station: Station) -> None:
    for id in sorted(station.alarms.to_clear):
        known.out.append(Clear(_name(station, id)))
    station.alarms.to_clear.clear()


def _name(station: Station, id: str) -> str:
    return ALARM.at(station=station.code, alarm=id)


def _level(standing: Standing, version: int, cleared_at: datetime | None = None) -> Alarm:
    open = standing.open
    return Alarm(
        version=version,
        alarm=open.id,
        code=open.code,
        kind=open.kind,
        severity=open.severity,
        open=cleared_at is None,
        raised_at=standing.raised_at,
        cleared_at=cleared_at,
        pile=open.pile,
        gun=open.gun,
        transformer=open.transformer,
        serial=open.serial,
        action=open.action,
        protocol=open.protocol,
        known=open.known,
        count=max(open.count, standing.count),
        value=open.value,
        limit=open.limit,
        unit=open.unit,
        raw=open.raw,
        zh=open.zh,
        en=open.en,
    )


def _open_of(station: str, level: Alarm) -> Open:
    return Open(
        id=level.alarm,
        code=level.code,
        kind=level.kind,
        severity=level.severity,
        station=station,
        transformer=level.transformer,
        pile=level.pile,
        gun=level.gun,
        serial=level.serial,
        action=level.action,
        zh=level.zh,
        en=level.en,
        value=level.value,
        limit=level.limit,
        unit=level.unit,
        protocol=level.protocol,
        known=level.known,
        raw=level.raw,
        count=level.count,
    )
