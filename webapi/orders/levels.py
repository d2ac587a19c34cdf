"""A gun's level and its orders: what each of them sees of it, and what no order explains."""

from datetime import datetime

from sqlalchemy.orm import Session

from evcs.contracts.states import OPEN_ORDER, GunState
from webapi.guns.models import GunLive
from webapi.orders import life
from webapi.orders.adopt import is_of_gun, stop_if_unexpected
from webapi.orders.advance import lock_order, observe, open_orders_of_gun
from webapi.piles.link import is_of_login, link_in_force


def look_at_level(session: Session, level: GunLive, *, at: datetime) -> None:
    """Let the open orders of a gun, and the one whose serial it shows, see its newest level.

    A level that is not of the login in force says only that the link is gone; so the same picture may be looked at
    again at any time.
    """
    link = link_in_force(session, level.pile_number)
    orders = open_orders_of_gun(session, level.pile_number, level.gun_no)
    if link is None:
        for order in orders:
            observe(session, order, life.LinkLost(), at=at)
        return
    if not is_of_login(level, link):
        return
    if level.serial is not None and all(order.serial != level.serial for order in orders):
        closed = lock_order(session, level.serial)
        if closed is not None and closed.state not in OPEN_ORDER and is_of_gun(closed, level):
            orders.append(closed)
    seen = life.LevelSeen(
        state=level.state, serial=level.serial, key=(level.login_ms, level.version), since=level.since
    )
    for order in orders:
        observe(session, order, seen, at=at)
    if level.state is GunState.CHARGING:
        stop_if_unexpected(session, level, at=at)
