"""Tables of the recharges (充值)."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webapi.database import Base, RowId, UtcTime


class Recharge(Base):
    """Money that came in for a customer. `number` is the channel's own; for `manual` that of the voucher or request."""

    __tablename__ = "recharge"
    __table_args__ = (
        UniqueConstraint("tenant_id", "channel", "number"),
        CheckConstraint("amount_fen > 0", name="amount"),
        Index(None, "customer_id", "paid_at", "id"),
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
