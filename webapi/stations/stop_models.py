"""Table of what a station stop (全站停止) reached, gun by gun."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from webapi.database import Base, UtcTime, Wording, one_of


class StopOutcome(StrEnum):
    """How far a gun of a stopped station has come."""

    IDLE = "idle"
    """Nothing ran there, as its pile says."""
    ASKED = "asked"
    """The stop is on its way."""
    STOPPED = "stopped"
    """The pile said that the charge is over."""
    NOT_REACHED = "not_reached"
    """Named with the reason; asked again until the stop is lifted."""


class StationStopGun(Base):
    """A gun under a station stop; `stopped_at` tells one stop of a station from the next."""

    __tablename__ = "station_stop_gun"
    __table_args__ = (
        ForeignKeyConstraint(["pile_number", "gun_no"], ["gun.pile_number", "gun.no"]),
        one_of("outcome", StopOutcome),
        Index(None, "stop_id"),
    )

    station_code: Mapped[str] = mapped_column(ForeignKey("station.code"), primary_key=True)
    stopped_at: Mapped[datetime] = mapped_column(UtcTime, primary_key=True)
    pile_number: Mapped[str] = mapped_column(String(32), primary_key=True)
    gun_no: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    ran: Mapped[bool] = mapped_column(default=False, comment="whether a charge was known there")
    serial: Mapped[str | None] = mapped_column(String(32), comment="of the charge that is or was stopped")
    outcome: Mapped[StopOutcome] = mapped_column(Wording(StopOutcome))
    reason: Mapped[str | None] = mapped_column(String(64), comment="evcs.contracts.reasons.Reason: why not (yet)")
    asked_at: Mapped[datetime | None] = mapped_column(UtcTime, comment="first asked for this charge")
    last_sent_at: Mapped[datetime | None] = mapped_column(UtcTime)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    stop_id: Mapped[str | None] = mapped_column(String(64), comment="id of the newest G/stop of its own")
    stopped_seen_at: Mapped[datetime | None] = mapped_column(
        UtcTime, comment="since when its pile says that all is over"
    )
