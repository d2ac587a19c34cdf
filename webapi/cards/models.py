"""Tables of the cards and vehicles by which customers are known at a pile, and of every attempt to start with one."""

from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapi.database import Base, RowId, UtcTime, Wording, one_of

if TYPE_CHECKING:
    from webapi.customers.models import Customer
    from webapi.orders.models import Order


class CardState(StrEnum):
    """Of a card or vehicle. `unbound`: it belonged to the customer until then; its row stays as history."""

    BOUND = "bound"
    BLOCKED = "blocked"
    UNBOUND = "unbound"


IN_USE = "state <> 'unbound'"
"""A number is unique among these; one that was unbound may be bound again, to whomever."""


class Card(Base):
    """A charging card (充电卡) in the hands of a customer; each binding is a row of its own, never deleted."""

    __tablename__ = "card"
    __table_args__ = (
        one_of("state", CardState),
        CheckConstraint("length(uid) = 16", name="uid"),
        CheckConstraint("(state = 'unbound') = (unbound_at IS NOT NULL)", name="unbound"),
        Index("uq_card_uid_in_use", "tenant_id", "uid", unique=True, sqlite_where=IN_USE, postgresql_where=IN_USE),
        Index(None, "customer_id", "id"),
        Index(None, "tenant_id", "uid", "id"),
        Index(None, "tenant_id", "printed_no"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenant.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    uid: Mapped[str] = mapped_column(String(16), comment="物理卡号: the 8 bytes of the wire in hex")
    printed_no: Mapped[str] = mapped_column(String(16), default="", comment="逻辑卡号: what is printed on it")
    state: Mapped[CardState] = mapped_column(Wording(CardState))
    state_since: Mapped[datetime] = mapped_column(UtcTime)
    reason: Mapped[str | None] = mapped_column(String(200), comment="why blocked or unbound")
    password_hash: Mapped[str | None] = mapped_column(
        String(200), comment="argon2 of the 16 hex digits that a pile sends; none: no password"
    )
    offline_allowed: Mapped[bool] = mapped_column(default=False, comment="may be kept in piles (0x44)")
    bound_at: Mapped[datetime] = mapped_column(UtcTime)
    unbound_at: Mapped[datetime | None] = mapped_column(UtcTime)

    customer: Mapped["Customer"] = relationship()


class Vehicle(Base):
    """A car of a customer, known by its VIN; each binding is a row of its own, never deleted."""

    __tablename__ = "vehicle"
    __table_args__ = (
        one_of("state", CardState),
        CheckConstraint("length(vin) = 17", name="vin"),
        CheckConstraint("(state = 'unbound') = (unbound_at IS NOT NULL)", name="unbound"),
        Index("uq_vehicle_vin_in_use", "tenant_id", "vin", unique=True, sqlite_where=IN_USE, postgresql_where=IN_USE),
        Index(None, "customer_id", "id"),
        Index(None, "tenant_id", "vin", "id"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenant.id"))
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    vin: Mapped[str] = mapped_column(String(17), comment="车架号, in reading order")
    plate: Mapped[str] = mapped_column(String(16), default="", comment="车牌")
    plug_and_charge: Mapped[bool] = mapped_column(default=True, comment="即插即充: may start by its VIN")
    state: Mapped[CardState] = mapped_column(Wording(CardState))
    state_since: Mapped[datetime] = mapped_column(UtcTime)
    reason: Mapped[str | None] = mapped_column(String(200), comment="why blocked or unbound")
    bound_at: Mapped[datetime] = mapped_column(UtcTime)
    unbound_at: Mapped[datetime | None] = mapped_column(UtcTime)

    customer: Mapped["Customer"] = relationship()


class CardAttempt(Base):
    """A driver's request at a pile (0x31, 0xA1), once each: what became of it answers "why did this car not charge".

    `reason`: why no order was made of it. An order's own refusal stands with the order.
    """

    __tablename__ = "card_attempt"
    __table_args__ = (
        Index(None, "tenant_id", "at", "request_id"),
        Index(None, "pile_number", "at", "request_id"),
        Index(None, "card", "at"),
        CheckConstraint("(reason IS NULL) = (order_serial IS NOT NULL)", name="outcome"),
    )

    request_id: Mapped[str] = mapped_column(String(64), primary_key=True, comment="id of the G/event")
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenant.id"))
    station_code: Mapped[str] = mapped_column(ForeignKey("station.code"), index=True)
    pile_number: Mapped[str] = mapped_column(ForeignKey("pile.number"))
    gun_no: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime] = mapped_column(UtcTime, comment="when it was heard")
    mode: Mapped[str] = mapped_column(String(16), comment="card, vin, account, or the code as a number")
    card: Mapped[str | None] = mapped_column(String(16), comment="as the pile read it")
    vin: Mapped[str | None] = mapped_column(String(17))
    joint_number: Mapped[str | None] = mapped_column(String(12))
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"), index=True)
    order_serial: Mapped[str | None] = mapped_column(ForeignKey("charging_order.serial"), index=True)
    reason: Mapped[str | None] = mapped_column(String(64), comment="evcs.contracts.reasons.Reason")
    figures_json: Mapped[str | None] = mapped_column(String(1000), comment="of the reason's sentence")

    customer: Mapped["Customer | None"] = relationship()
    order: Mapped["Order | None"] = relationship()
