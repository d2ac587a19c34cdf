"""Table of the exports that were asked for."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapi.database import Base, UtcTime, Wording, one_of


class ExportState(StrEnum):
    """Of an export. `expired`: its file was deleted after its time."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Export(Base):
    """An export that somebody asked for; only they see it. Its file is `{id}.xlsx` below EVCS_VAR."""

    __tablename__ = "export"
    __table_args__ = (
        one_of("state", ExportState),
        CheckConstraint("(user_id IS NULL) <> (customer_id IS NULL)", name="owner"),
        Index(None, "state", "requested_at"),
        Index(None, "user_id", "requested_at"),
        Index(None, "customer_id", "requested_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("console_user.id"))
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customer.id"))
    kind: Mapped[str] = mapped_column(String(32), comment="code of webapi.exports.kinds")
    filter_json: Mapped[str] = mapped_column(Text, comment="the query of the list, as it was given")
    language: Mapped[str] = mapped_column(String(2), comment="zh or en")
    state: Mapped[ExportState] = mapped_column(Wording(ExportState), default=ExportState.WAITING)
    requested_at: Mapped[datetime] = mapped_column(UtcTime)
    begun_at: Mapped[datetime | None] = mapped_column(UtcTime)
    seen_at: Mapped[datetime | None] = mapped_column(UtcTime, comment="last sign of who writes it")
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcTime, comment="until when the file is kept")
    rows_done: Mapped[int] = mapped_column(Integer, default=0)
    rows_total: Mapped[int | None] = mapped_column(Integer)
    file_bytes: Mapped[int | None] = mapped_column(BigInteger)
    why: Mapped[str | None] = mapped_column(String(32), comment="of a failed one: a code of ours")
    tries: Mapped[int] = mapped_column(Integer, default=0, comment="how often it was begun")
