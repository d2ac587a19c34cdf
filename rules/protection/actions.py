"""What an open alarm does besides being shown: a lower cap, a stop that is repeated until the end is seen.

Followed once a second from the alarms that stand open, so a restart goes on with it. A reported fault acts as the
dictionary says, a rule as the table says.
"""

from datetime import datetime, timedelta

from evcs.contracts.alarm import AlarmAction
from evcs.contracts.gun import Stop
from evcs.contracts.reasons import Reason
from evcs.contracts.states import RUNNING
from evcs.contracts.times import to_ms
from evcs.contracts.topics import STOP
from evcs.contracts.waits import STOP_ANSWER_S
from rules.bands import lasted
from rules.charges import stop_for
from rules.known import Known, Place
from rules.levels import publish_gun
from rules.messages import Publish
from rules.open_alarms import StationAlarms
from rules.power import lift, plan
from rules.protection.table import DERATE_SHARES
from rules.session_caps import CapSource, set_cap
from rules.station import Pile, Station

DERATE_SHARE = 0.5
"""What a session gets of its gun's rating while an alarm lowers it, where no rule says another."""
LIFT_AGAIN_S = 5.0

Acting = dict[tuple[str, int | None], tuple[bool, float | None]]
"""(pile, gun or None: all) → whether the charge stops, and the share of the rating that is left."""


def acting(alarms: StationAlarms) -> Acting:
    """What the open alarms of a station ask for; empty where none asks for anything."""
    found: Acting = {}
    for standing in alarms.standing.values():
        open = standing.open
        if open.action == AlarmAction.ALARM or open.pile is None:
            continue
        stops, share = found.get((open.pile, open.gun), (False, None))
        if open.action == AlarmAction.DERATE:
            wanted = DERATE_SHARES.get(open.code, DERATE_SHARE)
            share = wanted if share is None else min(share, wanted)
        elif open.action in (AlarmAction.STOP, AlarmAction.LOCK):
            stops = True
        found[open.pile, open.gun] = (stops, share)
    return found


def tick(known: Known, station: Station, now: datetime) -> None:
    """Bring the charges of a station to what its open alarms ask for."""
    wanted = acting(station.alarms) if station.alarms.standing else {}
    for pile in station.piles.values():
        for gun in pile.guns.values():
            session = gun.session
            if not wanted and (session is None or CapSource.PROTECTION not in session.caps):
                continue
            stops, share = _of(wanted, pile, gun.number)
            place = Place(station, pile, gun)
            if stops:
                _stop(known, place, now)
            if session is not None and gun.config is not None:
                _derate(known, place, None if share is None else share * gun.config.rated_kw, now)


def _of(wanted: Acting, pile: Pile, gun: int) -> tuple[bool, float | None]:
    own, whole = wanted.get((pile.number, gun)), wanted.get((pile.number, None))
    if own is None or whole is None:
        return own or whole or (False, None)
    shares = [share for _, share in (own, whole) if share is not None]
    return own[0] or whole[0], min(shares, default=None)


def _derate(known: Known, place: Place, cap_kw: float | None, now: datetime) -> None:
    session = place.gun.session
    assert session is not None
    had_kw = session.caps.get(CapSource.PROTECTION)
    if cap_kw == had_kw:
        return
    if cap_kw is not None and (had_kw is None or cap_kw < had_kw):
        set_cap(session, CapSource.PROTECTION, cap_kw)
        plan(known, place.station, place.pile, now)
        publish_gun(known, place, now)
    elif lasted(place.gun.guard.lifted_at, LIFT_AGAIN_S, now) or place.gun.guard.lifted_at is None:
        place.gun.guard.lifted_at = now
        lift(known, place, CapSource.PROTECTION, cap_kw, now)


def _stop(known: Known, place: Place, now: datetime) -> None:
    level, session, link = place.gun.level, place.gun.session, place.pile.link
    if level is None or level.state not in RUNNING:
        return
    if session is not None and session.serial == level.serial:
        if session.stop is None:
            stop_for(known, place, session, Reason.PROTECTION_STOPPED, now)
        return
    guard = place.gun.guard
    if link is None or (guard.stop_sent_at is not None and not lasted(guard.stop_sent_at, STOP_ANSWER_S, now)):
        return
    guard.stop_sent_at = now
    message = Stop(
        id=f"protect-{place.pile.number}-{place.gun.number}-{to_ms(now)}",
        bridge=link.bridge,
        link=link.link,
        serial=level.serial,
        why=Reason.PROTECTION_STOPPED,
        expires_at=now + timedelta(seconds=STOP_ANSWER_S),
    )
    known.out.append(Publish(STOP, place.at(STOP), message))
