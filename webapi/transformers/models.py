"""Tables of the transformers (变压器): what is configured, and their newest load."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, CheckConstraint, Float, ForeignKey, Integer, String, false, text, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from evcs.contracts.states import Band
from webapi.database import Base, PowerKw, Ratio, UtcTime, Wording, one_of

if TYPE_CHECKING:
    from webapi.stations.models import Station


class Transformer(Base):
    """What feeds a station's piles. Thresholds are percentages of the rated apparent power; "over" is strictly greater.

    Its configuration travels in `config/station`, so a change adds one to the station's revision.
    """

    __tablename__ = "transformer"
    __table_args__ = (
        CheckConstraint("rated_kva > 0", name="rated"),
        CheckConstraint("limited_pct <= blocked_pct", name="thresholds"),
    )

    code: Mapped[str] = mapped_column(String(32), primary_key=True)
    station_code: Mapped[str] = mapped_column(ForeignKey("station.code"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    rated_kva: Mapped[Decimal] = mapped_column(PowerKw)
    base_load_kw: Mapped[Decimal] = mapped_column(PowerKw, default=Decimal(0), comment="used by the estimate")
    max_base_load_kw: Mapped[Decimal | None] = mapped_column(PowerKw, comment="used in degraded mode")
    power_factor: Mapped[Decimal] = mapped_column(Ratio, default=Decimal("0.95"))
    limited_pct: Mapped[Decimal] = mapped_column(Ratio, default=Decimal(50))
    limited_release_pct: Mapped[Decimal] = mapped_column(Ratio, default=Decimal(45))
    limited_release_s: Mapped[int] = mapped_column(Integer, default=300)
    blocked_pct: Mapped[Decimal] = mapped_column(Ratio, default=Decimal(80))
    blocked_release_pct: Mapped[Decimal] = mapped_column(Ratio, default=Decimal(75))
    blocked_release_s: Mapped[int] = mapped_column(Integer, default=60)
    overload_pct: Mapped[Decimal] = mapped_column(Ratio, default=Decimal(100))
    overload_s: Mapped[int] = mapped_column(Integer, default=60)
    cap_share: Mapped[Decimal] = mapped_column(Ratio, default=Decimal("0.5"), comment="of the gun's rating, if capped")
    release_apart_s: Mapped[int] = mapped_column(Integer, default=60)
    shown_after_s: Mapped[int] = mapped_column(Integer, default=900)
    has_meter: Mapped[bool] = mapped_column(default=False)
    releases_caps: Mapped[bool] = mapped_column(
        default=True, server_default=true(), comment="false: a cap holds until its charge ends"
    )
    overload_stop_after_s: Mapped[int] = mapped_column(Integer, default=300, server_default=text("300"))
    overload_stop_apart_s: Mapped[int] = mapped_column(Integer, default=15, server_default=text("15"))
    is_shared: Mapped[bool] = mapped_column(default=False, server_default=false(), comment="load sharing")
    share_target_pct: Mapped[Decimal] = mapped_column(
        Ratio, default=Decimal(75), server_default=text("750000"), comment="what sharing divides"
    )
    queue_most: Mapped[int] = mapped_column(Integer, default=20, server_default=text("20"), comment="0: no queue")
    queue_s: Mapped[int] = mapped_column(Integer, default=1800, server_default=text("1800"))
    degraded_blocked_pct: Mapped[Decimal] = mapped_column(Ratio, default=Decimal(60), server_default=text("600000"))
    degraded_until: Mapped[datetime | None] = mapped_column(UtcTime)
    degraded_by: Mapped[str | None] = mapped_column(String(64))
    """Who confirmed it, another than who asked for it."""
    degraded_asked_by: Mapped[str | None] = mapped_column(String(64))
    degraded_asked_at: Mapped[datetime | None] = mapped_column(UtcTime, comment="a request that may still be confirmed")
    degraded_minutes: Mapped[int | None] = mapped_column(Integer)
    degraded_reason: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    archived_at: Mapped[datetime | None] = mapped_column(UtcTime)

    station: Mapped["Station"] = relationship(back_populates="transformers")
    feeders: Mapped[list["Feeder"]] = relationship(back_populates="transformer", order_by="Feeder.code")
    live: Mapped["TransformerLive | None"] = relationship(back_populates="transformer")


class Feeder(Base):
    """A feeder (馈线) of a transformer: what all piles and feeders behind it may draw together, kW at its input."""

    __tablename__ = "feeder"
    __table_args__ = (CheckConstraint("limit_kw > 0", name="limit"),)

    code: Mapped[str] = mapped_column(String(32), primary_key=True, comment="made by the platform, never used again")
    transformer_code: Mapped[str] = mapped_column(ForeignKey("transformer.code"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    limit_kw: Mapped[Decimal] = mapped_column(PowerKw)
    parent_code: Mapped[str | None] = mapped_column(
        ForeignKey("feeder.code"), comment="the feeder above; empty: the transformer"
    )
    created_at: Mapped[datetime] = mapped_column(UtcTime)

    transformer: Mapped["Transformer"] = relationship(back_populates="feeders")


class TransformerLive(Base):
    """The newest `T/policy` of a transformer: band and load as `rules` told them. Percentages of the rated kVA."""

    __tablename__ = "transformer_live"
    __table_args__ = (one_of("band", Band),)

    transformer_code: Mapped[str] = mapped_column(ForeignKey("transformer.code"), primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger, comment="version of the level; an older one is ignored")
    told_at: Mapped[datetime] = mapped_column(UtcTime, comment="when rules told it: the version as a time")
    band: Mapped[Band] = mapped_column(Wording(Band))
    since: Mapped[datetime] = mapped_column(UtcTime, comment="since when this band is in force")
    load_pct: Mapped[float | None] = mapped_column(Float, comment="empty: no figure (stale meter)")
    planned_pct: Mapped[float | None] = mapped_column(Float)
    load_kva: Mapped[float | None] = mapped_column(Float)
    guns_kw: Mapped[float] = mapped_column(Float, comment="sum of the guns' output as last read")
    source: Mapped[str] = mapped_column(String(16), comment="meter or estimate: which figure counts")
    why_zh: Mapped[str] = mapped_column(String(200), default="")
    why_en: Mapped[str] = mapped_column(String(200), default="")
    meter_kva: Mapped[float | None] = mapped_column(Float, comment="what the meter says, worst phase")
    estimate_kva: Mapped[float | None] = mapped_column(Float, comment="guns ÷ efficiency and base load")
    meter_at: Mapped[datetime | None] = mapped_column(UtcTime, comment="when the meter was last read")
    limited_pct: Mapped[float | None] = mapped_column(Float, comment="in force now")
    blocked_pct: Mapped[float | None] = mapped_column(Float, comment="in force now")
    degraded_until: Mapped[datetime | None] = mapped_column(UtcTime)
    over_since: Mapped[datetime | None] = mapped_column(UtcTime, comment="above the overload threshold since")
    curtailed: Mapped[int] = mapped_column(Integer, default=0, server_default=text("0"))

    transformer: Mapped["Transformer"] = relationship(back_populates="live")
