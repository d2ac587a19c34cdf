"""Tables of the ledger: accounts, transactions, entries, wallets and holds.

A positive entry is money that arrives on an account, a negative one money that leaves it; each transaction sums to
zero. So a recharge is clearing −, available +, and a debt is debt −, revenue +: `wallet.debt_fen` is the debt
account with its sign turned. The database itself keeps the books, on both databases alike, by triggers (migrations):

- entries, transactions and seals are never changed or deleted;
- each transaction needs a seal before the commit (deferred foreign key), a seal is given only to a transaction whose
  entries sum to zero, and a sealed one takes no further entry;
- the balances of a wallet move only together with an entry, by a trigger, and are never below 0.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapi.database import Base, RowId, UtcTime, Wording, one_of

if TYPE_CHECKING:
    from webapi.customers.models import Customer


class AccountKind(StrEnum):
    """What an account is for. The first four belong to a customer and stand in the wallet."""

    AVAILABLE = "available"
    HELD = "held"
    GIFT = "gift"
    DEBT = "debt"
    CLEARING = "clearing"
    REVENUE = "revenue"
    DISCOUNT = "discount"
    PAYABLE = "payable"
    BANK = "bank"
    CHANNEL_FEE = "channel_fee"
    ROUNDING = "rounding"
    WRITEOFF = "writeoff"


class TransactionKind(StrEnum):
    """Why money moved."""

    RECHARGE = "recharge"
    HOLD = "hold"
    EXTEND_HOLD = "extend_hold"
    RELEASE = "release"
    SETTLEMENT = "settlement"
    CORRECTION = "correction"
    DECISION = "decision"
    DEBT_PAID = "debt_paid"
    GIFT = "gift"
    GIFT_TAKEN_BACK = "gift_taken_back"
    REFUND_SUBMITTED = "refund_submitted"
    REFUND_PAID = "refund_paid"
    REFUND_FAILED = "refund_failed"
    ORDER_REFUND = "order_refund"
    PAYOUT = "payout"
    OCCUPANCY = "occupancy"
    WRITEOFF = "writeoff"


class HoldState(StrEnum):
    """`captured`: closed, something was taken. `released`: closed, nothing was."""

    OPEN = "open"
    CAPTURED = "captured"
    RELEASED = "released"


class Wallet(Base):
    """A customer's balances in fen; each is the sum of its account's entries. Only entries move them (trigger)."""

    __tablename__ = "wallet"
    __table_args__ = (
        CheckConstraint("available_fen >= 0", name="available"),
        CheckConstraint("held_fen >= 0", name="held"),
        CheckConstraint("gift_fen >= 0", name="gift"),
        CheckConstraint("debt_fen >= 0", name="debt"),
    )

    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"), primary_key=True, autoincrement=False)
    available_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    held_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    gift_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    debt_fen: Mapped[int] = mapped_column(BigInteger, default=0)

    customer: Mapped["Customer"] = relationship(back_populates="wallet")


class Account(Base):
    """An account of a tenant's books; its code is spelt in `webapi.ledger.accounts`."""

    __tablename__ = "ledger_account"
    __table_args__ = (
        UniqueConstraint("tenant_id", "code"),
        Index(None, "customer_id", "kind", unique=True),
        one_of("kind", AccountKind),
        CheckConstraint("(kind IN ('available', 'held', 'gift', 'debt')) = (customer_id IS NOT NULL)", name="customer"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenant.id"))
    code: Mapped[str] = mapped_column(String(64), comment="e.g. customer:12:available, revenue:electricity")
    kind: Mapped[AccountKind] = mapped_column(Wording(AccountKind))
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("wallet.customer_id"))


class Seal(Base):
    """Proof, given by the database, that a transaction is complete: two entries at least, summing to zero."""

    __tablename__ = "ledger_seal"

    transaction_id: Mapped[int] = mapped_column(RowId, primary_key=True, autoincrement=False)


class Transaction(Base):
    """One movement of money. Its key makes it single: `settlement:{serial}`, `recharge:{channel}:{number}`, …"""

    __tablename__ = "ledger_transaction"
    __table_args__ = (
        one_of("kind", TransactionKind),
        Index(None, "customer_id", "id"),
        Index(None, "tenant_id", "posting_date", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(
        RowId,
        ForeignKey("ledger_seal.transaction_id", deferrable=True, initially="DEFERRED"),
        primary_key=True,
        autoincrement=True,
    )
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenant.id"))
    key: Mapped[str] = mapped_column(String(120), unique=True)
    kind: Mapped[TransactionKind] = mapped_column(Wording(TransactionKind))
    posting_date: Mapped[date] = mapped_column(comment="Beijing day on which it was made")
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"))
    order_serial: Mapped[str | None] = mapped_column(ForeignKey("charging_order.serial"), index=True)
    note: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    created_by: Mapped[str] = mapped_column(String(64), comment="user:7, customer:12, worker …")

    entries: Mapped[list["Entry"]] = relationship(back_populates="transaction", viewonly=True)


class Entry(Base):
    """Money that arrives on (+) or leaves (−) an account, in fen; an account occurs once in a transaction."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        UniqueConstraint("transaction_id", "account_id"),
        Index(None, "account_id", "id"),
        CheckConstraint("amount_fen <> 0", name="amount"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    transaction_id: Mapped[int] = mapped_column(ForeignKey("ledger_transaction.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("ledger_account.id"))
    amount_fen: Mapped[int] = mapped_column(BigInteger)

    transaction: Mapped["Transaction"] = relationship(back_populates="entries", viewonly=True)
    account: Mapped["Account"] = relationship(viewonly=True)


class Hold(Base):
    """Money of a customer set aside for one order (冻结). Open: held = placed − captured − released."""

    __tablename__ = "hold"
    __table_args__ = (
        one_of("state", HoldState),
        CheckConstraint("placed_fen > 0 AND captured_fen >= 0 AND released_fen >= 0", name="amounts"),
        CheckConstraint("captured_fen + released_fen <= placed_fen", name="rest"),
        CheckConstraint("(state = 'open') OR (captured_fen + released_fen = placed_fen)", name="closed"),
        Index(None, "customer_id", "state"),
    )

    order_serial: Mapped[str] = mapped_column(ForeignKey("charging_order.serial"), primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("wallet.customer_id"))
    placed_fen: Mapped[int] = mapped_column(BigInteger, comment="all that was ever held for the order")
    captured_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    released_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    extensions: Mapped[int] = mapped_column(default=0, comment="how often it was lengthened; numbers the postings")
    state: Mapped[HoldState] = mapped_column(Wording(HoldState), default=HoldState.OPEN)
    placed_at: Mapped[datetime] = mapped_column(UtcTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcTime)

    @property
    def rest_fen(self) -> int:
        """What is still held."""
        return self.placed_fen - self.captured_fen - self.released_fen
