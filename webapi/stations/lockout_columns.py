"""The columns of a lockout (停用/检修), which station, pile and gun have in common."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from webapi.database import UtcTime, Wording


class WhileCharging(StrEnum):
    """What becomes of a charge that runs where somebody locks out."""

    STOP = "stop"
    """It is stopped first."""
    WAIT = "wait"
    """The lockout is in force after it."""


class LockoutColumns:
    """Who locked it out (user:7; rule:{code}: an alarm did), why, since when, until when; all empty = not locked out.

    `until` empty = until lifted.
    """

    lockout_by: Mapped[str | None] = mapped_column(String(64))
    lockout_reason: Mapped[str | None] = mapped_column(String(200))
    lockout_since: Mapped[datetime | None] = mapped_column(UtcTime)
    lockout_until: Mapped[datetime | None] = mapped_column(UtcTime)
    lockout_while_charging: Mapped[WhileCharging | None] = mapped_column(
        Wording(WhileCharging), comment="stop or wait; empty: as stop"
    )
