"""Tables of the audit: who did what, when, from where."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapi.database import Base, RowId, UtcTime


class AuditEntry(Base):
    """One deed or refusal; append only (triggers refuse anything else). Holds no secret."""

    __tablename__ = "audit"
    __table_args__ = (
        Index(None, "tenant_id", "at", "id"),
        Index(None, "object_kind", "object_id", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcTime)
    actor: Mapped[str] = mapped_column(String(64), comment="user:7, customer:12, worker, nobody")
    action: Mapped[str] = mapped_column(String(64), comment="e.g. sign_in, recharge, order_create, order_stop")
    outcome: Mapped[str] = mapped_column(String(64), default="done", comment="done, or the code of the refusal")
    tenant_id: Mapped[int | None] = mapped_column(ForeignKey("tenant.id"))
    station_code: Mapped[str | None] = mapped_column(String(32), index=True)
    object_kind: Mapped[str | None] = mapped_column(String(32), comment="order, customer, station …")
    object_id: Mapped[str | None] = mapped_column(String(64))
    address: Mapped[str | None] = mapped_column(String(64), comment="from where")
    request_id: Mapped[str | None] = mapped_column(String(64))
    details_json: Mapped[str | None] = mapped_column(Text)
