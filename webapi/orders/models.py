"""Tables of the charging orders: the order, its register marks, the piles' charge records and our bills."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from evcs.contracts.gun import MarkReason
from evcs.contracts.states import GoalKind, OrderState, StartSource, TariffBand
from webapi.database import Base, EnergyKwh, PowerKw, RowId, UtcTime, Wording, one_of

if TYPE_CHECKING:
    from webapi.customers.models import Customer
    from webapi.ledger.models import Hold
    from webapi.piles.models import Pile
    from webapi.stations.models import Station
    from webapi.tariffs.models import TariffVersion


class Order(Base):
    """A charging order (充电订单), from the hold to the settlement; `webapi.orders.life` alone decides its state.

    Amounts in fen: total = electricity + service + occupancy − discount, which is what the customer pays. Station
    and pile are those of the charge and stay, also when the pile moves. `version` guards against lost updates:
    a stale write raises `sqlalchemy.orm.exc.StaleDataError`.
    """

    __tablename__ = "charging_order"
    __table_args__ = (
        ForeignKeyConstraint(["pile_number", "gun_no"], ["gun.pile_number", "gun.no"]),
        one_of("state", OrderState),
        one_of("goal_kind", GoalKind),
        one_of("source", StartSource),
        CheckConstraint("length(serial) = 32", name="serial"),
        CheckConstraint("(goal_kind = 'time') = (goal_duration_s IS NOT NULL)", name="goal_time"),
        CheckConstraint("(goal_kind = 'amount') = (goal_amount_fen IS NOT NULL)", name="goal_amount"),
        CheckConstraint("(goal_kind = 'energy') = (goal_energy_kwh IS NOT NULL)", name="goal_energy"),
        CheckConstraint(
            "electricity_fen >= 0 AND service_fen >= 0 AND occupancy_fen >= 0 AND discount_fen >= 0", name="amounts"
        ),
        CheckConstraint("total_fen = electricity_fen + service_fen + occupancy_fen - discount_fen", name="total"),
        Index(None, "tenant_id", "requested_at", "serial"),
        Index(None, "station_code", "requested_at", "serial"),
        Index(None, "customer_id", "requested_at", "serial"),
        Index(None, "station_code", "business_date"),
        Index(None, "pile_number", "gun_no", "state"),
        Index(None, "state", "deadline_at"),
        Index(None, "card_request_id", unique=True),
        Index(None, "pile_number", "joint_number"),
        # What the list is walked by (webapi.orders.ways); docs/order-list.md shows the plans.
        Index(None, "tenant_id", "state", "requested_at", "serial"),
        Index(None, "station_code", "state", "requested_at", "serial"),
        Index(None, "tenant_id", "ended_at", "serial"),
        Index(None, "station_code", "ended_at", "serial"),
        Index(None, "tenant_id", "total_fen", "serial"),
        Index(None, "station_code", "total_fen", "serial"),
        Index(None, "pile_number", "requested_at", "serial"),
        *(
            Index(
                None,
                named,
                "requested_at",
                "serial",
                sqlite_where=f"{named} IS NOT NULL",
                postgresql_where=f"{named} IS NOT NULL",
            )
            for named in ("vin", "other_vin", "card_number", "refusal_code")
        ),
    )

    serial: Mapped[str] = mapped_column(String(32), primary_key=True, comment="pile 14, gun 2, time 12, counter 4")
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenant.id"))
    station_code: Mapped[str] = mapped_column(ForeignKey("station.code"))
    pile_number: Mapped[str] = mapped_column(ForeignKey("pile.number"))
    gun_no: Mapped[int] = mapped_column(Integer)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"), comment="none: adopted, nobody known")
    source: Mapped[StartSource] = mapped_column(Wording(StartSource))
    created_by: Mapped[str] = mapped_column(String(64), comment="user:7, customer:12, worker …")

    goal_kind: Mapped[GoalKind] = mapped_column(Wording(GoalKind))
    goal_duration_s: Mapped[int | None] = mapped_column(Integer, comment="from the first charging frame")
    goal_amount_fen: Mapped[int | None] = mapped_column(BigInteger)
    goal_energy_kwh: Mapped[Decimal | None] = mapped_column(EnergyKwh)
    may_queue: Mapped[bool] = mapped_column(default=False)

    state: Mapped[OrderState] = mapped_column(Wording(OrderState))
    state_since: Mapped[datetime] = mapped_column(UtcTime)
    deadline_at: Mapped[datetime | None] = mapped_column(UtcTime, comment="when life.py must look again by itself")
    version: Mapped[int] = mapped_column(Integer)

    tariff_version_id: Mapped[str | None] = mapped_column(ForeignKey("tariff_version.id"), comment="frozen at start")
    covered_energy_kwh: Mapped[Decimal | None] = mapped_column(EnergyKwh, comment="what the hold pays for")
    pile_balance_fen: Mapped[int | None] = mapped_column(BigInteger, comment="balance in 0x34")
    card_number: Mapped[str | None] = mapped_column(String(32))
    """物理卡号 as the pile read it."""
    printed_card: Mapped[str | None] = mapped_column(String(16), comment="逻辑卡号, for the pile's screen")
    card_request_id: Mapped[str | None] = mapped_column(String(64))
    """Id of the `G/event` that asked at the pile."""
    request_expires_at: Mapped[datetime | None] = mapped_column(UtcTime, comment="until when the pile waits for 0x32")
    joint_number: Mapped[str | None] = mapped_column(String(12), comment="并充序号: shared by the guns of one car")
    joint_role: Mapped[str | None] = mapped_column(String(16), comment="evcs.contracts.gun.JointRole")
    vin: Mapped[str | None] = mapped_column(String(17))
    """Of who asked with it, else as the car said it, else as it was recorded."""
    other_vin: Mapped[str | None] = mapped_column(String(17), comment="said by car or record, where it is another")
    vehicle_json: Mapped[str | None] = mapped_column(Text, comment="evcs.contracts.gun.Vehicle (0x15)")
    limits_json: Mapped[str | None] = mapped_column(Text, comment="evcs.contracts.gun.BatteryLimits (0x17)")
    ending_json: Mapped[str | None] = mapped_column(Text, comment="evcs.contracts.gun.ChargeEnding (0x19)")
    findings_json: Mapped[str | None] = mapped_column(Text, comment="webapi.orders.course.Findings (0x1B, 1D, 21, 25)")

    requested_at: Mapped[datetime] = mapped_column(UtcTime)
    admitted_at: Mapped[datetime | None] = mapped_column(UtcTime)
    started_at: Mapped[datetime | None] = mapped_column(UtcTime, comment="first charging frame, server time")
    stop_requested_at: Mapped[datetime | None] = mapped_column(UtcTime)
    end_observed_at: Mapped[datetime | None] = mapped_column(UtcTime, comment="when the end was first seen here")
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime, comment="end of charging, server time")
    settled_at: Mapped[datetime | None] = mapped_column(UtcTime)

    request_id: Mapped[str | None] = mapped_column(String(64), comment="id of the G/request in force")
    stop_id: Mapped[str | None] = mapped_column(String(64), comment="id of the G/stop in force")
    stop_asked_by: Mapped[str | None] = mapped_column(String(64), comment="rules, user:7, customer:12 …")
    bridge: Mapped[str | None] = mapped_column(String(32))
    bridge_started_ms: Mapped[int | None] = mapped_column(BigInteger)
    link: Mapped[str | None] = mapped_column(String(64))
    cap_kw: Mapped[Decimal | None] = mapped_column(PowerKw, comment="last power cap; none = no cap")
    verdict_json: Mapped[str | None] = mapped_column(Text, comment="the gate's verdict as it came")
    refusal_code: Mapped[str | None] = mapped_column(String(64), comment="evcs.contracts.reasons.Reason")
    refusal_figures_json: Mapped[str | None] = mapped_column(Text)
    exception_code: Mapped[str | None] = mapped_column(String(64), comment="why exception or review")
    stop_reason: Mapped[str | None] = mapped_column(String(64), comment="ours")
    stop_code: Mapped[int | None] = mapped_column(Integer, comment="the pile's, raw (YKC V1.6 §9)")
    stop_class: Mapped[str | None] = mapped_column(String(24), comment="evcs.contracts.states.StopClass")

    running_login_ms: Mapped[int | None] = mapped_column(BigInteger)
    """With `running_version`: the newest level in which the gun ran this order; only a newer one shows its end."""
    running_version: Mapped[int | None] = mapped_column(BigInteger)
    last_mark_at: Mapped[datetime | None] = mapped_column(UtcTime)
    last_mark_energy_kwh: Mapped[Decimal | None] = mapped_column(EnergyKwh)

    energy_kwh: Mapped[Decimal | None] = mapped_column(EnergyKwh, comment="billed")
    electricity_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    service_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    occupancy_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    discount_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    total_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    pile_total_fen: Mapped[int | None] = mapped_column(BigInteger, comment="what the pile's own screen said")
    provisional: Mapped[bool] = mapped_column(default=False, comment="settled by marks, no record yet")
    business_date: Mapped[date | None] = mapped_column(comment="Beijing day of the charging end by server time")

    customer: Mapped["Customer | None"] = relationship()
    station: Mapped["Station"] = relationship(viewonly=True)
    pile: Mapped["Pile"] = relationship(foreign_keys=[pile_number])
    tariff_version: Mapped["TariffVersion | None"] = relationship()
    hold: Mapped["Hold | None"] = relationship(viewonly=True)
    bills: Mapped[list["Bill"]] = relationship(back_populates="order", order_by="Bill.id")

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 (SQLAlchemy reads it as a plain mapping)


class OrderMark(Base):
    """A reading of a running session from `G/meter`: what a missing charge record is replaced by."""

    __tablename__ = "order_mark"
    __table_args__ = (one_of("why", MarkReason),)

    order_serial: Mapped[str] = mapped_column(ForeignKey("charging_order.serial"), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcTime, primary_key=True, comment="receive time at the bridge")
    energy_kwh: Mapped[Decimal] = mapped_column(EnergyKwh, comment="of the session so far")
    register_kwh: Mapped[Decimal | None] = mapped_column(EnergyKwh, comment="total of the meter, where given")
    why: Mapped[MarkReason] = mapped_column(Wording(MarkReason))


class QueuePlace(Base):
    """The place of a waiting order in the queue of its transformer, as `T/queue` told it last."""

    __tablename__ = "queue_place"

    order_serial: Mapped[str] = mapped_column(ForeignKey("charging_order.serial"), primary_key=True)
    transformer_code: Mapped[str] = mapped_column(ForeignKey("transformer.code"), index=True)
    position: Mapped[int] = mapped_column(Integer, comment="from 1, the head")
    estimate_s: Mapped[int | None] = mapped_column(Integer, comment="guessed by rules; none: no guess")
    version: Mapped[int] = mapped_column(BigInteger, comment="version of the level; an older one is ignored")


class RecordVerdict(StrEnum):
    """What became of a charge record. `review`: a person decides. `orphan`: no order knows its serial."""

    SETTLED = "settled"
    CORRECTED = "corrected"
    REVIEW = "review"
    ORPHAN = "orphan"


class ChargeRecord(Base):
    """A charge record (0x3B) as it came, with its verdict; the same content again changes nothing.

    The serial has no foreign key: an unknown one is stored and confirmed too. Deleted by nobody.
    """

    __tablename__ = "charge_record"
    __table_args__ = (
        UniqueConstraint("serial", "content_hash"),
        one_of("verdict", RecordVerdict),
        Index(None, "pile_number", "gun_no", "received_at"),
        Index(None, "verdict", "received_at", "id"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    serial: Mapped[str] = mapped_column(String(32))
    content_hash: Mapped[str] = mapped_column(String(64), comment="SHA-256 of the decoded record, without sequence")
    pile_number: Mapped[str] = mapped_column(String(32))
    gun_no: Mapped[int] = mapped_column(Integer)
    frame_hex: Mapped[str] = mapped_column(Text)
    decoded_json: Mapped[str] = mapped_column(Text)
    energy_kwh: Mapped[Decimal] = mapped_column(EnergyKwh)
    pile_amount_e4: Mapped[int] = mapped_column(BigInteger, comment="0.0001 yuan")
    verdict: Mapped[RecordVerdict] = mapped_column(Wording(RecordVerdict))
    verdict_reason: Mapped[str | None] = mapped_column(String(64))
    received_at: Mapped[datetime] = mapped_column(UtcTime, comment="first received by the bridge")
    stored_at: Mapped[datetime] = mapped_column(UtcTime)
    repeats: Mapped[int] = mapped_column(Integer, default=0, comment="how often the same content came again")
    confirmed_at: Mapped[datetime | None] = mapped_column(UtcTime, comment="G/confirm last published and acknowledged")
    confirm_sent_at: Mapped[datetime | None] = mapped_column(UtcTime, index=True, comment="0x40 is written")


class BillKind(StrEnum):
    """Which posting a bill belongs to; an order has at most one of each."""

    PROVISIONAL = "provisional"
    FINAL = "final"
    CORRECTION = "correction"
    DECISION = "decision"


class BillRoute(StrEnum):
    """Where the energies per band came from."""

    RECORD = "record"
    MARKS = "marks"
    NONE = "none"


class Bill(Base):
    """What we reckon an order to cost (账单), line by line. For a correction: the new figures in full."""

    __tablename__ = "bill"
    __table_args__ = (
        UniqueConstraint("order_serial", "kind"),
        one_of("kind", BillKind),
        one_of("route", BillRoute),
        CheckConstraint("total_fen = electricity_fen + service_fen + occupancy_fen - discount_fen", name="total"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    order_serial: Mapped[str] = mapped_column(ForeignKey("charging_order.serial"))
    kind: Mapped[BillKind] = mapped_column(Wording(BillKind))
    route: Mapped[BillRoute] = mapped_column(Wording(BillRoute))
    tariff_version_id: Mapped[str | None] = mapped_column(ForeignKey("tariff_version.id"))
    record_id: Mapped[int | None] = mapped_column(ForeignKey("charge_record.id"))
    energy_kwh: Mapped[Decimal] = mapped_column(EnergyKwh)
    electricity_fen: Mapped[int] = mapped_column(BigInteger)
    service_fen: Mapped[int] = mapped_column(BigInteger)
    occupancy_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    discount_fen: Mapped[int] = mapped_column(BigInteger, default=0)
    discount_code: Mapped[str | None] = mapped_column(String(32), comment="overshoot …")
    total_fen: Mapped[int] = mapped_column(BigInteger)
    pile_total_fen: Mapped[int | None] = mapped_column(BigInteger)
    made_at: Mapped[datetime] = mapped_column(UtcTime)

    order: Mapped["Order"] = relationship(back_populates="bills")
    lines: Mapped[list["BillLine"]] = relationship(back_populates="bill")


class BillLine(Base):
    """One band of a bill; lines add up to the bill, to the fen."""

    __tablename__ = "bill_line"
    __table_args__ = (one_of("band", TariffBand),)

    bill_id: Mapped[int] = mapped_column(ForeignKey("bill.id"), primary_key=True)
    band: Mapped[TariffBand] = mapped_column(Wording(TariffBand), primary_key=True)
    energy_kwh: Mapped[Decimal] = mapped_column(EnergyKwh, comment="billed (with 计损 where used)")
    metered_kwh: Mapped[Decimal] = mapped_column(EnergyKwh, comment="without 计损")
    energy_price_e5: Mapped[int] = mapped_column(Integer)
    service_price_e5: Mapped[int] = mapped_column(Integer)
    electricity_fen: Mapped[int] = mapped_column(BigInteger)
    service_fen: Mapped[int] = mapped_column(BigInteger)

    bill: Mapped["Bill"] = relationship(back_populates="lines")
