"""Withdrawals (余额退款): asked for and cut into parts, approved, rejected; transfers by hand are set aside at once."""

from datetime import datetime
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapi.customers.models import Customer
from webapi.http.problems import Code
from webapi.ledger.post import lock_wallet
from webapi.recharges.models import Recharge
from webapi.refunds.decompose import NotRefundable, Refundable, decompose, refund_number
from webapi.refunds.errors import RefundRefused
from webapi.refunds.models import PartState, RefundKind, RefundPart, RefundRequest, RefundState
from webapi.refunds.post import check_free, fail, submit
from webapi.refusals import yuan

BY_HAND = "manual"
ALONE_FEN = 100_000
"""1,000 yuan: above it who asked cannot approve, whatever the way."""


def ask_withdrawal(
    session: Session, customer: Customer, amount_fen: int, reason: str, *, at: datetime, by: str
) -> RefundRequest:
    """Ask for principal back. No money moves yet, but the recharges are spoken for. Raises RefundRefused."""
    wallet = lock_wallet(session, customer.id)
    check_free(session, wallet)
    left_fen = wallet.available_fen - _asked_for(session, customer.id)
    if amount_fen > left_fen:
        raise RefundRefused(Code.REFUND_OVER_PRINCIPAL, left=yuan(max(0, left_fen)))
    cut = decompose(amount_fen, refundables(session, customer.id), at=at)
    if isinstance(cut, NotRefundable):
        raise RefundRefused(Code.REFUND_NOT_RECHARGED, missing=yuan(cut.missing_fen))
    request = RefundRequest(
        tenant_id=customer.tenant_id,
        customer_id=customer.id,
        kind=RefundKind.WITHDRAWAL,
        amount_fen=amount_fen,
        electricity_fen=0,
        service_fen=0,
        reason=reason,
        two_persons=amount_fen > ALONE_FEN or any(one.by_hand for one in cut),
        state=RefundState.WAITING,
        asked_by=by,
        asked_at=at,
    )
    session.add(request)
    session.flush()
    request.parts = [
        RefundPart(
            no=no,
            recharge_id=one.recharge_id,
            channel=BY_HAND if one.by_hand else one.channel,
            amount_fen=one.amount_fen,
            gift_back_fen=one.gift_back_fen,
            out_refund_no=refund_number(request.id, no),
            state=PartState.REQUESTED,
            next_query_at=None if one.by_hand else one.not_before,
        )
        for no, one in enumerate(cut, 1)
    ]
    session.flush()
    return request


def approve_withdrawal(session: Session, request: RefundRequest, why: str | None, *, at: datetime, by: str) -> None:
    """Approve. What is paid by hand is set aside now; the worker sends the rest to its channels. Raises RefundRefused.

    The caller has locked the request.
    """
    wallet = lock_wallet(session, request.customer_id)
    check_free(session, wallet)
    if wallet.available_fen < request.amount_fen:
        raise RefundRefused(Code.REFUND_OVER_PRINCIPAL, left=yuan(wallet.available_fen))
    _decide(request, RefundState.APPROVED, why, at, by)
    for part in request.parts:
        part.state = PartState.APPROVED
        if part.channel == BY_HAND:
            submit(session, part, at=at, by=by)
    session.flush()


def reject(session: Session, request: RefundRequest, why: str, *, at: datetime, by: str) -> None:
    """Say no; nothing has moved, and its recharges are free again."""
    _decide(request, RefundState.REJECTED, why, at, by)
    for part in request.parts:
        fail(session, part, why, at=at, by=by)
    session.flush()


def refundables(session: Session, customer_id: int) -> tuple[Refundable, ...]:
    """A customer's recharges with what went back of them, or may; the caller has locked the wallet."""
    rows = session.execute(
        select(Recharge, RefundPart)
        .outerjoin(RefundPart, (RefundPart.recharge_id == Recharge.id) & (RefundPart.state != PartState.FAILED))
        .where(Recharge.customer_id == customer_id)
        .order_by(Recharge.id, RefundPart.id)
    )
    found = []
    for recharge, pairs in groupby(rows, key=lambda row: row[0]):
        parts: list[RefundPart] = [part for _, part in pairs if part is not None]
        sent = [part for part in parts if part.channel == recharge.channel != BY_HAND]
        times = [one for one in (part.submitted_at or part.next_query_at for part in sent) if one is not None]
        found.append(
            Refundable(
                recharge_id=recharge.id,
                channel=recharge.channel,
                paid_at=recharge.paid_at,
                amount_fen=recharge.amount_fen,
                refunded_fen=sum(part.amount_fen for part in parts),
                parts=len(sent),
                last_part_at=max(times, default=None),
                gift_fen=recharge.gift_fen,
                gift_taken_back_fen=sum(part.gift_back_fen for part in parts),
            )
        )
    return tuple(found)


def _asked_for(session: Session, customer_id: int) -> int:
    """What other withdrawals will still take out of the wallet, in fen."""
    waiting = (PartState.REQUESTED, PartState.APPROVED)
    return sum(
        session.scalars(
            select(RefundPart.amount_fen)
            .join(RefundRequest, RefundRequest.id == RefundPart.request_id)
            .where(RefundRequest.customer_id == customer_id, RefundPart.state.in_(waiting))
        )
    )


def _decide(request: RefundRequest, state: RefundState, why: str | None, at: datetime, by: str) -> None:
    request.state = state
    request.decided_by = by
    request.decided_at = at
    request.decided_why = why
