"""Tables of what HTTP endpoints share: idempotency keys."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapi.database import Base, UtcTime, Wording, one_of


class RequestState(StrEnum):
    """Whether the first request under a key is still being worked on."""

    IN_FLIGHT = "in_flight"
    DONE = "done"


class IdempotencyKey(Base):
    """A key under which an owner asked for something once, and the answer it got. Keys of two owners never meet."""

    __tablename__ = "idempotency_key"
    __table_args__ = (one_of("state", RequestState),)

    owner: Mapped[str] = mapped_column(String(64), primary_key=True, comment="user:7, customer:12")
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    request_hash: Mapped[str] = mapped_column(String(64), comment="SHA-256 of method, path and body")
    state: Mapped[RequestState] = mapped_column(Wording(RequestState))
    response_status: Mapped[int | None] = mapped_column(Integer)
    response_headers_json: Mapped[str | None] = mapped_column(Text)
    response_body: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime)
