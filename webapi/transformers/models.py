"""Tables of the transformers (变压器)."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapi.database import Base, PowerKw, Ratio, UtcTime

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
