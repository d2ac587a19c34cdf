"""What piles and bridges say: their links, what tariff a pile confirmed, what happened to it, who is unknown."""

from datetime import datetime, timedelta

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from evcs.contracts.bridge import BridgeStatus, UnknownPile
from evcs.contracts.pile import PileEvent, PileEventKind, PileFrame, PileReply, PileStatus
from evcs.contracts.states import OPEN_ORDER
from evcs.contracts.topics import Address
from evcs.runtime.log import get_logger
from webapi.audit.models import AuditEntry
from webapi.audit.note import note
from webapi.database import ROW_LOCK
from webapi.guns.models import GunLive
from webapi.orders import life
from webapi.orders.advance import observe, open_orders_of_pile
from webapi.orders.confirm import unsent
from webapi.orders.levels import look_at_level
from webapi.orders.models import Order
from webapi.piles.answers import answered
from webapi.piles.history import KEPT, keep_event, keep_frame
from webapi.piles.link import Link, link_in_force
from webapi.piles.models import BridgeLive, Pile, PileLive
from webapi.tariffs.models import TariffDelivery, TariffVersion
from webapi.worker.answers import NOTHING, Answers
from webapi.worker.once import is_first

log = get_logger()

AUDITED = frozenset({PileEventKind.KEY_REFUSED, PileEventKind.LOGIN_REFUSED, PileEventKind.CONNECTION_REPLACED})
UNKNOWN_AGAIN_AFTER = timedelta(days=1)


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept of somebody who said an unknown number."""

    reason: str
    frames_hex: tuple[str, ...]
    bridge: str


def bridge_status(session: Session, address: Address, status: BridgeStatus, at: datetime) -> Answers:
    """Keep a bridge's newest level; whatever it held at an earlier start or holds no more has lost its link."""
    live = session.get(BridgeLive, status.bridge, with_for_update=ROW_LOCK)
    if live is not None and status.version < live.version:
        return NOTHING
    if live is None:
        live = BridgeLive(bridge=status.bridge)
        session.add(live)
    live.online = status.online
    live.started_ms = status.started_ms
    live.since = status.since
    live.version = status.version
    live.address = status.address
    session.flush()
    piles = session.scalars(
        select(PileLive.pile_number)
        .join(Order, Order.pile_number == PileLive.pile_number)
        .where(PileLive.bridge == status.bridge, Order.state.in_(OPEN_ORDER))
        .distinct()
        .order_by(PileLive.pile_number)
    ).all()
    for pile in piles:
        look_at_pile(session, pile, at=at)
    return NOTHING


def pile_status(session: Session, address: Address, status: PileStatus, at: datetime) -> Answers:
    """Keep a pile's newest level, take over the tariff that it confirmed, and look at its orders by the new link.

    At a new login the confirmations of its records that no bridge has written yet go out again.
    """
    pile = session.get(Pile, status.pile, with_for_update=ROW_LOCK)
    if pile is None:
        log.warning("status_of_unknown_pile", pile=status.pile)
        return NOTHING
    live = session.get(PileLive, status.pile, with_for_update=ROW_LOCK)
    if live is not None and status.version < live.version:
        return NOTHING
    before = link_in_force(session, pile.number)
    if live is None:
        live = PileLive(pile_number=pile.number)
        session.add(live)
    live.online = status.online
    live.since = status.since
    live.version = status.version
    live.bridge = status.bridge
    live.bridge_started_ms = status.bridge_started_ms
    live.link = status.link or None
    live.login_at = status.login_at
    live.confirmed_tariff_version = status.tariff_version
    live.protocol = status.protocol or None
    live.firmware = status.firmware or None
    live.address = status.address or None
    live.proof = status.proof.value
    live.power_control_json = (
        None if status.power_control is None else msgspec.json.encode(status.power_control).decode()
    )
    live.clock_offset_s = status.clock_offset_s
    live.updated_at = at
    session.flush()
    if status.online and status.tariff_version is not None:
        take_over_tariff(session, pile, status.tariff_version, at=at)
    now = look_at_pile(session, pile.number, at=at)
    is_new = now is not None and (before is None or before.link != now.link)
    if not is_new:
        return NOTHING
    for order in open_orders_of_pile(session, pile.number):
        observe(session, order, life.LinkReturned(), at=at)
    return unsent(session, pile.number)


def look_at_pile(session: Session, pile: str, *, at: datetime) -> Link | None:
    """Let the open orders of a pile see whether its link counts, and if so the levels said in it."""
    link = link_in_force(session, pile)
    if link is None:
        for order in open_orders_of_pile(session, pile):
            observe(session, order, life.LinkLost(), at=at)
        return None
    for level in session.scalars(select(GunLive).where(GunLive.pile_number == pile).order_by(GunLive.gun_no)):
        look_at_level(session, level, at=at)
    return link


def take_over_tariff(session: Session, pile: Pile, version_id: str, *, at: datetime) -> None:
    """The pile bills by this version from now on: new orders are frozen to it, a restarted bridge answers by it."""
    version = session.get(TariffVersion, version_id)
    if version is None:
        log.warning("unknown_tariff_confirmed", pile=pile.number, version=version_id)
        return
    delivered = session.get(TariffDelivery, (pile.number, version.model_no))
    if delivered is None:
        session.add(TariffDelivery(pile_number=pile.number, model_no=version.model_no, delivered_at=at))
    if pile.confirmed_tariff_version_id != version.id:
        pile.confirmed_tariff_version_id = version.id
        log.info("tariff_confirmed", pile=pile.number, version=version.id, model_no=version.model_digits)
    elif delivered is not None:
        return
    pile.revision += 1
    session.flush()


def pile_event(session: Session, address: Address, event: PileEvent, at: datetime) -> Answers:
    """What a person should find later is kept once: in the pile's history, and what concerns proofs in the audit."""
    if event.kind is PileEventKind.CLOCK_WRONG:
        log.warning("pile_clock_wrong", pile=address.pile, offset_s=event.clock_offset_s)
    if event.kind not in AUDITED | KEPT or not is_first(session, f"pile_event:{event.id}", at=at):
        return NOTHING
    pile = session.get(Pile, address.pile)
    if pile is not None and event.kind in KEPT:
        keep_event(session, pile, event)
    if event.kind in AUDITED:
        note(
            session,
            at=at,
            actor=f"pile:{address.pile}",
            action=event.kind.value,
            outcome=event.reason.value if event.reason is not None else "done",
            tenant_id=None if pile is None else pile.station.tenant_id,
            station=address.station,
            object_kind="pile",
            object_id=address.pile,
        )
    return NOTHING


def pile_reply(session: Session, address: Address, reply: PileReply, at: datetime) -> Answers:
    """Replies to pile commands; those to power allowances are for `rules`."""
    if not answered(session, address.pile, reply, at=at):
        log.debug("pile_replied", pile=address.pile, id=reply.id, outcome=reply.outcome.value)
    return NOTHING


def pile_frame(session: Session, address: Address, frame: PileFrame, at: datetime) -> Answers:
    """A frame of a pile that somebody traces."""
    if session.get(Pile, address.pile) is not None:
        keep_frame(session, address.pile, frame)
    return NOTHING


def unknown_pile(session: Session, address: Address, unknown: UnknownPile, at: datetime) -> Answers:
    """Somebody said a number that nobody registered: one audit entry a day and number, however often it tries."""
    known = session.scalar(
        select(AuditEntry.id)
        .where(
            AuditEntry.object_kind == "unknown_pile",
            AuditEntry.object_id == unknown.number[:64],
            AuditEntry.at > at - UNKNOWN_AGAIN_AFTER,
        )
        .limit(1)
    )
    if known is None:
        log.warning("unknown_pile", number=unknown.number, address=unknown.address, reason=unknown.reason)
        note(
            session,
            at=at,
            actor="nobody",
            action="pile_login",
            outcome=unknown.reason[:64],
            object_kind="unknown_pile",
            object_id=unknown.number[:64],
            address=unknown.address[:64],
            details=Quarantined(reason=unknown.reason, frames_hex=unknown.frames_hex, bridge=address.bridge),
        )
    return NOTHING
