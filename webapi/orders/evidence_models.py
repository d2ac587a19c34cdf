"""Tables of an order's evidence: frames and what was said in its time, and the bundle fixed with each bill."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webapi.database import Base, RowId, UtcTime, Wording, one_of


class FrameKind(StrEnum):
    """What an entry of an order's evidence is."""

    VERDICT = "verdict"
    """The gate's, and what `rules` found out in the course: goal reached, hold low."""
    CAP = "cap"
    """The gun's power cap became another (`G/session`)."""
    REPLY = "reply"
    """What became of a start or stop: 0x33, 0x35, or the silence that was told instead."""
    EVENT = "event"
    """`G/event`: card request (0x31), failed start, and the car's and charger's own words."""


class OrderFrame(Base):
    """A message about an order as it came, with the frame on which it rests. Never changed, never deleted."""

    __tablename__ = "order_frame"
    __table_args__ = (
        UniqueConstraint("order_serial", "kind", "message_id"),
        one_of("kind", FrameKind),
        Index(None, "order_serial", "id"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    order_serial: Mapped[str] = mapped_column(ForeignKey("charging_order.serial"))
    kind: Mapped[FrameKind] = mapped_column(Wording(FrameKind))
    message_id: Mapped[str] = mapped_column(String(96))
    at: Mapped[datetime] = mapped_column(UtcTime, comment="received by the bridge, or decided by rules")
    frame_hex: Mapped[str] = mapped_column(Text, comment="empty: it rests on no frame")
    said_json: Mapped[str] = mapped_column(Text, comment="the contract message, with its receipt, without frame_hex")


class OrderEvidence(Base):
    """Everything a bill rests on, fixed in the transaction that wrote the bill. Never changed, never deleted.

    `hash` is SHA-256 over the hash of the order's bundle before this one, a line feed, and the content: no bundle can
    be exchanged without all that follow it.
    """

    __tablename__ = "order_evidence"
    __table_args__ = (UniqueConstraint("order_serial", "n"),)

    bill_id: Mapped[int] = mapped_column(ForeignKey("bill.id"), primary_key=True, autoincrement=False)
    order_serial: Mapped[str] = mapped_column(ForeignKey("charging_order.serial"))
    n: Mapped[int] = mapped_column(Integer, comment="from 1: settlement, correction, decision")
    content: Mapped[str] = mapped_column(Text, comment="webapi.orders.evidence.Bundle, canonical JSON")
    before_hash: Mapped[str] = mapped_column(String(64), comment="of the bundle before it; empty: the first")
    hash: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime] = mapped_column(UtcTime)
