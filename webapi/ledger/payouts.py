"""Payouts: a channel hands over what it collected, less its fee, and its clearing account falls back towards zero."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from webapi.database import ROW_LOCK
from webapi.ledger.accounts import BANK, CHANNEL_FEE, clearing
from webapi.ledger.models import TransactionKind
from webapi.ledger.post import Move, Posted, Posting, post
from webapi.tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class Payout:
    """What a channel's statement says, in fen: `amount_fen` collected, of which it kept `fee_fen`."""

    tenant_id: int
    channel: str
    number: str
    """The channel's own number of the payout: the same number is posted once."""
    amount_fen: int
    fee_fen: int


def post_payout(session: Session, payout: Payout, *, at: datetime, by: str) -> Posted:
    """Post a payout, once; the caller commits. Raises KeyTaken where its number stands for other amounts.

    Clearing is below zero by what customers paid in and the channel still has; the payout adds to it what arrived.
    """
    if payout.amount_fen <= 0 or not 0 <= payout.fee_fen <= payout.amount_fen:
        raise ValueError(f"payout {payout.number}: a fee of {payout.fee_fen} of {payout.amount_fen} fen")
    # No wallet is locked here, so that the same payout twice at once would both not find the other one.
    session.get_one(Tenant, payout.tenant_id, with_for_update=ROW_LOCK)
    moves = (
        Move(clearing(payout.channel), payout.amount_fen),
        Move(BANK, payout.fee_fen - payout.amount_fen),
        Move(CHANNEL_FEE, -payout.fee_fen),
    )
    key = f"payout:{payout.tenant_id}:{payout.channel}:{payout.number}"
    return post(session, Posting(key, TransactionKind.PAYOUT, payout.tenant_id, moves), at=at, by=by)
