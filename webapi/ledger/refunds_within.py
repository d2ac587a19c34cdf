"""Rule of the proof: refunds are within what was paid, and what is payable is what is on its way."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from webapi.ledger.broken import Broken
from webapi.ledger.models import Account, AccountKind, Entry, Transaction, TransactionKind
from webapi.orders.models import Order
from webapi.recharges.models import Recharge
from webapi.refunds.models import PartState, RefundPart, RefundRequest

ON_ITS_WAY = (PartState.SUBMITTED, PartState.UNKNOWN)


def refunds_within(session: Session) -> list[Broken]:
    """Recharges and orders of which more was refunded than was paid, and payables that no part on its way explains."""
    return [*_recharges(session), *_orders(session), *_payable(session)]


def _recharges(session: Session) -> list[Broken]:
    back = func.sum(RefundPart.amount_fen)
    rows = session.execute(
        select(Recharge.id, Recharge.amount_fen, back)
        .join(RefundPart, RefundPart.recharge_id == Recharge.id)
        .where(RefundPart.state != PartState.FAILED)
        .group_by(Recharge.id, Recharge.amount_fen)
        .having(back > Recharge.amount_fen)
    )
    return [Broken("refunds_within_recharge", f"recharge:{one}", paid, int(found)) for one, paid, found in rows]


def _orders(session: Session) -> list[Broken]:
    back = -func.sum(Entry.amount_fen)
    rows = session.execute(
        select(Order.serial, Order.total_fen, back)
        .join(Transaction, Transaction.order_serial == Order.serial)
        .join(Entry, Entry.transaction_id == Transaction.id)
        .join(Account, Account.id == Entry.account_id)
        .where(Transaction.kind == TransactionKind.ORDER_REFUND, Account.kind == AccountKind.REVENUE)
        .group_by(Order.serial, Order.total_fen)
        .having(back > Order.total_fen)
    )
    return [Broken("refunds_within_order", serial, total, int(found)) for serial, total, found in rows]


def _payable(session: Session) -> list[Broken]:
    parts = {
        tenant: int(found)
        for tenant, found in session.execute(
            select(RefundRequest.tenant_id, func.sum(RefundPart.amount_fen))
            .join(RefundPart, RefundPart.request_id == RefundRequest.id)
            .where(RefundPart.state.in_(ON_ITS_WAY))
            .group_by(RefundRequest.tenant_id)
        )
    }
    books = {
        tenant: int(found)
        for tenant, found in session.execute(
            select(Account.tenant_id, func.sum(Entry.amount_fen))
            .join(Entry, Entry.account_id == Account.id)
            .where(Account.code == "refund:payable", Account.kind == AccountKind.PAYABLE)
            .group_by(Account.tenant_id)
        )
    }
    return [
        Broken("payable_is_on_its_way", f"tenant:{tenant}", parts.get(tenant, 0), books.get(tenant, 0))
        for tenant in sorted(parts.keys() | books.keys())
        if parts.get(tenant, 0) != books.get(tenant, 0)
    ]
