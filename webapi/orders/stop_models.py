"""Table of the stop commands of orders."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from webapi.database import Base, UtcTime


class OrderStop(Base):
    """A stop (0x36) that was sent for an order; each repetition is one of its own, under its own id."""

    __tablename__ = "order_stop"
    __table_args__ = (Index(None, "order_serial", "sent_at"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True, comment="id of the G/stop")
    order_serial: Mapped[str] = mapped_column(ForeignKey("charging_order.serial"))
    why: Mapped[str] = mapped_column(String(64), comment="evcs.contracts.reasons.Reason")
    sent_at: Mapped[datetime] = mapped_column(UtcTime, comment="given to the outbox")
    replied_at: Mapped[datetime | None] = mapped_column(UtcTime)
    outcome: Mapped[str | None] = mapped_column(String(24), comment="evcs.contracts.pile.Outcome")
