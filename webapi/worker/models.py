"""Tables of the worker: what waits to be published, and which events were handled."""

from datetime import datetime

from sqlalchemy import Index, LargeBinary, String, false, text
from sqlalchemy.orm import Mapped, mapped_column

from webapi.database import Base, RowId, UtcTime


class OutboxRow(Base):
    """A message that follows from a committed change: published after the commit, marked after its PUBACK.

    In order per station by id; the worker that owns the shard publishes it. An insert wakes it on PostgreSQL by
    NOTIFY `evcs_outbox` (trigger), beside SQLite by a datagram of the writer.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index(
            "ix_outbox_pending",
            "shard",
            "id",
            sqlite_where=text("published_at IS NULL"),
            postgresql_where=text("published_at IS NULL"),
        ),
        Index(None, "published_at"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    shard: Mapped[str] = mapped_column(String(2), comment="of the station; 00 where there is none")
    station_code: Mapped[str | None] = mapped_column(String(32))
    topic: Mapped[str] = mapped_column(String(255))
    payload: Mapped[bytes] = mapped_column(LargeBinary)
    retain: Mapped[bool] = mapped_column(default=False)
    expires_at: Mapped[datetime | None] = mapped_column(UtcTime, comment="not published after it")
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    published_at: Mapped[datetime | None] = mapped_column(UtcTime)
    is_secret: Mapped[bool] = mapped_column(
        default=False, server_default=false(), comment="deleted when it is published or expired"
    )


class HandledEvent(Base):
    """An event without a natural key of its own that has had its effect: again it has none."""

    __tablename__ = "handled_event"

    event_id: Mapped[str] = mapped_column(String(128), primary_key=True)
    handled_at: Mapped[datetime] = mapped_column(UtcTime, index=True)
