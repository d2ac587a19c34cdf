"""Ending whatever runs at a gun: its orders by their own stop path, a charge without an order by a stop of its own."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from evcs.contracts import topics, waits
from evcs.contracts.gun import Stop
from evcs.contracts.ids import NO_SERIAL
from evcs.contracts.reasons import Reason
from evcs.contracts.states import OPEN_ORDER
from webapi.guns.now import GunNow
from webapi.orders.models import Order
from webapi.orders.stop import stop_order
from webapi.worker.enqueue import enqueue, new_id


def stop_open_orders(session: Session, guns: list[GunNow], *, why: Reason, by: str, at: datetime) -> list[str]:
    """Wish every order of these guns to end whose end was not seen; again it changes nothing. Their serials."""
    wanted = {(gun.pile, gun.gun) for gun in guns}
    rows = session.execute(
        select(Order.serial, Order.pile_number, Order.gun_no)
        .where(
            Order.pile_number.in_(sorted({pile for pile, _ in wanted})),
            Order.state.in_(OPEN_ORDER),
            Order.end_observed_at.is_(None),
        )
        .order_by(Order.serial)
    )
    serials = [serial for serial, pile, gun in rows if (pile, gun) in wanted]
    for serial in serials:
        stop_order(session, serial, by=by, at=at, why=why)
    return serials


def has_order(session: Session, gun: GunNow) -> bool:
    """Whether an open order explains what the gun shows."""
    serial = None if gun.level is None else gun.level.serial
    order = None if serial is None else session.get(Order, serial)
    return order is not None and order.state in OPEN_ORDER and (order.pile_number, order.gun_no) == (gun.pile, gun.gun)


def stop_whatever_runs(session: Session, gun: GunNow, *, why: Reason, at: datetime, named: bool) -> str | None:
    """Stop a gun in its login, under a new id; none where it has no link.

    `named`: only the charge that it shows, where it has a serial. Else whatever runs there, as for a station stop.
    """
    if gun.link is None:
        return None
    serial = gun.level.serial if named and gun.level is not None and gun.level.serial != NO_SERIAL else None
    stop = Stop(
        id=new_id(),
        bridge=gun.link.bridge,
        link=gun.link.link,
        serial=serial,
        why=why,
        expires_at=at + timedelta(seconds=waits.STOP_ANSWER_S),
    )
    enqueue(
        session,
        topics.STOP,
        stop,
        at=at,
        station=gun.station,
        levels={"pile": gun.pile, "gun": gun.gun},
        expires_at=stop.expires_at,
    )
    return stop.id
