"""Table of the roll-out: how far the tariff version that a pile shall have has come, and one that waits for its day."""

from datetime import datetime

from sqlalchemy import ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from webapi.database import Base, UtcTime


class TariffRollout(Base):
    """The tries to bring a pile its wanted version; none: never pushed. `pile.wanted_…` says what is wanted.

    A row for another version than the wanted one tells nothing: the next try begins anew.
    """

    __tablename__ = "tariff_rollout"

    pile_number: Mapped[str] = mapped_column(ForeignKey("pile.number"), primary_key=True)
    version_id: Mapped[str | None] = mapped_column(
        ForeignKey("tariff_version.id"), comment="which version the tries are of; empty: only one is scheduled"
    )
    assigned_by: Mapped[str] = mapped_column(String(64))
    assigned_at: Mapped[datetime] = mapped_column(UtcTime)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    last_tried_at: Mapped[datetime | None] = mapped_column(UtcTime)
    next_try_at: Mapped[datetime] = mapped_column(UtcTime, comment="no push before it")
    command_id: Mapped[str | None] = mapped_column(ForeignKey("pile_command.id"), comment="the last push")
    last_reason: Mapped[str | None] = mapped_column(String(32), comment="why the last push did not do; empty: it did")
    last_text_zh: Mapped[str] = mapped_column(String(200), default="")
    last_text_en: Mapped[str] = mapped_column(String(200), default="")
    scheduled_version_id: Mapped[str | None] = mapped_column(
        ForeignKey("tariff_version.id"), comment="becomes the wanted one when its valid_from has come"
    )
    scheduled_at: Mapped[datetime | None] = mapped_column(UtcTime, index=True, comment="its valid_from")
