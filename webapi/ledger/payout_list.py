"""Payouts that were posted, newest first, and what each channel still has of what customers paid in."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, selectinload

from webapi.http.paging import NumberKey, Page, PageWish, page_of, read_cursor
from webapi.ledger.accounts import BANK, CHANNEL_FEE
from webapi.ledger.models import Account, AccountKind, Entry, Transaction, TransactionKind


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutView:
    """A payout as it stands in the books, in fen."""

    id: int
    tenant: int
    channel: str
    number: str
    amount_fen: int
    fee_fen: int
    received_fen: int
    at: datetime
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelView:
    """What a channel has collected for an operator and not yet paid out, in fen; below 0: it paid out too much."""

    tenant: int
    channel: str
    waiting_fen: int


@dataclass(frozen=True, slots=True)
class Payouts:
    """A page of payouts, and all channels."""

    channels: tuple[ChannelView, ...]
    items: tuple[PayoutView, ...]
    next: str | None


def list_payouts(session: Session, tenant: int | None, wish: PageWish) -> Payouts:
    """Those of an operator; none: of all."""
    query = _rows(tenant)
    after = read_cursor(wish.cursor, NumberKey)
    if after is not None:
        query = query.where(Transaction.id < after.id)
    found = session.scalars(query.order_by(Transaction.id.desc()).limit(wish.limit + 1)).all()
    page: Page[PayoutView] = page_of(found, wish.limit, lambda one: NumberKey(one.id)).map(payout_view)
    return Payouts(_channels(session, tenant), page.items, page.next)


def find_payout(session: Session, transaction_id: int) -> PayoutView:
    """One that was posted."""
    return payout_view(session.scalars(_rows(None).where(Transaction.id == transaction_id)).one())


def payout_view(posted: Transaction) -> PayoutView:
    """A payout out of its transaction: key and entries say everything."""
    _, tenant, channel, number = posted.key.split(":", 3)
    amounts = {entry.account.code: entry.amount_fen for entry in posted.entries}
    fee, received = -amounts.get(CHANNEL_FEE.code, 0), -amounts.get(BANK.code, 0)
    return PayoutView(
        id=posted.id,
        tenant=int(tenant),
        channel=channel,
        number=number,
        amount_fen=fee + received,
        fee_fen=fee,
        received_fen=received,
        at=posted.created_at,
        by=posted.created_by,
    )


def _rows(tenant: int | None) -> Select[Transaction]:
    query = select(Transaction).where(Transaction.kind == TransactionKind.PAYOUT)
    if tenant is not None:
        query = query.where(Transaction.tenant_id == tenant)
    return query.options(selectinload(Transaction.entries).joinedload(Entry.account))


def _channels(session: Session, tenant: int | None) -> tuple[ChannelView, ...]:
    query = (
        select(Account.tenant_id, Account.code, func.coalesce(func.sum(Entry.amount_fen), 0))
        .join(Entry, Entry.account_id == Account.id)
        .where(Account.kind == AccountKind.CLEARING)
        .group_by(Account.tenant_id, Account.code)
        .order_by(Account.tenant_id, Account.code)
    )
    if tenant is not None:
        query = query.where(Account.tenant_id == tenant)
    return tuple(
        ChannelView(tenant=whose, channel=code.split(":")[1], waiting_fen=-int(balance))
        for whose, code, balance in session.execute(query)
    )
