"""The table of questions put to the gate."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from webapi.database import Base, PowerKw, UtcTime


class GateAsk(Base):
    """One question: would this gun be admitted now? It reserves nothing; forgotten after a day."""

    __tablename__ = "gate_ask"
    __table_args__ = (
        ForeignKeyConstraint(["pile_number", "gun_no"], ["gun.pile_number", "gun.no"]),
        Index(None, "asked_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True, comment="id of the request to rules")
    station_code: Mapped[str] = mapped_column(ForeignKey("station.code"))
    pile_number: Mapped[str] = mapped_column(String(32))
    gun_no: Mapped[int] = mapped_column(Integer)
    asked_by: Mapped[str] = mapped_column(String(64), comment="user:7, customer:12 …; nobody else reads the answer")
    asked_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime] = mapped_column(UtcTime)
    answered_at: Mapped[datetime | None] = mapped_column(UtcTime)
    would_admit: Mapped[bool | None] = mapped_column()
    reason: Mapped[str | None] = mapped_column(String(40))
    cap_kw: Mapped[Decimal | None] = mapped_column(PowerKw, comment="cap that a start would carry; empty: none")
    text_zh: Mapped[str] = mapped_column(Text, default="")
    text_en: Mapped[str] = mapped_column(Text, default="")
