"""Tables of the recharges (充值) and of those that wait for a second person."""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapi.database import Base, RowId, UtcTime, Wording, one_of

if TYPE_CHECKING:
    from webapi.customers.models import Customer


class Recharge(Base):
    """Money that came in for a customer. `number` is the channel's own; for `manual` that of the voucher or request."""

    __tablename__ = "recharge"
    __table_args__ = (
        UniqueConstraint("tenant_id", "channel", "number"),
        CheckConstraint("amount_fen > 0", name="amount"),
        Index(None, "customer_id", "paid_at", "id"),
        Index(None, "created_by", "paid_at"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenant.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    channel: Mapped[str] = mapped_column(String(16), comment="manual, wechat, alipay")
    number: Mapped[str] = mapped_column(String(64))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(String(200))
    voucher: Mapped[str | None] = mapped_column(String(100))
    paid_at: Mapped[datetime] = mapped_column(UtcTime)
    created_by: Mapped[str] = mapped_column(String(64))
    transaction_id: Mapped[int] = mapped_column(ForeignKey("ledger_transaction.id"))
    before_fen: Mapped[int | None] = mapped_column(BigInteger, comment="available before it; empty: an old row")
    after_fen: Mapped[int | None] = mapped_column(BigInteger, comment="available after it, a debt paid first")
    gift_fen: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0", comment="given with it")


class RequestState(StrEnum):
    """Of a recharge that waits for a second person; one that waits past its time can no longer be approved."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"


class RechargeRequest(Base):
    """A recharge above what one person may do alone (双人复核): another one approves or rejects it."""

    __tablename__ = "recharge_request"
    __table_args__ = (
        one_of("state", RequestState),
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("(state = 'waiting') = (decided_by IS NULL)", name="decided"),
        CheckConstraint("(state = 'approved') = (recharge_id IS NOT NULL)", name="recharged"),
        CheckConstraint("decided_by <> asked_by", name="two_persons"),
        Index(None, "tenant_id", "state", "id"),
        Index(None, "asked_by", "asked_at"),
        Index(None, "customer_id"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenant.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(String(200))
    voucher: Mapped[str] = mapped_column(String(100))
    state: Mapped[RequestState] = mapped_column(Wording(RequestState), default=RequestState.WAITING)
    asked_by: Mapped[str] = mapped_column(String(64), comment="user:7")
    asked_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime] = mapped_column(UtcTime)
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decided_at: Mapped[datetime | None] = mapped_column(UtcTime)
    decided_why: Mapped[str | None] = mapped_column(String(200))
    recharge_id: Mapped[int | None] = mapped_column(ForeignKey("recharge.id"), unique=True)

    customer: Mapped["Customer"] = relationship()
