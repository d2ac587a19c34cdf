"""Reading customers, their wallets and their statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, Select, case, func, or_, select
from sqlalchemy.orm import Session, joinedload

from webapi.access import Visible
from webapi.cards.models import Card, CardState, Vehicle
from webapi.cards.numbers import UID_DIGITS, spell_uid, spellings
from webapi.cards.rights import sees_numbers
from webapi.customers.masks import masked_phone
from webapi.customers.models import Customer
from webapi.http.paging import NumberKey, Page, PageWish, page_of, read_cursor
from webapi.ledger.models import Account, AccountKind, Entry, Transaction, TransactionKind, Wallet
from webapi.orders.models import Order
from webapi.recharges.models import Recharge
from webapi.users.roles import Right


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletView:
    """Balances in fen."""

    available_fen: int
    held_fen: int
    gift_fen: int
    debt_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerView:
    """A customer as lists and the page show it."""

    id: int
    name: str
    phone: str | None
    first_station: str | None
    opened_at: datetime
    blocked_at: datetime | None
    blocked_reason: str | None
    wallet: WalletView


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerFilter(PageWish):
    """Which customers: by part of the name, or phone number, card, plate or VIN; blocked ones only, or only others."""

    q: str | None = None
    blocked: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementFilter(PageWish):
    """Which lines; the range of the time of posting is half-open. `kind`: none is all."""

    kind: Sequence[TransactionKind] = ()
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """Money that came (+) or went (−), in fen, and what the customer had after it.

    `balance_fen` is available + held + gift − debt: holds move nothing, since the money is still the customer's. The
    four balances themselves stand in `after`.
    """

    id: int
    at: datetime
    kind: TransactionKind
    change_fen: int
    balance_fen: int
    after: WalletView
    serial: str | None
    station: str | None
    energy_kwh: Decimal | None
    channel: str | None
    reason: str | None
    voucher: str | None
    by: str


def wallet_view(wallet: Wallet) -> WalletView:
    """The balances as they are."""
    return WalletView(
        available_fen=wallet.available_fen,
        held_fen=wallet.held_fen,
        gift_fen=wallet.gift_fen,
        debt_fen=wallet.debt_fen,
    )


def customer_view(customer: Customer, sees: Visible) -> CustomerView:
    """A customer for somebody: the phone number only in full for who needs it."""
    in_full = Right.SEE_PHONES in sees.asker.rights
    return CustomerView(
        id=customer.id,
        name=customer.name,
        phone=customer.phone if in_full else masked_phone(customer.phone),
        first_station=customer.first_station_code,
        opened_at=customer.opened_at,
        blocked_at=customer.blocked_at,
        blocked_reason=customer.blocked_reason,
        wallet=wallet_view(customer.wallet),
    )


def list_customers(session: Session, sees: Visible, wish: CustomerFilter) -> Page[CustomerView]:
    """Customers, newest first."""
    query = sees.customers().options(joinedload(Customer.wallet))
    if wish.q is not None:
        query = query.where(_matches(wish.q.strip(), sees))
    if wish.blocked is not None:
        query = query.where(Customer.blocked_at.is_not(None) if wish.blocked else Customer.blocked_at.is_(None))
    after = read_cursor(wish.cursor, NumberKey)
    if after is not None:
        query = query.where(Customer.id < after.id)
    found = session.scalars(query.order_by(Customer.id.desc()).limit(wish.limit + 1)).all()
    return page_of(found, wish.limit, lambda customer: NumberKey(customer.id)).map(
        lambda customer: customer_view(customer, sees)
    )


def find_customer(session: Session, sees: Visible, customer_id: int, *, lock: bool = False) -> Customer | None:
    """One customer; locked for a change."""
    query = sees.customers().where(Customer.id == customer_id)
    return session.scalars(query.with_for_update(of=Customer, key_share=True) if lock else query).one_or_none()


def statement(session: Session, sees: Visible, customer_id: int, wish: StatementFilter) -> Page[StatementLine]:
    """Recharges and charges of a customer, newest first; the customer is visible."""
    page = page_of(
        session.execute(_changes(customer_id, wish).limit(wish.limit + 1)).all(),
        wish.limit,
        lambda row: NumberKey(row[0].id),
    )
    if not page.items:
        return Page((), None)
    recharges = {
        row.transaction_id: row
        for row in session.scalars(
            select(Recharge).where(Recharge.transaction_id.in_([transaction.id for transaction, *_ in page.items]))
        )
    }
    serials = [transaction.order_serial for transaction, *_ in page.items if transaction.order_serial is not None]
    orders = {order.serial: order for order in session.scalars(sees.orders().where(Order.serial.in_(serials)))}
    lines = []
    for transaction, change, available, held, gift, debt in page.items:
        order = orders.get(transaction.order_serial or "")
        recharge = recharges.get(transaction.id)
        lines.append(
            StatementLine(
                id=transaction.id,
                at=transaction.created_at,
                kind=transaction.kind,
                change_fen=int(change),
                balance_fen=int(available + held + gift + debt),
                after=WalletView(
                    available_fen=int(available), held_fen=int(held), gift_fen=int(gift), debt_fen=-int(debt)
                ),
                serial=None if order is None else order.serial,
                station=None if order is None else order.station_code,
                energy_kwh=None if order is None else order.energy_kwh,
                channel=None if recharge is None else recharge.channel,
                reason=None if recharge is None else recharge.reason,
                voucher=None if recharge is None else recharge.voucher,
                by=transaction.created_by,
            )
        )
    return Page(tuple(lines), page.next)


def _matches(q: str, sees: Visible) -> ColumnElement[bool]:
    """By part of the name; by part of the phone number only for who may read it (else digits could be tried out)."""
    phone = (
        Customer.phone.contains(q, autoescape=True) if Right.SEE_PHONES in sees.asker.rights else Customer.phone == q
    )
    return or_(Customer.name.contains(q, autoescape=True), phone, _has_card(q, sees), _has_vehicle(q, sees))


def _has_card(q: str, sees: Visible) -> ColumnElement[bool]:
    """A card in use: its whole chip number in any spelling, or the printed one; by part of that for who may read it."""
    printed = Card.printed_no.contains(q, autoescape=True) if sees_numbers(sees) else Card.printed_no == q
    uid = spell_uid(q)
    numbers = or_(printed, Card.uid.in_(spellings(uid))) if len(uid) == UID_DIGITS else printed
    return Customer.id.in_(select(Card.customer_id).where(Card.state != CardState.UNBOUND, numbers))


def _has_vehicle(q: str, sees: Visible) -> ColumnElement[bool]:
    """A vehicle in use: its VIN or plate; by part of them for who may read them."""
    upper = q.upper()
    if sees_numbers(sees):
        numbers = or_(Vehicle.vin.contains(upper, autoescape=True), Vehicle.plate.contains(upper, autoescape=True))
    else:
        numbers = or_(Vehicle.vin == upper, Vehicle.plate == upper)
    return Customer.id.in_(select(Vehicle.customer_id).where(Vehicle.state != CardState.UNBOUND, numbers))


def _changes(customer_id: int, wish: StatementFilter) -> Select[Transaction, int, int, int, int, int]:
    """Transactions that changed what the customer has, by how much, and the sums of the four accounts after each."""

    def of(kind: AccountKind) -> ColumnElement[int]:
        moved = func.sum(case((Account.kind == kind, Entry.amount_fen), else_=0))
        return func.sum(moved).over(order_by=Entry.transaction_id).label(kind.value)

    sums = (
        select(
            Entry.transaction_id.label("transaction_id"),
            func.sum(Entry.amount_fen).label("change"),
            of(AccountKind.AVAILABLE),
            of(AccountKind.HELD),
            of(AccountKind.GIFT),
            of(AccountKind.DEBT),
        )
        .join(Account, Account.id == Entry.account_id)
        .where(Account.customer_id == customer_id)
        .group_by(Entry.transaction_id)
        .subquery()
    )
    after = read_cursor(wish.cursor, NumberKey)
    wanted = [sums.c.change != 0]
    if wish.kind:
        wanted.append(Transaction.kind.in_(wish.kind))
    if wish.since is not None:
        wanted.append(Transaction.created_at >= wish.since)
    if wish.until is not None:
        wanted.append(Transaction.created_at < wish.until)
    if after is not None:
        wanted.append(Transaction.id < after.id)
    return (
        select(Transaction, sums.c.change, sums.c.available, sums.c.held, sums.c.gift, sums.c.debt)
        .join(sums, sums.c.transaction_id == Transaction.id)
        .where(*wanted)
        .order_by(Transaction.id.desc())
    )
