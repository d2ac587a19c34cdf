"""Tables of the refunds (退款): what was asked for, and the parts in which a withdrawal is paid out."""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapi.database import Base, RowId, UtcTime, Wording, one_of

if TYPE_CHECKING:
    from webapi.customers.models import Customer


class RefundKind(StrEnum):
    """余额退款: out of the wallet to where it came from. 订单退款: an order's money back to the wallet."""

    WITHDRAWAL = "withdrawal"
    ORDER = "order"


class RefundState(StrEnum):
    """What was decided; how far the money of a withdrawal has come stands in its parts."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"


class PartState(StrEnum):
    """申请 → 审核 → 提交 → 成功 | 失败 | 未知 (domain 4.5); an unknown one is asked for, never sent as another."""

    REQUESTED = "requested"
    APPROVED = "approved"
    SUBMITTED = "submitted"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"


class RefundRequest(Base):
    """A refund that somebody asked for; amounts in fen. `two_persons`: who asked may not approve."""

    __tablename__ = "refund_request"
    __table_args__ = (
        one_of("kind", RefundKind),
        one_of("state", RefundState),
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("(kind = 'order') = (order_serial IS NOT NULL)", name="order"),
        CheckConstraint("electricity_fen >= 0 AND service_fen >= 0", name="lines"),
        CheckConstraint("kind <> 'order' OR amount_fen = electricity_fen + service_fen", name="whole"),
        CheckConstraint("(state = 'waiting') = (decided_by IS NULL)", name="decided"),
        CheckConstraint("NOT two_persons OR decided_by <> asked_by", name="two_persons"),
        CheckConstraint("transaction_id IS NULL OR (kind = 'order' AND state = 'approved')", name="posted"),
        Index(None, "tenant_id", "state", "id"),
        Index(None, "customer_id", "id"),
        Index(None, "order_serial"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenant.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    kind: Mapped[RefundKind] = mapped_column(Wording(RefundKind))
    order_serial: Mapped[str | None] = mapped_column(ForeignKey("charging_order.serial"))
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    electricity_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    service_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    reason: Mapped[str] = mapped_column(String(200))
    two_persons: Mapped[bool]
    state: Mapped[RefundState] = mapped_column(Wording(RefundState), default=RefundState.WAITING)
    asked_by: Mapped[str] = mapped_column(String(64), comment="user:7, customer:12")
    asked_at: Mapped[datetime] = mapped_column(UtcTime)
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decided_at: Mapped[datetime | None] = mapped_column(UtcTime)
    decided_why: Mapped[str | None] = mapped_column(String(200))
    transaction_id: Mapped[int | None] = mapped_column(ForeignKey("ledger_transaction.id"))

    customer: Mapped["Customer"] = relationship()
    parts: Mapped[list["RefundPart"]] = relationship(back_populates="request", order_by="RefundPart.no")


class RefundPart(Base):
    """A withdrawal's refund of one recharge, in fen. The parts of a recharge that did not fail are within it (trigger).

    Its number at the channel is made of request and part and never changes. What succeeded or failed is final.
    """

    __tablename__ = "refund_part"
    __table_args__ = (
        UniqueConstraint("request_id", "no"),
        UniqueConstraint("out_refund_no"),
        one_of("state", PartState),
        CheckConstraint("amount_fen > 0 AND gift_back_fen >= 0", name="amounts"),
        CheckConstraint("(state IN ('succeeded', 'failed')) = (settled_at IS NOT NULL)", name="settled"),
        Index(None, "recharge_id"),
        Index(None, "state", "next_query_at"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("refund_request.id"))
    no: Mapped[int] = mapped_column(Integer, comment="from 1")
    recharge_id: Mapped[int] = mapped_column(ForeignKey("recharge.id"))
    channel: Mapped[str] = mapped_column(String(16), comment="by which it goes; manual: a person pays")
    amount_fen: Mapped[int] = mapped_column(BigInteger)
    gift_back_fen: Mapped[int] = mapped_column(BigInteger, comment="from submission on: what was really taken")
    out_refund_no: Mapped[str] = mapped_column(String(64))
    state: Mapped[PartState] = mapped_column(Wording(PartState), default=PartState.REQUESTED)
    next_query_at: Mapped[datetime | None] = mapped_column(UtcTime, comment="when it is sent, or asked for again")
    queries: Mapped[int] = mapped_column(Integer, default=0, comment="how often it was sent or asked for")
    submitted_at: Mapped[datetime | None] = mapped_column(UtcTime)
    channel_refund_no: Mapped[str | None] = mapped_column(String(64))
    settled_at: Mapped[datetime | None] = mapped_column(UtcTime)
    settled_by: Mapped[str | None] = mapped_column(String(64), comment="user:7, worker")
    why: Mapped[str | None] = mapped_column(String(200), comment="the channel's words, or a person's")

    request: Mapped["RefundRequest"] = relationship(back_populates="parts")
