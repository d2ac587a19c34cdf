"""Tables of what was last heard at a gun's bay: its parking lock, and the car that shook hands there."""

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapi.database import Base, UtcTime


class GroundLockLive(Base):
    """The newest report of a gun's parking lock (地锁, 0x61)."""

    __tablename__ = "ground_lock_live"
    __table_args__ = (ForeignKeyConstraint(["pile_number", "gun_no"], ["gun.pile_number", "gun.no"]),)

    pile_number: Mapped[str] = mapped_column(String(32), primary_key=True)
    gun_no: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(String(24), comment="raised, lowered, between, or the code in hex")
    is_occupied: Mapped[bool | None] = mapped_column(comment="whether a car stands in the bay")
    battery_pct: Mapped[int | None] = mapped_column(Integer)
    alarm: Mapped[str] = mapped_column(String(32), default="", comment="empty: none")
    seen_at: Mapped[datetime] = mapped_column(UtcTime)


class VehicleLive(Base):
    """What the last car at a gun said about itself (0x15) and its limits (0x17); each empty until it came."""

    __tablename__ = "vehicle_live"
    __table_args__ = (ForeignKeyConstraint(["pile_number", "gun_no"], ["gun.pile_number", "gun.no"]),)

    pile_number: Mapped[str] = mapped_column(String(32), primary_key=True)
    gun_no: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    serial: Mapped[str | None] = mapped_column(String(32), comment="the charge in which it was said")
    vehicle_json: Mapped[str | None] = mapped_column(Text, comment="evcs.contracts.gun.Vehicle")
    limits_json: Mapped[str | None] = mapped_column(Text, comment="evcs.contracts.gun.BatteryLimits")
    seen_at: Mapped[datetime] = mapped_column(UtcTime)
