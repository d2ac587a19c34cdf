"""Tables of the stations (充电站)."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey, Index, Numeric, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapi.database import Base, RowId, UtcTime
from webapi.stations.lockout_columns import LockoutColumns

if TYPE_CHECKING:
    from webapi.piles.models import Pile
    from webapi.transformers.models import Transformer


class Station(LockoutColumns, Base):
    """A place. Its code is made by the platform, unique over all tenants, a topic level, never reused or renamed.

    `revision` is the version of the level `config/station/{code}`: whoever changes the station or anything that
    stands in its configuration (transformer, pile, gun, limits, lockouts) adds one in the same transaction.
    """

    __tablename__ = "station"
    __table_args__ = (Index(None, "tenant_id", "code"),)

    code: Mapped[str] = mapped_column(String(32), primary_key=True)
    shard: Mapped[str] = mapped_column(String(2), index=True, comment="evcs.contracts.ids.shard_of(code)")
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenant.id"))
    name: Mapped[str] = mapped_column(String(100))
    address: Mapped[str | None] = mapped_column(String(200))
    longitude: Mapped[Decimal | None] = mapped_column(Numeric(9, 6), comment="WGS-84 degrees")
    latitude: Mapped[Decimal | None] = mapped_column(Numeric(9, 6), comment="WGS-84 degrees")
    bucket: Mapped[str] = mapped_column(String(64), default="evcs/raw", comment="where its telemetry is kept")
    station_stop_by: Mapped[str | None] = mapped_column(String(64), comment="全站停止: who")
    station_stop_reason: Mapped[str | None] = mapped_column(String(200))
    station_stop_since: Mapped[datetime | None] = mapped_column(UtcTime, comment="empty = not stopped")
    revision: Mapped[int] = mapped_column(RowId, default=1)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    archived_at: Mapped[datetime | None] = mapped_column(UtcTime)

    transformers: Mapped[list["Transformer"]] = relationship(back_populates="station", order_by="Transformer.code")
    piles: Mapped[list["Pile"]] = relationship(back_populates="station", order_by="Pile.number")
