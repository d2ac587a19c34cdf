"""Tables of faults: the dictionary of fault codes, and what was raised and cleared, one record for each time."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Float, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from evcs.contracts.alarm import AlarmAction, AlarmKind, Severity
from webapi.database import Base, RowId, UtcTime, Wording, one_of
from webapi.faults.shipped.themes import FaultCategory
from webapi.stations.models import Station

ANY = ""
"""A wildcard in the key of a dictionary entry."""


class FaultCodeEntry(Base):
    """An entry of the fault-code dictionary, one for all operators: what a code means, and what follows.

    `maker`, `model` and `protocol` empty: any. Whoever changes a row adds one to `FaultDictionary.revision`.
    """

    __tablename__ = "fault_code"
    __table_args__ = (
        UniqueConstraint("protocol", "maker", "model", "code"),
        one_of("severity", Severity),
        one_of("action", AlarmAction),
        one_of("category", FaultCategory),
        CheckConstraint("model = '' OR maker <> ''", name="model"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    protocol: Mapped[str] = mapped_column(String(16))
    maker: Mapped[str] = mapped_column(String(64))
    model: Mapped[str] = mapped_column(String(64))
    code: Mapped[str] = mapped_column(String(64), index=True)
    text_zh: Mapped[str] = mapped_column(String(200))
    text_en: Mapped[str] = mapped_column(String(200))
    severity: Mapped[Severity] = mapped_column(Wording(Severity))
    action: Mapped[AlarmAction] = mapped_column(Wording(AlarmAction), default=AlarmAction.ALARM)
    category: Mapped[FaultCategory] = mapped_column(Wording(FaultCategory), default=FaultCategory.OTHER)
    advice_zh: Mapped[str] = mapped_column(String(300), default="")
    advice_en: Mapped[str] = mapped_column(String(300), default="")
    shipped: Mapped[bool] = mapped_column(default=False, comment="came with the platform")
    changed_at: Mapped[datetime] = mapped_column(UtcTime)
    changed_by: Mapped[str] = mapped_column(String(64), comment="user:7; evcs: as it was shipped")


class FaultDictionary(Base):
    """One row: the revision of the dictionary, which is the version of every `config/fault_codes/{protocol}`."""

    __tablename__ = "fault_dictionary"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    revision: Mapped[int] = mapped_column(BigInteger)


class AlarmRecord(Base):
    """One time that an alarm was raised. Its level has a deterministic id; with the time of raising it is a record.

    What flaps is merged by `rules`: the same `raised_at`, a growing `count`. The text is kept as it was said.
    """

    __tablename__ = "alarm_record"
    __table_args__ = (
        UniqueConstraint("alarm_id", "raised_at"),
        one_of("kind", AlarmKind),
        one_of("severity", Severity),
        CheckConstraint("count >= 1", name="count"),
        Index(None, "station_code", "raised_at", "id"),
        Index(None, "cleared_at", "raised_at", "id"),
        Index(None, "protocol", "code", "known"),
        Index(None, "transformer_code", "raised_at"),
    )

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    alarm_id: Mapped[str] = mapped_column(String(64), comment="of the level S/alarm/{alarm}")
    station_code: Mapped[str] = mapped_column(ForeignKey("station.code"))
    transformer_code: Mapped[str | None] = mapped_column(String(32))
    pile_number: Mapped[str | None] = mapped_column(String(32))
    gun_no: Mapped[int | None] = mapped_column(Integer)
    order_serial: Mapped[str | None] = mapped_column(String(32))
    kind: Mapped[AlarmKind] = mapped_column(Wording(AlarmKind), comment="fault (reported) or warning (rule)")
    protocol: Mapped[str] = mapped_column(String(16), default="", comment="of a reported code; empty: our own rule's")
    code: Mapped[str] = mapped_column(String(64))
    known: Mapped[bool] = mapped_column(default=True, comment="false: waits for somebody to describe the code")
    severity: Mapped[Severity] = mapped_column(Wording(Severity))
    action: Mapped[str] = mapped_column(String(16), default="alarm", comment="derate, stop, lock …")
    text_zh: Mapped[str] = mapped_column(String(400), default="")
    text_en: Mapped[str] = mapped_column(String(400), default="")
    count: Mapped[int] = mapped_column(Integer, default=1, comment="flaps that were merged, or piles of a storm")
    value: Mapped[float | None] = mapped_column(Float, comment="the figure that raised it, in unit")
    limit: Mapped[float | None] = mapped_column("limit_value", Float, comment="what it is measured against, in unit")
    unit: Mapped[str] = mapped_column(String(16), default="")
    raw: Mapped[str] = mapped_column(String(400), default="", comment="what the pile said, as it stood in the frame")
    raised_at: Mapped[datetime] = mapped_column(UtcTime)
    cleared_at: Mapped[datetime | None] = mapped_column(UtcTime)
    version: Mapped[int] = mapped_column(BigInteger, comment="of the level; an older one is ignored")
    described_at: Mapped[datetime | None] = mapped_column(UtcTime, comment="when its text was applied backwards")
    acknowledged_at: Mapped[datetime | None] = mapped_column(UtcTime)
    acknowledged_by: Mapped[str | None] = mapped_column(String(64), comment="user:7")
    acknowledged_name: Mapped[str | None] = mapped_column(String(64), comment="the name at that time")
    acknowledge_note: Mapped[str | None] = mapped_column(String(200))

    station: Mapped["Station"] = relationship(viewonly=True)
