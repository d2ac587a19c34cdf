"""Recharging a wallet by the platform: clearing → available, once per number, a debt paid first."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from webapi.customers.models import Customer
from webapi.ledger.accounts import DISCOUNT_GIFT, available, clearing, debt, gift
from webapi.ledger.errors import KeyTaken
from webapi.ledger.models import TransactionKind
from webapi.ledger.post import Move, Posting, lock_wallet, post
from webapi.recharges.models import Recharge


@dataclass(frozen=True, slots=True)
class RechargeOrder:
    """What came in: `number` is the channel's own number of the payment; for `manual` that of the request.

    Amount in fen, above 0. `reason` says why, `voucher` names the paper it rests on.
    """

    customer_id: int
    amount_fen: int
    number: str
    reason: str
    channel: str = "manual"
    voucher: str | None = None
    gift_fen: int = 0
    """Given with it (赠送): spent after the principal, never paid out, and taken back with what is withdrawn."""


def place_recharge(session: Session, order: RechargeOrder, *, at: datetime, by: str) -> Recharge:
    """Credit a recharge, once: the same channel and number again gives back the recharge of the first time.

    An open debt is paid out of it before anything is available. Raises KeyTaken when the number stands for another
    customer or amount, ValueError for an amount that is none, NoResultFound for a customer that does not exist.
    """
    if order.amount_fen <= 0:
        raise ValueError(f"a recharge of {order.amount_fen} fen")
    if order.gift_fen < 0:
        raise ValueError(f"a gift of {order.gift_fen} fen")
    customer = session.get_one(Customer, order.customer_id)
    wallet = lock_wallet(session, customer.id)
    known = session.scalars(
        select(Recharge).where(
            Recharge.tenant_id == customer.tenant_id,
            Recharge.channel == order.channel,
            Recharge.number == order.number,
        )
    ).one_or_none()
    if known is not None:
        if (known.customer_id, known.amount_fen) != (customer.id, order.amount_fen):
            raise KeyTaken(f"{order.channel} {order.number} is a recharge of {known.amount_fen} fen")
        return known
    owed = min(wallet.debt_fen, order.amount_fen)
    before_fen = wallet.available_fen
    posted = post(
        session,
        Posting(
            f"recharge:{customer.tenant_id}:{order.channel}:{order.number}",
            TransactionKind.RECHARGE,
            customer.tenant_id,
            (
                Move(clearing(order.channel), -order.amount_fen),
                Move(debt(customer.id), owed),
                Move(available(customer.id), order.amount_fen - owed),
            ),
            customer_id=customer.id,
            note=order.reason,
        ),
        at=at,
        by=by,
    )
    if order.gift_fen:
        given = Posting(
            f"gift:{customer.tenant_id}:{order.channel}:{order.number}",
            TransactionKind.GIFT,
            customer.tenant_id,
            (Move(DISCOUNT_GIFT, -order.gift_fen), Move(gift(customer.id), order.gift_fen)),
            customer_id=customer.id,
            note=order.reason,
        )
        post(session, given, at=at, by=by)
    recharge = Recharge(
        tenant_id=customer.tenant_id,
        customer_id=customer.id,
        channel=order.channel,
        number=order.number,
        amount_fen=order.amount_fen,
        reason=order.reason,
        voucher=order.voucher,
        paid_at=at,
        created_by=by,
        transaction_id=posted.transaction_id,
        before_fen=before_fen,
        after_fen=before_fen + order.amount_fen - owed,
        gift_fen=order.gift_fen,
    )
    session.add(recharge)
    session.flush()
    return recharge
