"""Order refunds (订单退款): an order's money, by line, back to the wallet that paid it; its revenue is reversed."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from evcs.contracts.states import OrderState
from webapi.http.problems import Code
from webapi.ledger.accounts import (
    REVENUE_ELECTRICITY,
    REVENUE_SERVICE,
    available,
    debt,
    gift,
)
from webapi.ledger.models import Account, AccountKind, Entry, Transaction, TransactionKind
from webapi.ledger.post import Move, Posting, lock_wallet, post
from webapi.orders import life
from webapi.orders.advance import lock_order, observe
from webapi.orders.models import Order
from webapi.refunds.errors import RefundRefused
from webapi.refunds.models import RefundKind, RefundRequest, RefundState
from webapi.refusals import yuan

ALONE_FEN = 10_000
"""100 yuan: above it who asked cannot approve."""


@dataclass(frozen=True, slots=True)
class Rest:
    """What of an order can still be refunded, in fen; a discount was never paid, so the lines may say more."""

    total_fen: int
    electricity_fen: int
    service_fen: int


def ask_order_refund(
    session: Session, order: Order, electricity_fen: int, service_fen: int, reason: str, *, at: datetime, by: str
) -> RefundRequest:
    """Ask for some of an order back. No money moves yet. Raises RefundRefused."""
    order = _lock(session, order.serial)
    customer_id = _payer(order)
    _check(session, order, electricity_fen, service_fen)
    amount_fen = electricity_fen + service_fen
    request = RefundRequest(
        tenant_id=order.tenant_id,
        customer_id=customer_id,
        kind=RefundKind.ORDER,
        order_serial=order.serial,
        amount_fen=amount_fen,
        electricity_fen=electricity_fen,
        service_fen=service_fen,
        reason=reason,
        two_persons=amount_fen > ALONE_FEN,
        state=RefundState.WAITING,
        asked_by=by,
        asked_at=at,
    )
    session.add(request)
    session.flush()
    return request


def approve_order_refund(session: Session, request: RefundRequest, why: str | None, *, at: datetime, by: str) -> None:
    """Give it back: revenue → wallet, an open debt first, and to the gift what the gift paid. Raises RefundRefused.

    What was paid by gift is reckoned from the whole that is refunded by then, rounded down but for the last refund.
    An order of which nothing is left is `refunded`. The caller has locked the request.
    """
    order = _lock(session, request.order_serial or "")
    customer = _payer(order)
    _check(session, order, request.electricity_fen, request.service_fen, but=request.id)
    wallet = lock_wallet(session, customer)
    done_fen = order.total_fen - rest_of(session, order, decided_only=True).total_fen + request.amount_fen
    paid_gift, returned_gift = _gift(session, order)
    to_gift = max(0, paid_gift * done_fen // order.total_fen - returned_gift)
    to_debt = min(wallet.debt_fen, request.amount_fen - to_gift)
    posted = post(
        session,
        Posting(
            f"order_refund:{request.id}",
            TransactionKind.ORDER_REFUND,
            order.tenant_id,
            (
                Move(REVENUE_ELECTRICITY, -request.electricity_fen),
                Move(REVENUE_SERVICE, -request.service_fen),
                Move(gift(customer), to_gift),
                Move(debt(customer), to_debt),
                Move(available(customer), request.amount_fen - to_gift - to_debt),
            ),
            customer_id=customer,
            order_serial=order.serial,
            note=request.reason,
        ),
        at=at,
        by=by,
    )
    request.state = RefundState.APPROVED
    request.decided_by, request.decided_at, request.decided_why = by, at, why
    request.transaction_id = posted.transaction_id
    session.flush()
    if done_fen == order.total_fen:
        observe(session, order, life.GivenBack(), at=at, by=by)
    session.flush()


def rest_of(session: Session, order: Order, *, but: int = 0, decided_only: bool = False) -> Rest:
    """What is left, less the refunds that were made or, unless `decided_only`, wait; `but`: leaving out that one."""
    states = (RefundState.APPROVED,) if decided_only else (RefundState.APPROVED, RefundState.WAITING)
    amount, electricity, service = session.execute(
        select(
            func.coalesce(func.sum(RefundRequest.amount_fen), 0),
            func.coalesce(func.sum(RefundRequest.electricity_fen), 0),
            func.coalesce(func.sum(RefundRequest.service_fen), 0),
        ).where(RefundRequest.order_serial == order.serial, RefundRequest.state.in_(states), RefundRequest.id != but)
    ).one()
    return Rest(
        order.total_fen - int(amount), order.electricity_fen - int(electricity), order.service_fen - int(service)
    )


def _lock(session: Session, serial: str) -> Order:
    order = lock_order(session, serial)
    if order is None or order.customer_id is None or order.state is not OrderState.SETTLED or order.provisional:
        # A provisional settlement may still be corrected by its record, and so may not be given back yet.
        raise RefundRefused(Code.REFUND_ORDER_NOT_SETTLED)
    return order


def _payer(order: Order) -> int:
    if order.customer_id is None:
        raise RefundRefused(Code.REFUND_ORDER_NOT_SETTLED)
    return order.customer_id


def _check(session: Session, order: Order, electricity_fen: int, service_fen: int, *, but: int = 0) -> None:
    rest = rest_of(session, order, but=but)
    over = electricity_fen > rest.electricity_fen or service_fen > rest.service_fen
    if over or electricity_fen + service_fen > rest.total_fen:
        raise RefundRefused(
            Code.REFUND_OVER_ORDER,
            left=yuan(rest.total_fen),
            electricity=yuan(min(rest.electricity_fen, rest.total_fen)),
            service=yuan(min(rest.service_fen, rest.total_fen)),
        )


def _gift(session: Session, order: Order) -> tuple[int, int]:
    """What of the order was paid by gift, and what of that was given back already, in fen."""
    rows = session.execute(
        select(Transaction.kind, Entry.amount_fen)
        .join(Entry, Entry.transaction_id == Transaction.id)
        .join(Account, Account.id == Entry.account_id)
        .where(Transaction.order_serial == order.serial, Account.kind == AccountKind.GIFT)
    ).all()
    returned = sum(fen for kind, fen in rows if kind is TransactionKind.ORDER_REFUND)
    return -sum(fen for kind, fen in rows if kind is not TransactionKind.ORDER_REFUND), returned
