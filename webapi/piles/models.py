"""Tables of the piles (充电桩): what is configured, and what their connection last said."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import JSON, BigInteger, CheckConstraint, Float, ForeignKey, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webapi.database import Base, EnergyKwh, PowerKw, Ratio, RowId, UtcTime, Wording, one_of
from webapi.stations.lockout_columns import LockoutColumns

if TYPE_CHECKING:
    from webapi.guns.models import Gun
    from webapi.stations.models import Station
    from webapi.transformers.models import Transformer


class CurrentKind(StrEnum):
    """直流 dc or 交流 ac."""

    DC = "dc"
    AC = "ac"


class Pile(LockoutColumns, Base):
    """A box with one connection; its number is the one on the wire. It moves only when idle and settled.

    `revision` is the version of the level `config/pile/{number}`: whoever changes what stands there adds one.
    """

    __tablename__ = "pile"
    __table_args__ = (
        one_of("kind", CurrentKind),
        CheckConstraint("rated_kw > 0", name="rated"),
        CheckConstraint("efficiency > 0 AND efficiency <= 10000", name="efficiency"),
    )

    number: Mapped[str] = mapped_column(String(32), primary_key=True, comment="YKC: 14 digits")
    station_code: Mapped[str] = mapped_column(ForeignKey("station.code"), index=True)
    transformer_code: Mapped[str] = mapped_column(ForeignKey("transformer.code"), index=True)
    feeder_code: Mapped[str | None] = mapped_column(
        ForeignKey("feeder.code"), comment="of its transformer; empty: directly at the transformer"
    )
    name: Mapped[str] = mapped_column(String(100))
    maker: Mapped[str | None] = mapped_column(String(64))
    model: Mapped[str | None] = mapped_column(String(64))
    kind: Mapped[CurrentKind] = mapped_column(Wording(CurrentKind), default=CurrentKind.DC)
    rated_kw: Mapped[Decimal] = mapped_column(PowerKw)
    efficiency: Mapped[Decimal] = mapped_column(Ratio, default=Decimal("0.94"), comment="AC piles: 1")
    meter_step_kwh: Mapped[Decimal] = mapped_column(
        EnergyKwh, default=Decimal("0.01"), comment="resolution of the model's meter, 0.0001 to 0.01"
    )
    protocol: Mapped[str] = mapped_column(String(16), default="ykc")
    fault_bit_base: Mapped[int] = mapped_column(Integer, default=0, comment="whether its fault bits count from 0 or 1")
    dialect_json: Mapped[str | None] = mapped_column(
        Text, comment="evcs.contracts.config.Dialect: how its firmware departs from the protocol; empty: it does not"
    )
    number_only_login: Mapped[bool] = mapped_column(default=False, comment="login by number alone, from the networks")
    source_networks: Mapped[list[str]] = mapped_column(JSON, default=list, comment="CIDR, e.g. 127.0.0.0/8")
    wrapped_credentials: Mapped[str | None] = mapped_column(String, comment="wrapped by the key file, never in clear")
    wanted_tariff_version_id: Mapped[str | None] = mapped_column(ForeignKey("tariff_version.id"))
    confirmed_tariff_version_id: Mapped[str | None] = mapped_column(
        ForeignKey("tariff_version.id"), comment="what it last confirmed; orders are billed with it; none = no start"
    )
    hand_limit_kw: Mapped[Decimal | None] = mapped_column(PowerKw, comment="功率设置 by a person; empty = no limit")
    revision: Mapped[int] = mapped_column(RowId, default=1)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    archived_at: Mapped[datetime | None] = mapped_column(UtcTime)

    station: Mapped["Station"] = relationship(back_populates="piles")
    transformer: Mapped["Transformer"] = relationship()
    guns: Mapped[list["Gun"]] = relationship(back_populates="pile", order_by="Gun.no")
    live: Mapped["PileLive | None"] = relationship(back_populates="pile")


class PileLive(Base):
    """The newest `P/status` of a pile; counts only while `bridge_live` is online with the same start time."""

    __tablename__ = "pile_live"

    pile_number: Mapped[str] = mapped_column(ForeignKey("pile.number"), primary_key=True)
    online: Mapped[bool]
    since: Mapped[datetime] = mapped_column(UtcTime)
    version: Mapped[int] = mapped_column(BigInteger, comment="version of the level; an older one is ignored")
    bridge: Mapped[str | None] = mapped_column(String(32))
    bridge_started_ms: Mapped[int | None] = mapped_column(BigInteger)
    link: Mapped[str | None] = mapped_column(String(64), comment="the login that commands are for")
    login_at: Mapped[datetime | None] = mapped_column(UtcTime)
    confirmed_tariff_version: Mapped[str | None] = mapped_column(String(32))
    protocol: Mapped[str | None] = mapped_column(String(32))
    firmware: Mapped[str | None] = mapped_column(String(64))
    address: Mapped[str | None] = mapped_column(String(64))
    proof: Mapped[str | None] = mapped_column(String(16), comment="evcs.contracts.states.Proof")
    power_control_json: Mapped[str | None] = mapped_column(Text)
    clock_offset_s: Mapped[float | None] = mapped_column(Float, comment="pile clock minus receive time")
    updated_at: Mapped[datetime] = mapped_column(UtcTime)

    pile: Mapped["Pile"] = relationship(back_populates="live")


class BridgeLive(Base):
    """The newest `B/status` of a bridge: readers join it with the status of its piles."""

    __tablename__ = "bridge_live"

    bridge: Mapped[str] = mapped_column(String(32), primary_key=True)
    online: Mapped[bool]
    started_ms: Mapped[int] = mapped_column(BigInteger)
    since: Mapped[datetime] = mapped_column(UtcTime)
    version: Mapped[int] = mapped_column(BigInteger)
    address: Mapped[str] = mapped_column(String(64), default="")
