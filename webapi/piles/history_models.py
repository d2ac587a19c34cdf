"""Tables of what happened at a pile: events that an operator looks up later, and the newest frames of a traced pile."""

from datetime import datetime

from sqlalchemy import Float, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from evcs.contracts.pile import PileEventKind
from webapi.database import Base, RowId, UtcTime, Wording


class PileEventRow(Base):
    """Something that happened at a pile; the same again within an hour is the same row, counted."""

    __tablename__ = "pile_event"
    __table_args__ = (Index(None, "pile_number", "id"), Index(None, "last_at"))

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    pile_number: Mapped[str] = mapped_column(ForeignKey("pile.number"))
    station_code: Mapped[str] = mapped_column(ForeignKey("station.code"), comment="where the pile stood then")
    kind: Mapped[PileEventKind] = mapped_column(Wording(PileEventKind))
    reason: Mapped[str | None] = mapped_column(String(32))
    text: Mapped[str] = mapped_column(String(200), default="")
    tariff_version: Mapped[str | None] = mapped_column(String(32))
    clock_offset_s: Mapped[float | None] = mapped_column(Float)
    first_at: Mapped[datetime] = mapped_column(UtcTime)
    last_at: Mapped[datetime] = mapped_column(UtcTime)
    times: Mapped[int] = mapped_column(Integer, default=1)


class PileFrameRow(Base):
    """A frame of a traced pile, either way; only the newest of each pile are kept."""

    __tablename__ = "pile_frame"
    __table_args__ = (Index(None, "pile_number", "id"), Index(None, "at"))

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    pile_number: Mapped[str] = mapped_column(ForeignKey("pile.number"))
    at: Mapped[datetime] = mapped_column(UtcTime)
    from_pile: Mapped[bool]
    frame_type: Mapped[str] = mapped_column(String(8))
    title_zh: Mapped[str] = mapped_column(String(100), default="")
    title_en: Mapped[str] = mapped_column(String(100), default="")
    fields_json: Mapped[str] = mapped_column(Text)
    problem: Mapped[str] = mapped_column(String(200), default="", comment="why it was dropped")
    frame_hex: Mapped[str] = mapped_column(Text, comment="secrets redacted by the bridge")
