"""Tables of the guns (充电枪): what is configured, and their newest state."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, ForeignKeyConstraint, Integer, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from evcs.contracts.states import GunState
from webapi.database import Base, PowerKw, UtcTime, Wording, one_of
from webapi.stations.lockout_columns import LockoutColumns

if TYPE_CHECKING:
    from webapi.piles.models import Pile


class Gun(LockoutColumns, Base):
    """A connector of a pile, number 1…n. `serial_counter` is the four-digit tail of the last serial made for it."""

    __tablename__ = "gun"
    __table_args__ = (
        CheckConstraint("no BETWEEN 1 AND 99", name="no"),
        CheckConstraint("rated_kw > 0", name="rated"),
        CheckConstraint("serial_counter BETWEEN 0 AND 9999", name="serial_counter"),
    )

    pile_number: Mapped[str] = mapped_column(ForeignKey("pile.number"), primary_key=True)
    no: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    rated_kw: Mapped[Decimal] = mapped_column(PowerKw)
    hand_limit_kw: Mapped[Decimal | None] = mapped_column(PowerKw, comment="功率设置 by a person; empty = no limit")
    serial_counter: Mapped[int] = mapped_column(Integer, default=0)
    archived_at: Mapped[datetime | None] = mapped_column(UtcTime)

    pile: Mapped["Pile"] = relationship(back_populates="guns")
    live: Mapped["GunLive | None"] = relationship(back_populates="gun")


class GunLive(Base):
    """The newest `G/state` of a gun, by (login_ms, version); what to show: `evcs.contracts.states.shown_state`."""

    __tablename__ = "gun_live"
    __table_args__ = (
        ForeignKeyConstraint(["pile_number", "gun_no"], ["gun.pile_number", "gun.no"]),
        one_of("state", GunState),
    )

    pile_number: Mapped[str] = mapped_column(String(32), primary_key=True)
    gun_no: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    state: Mapped[GunState] = mapped_column(Wording(GunState), index=True)
    serial: Mapped[str | None] = mapped_column(String(32), comment="the session's serial, also a foreign one")
    plugged: Mapped[bool | None]
    fault_bits: Mapped[int] = mapped_column(BigInteger, default=0)
    since: Mapped[datetime] = mapped_column(UtcTime)
    login_ms: Mapped[int] = mapped_column(BigInteger, comment="with version: the level's age; an older one is ignored")
    version: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)

    gun: Mapped["Gun"] = relationship(back_populates="live")
