"""Lockouts (停用/检修): a person, or a rule by its alarm, takes a station, a pile or a gun out of use.

`lock_out(session, place, Wish(...), by=…, at=…)` and `lift(session, place)`; the caller commits and audits. From its
commit on nothing starts there, by the gate and by the pile's own work permission. What charges there is stopped first,
or the lockout is in force after it, as the person chose. A row: it survives every restart and the broker's store.
"""

from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from evcs.contracts.reasons import Reason
from webapi.database import ROW_LOCK
from webapi.guns.models import Gun
from webapi.guns.now import GunNow, guns_now
from webapi.orders.stop_guns import has_order, stop_open_orders, stop_whatever_runs
from webapi.piles.models import Pile
from webapi.stations.lockout_columns import WhileCharging
from webapi.stations.lockout_views import LockoutView, lockout_of
from webapi.stations.models import Station
from webapi.stations.revision import raise_piles, raise_piles_of, raise_station

Locked = Station | Pile | Gun


@dataclass(frozen=True, slots=True)
class Wish:
    """Why, until when (none: until it is lifted), and what becomes of a charge that runs there."""

    reason: str
    until: datetime | None = None
    while_charging: WhileCharging = WhileCharging.STOP


class Kept(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the audit keeps of a lockout."""

    by: str | None = None
    reason: str | None = None
    until: datetime | None = None
    while_charging: WhileCharging | None = None
    stopped: tuple[str, ...] = ()
    """Orders that were asked to end."""


def lock_out(session: Session, place: Locked, wish: Wish, *, by: str, at: datetime) -> Kept:
    """Set or change a lockout; one that stands keeps its beginning."""
    row = _locked_row(session, place)
    row.lockout_by = by
    row.lockout_reason = wish.reason
    row.lockout_since = row.lockout_since or at
    row.lockout_until = wish.until
    row.lockout_while_charging = wish.while_charging
    stopped: list[str] = []
    if wish.while_charging is WhileCharging.STOP:
        stopped = stop_there(session, guns_of(session, row), by=by, at=at)
    _raise(session, row)
    return Kept(reason=wish.reason, until=wish.until, while_charging=wish.while_charging, stopped=tuple(stopped))


def lift(session: Session, place: Locked) -> Kept | None:
    """End a lockout; what it was, none where there was none."""
    row = _locked_row(session, place)
    if row.lockout_since is None:
        return None
    was = Kept(
        by=row.lockout_by,
        reason=row.lockout_reason,
        until=row.lockout_until,
        while_charging=row.lockout_while_charging,
    )
    row.lockout_by = row.lockout_reason = None
    row.lockout_since = row.lockout_until = row.lockout_while_charging = None
    _raise(session, row)
    return was


def stop_there(session: Session, guns: list[GunNow], *, by: str, at: datetime) -> list[str]:
    """End what runs at these guns; the serials of the orders."""
    serials = stop_open_orders(session, guns, why=Reason.LOCKOUT_STOPPED, by=by, at=at)
    for gun in guns:
        if gun.runs and not has_order(session, gun):
            stop_whatever_runs(session, gun, why=Reason.LOCKOUT_STOPPED, at=at, named=True)
    return serials


def guns_of(session: Session, place: Locked) -> list[GunNow]:
    """The guns that a lockout of this place concerns, as they are now."""
    return guns_now(session, *_there(place))


def lockout_view(session: Session, place: Locked) -> LockoutView | None:
    """A place's own lockout, as it stands."""
    return None if place.lockout_since is None else lockout_of(place, guns_of(session, place))


def kind_of(place: Locked) -> str:
    """station, pile or gun."""
    return type(place).__name__.lower()


def name_of(place: Locked) -> str:
    """How the audit names it."""
    match place:
        case Station(code=code):
            return code
        case Pile(number=number):
            return number
        case Gun(pile_number=pile, no=no):
            return f"{pile}-{no}"


def station_of(session: Session, place: Locked) -> Station:
    """Where it stands."""
    match place:
        case Station():
            return place
        case Pile(station_code=code):
            return session.get_one(Station, code)
        case Gun(pile_number=pile):
            return session.get_one(Station, session.get_one(Pile, pile).station_code)


def locked_places(session: Session, *conditions: ColumnElement[bool]) -> list[Locked]:
    """All places with a lockout that are in use; conditions must hold for each kind of row."""
    found: list[Locked] = []
    for kind in (Station, Pile, Gun):
        query = select(kind).where(kind.lockout_since.is_not(None), kind.archived_at.is_(None), *conditions)
        found += session.scalars(query)
    return found


def run_out(session: Session, *, at: datetime) -> list[Locked]:
    """Places whose lockout has an end that has come."""
    found: list[Locked] = []
    for kind in (Station, Pile, Gun):
        found += session.scalars(select(kind).where(kind.lockout_until <= at))
    return found


def _locked_row(session: Session, place: Locked) -> Locked:
    """The row as it now is, locked until the commit."""
    match place:
        case Station(code=code):
            return session.get_one(Station, code, with_for_update=ROW_LOCK, populate_existing=True)
        case Pile(number=number):
            return session.get_one(Pile, number, with_for_update=ROW_LOCK, populate_existing=True)
        case Gun(pile_number=pile, no=no):
            return session.get_one(Gun, (pile, no), with_for_update=ROW_LOCK, populate_existing=True)


def _there(place: Locked) -> tuple[ColumnElement[bool], ...]:
    match place:
        case Station(code=code):
            return (Pile.station_code == code,)
        case Pile(number=number):
            return (Pile.number == number,)
        case Gun(pile_number=pile, no=no):
            return (Gun.pile_number == pile, Gun.no == no)


def _raise(session: Session, place: Locked) -> None:
    station = station_of(session, place)
    match place:
        case Station(code=code):
            raise_piles_of(session, code)
        case Pile(number=number):
            raise_piles(session, [number])
        case Gun(pile_number=pile):
            raise_piles(session, [pile])
    raise_station(session, station.code)
