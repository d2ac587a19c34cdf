"""Proof that the books are right: each rule of money as a query that finds every row that breaks it."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, case, func, select, text
from sqlalchemy.orm import Session

from evcs.contracts.states import OrderState
from webapi.ledger.broken import Broken
from webapi.ledger.models import (
    Account,
    AccountKind,
    Entry,
    Hold,
    HoldState,
    Seal,
    Transaction,
    TransactionKind,
    Wallet,
)
from webapi.ledger.refunds_within import refunds_within
from webapi.orders.models import Bill, BillLine, Order

__all__ = ["RULES", "Broken", "Figures", "check", "figures"]

NOTHING_HELD = (
    OrderState.SETTLED,
    OrderState.REFUNDED,
    OrderState.REFUSED,
    OrderState.START_FAILED,
    OrderState.CANCELLED,
)
"""States in which an order may hold no money."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Where money came from and where it is, in fen, of one customer or of all."""

    paid_in: int
    debt: int
    available: int
    held: int
    gift: int
    spent: int
    in_transit: int
    written_off: int

    @property
    def sources(self) -> int:
        """Paid in and owed."""
        return self.paid_in + self.debt

    @property
    def uses(self) -> int:
        """Still in the wallet, spent (less discounts), on its way back, or written off."""
        return self.available + self.held + self.gift + self.spent + self.in_transit + self.written_off


def check(session: Session) -> list[Broken]:
    """Find all that is wrong with the books; nothing, when they are right. Reads only: use a snapshot."""
    return [broken for find in RULES.values() for broken in find(session)]


def figures(session: Session, customer_id: int | None = None) -> Figures:
    """Sources and uses: flows from the entries, balances from the wallets."""

    def of(*kinds: AccountKind) -> ColumnElement[int]:
        return func.coalesce(func.sum(case((Account.kind.in_(kinds), Entry.amount_fen), else_=0)), 0)

    flows = (
        select(
            of(AccountKind.CLEARING, AccountKind.BANK, AccountKind.CHANNEL_FEE),
            of(AccountKind.REVENUE, AccountKind.DISCOUNT),
            of(AccountKind.PAYABLE),
            of(AccountKind.WRITEOFF),
        )
        .select_from(Entry)
        .join(Account, Account.id == Entry.account_id)
        .join(Transaction, Transaction.id == Entry.transaction_id)
        .where(Transaction.customer_id.is_not(None))
    )
    wallets = select(
        func.coalesce(func.sum(Wallet.debt_fen), 0),
        func.coalesce(func.sum(Wallet.available_fen), 0),
        func.coalesce(func.sum(Wallet.held_fen), 0),
        func.coalesce(func.sum(Wallet.gift_fen), 0),
    )
    if customer_id is not None:
        flows = flows.where(Transaction.customer_id == customer_id)
        wallets = wallets.where(Wallet.customer_id == customer_id)
    paid, spent, in_transit, written_off = session.execute(flows).one()
    debt, available, held, gift = session.execute(wallets).one()
    return Figures(
        -int(paid), int(debt), int(available), int(held), int(gift), int(spent), int(in_transit), int(written_off)
    )


def _transactions(session: Session) -> list[Broken]:
    total = func.coalesce(func.sum(Entry.amount_fen), 0)
    unbalanced = session.execute(
        select(Transaction.key, total)
        .outerjoin(Entry, Entry.transaction_id == Transaction.id)
        .group_by(Transaction.id, Transaction.key)
        .having((total != 0) | (func.count(Entry.id) < 2))
    )
    unsealed = session.scalars(
        select(Transaction.key)
        .outerjoin(Seal, Seal.transaction_id == Transaction.id)
        .where(Seal.transaction_id.is_(None))
    )
    return [
        *(Broken("transaction_sums_to_zero", key, 0, int(found)) for key, found in unbalanced),
        *(Broken("transaction_is_sealed", key, 1, 0) for key in unsealed),
    ]


def _balances(session: Session) -> list[Broken]:
    broken = []
    for kind, balance, sign in (
        (AccountKind.AVAILABLE, Wallet.available_fen, 1),
        (AccountKind.HELD, Wallet.held_fen, 1),
        (AccountKind.GIFT, Wallet.gift_fen, 1),
        (AccountKind.DEBT, Wallet.debt_fen, -1),
    ):
        entries = func.coalesce(func.sum(Entry.amount_fen), 0) * sign
        rows = session.execute(
            select(Wallet.customer_id, balance, entries)
            .outerjoin(Account, and_(Account.customer_id == Wallet.customer_id, Account.kind == kind))
            .outerjoin(Entry, Entry.account_id == Account.id)
            .group_by(Wallet.customer_id, balance)
            .having((balance != entries) | (balance < 0))
        )
        broken += [
            Broken("balance_is_its_entries", f"customer:{customer}:{kind.value}", int(sum_), found)
            for customer, found, sum_ in rows
        ]
    return broken


def _holds(session: Session) -> list[Broken]:
    open_rest = func.coalesce(func.sum(Hold.placed_fen - Hold.captured_fen - Hold.released_fen), 0)
    unequal = session.execute(
        select(Wallet.customer_id, Wallet.held_fen, open_rest)
        .outerjoin(Hold, and_(Hold.customer_id == Wallet.customer_id, Hold.state == HoldState.OPEN))
        .group_by(Wallet.customer_id, Wallet.held_fen)
        .having(Wallet.held_fen != open_rest)
    )
    forgotten = session.execute(
        select(Hold.order_serial, Hold.placed_fen - Hold.captured_fen - Hold.released_fen)
        .join(Order, Order.serial == Hold.order_serial)
        .where(Hold.state == HoldState.OPEN, Order.state.in_(NOTHING_HELD))
    )
    return [
        *(Broken("held_is_open_holds", f"customer:{who}", int(holds), held) for who, held, holds in unequal),
        *(Broken("closed_order_holds_nothing", serial, 0, int(rest)) for serial, rest in forgotten),
    ]


def _strangers(session: Session) -> list[Broken]:
    rows = session.execute(
        select(Transaction.key, Entry.amount_fen)
        .join(Entry, Entry.transaction_id == Transaction.id)
        .join(Account, Account.id == Entry.account_id)
        .where(
            Account.customer_id.is_not(None),
            func.coalesce(Transaction.customer_id, 0) != Account.customer_id,
        )
    )
    return [Broken("customer_account_in_own_transaction", key, 0, amount) for key, amount in rows]


def _flows(session: Session) -> list[Broken]:
    found = figures(session)
    if found.sources != found.uses:
        return [
            Broken("sources_are_uses", f"customer:{customer}", of_one.sources, of_one.uses)
            for customer in session.scalars(select(Wallet.customer_id))
            if (of_one := figures(session, customer)).sources != of_one.uses
        ] or [Broken("sources_are_uses", "all customers", found.sources, found.uses)]
    return []


def _orders(session: Session) -> list[Broken]:
    # A refund takes back revenue, but the order costs what it cost: refunds stand apart (domain 4.5).
    counts = and_(
        Account.kind.in_((AccountKind.REVENUE, AccountKind.DISCOUNT)), Transaction.kind != TransactionKind.ORDER_REFUND
    )
    posted = func.coalesce(func.sum(case((counts, Entry.amount_fen), else_=0)), 0)
    rows = session.execute(
        select(Order.serial, Order.total_fen, posted)
        .outerjoin(Transaction, Transaction.order_serial == Order.serial)
        .outerjoin(Entry, Entry.transaction_id == Transaction.id)
        .outerjoin(Account, Account.id == Entry.account_id)
        .group_by(Order.serial, Order.total_fen)
        .having(Order.total_fen != posted)
    )
    return [Broken("order_total_is_posted", serial, total, int(found)) for serial, total, found in rows]


def _bills(session: Session) -> list[Broken]:
    amounts = func.coalesce(func.sum(BillLine.electricity_fen + BillLine.service_fen), 0)
    whole = Bill.electricity_fen + Bill.service_fen
    energy = func.coalesce(func.sum(BillLine.energy_kwh), 0)
    of_bill = (Bill.id, Bill.order_serial, Bill.kind)
    unequal = session.execute(
        select(Bill.order_serial, Bill.kind, whole, amounts)
        .outerjoin(BillLine, BillLine.bill_id == Bill.id)
        .group_by(*of_bill, Bill.electricity_fen, Bill.service_fen)
        .having(whole != amounts)
    )
    drawn = session.execute(
        select(Bill.order_serial, Bill.kind, Bill.energy_kwh, energy)
        .outerjoin(BillLine, BillLine.bill_id == Bill.id)
        .group_by(*of_bill, Bill.energy_kwh)
        .having(Bill.energy_kwh != energy)
    )
    return [
        *(
            Broken("bill_is_its_lines", f"{serial} {kind.value}", all_, int(lines))
            for serial, kind, all_, lines in unequal
        ),
        *(
            Broken("bill_energy_is_its_lines", f"{serial} {kind.value}", int(all_ * 10_000), int(lines * 10_000))
            for serial, kind, all_, lines in drawn
        ),
    ]


def _rounding(session: Session) -> list[Broken]:
    rows = session.execute(
        select(Account.tenant_id, func.sum(Entry.amount_fen))
        .join(Entry, Entry.account_id == Account.id)
        .where(Account.kind == AccountKind.ROUNDING)
        .group_by(Account.tenant_id)
        .having(func.sum(Entry.amount_fen) != 0)
    )
    return [Broken("rounding_is_zero", f"tenant:{tenant}", 0, int(found)) for tenant, found in rows]


def _once(session: Session) -> list[Broken]:
    rows = session.execute(
        select(Transaction.order_serial, Transaction.kind, func.count())
        .where(Transaction.kind.in_((TransactionKind.SETTLEMENT, TransactionKind.CORRECTION)))
        .where(Transaction.order_serial.is_not(None))
        .group_by(Transaction.order_serial, Transaction.kind)
        .having(func.count() > 1)
    )
    return [Broken("settled_and_corrected_once", f"{serial} {kind.value}", 1, found) for serial, kind, found in rows]


def _guards(session: Session) -> list[Broken]:
    if session.get_bind().dialect.name == "postgresql":
        wanted = {f"{table}_append_only" for table in GUARDED}
        query = "SELECT tgname FROM pg_trigger WHERE tgenabled IN ('O', 'A')"
    else:
        wanted = {f"{table}_no_{deed}" for table in GUARDED for deed in ("update", "delete")}
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    missing = wanted - set(session.scalars(text(query)))
    return [Broken("books_are_append_only", f"trigger:{name}", 1, 0) for name in sorted(missing)]


GUARDED = ("ledger_entry", "ledger_transaction", "ledger_seal", "ledger_account", "bill", "bill_line")
"""Tables whose rows a trigger keeps from being changed or deleted (M3)."""

RULES: dict[str, Callable[[Session], list[Broken]]] = {
    "M1 transactions sum to zero and are sealed": _transactions,
    "M1 balances are the sums of their entries": _balances,
    "M1 what is held is what open orders hold": _holds,
    "M2 customer accounts move in their own customer's transactions": _strangers,
    "M2 sources are uses": _flows,
    "M3 triggers keep the books append only": _guards,
    "M4 one settlement and one correction of an order": _once,
    "order totals are posted": _orders,
    "refunds are within what was paid": refunds_within,
    "bills are their lines": _bills,
    "rounding is 0": _rounding,
}
"""What is proved, in the order of the proof; each finds the rows that break it."""
