"""Export of the transaction records (交易记录): every posting that changed what a customer has.

Holds and their releases move nothing that leaves the customer, so they are no rows.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from marshmallow import fields
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session
from webargs.fields import DelimitedList

from evcs.contracts.reasons import Sentence
from webapi.access import Visible
from webapi.customers.masks import masked_phone
from webapi.customers.models import Customer
from webapi.exports.declare import Column, ExportKind, Say, Shape
from webapi.exports.words import TRANSACTIONS as WORDS
from webapi.http.fields import Body, Instant, number
from webapi.ledger.models import Account, Entry, Transaction, TransactionKind
from webapi.recharges.models import Recharge
from webapi.reports.tables import Cell
from webapi.users.roles import Right

AT_ONCE = 1000

COLUMNS = (
    Column(Sentence("流水号", "Number"), Shape.WHOLE, 12),
    Column(Sentence("时间", "Time"), Shape.TIME, 20),
    Column(Sentence("用户", "Customer"), Shape.TEXT, 14),
    Column(Sentence("手机号", "Phone"), Shape.TEXT, 14),
    Column(Sentence("类型", "Kind"), Shape.TEXT, 14),
    Column(Sentence("收入", "In"), Shape.FEN, 14, summed=True),
    Column(Sentence("支出", "Out"), Shape.FEN, 14, summed=True),
    Column(Sentence("渠道", "Channel"), Shape.TEXT, 12),
    Column(Sentence("订单", "Order"), Shape.TEXT, 34),
    Column(Sentence("操作人", "By"), Shape.TEXT, 14),
    Column(Sentence("备注", "Note"), Shape.TEXT, 30),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionFilter:
    """Which records; the range of time is half-open."""

    customer: int | None = None
    kind: Sequence[TransactionKind] = ()
    since: datetime | None = None
    until: datetime | None = None


class TransactionsQuery(Body):
    """Which records."""

    makes = TransactionFilter
    customer = number("只看该用户 · only of this customer")
    kind = DelimitedList(
        fields.Enum(TransactionKind, by_value=True), metadata={"description": "类型，逗号分隔 · kinds, commas between"}
    )
    since = Instant(metadata={"description": "不早于 · at or after"})
    until = Instant(metadata={"description": "早于 · before"})


def _changes(sees: Visible, wish: TransactionFilter) -> Select[int, int]:
    """Ids of the transactions with by how much each changed what its customer has."""
    change = func.sum(Entry.amount_fen)
    query = (
        select(Transaction.id, change.label("change"))
        .join(Entry, Entry.transaction_id == Transaction.id)
        .join(Account, Account.id == Entry.account_id)
        .where(
            Account.customer_id == Transaction.customer_id,
            Transaction.customer_id.in_(sees.customers().with_only_columns(Customer.id)),
        )
        .group_by(Transaction.id)
        .having(change != 0)
    )
    if wish.customer is not None:
        query = query.where(Transaction.customer_id == wish.customer)
    if wish.kind:
        query = query.where(Transaction.kind.in_(wish.kind))
    if wish.since is not None:
        query = query.where(Transaction.created_at >= wish.since)
    if wish.until is not None:
        query = query.where(Transaction.created_at < wish.until)
    return query


def _count(session: Session, sees: Visible, wish: TransactionFilter) -> int:
    return session.scalar(select(func.count()).select_from(_changes(sees, wish).subquery())) or 0


def _rows(session: Session, sees: Visible, wish: TransactionFilter, say: Say) -> Iterator[Sequence[tuple[Cell, ...]]]:
    in_full = Right.SEE_PHONES in sees.asker.rights
    below: int | None = None
    while True:
        newest = _changes(sees, wish)
        if below is not None:
            newest = newest.where(Transaction.id < below)
        page = newest.order_by(Transaction.id.desc()).limit(AT_ONCE).subquery()
        found = session.execute(
            select(Transaction, Customer, page.c.change, Recharge.channel)
            .join(page, page.c.id == Transaction.id)
            .join(Customer, Customer.id == Transaction.customer_id)
            .outerjoin(Recharge, Recharge.transaction_id == Transaction.id)
            .order_by(Transaction.id.desc())
        ).all()
        if not found:
            return
        yield [
            (
                row.id,
                row.created_at,
                customer.name,
                customer.phone if in_full else masked_phone(customer.phone),
                say(WORDS[row.kind]) if row.kind in WORDS else row.kind.value,
                int(change) if change > 0 else 0,
                -int(change) if change < 0 else 0,
                channel,
                row.order_serial,
                row.created_by,
                row.note,
            )
            for row, customer, change, channel in found
        ]
        below = found[-1][0].id
        session.expunge_all()


TRANSACTIONS = ExportKind(
    "transactions",
    Sentence("交易记录", "Transactions"),
    Right.SEE_ACCOUNTS,
    TransactionsQuery,
    COLUMNS,
    _count,
    _rows,
)
