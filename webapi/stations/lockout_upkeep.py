"""What the worker does with lockouts: ends those that ran out, stops what charges there, makes them from alarms."""

from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from evcs.contracts.alarm import Alarm as AlarmLevel
from evcs.contracts.alarm import AlarmAction
from evcs.contracts.topics import Address
from evcs.runtime.log import get_logger
from webapi.audit.models import AuditEntry
from webapi.audit.note import note
from webapi.guns.models import Gun
from webapi.guns.now import GunNow
from webapi.orders.advance import WORKER, open_orders_of_gun
from webapi.piles.models import Pile
from webapi.stations.lockout_columns import WhileCharging
from webapi.stations.lockouts import (
    Kept,
    Locked,
    Wish,
    guns_of,
    kind_of,
    lift,
    lock_out,
    name_of,
    station_of,
    stop_there,
)

log = get_logger()

BY_ALARM = "lockout_by_alarm"
REASON_MOST = 200


class MadeFrom(msgspec.Struct, frozen=True, kw_only=True):
    """What the audit keeps of a lockout that an alarm made."""

    code: str
    raised_at: datetime
    place: str
    stopped: tuple[str, ...] = ()


def end_run_out(session: Session, place: Locked, *, at: datetime) -> bool:
    """End a lockout whose time is over, judged anew under its row's lock."""
    session.refresh(place)
    if place.lockout_until is None or at < place.lockout_until:
        return False
    _note(session, place, "lockout_ended", lift(session, place), at)
    log.info("lockout_ended", kind=kind_of(place), name=name_of(place))
    return True


def stop_what_charges(session: Session, place: Locked, *, at: datetime) -> None:
    """Stop again what runs at a locked place: a pile that was away, a charge that began in spite of it.

    Where the person let a charge go on, that charge is left alone.
    """
    session.refresh(place)
    since = place.lockout_since
    if since is None:
        return
    running = [gun for gun in guns_of(session, place) if gun.runs]
    if place.lockout_while_charging is WhileCharging.WAIT:
        running = [gun for gun in running if not _may_go_on(session, gun, since)]
    if running:
        stop_there(session, running, by=place.lockout_by or WORKER, at=at)


def lock_by_alarm(session: Session, address: Address, level: AlarmLevel, *, at: datetime) -> bool:
    """Make a lockout from an alarm with the action `lock`, once for each time that it was raised.

    A person ends it, also while the alarm is still open; then the same alarm does not make it again. A lockout that
    stands already is left as it is.
    """
    if level.action != AlarmAction.LOCK or not level.open or level.pile is None:
        return False
    place = _place_of(session, address, level)
    if place is None or _was_made(session, level):
        return False
    stands = place.lockout_since is not None
    reason = (level.zh or level.code)[:REASON_MOST]
    kept = Kept() if stands else lock_out(session, place, Wish(reason), by=f"rule:{level.code}"[:64], at=at)
    station = station_of(session, place)
    note(
        session,
        at=at,
        actor=WORKER,
        action=BY_ALARM,
        outcome="already_locked_out" if stands else "done",
        tenant_id=station.tenant_id,
        station=station.code,
        object_kind="alarm",
        object_id=level.alarm,
        details=MadeFrom(
            code=level.code,
            raised_at=level.raised_at,
            place=f"{kind_of(place)}:{name_of(place)}",
            stopped=kept.stopped,
        ),
    )
    log.warning("locked_out_by_alarm", alarm=level.alarm, code=level.code, place=name_of(place))
    return True


def _place_of(session: Session, address: Address, level: AlarmLevel) -> Locked | None:
    pile = session.get(Pile, level.pile)
    if pile is None or pile.station_code != address.station:
        return None
    return pile if level.gun is None else session.get(Gun, (pile.number, level.gun))


def _was_made(session: Session, level: AlarmLevel) -> bool:
    entries = session.scalars(
        select(AuditEntry.details_json).where(
            AuditEntry.object_kind == "alarm",
            AuditEntry.object_id == level.alarm,
            AuditEntry.action == BY_ALARM,
        )
    )
    return any(
        msgspec.json.decode(entry, type=MadeFrom).raised_at == level.raised_at for entry in entries if entry is not None
    )


def _may_go_on(session: Session, gun: GunNow, since: datetime) -> bool:
    """Whether what runs there began before the lockout: an order placed before it, or a charge that was shown."""
    orders = open_orders_of_gun(session, gun.pile, gun.gun)
    serial = None if gun.level is None else gun.level.serial
    known = [order for order in orders if order.serial == serial]
    if known:
        return known[0].requested_at <= since
    return gun.level is not None and gun.level.since <= since


def _note(session: Session, place: Locked, action: str, details: Kept | None, at: datetime) -> None:
    station = station_of(session, place)
    note(
        session,
        at=at,
        actor=WORKER,
        action=action,
        tenant_id=station.tenant_id,
        station=station.code,
        object_kind=kind_of(place),
        object_id=name_of(place),
        details=details,
    )
