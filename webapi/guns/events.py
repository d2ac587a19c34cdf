"""What guns say: their level, kept when it is the newest and shown to their orders; their parking lock, their car."""

from datetime import datetime

import msgspec
from sqlalchemy.orm import Session

from evcs.contracts.gun import GroundLock, GunEvent, GunEventKind, GunLevel
from evcs.contracts.topics import Address
from evcs.runtime.log import get_logger
from webapi.database import ROW_LOCK
from webapi.guns.models import Gun, GunLive
from webapi.guns.said_models import GroundLockLive, VehicleLive
from webapi.orders.levels import look_at_level
from webapi.worker.answers import NOTHING, Answers

log = get_logger()


def gun_level(session: Session, address: Address, level: GunLevel, at: datetime) -> Answers:
    """Keep a gun's newest level, by (login, version), and let its orders see it."""
    live = session.get(GunLive, (level.pile, level.gun), with_for_update=ROW_LOCK)
    if live is None:
        if session.get(Gun, (level.pile, level.gun)) is None:
            log.warning("level_of_unknown_gun", pile=level.pile, gun=level.gun)
            return NOTHING
        live = GunLive(pile_number=level.pile, gun_no=level.gun)
        session.add(live)
    elif (level.login_ms, level.version) <= (live.login_ms, live.version):
        return NOTHING
    live.state = level.state
    live.serial = level.serial
    live.plugged = level.plugged
    live.fault_bits = level.fault_bits
    live.since = level.since
    live.login_ms = level.login_ms
    live.version = level.version
    live.updated_at = at
    session.flush()
    look_at_level(session, live, at=at)
    return NOTHING


def gun_event(session: Session, address: Address, event: GunEvent, at: datetime) -> None:
    """Keep what a parking lock reports and what a car says of itself; orders look at the same event for themselves."""
    is_lock = event.kind is GunEventKind.GROUND_LOCK and event.ground_lock is not None
    is_car = event.kind in (GunEventKind.BMS_HANDSHAKE, GunEventKind.BMS_LIMITS)
    if not (is_lock or is_car) or session.get(Gun, (address.pile, address.gun)) is None:
        return
    if event.ground_lock is not None and is_lock:
        _keep_lock(session, address, event.ground_lock, event.received_at)
    if is_car:
        _keep_car(session, address, event)


def _keep_lock(session: Session, address: Address, said: GroundLock, seen_at: datetime) -> None:
    key = (address.pile, address.gun)
    row = session.get(GroundLockLive, key, with_for_update=ROW_LOCK)
    if row is None:
        row = GroundLockLive(pile_number=address.pile, gun_no=address.gun)
        session.add(row)
    elif seen_at < row.seen_at:
        return
    row.state = said.state[:24]
    row.is_occupied = said.is_occupied
    row.battery_pct = said.battery_pct
    row.alarm = said.alarm[:32]
    row.seen_at = seen_at
    session.flush()


def _keep_car(session: Session, address: Address, event: GunEvent) -> None:
    """The handshake of a further charge begins the row anew: limits of another car must not stand beside it."""
    row = session.get(VehicleLive, (address.pile, address.gun), with_for_update=ROW_LOCK)
    if row is None:
        row = VehicleLive(pile_number=address.pile, gun_no=address.gun)
        session.add(row)
    elif event.received_at < row.seen_at:
        return
    if row.serial != event.serial or event.kind is GunEventKind.BMS_HANDSHAKE:
        row.vehicle_json = row.limits_json = None
    row.serial = event.serial
    row.seen_at = event.received_at
    if event.vehicle is not None:
        row.vehicle_json = msgspec.json.encode(event.vehicle).decode()
    if event.limits is not None:
        row.limits_json = msgspec.json.encode(event.limits).decode()
    session.flush()
