"""Piles that are away: one alarm each, and where many go at once one alarm for all of them with their number.

A pile is away from the moment it is found without a link; what is back within a minute was a hiccup. A pile that has
never logged in is new and not away.
"""

from datetime import datetime

from evcs.contracts.alarm import AlarmKind, Severity
from rules.alarms import Open, alarm_id, clear_alarm, raise_alarm
from rules.bands import lasted
from rules.known import Known
from rules.station import Pile, Station

OFFLINE, STORM = "pile_offline", "piles_offline"
AWAY_S = 60.0
"""A pile without a link for so long is an alarm: real piles try again after 30 s, so a restarted bridge is none."""
TOGETHER_S = 30.0
"""What goes within this time has one cause."""
STORM_PILES, STORM_SHARE, STORM_LEAST = 10, 0.3, 3
"""A storm: so many at once, or more than this part of the station, but never fewer than the least."""


def tick(known: Known, station: Station, now: datetime) -> None:
    """Follow who is away; called once a second."""
    absence = station.absence
    if station.config is None:
        return
    away = absence.since
    for pile in station.piles.values():
        if pile.link is not None or pile.limits is None or pile.status is None:
            if pile.number in away:
                _is_back(known, station, pile.number, now)
        elif pile.number not in away:
            away[pile.number] = now
    if not away:
        _end_storm(known, station, now)
        return
    alone = [number for number in away if number not in absence.storm]
    due = [number for number in alone if lasted(away[number], AWAY_S, now) and not _has_own(station, number)]
    if due and not absence.storm:
        first = min(away[number] for number in due)
        together = [
            number
            for number in alone
            if 0 <= (away[number] - first).total_seconds() <= TOGETHER_S and not _has_own(station, number)
        ]
        stood = station.alarms.standing.get(alarm_id(STORM, station.code))
        if len(together) >= _enough(station) or stood is not None:
            absence.storm, absence.peak = set(together), 0 if stood is None else stood.open.count
    if absence.storm:
        absence.storm.update(due)
        absence.peak = max(absence.peak, len(absence.storm))
        if 2 * len(absence.storm) > min(absence.peak, _enough(station)):
            _raise_storm(known, station, now)
            return
        due = sorted(number for number in absence.storm if lasted(away[number], AWAY_S, now))
        _end_storm(known, station, now)
    for number in due:
        _raise_own(known, station, station.piles[number], away[number], now)


def settle(known: Known, station: Station, now: datetime) -> None:
    """After a restart: alarms of piles that are away still stand, those of piles that are back end now."""
    for standing in list(station.alarms.standing.values()):
        if standing.open.code == OFFLINE and standing.open.pile is not None:
            pile = station.piles.get(standing.open.pile)
            if pile is None or pile.link is not None or pile.status is None:
                clear_alarm(known, station.code, standing.open.id, now)
            else:
                standing.is_confirmed = True
                station.absence.since.setdefault(pile.number, standing.raised_at)


def _enough(station: Station) -> int:
    return max(STORM_LEAST, min(STORM_PILES, int(STORM_SHARE * len(station.piles)) + 1))


def _has_own(station: Station, number: str) -> bool:
    return station.alarms.is_open(alarm_id(OFFLINE, number))


def _is_back(known: Known, station: Station, number: str, now: datetime) -> None:
    del station.absence.since[number]
    station.absence.storm.discard(number)
    clear_alarm(known, station.code, alarm_id(OFFLINE, number), now)


def _end_storm(known: Known, station: Station, now: datetime) -> None:
    station.absence.storm, station.absence.peak = set(), 0
    if station.alarms.standing:
        clear_alarm(known, station.code, alarm_id(STORM, station.code), now)


def _raise_storm(known: Known, station: Station, now: datetime) -> None:
    count = len(station.absence.storm)
    bridges = {_gone_bridge(known, station.piles[number]) for number in station.absence.storm}
    gone = sorted(bridges - {""})
    because_zh = f"；接入服务 {'、'.join(gone)} 已离线" if gone else ""
    because_en = f"; bridge {', '.join(gone)} is away" if gone else ""
    raise_alarm(
        known,
        Open(
            id=alarm_id(STORM, station.code),
            code=STORM,
            kind=AlarmKind.WARNING,
            severity=Severity.CRITICAL,
            station=station.code,
            zh=f"{count} 台充电桩同时离线（全站 {len(station.piles)} 台）{because_zh}；请检查场站网络与供电。",
            en=f"{count} of {len(station.piles)} piles went offline together{because_en}; "
            "look at the site's network and power.",
            value=float(count),
            raw=",".join(gone),
            count=count,
        ),
        now,
    )


def _gone_bridge(known: Known, pile: Pile) -> str:
    """The bridge that held a pile, where it is the bridge that is away."""
    if pile.status is None:
        return ""
    bridge = known.bridges.get(pile.status.bridge)
    return "" if bridge is not None and bridge.online else pile.status.bridge


def _raise_own(known: Known, station: Station, pile: Pile, since: datetime, now: datetime) -> None:
    raise_alarm(
        known,
        Open(
            id=alarm_id(OFFLINE, pile.number),
            code=OFFLINE,
            kind=AlarmKind.WARNING,
            severity=Severity.WARNING,
            station=station.code,
            pile=pile.number,
            zh="充电桩离线；请检查供电与通信。",
            en="The pile is offline; look at its power and its network.",
        ),
        now,
        at=since,
    )
