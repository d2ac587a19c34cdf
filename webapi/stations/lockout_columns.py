"""The columns of a lockout (停用/检修), which station, pile and gun have in common."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from webapi.database import UtcTime


class LockoutColumns:
    """Who locked it out, why, since when, until when; all empty = not locked out. `until` empty = until lifted."""

    lockout_by: Mapped[str | None] = mapped_column(String(64))
    lockout_reason: Mapped[str | None] = mapped_column(String(200))
    lockout_since: Mapped[datetime | None] = mapped_column(UtcTime)
    lockout_until: Mapped[datetime | None] = mapped_column(UtcTime)
