"""Tables of the customers (用户, 车主): the drivers."""

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapi.database import Base, RowId, UtcTime

if TYPE_CHECKING:
    from webapi.ledger.models import Wallet


class Customer(Base):
    """A driver of one tenant; `webapi.customers.open.open_customer` makes it, with wallet and accounts."""

    __tablename__ = "customer"
    __table_args__ = (Index(None, "tenant_id", "phone", unique=True), Index(None, "tenant_id", "opened_at", "id"))

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenant.id"))
    name: Mapped[str] = mapped_column(String(64))
    phone: Mapped[str | None] = mapped_column(String(20))
    first_station_code: Mapped[str | None] = mapped_column(ForeignKey("station.code"), comment="where first scanned")
    opened_at: Mapped[datetime] = mapped_column(UtcTime, comment="开户")
    blocked_at: Mapped[datetime | None] = mapped_column(UtcTime, comment="冻结账户: starts nothing")
    blocked_reason: Mapped[str | None] = mapped_column(String(200))
    archived_at: Mapped[datetime | None] = mapped_column(UtcTime)

    wallet: Mapped["Wallet"] = relationship(back_populates="customer")
