"""Sending parts to their channels: each step a short transaction, the call to the channel between them.

A part is set aside and marked as submitted before the channel hears of it, so that nothing is lost where the process
dies between; its number is the same for ever, so that asking the channel once more pays nothing twice.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from webapi.database import ROW_LOCK
from webapi.payments.gateway import RefundAnswer, RefundAnswered, RefundOrder
from webapi.recharges.models import Recharge
from webapi.refunds.errors import RefundRefused
from webapi.refunds.models import PartState, RefundPart
from webapi.refunds.post import ON_ITS_WAY, fail, submit, succeed

WORKER = "worker"
FIRST_QUERY_S = 60
LAST_QUERY_S = 3600
NO_GATEWAY = "该渠道尚未接入，等待接入后自动退款。 · The channel is not connected yet; the refund is sent once it is."


@dataclass(frozen=True, slots=True)
class Due:
    """A part that is to be sent, or that its channel is to be asked for."""

    part_id: int
    order: RefundOrder
    is_sent: bool


def due_parts(session: Session, channels: Collection[str], *, at: datetime, most: int) -> tuple[int, ...]:
    """Ids of the parts whose time has come, of channels that can be reached, the oldest first."""
    return tuple(
        session.scalars(
            select(RefundPart.id)
            .where(
                RefundPart.channel.in_(sorted(channels)),
                RefundPart.state.in_((PartState.APPROVED, PartState.SUBMITTED, PartState.UNKNOWN)),
                RefundPart.next_query_at <= at,
            )
            .order_by(RefundPart.next_query_at, RefundPart.id)
            .limit(most)
        )
    )


def tell_unconnected(session: Session, channels: Collection[str]) -> int:
    """Say on approved parts whose channel cannot be reached what they wait for; how many it is new for."""
    waiting = session.scalars(
        select(RefundPart)
        .where(
            RefundPart.state == PartState.APPROVED,
            RefundPart.channel.not_in(sorted(channels)),
            or_(RefundPart.why.is_(None), RefundPart.why != NO_GATEWAY),
        )
        .with_for_update(key_share=True)
    ).all()
    for part in waiting:
        part.why = NO_GATEWAY
    return len(waiting)


def take(session: Session, part_id: int, *, at: datetime) -> Due | None:
    """Lock a part that is due, set its money aside where that is not done, and say what to ask the channel.

    None: it is not due any more, or the wallet has changed so that nothing may be paid out: then it has failed.
    """
    part = lock_part(session, part_id)
    if part is None or part.next_query_at is None or part.next_query_at > at:
        return None
    is_sent = part.state in ON_ITS_WAY
    if part.state is PartState.APPROVED:
        try:
            submit(session, part, at=at, by=WORKER)
        except RefundRefused as refused:
            fail(session, part, f"{refused.sentence.zh} · {refused.sentence.en}", at=at, by=WORKER)
            return None
    elif not is_sent:
        return None
    part.queries += 1
    part.next_query_at = at + _pause(part.queries)
    part.why = None
    recharge = session.get_one(Recharge, part.recharge_id)
    order = RefundOrder(
        out_refund_no=part.out_refund_no,
        channel=part.channel,
        channel_payment_no=recharge.number,
        amount_fen=part.amount_fen,
        total_fen=recharge.amount_fen,
        reason=part.request.reason,
    )
    session.flush()
    return Due(part.id, order, is_sent)


def apply_answer(session: Session, part_id: int, answer: RefundAnswer, *, at: datetime) -> PartState | None:
    """What the channel said, in the books; a part that is settled already stays as it is. None: there is no such part.

    Also for a channel's own notice, once it is verified.
    """
    part = lock_part(session, part_id)
    if part is None:
        return None
    if part.state not in ON_ITS_WAY:
        return part.state
    part.channel_refund_no = answer.channel_refund_no or part.channel_refund_no
    match answer.state:
        case RefundAnswered.SUCCEEDED:
            succeed(session, part, at=at, by=WORKER, channel_refund_no=answer.channel_refund_no, why=answer.why)
        case RefundAnswered.FAILED:
            fail(session, part, answer.why or "渠道退款失败 · the channel refused", at=at, by=WORKER)
        case RefundAnswered.ACCEPTED:
            part.state = PartState.SUBMITTED
        case RefundAnswered.UNKNOWN:
            part.state = PartState.UNKNOWN
            part.why = None if answer.why is None else answer.why[:200]
    session.flush()
    return part.state


def lock_part(session: Session, part_id: int) -> RefundPart | None:
    """A part as it now is, locked until the commit."""
    return session.get(RefundPart, part_id, with_for_update=ROW_LOCK, populate_existing=True)


def _pause(queries: int) -> timedelta:
    """A minute, then twice as long each time, an hour at most."""
    return timedelta(seconds=min(LAST_QUERY_S, FIRST_QUERY_S * 2 ** min(queries - 1, 10)))
