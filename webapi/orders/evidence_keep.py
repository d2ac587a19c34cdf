"""Keeping evidence: messages with their frames as they come, the bundle with its hash when a bill is written."""

import hashlib
from datetime import datetime

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evcs.contracts.envelope import encode
from evcs.contracts.gun import GunEvent, GunReply, Verdict
from evcs.contracts.session import Held
from evcs.runtime.log import get_logger
from webapi.orders.evidence import canonical
from webapi.orders.evidence_gather import gather
from webapi.orders.evidence_models import FrameKind, OrderEvidence, OrderFrame
from webapi.orders.models import Bill, Order

log = get_logger()

MOST_FRAMES = 400
"""Of one order: a car or a cap that flickers fills no database; the log tells what was left out."""


def chained(before_hash: str, content: str) -> str:
    """The hash of a bundle behind the one before it (empty: none), in hex."""
    return hashlib.sha256(f"{before_hash}\n{content}".encode()).hexdigest()


def keep_reply(session: Session, order: Order, said: GunReply) -> None:
    """What became of a start or stop."""
    bare = encode(msgspec.structs.replace(said, frame_hex="")).decode()
    _keep(session, order, FrameKind.REPLY, said.id, said.received_at, said.frame_hex, bare)


def keep_event(session: Session, order: Order, event: GunEvent) -> None:
    """What happened at the gun in the order's course; a card's password is nobody's evidence."""
    asked = event.card_request
    if asked is not None:
        event = msgspec.structs.replace(event, card_request=msgspec.structs.replace(asked, password=""))
    bare = encode(msgspec.structs.replace(event, frame_hex="")).decode()
    _keep(session, order, FrameKind.EVENT, event.id, event.received_at, event.frame_hex, bare)


def keep_card_request(session: Session, event: GunEvent) -> None:
    """What was asked at the pile, with the order that came of it; where none did the attempt is told elsewhere."""
    order = session.scalars(select(Order).where(Order.card_request_id == event.id)).one_or_none()
    if order is not None:
        keep_event(session, order, event)


def keep_verdict(session: Session, order: Order, said: Verdict) -> None:
    """What `rules` decided about the order."""
    _keep(session, order, FrameKind.VERDICT, said.id, said.decided_at, "", encode(said).decode())


def keep_cap(session: Session, order: Order, held: Held, *, version: int, at: datetime) -> None:
    """The gun's cap while the order held power."""
    said = msgspec.json.encode(Cap(cap_kw=held.cap_kw, bound_by=held.bound_by, state=held.cap_state.value)).decode()
    newest = session.scalar(
        select(OrderFrame.said_json)
        .where(OrderFrame.order_serial == order.serial, OrderFrame.kind == FrameKind.CAP)
        .order_by(OrderFrame.id.desc())
        .limit(1)
    )
    if newest != said:
        _keep(session, order, FrameKind.CAP, str(version), at, "", said)


class Cap(msgspec.Struct, frozen=True, kw_only=True):
    """A cap as it is kept: kW (none: no cap), who binds it, how far it has come."""

    cap_kw: float | None
    bound_by: str
    state: str


def fix_evidence(session: Session, order: Order, bill: Bill, *, at: datetime) -> OrderEvidence:
    """Fix everything that a bill rests on, behind the bundle of the bill before it; the caller commits."""
    last = session.scalars(
        select(OrderEvidence)
        .where(OrderEvidence.order_serial == order.serial)
        .order_by(OrderEvidence.n.desc())
        .limit(1)
    ).one_or_none()
    content = canonical(gather(session, order, bill, at=at))
    before_hash = "" if last is None else last.hash
    row = OrderEvidence(
        bill_id=bill.id,
        order_serial=order.serial,
        n=1 if last is None else last.n + 1,
        content=content,
        before_hash=before_hash,
        hash=chained(before_hash, content),
        made_at=at,
    )
    session.add(row)
    session.flush()
    return row


def _keep(
    session: Session, order: Order, kind: FrameKind, message_id: str, at: datetime, frame_hex: str, said: str
) -> None:
    ours = select(func.count()).select_from(OrderFrame).where(OrderFrame.order_serial == order.serial)
    if session.scalar(ours.where(OrderFrame.kind == kind, OrderFrame.message_id == message_id)):
        return
    if (session.scalar(ours) or 0) >= MOST_FRAMES:
        log.warning("order_frame_left_out", serial=order.serial, kind=kind.value, id=message_id)
        return
    session.add(
        OrderFrame(
            order_serial=order.serial, kind=kind, message_id=message_id, at=at, frame_hex=frame_hex, said_json=said
        )
    )
    session.flush()
