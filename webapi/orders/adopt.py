"""Charges that the platform did not expect: stopped, audited, and billed by their order where there is one.

A closed order that charges is adopted by `life`. Here is what no open order explains: a serial that nobody knows, or
one that is settled long since. Kilowatt-hours of such a charge end up with its record, as an orphan.
"""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from evcs.contracts import topics, waits
from evcs.contracts.ids import NO_SERIAL
from evcs.contracts.reasons import Reason
from evcs.contracts.states import OPEN_ORDER, GunState
from evcs.runtime.log import get_logger
from webapi.audit.models import AuditEntry
from webapi.audit.note import note
from webapi.guns.models import GunLive
from webapi.orders import messages
from webapi.orders.models import Order
from webapi.piles.link import is_of_login, link_in_force
from webapi.piles.models import Pile
from webapi.worker.enqueue import enqueue, new_id

log = get_logger()

ACTION = "stop_unexpected_charge"


def stop_if_unexpected(session: Session, live: GunLive, *, at: datetime) -> bool:
    """Stop what charges on a gun when no order explains it; repeated by the worker while it goes on."""
    link = link_in_force(session, live.pile_number)
    if live.state is not GunState.CHARGING or link is None or not is_of_login(live, link):
        return False
    known = None if live.serial is None else session.get(Order, live.serial)
    if known is not None and is_of_gun(known, live):
        return False
    pile = session.get_one(Pile, live.pile_number)
    _audit_once(session, live, pile, at)
    if live.serial is None or live.serial == NO_SERIAL:
        # Without a serial there is nothing that a stop could name; the bridge refuses "whatever runs".
        return False
    stop = messages.stop(live.serial, id=new_id(), link=link, why=Reason.UNEXPECTED_CHARGE, at=at)
    enqueue(
        session,
        topics.STOP,
        stop,
        at=at,
        station=pile.station_code,
        levels={"pile": live.pile_number, "gun": live.gun_no},
        expires_at=stop.expires_at,
    )
    return True


def is_of_gun(order: Order, live: GunLive) -> bool:
    """Whether an order was placed for the gun that shows its serial: a pile speaks only about itself."""
    return (order.pile_number, order.gun_no) == (live.pile_number, live.gun_no)


def unexpected_charges(session: Session, *, at: datetime) -> list[GunLive]:
    """Guns that have been charging for a while without an open order."""
    settled_in = at - timedelta(seconds=waits.STOP_ANSWER_S)
    return list(
        session.scalars(
            select(GunLive)
            .outerjoin(Order, Order.serial == GunLive.serial)
            .where(
                GunLive.state == GunState.CHARGING,
                GunLive.updated_at <= settled_in,
                (Order.serial.is_(None)) | (Order.state.not_in(OPEN_ORDER)),
            )
        )
    )


def _audit_once(session: Session, live: GunLive, pile: Pile, at: datetime) -> None:
    """One entry per charge, however often its stop is repeated."""
    what = live.serial or f"{live.pile_number}-{live.gun_no}-{live.login_ms}-{live.version}"
    known = session.scalar(
        select(AuditEntry.id).where(
            AuditEntry.object_kind == "charge", AuditEntry.object_id == what, AuditEntry.action == ACTION
        )
    )
    if known is not None:
        return
    log.warning("unexpected_charge", pile=live.pile_number, gun=live.gun_no, serial=live.serial)
    note(
        session,
        at=at,
        actor="worker",
        action=ACTION,
        outcome=Reason.UNEXPECTED_CHARGE.value,
        tenant_id=pile.station.tenant_id,
        station=pile.station_code,
        object_kind="charge",
        object_id=what,
    )
