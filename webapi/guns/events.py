"""What guns say: their level, kept when it is the newest, and shown to their orders."""

from datetime import datetime

from sqlalchemy.orm import Session

from evcs.contracts.gun import GunLevel
from evcs.contracts.topics import Address
from evcs.runtime.log import get_logger
from webapi.database import ROW_LOCK
from webapi.guns.models import Gun, GunLive
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
