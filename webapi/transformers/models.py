"""Tables of the transformers (变压器): what is configured, and their newest load."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, CheckConstraint, Float, ForeignKey, Integer, String
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
    degraded_until: Mapped[datetime | None] = mapped_column(UtcTime)
    degraded_by: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    archived_at: Mapped[datetime | None] = mapped_column(UtcTime)

    station: Mapped["Station"] = relationship(back_populates="transformers")
    live: Mapped["TransformerLive | None"] = relationship(back_populates="transformer")


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

    transformer: Mapped["Transformer"] = relationship(back_populates="live")
