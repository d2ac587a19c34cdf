"""Tables of faults and warnings, as `S/alarm/{alarm}` tells them."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from webapi.database import Base, UtcTime


class Alarm(Base):
    """An alarm under its deterministic id; raised again it is the same row, by version of the level."""

    __tablename__ = "alarm"
    __table_args__ = (Index(None, "station_code", "cleared_at", "raised_at"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    station_code: Mapped[str] = mapped_column(ForeignKey("station.code"))
    transformer_code: Mapped[str | None] = mapped_column(String(32))
    pile_number: Mapped[str | None] = mapped_column(String(32))
    gun_no: Mapped[int | None] = mapped_column(Integer)
    order_serial: Mapped[str | None] = mapped_column(String(32))
    kind: Mapped[str] = mapped_column(String(16), comment="fault (reported) or warning (rule)")
    code: Mapped[str] = mapped_column(String(64))
    severity: Mapped[str] = mapped_column(String(16))
    action: Mapped[str | None] = mapped_column(String(16), comment="derate, stop, lock …")
    text_zh: Mapped[str] = mapped_column(String(200), default="")
    text_en: Mapped[str] = mapped_column(String(200), default="")
    raised_at: Mapped[datetime] = mapped_column(UtcTime)
    cleared_at: Mapped[datetime | None] = mapped_column(UtcTime)
    version: Mapped[int] = mapped_column(BigInteger)
