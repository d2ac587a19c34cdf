"""Tables of the limits by hand (功率设置) with what became of them, and of the caps that `rules` holds."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, ForeignKeyConstraint, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from evcs.contracts.states import CapState
from webapi.database import Base, PowerKw, Ratio, RowId, UtcTime, Wording, one_of


class LimitKind(StrEnum):
    """How a limit was given."""

    KW = "kw"
    PCT = "pct"
    """% of each gun's rated power."""
    NONE = "none"
    """不限功率."""


class SettingState(StrEnum):
    """How far a limit has come at one gun."""

    ASKED = "asked"
    """It is configured; the engine has not said yet that it heeds it."""
    STANDING = "standing"
    """Nothing charges there: heeded at the next start."""
    SENT = "sent"
    CONFIRMED = "confirmed"
    """The pile confirmed it (0x51)."""
    APPLIED = "applied"
    """Later live values stay below it."""
    FAILED = "failed"
    SUPERSEDED = "superseded"
    """Somebody set another limit before this one was applied."""


class PowerSetting(Base):
    """A limit that somebody set for one or many guns at once."""

    __tablename__ = "power_setting"
    __table_args__ = (one_of("kind", LimitKind), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    kind: Mapped[LimitKind] = mapped_column(Wording(LimitKind))
    value: Mapped[Decimal | None] = mapped_column(Ratio, comment="kW or %, as given; empty: no limit")
    reason: Mapped[str] = mapped_column(String(200))
    set_by: Mapped[str] = mapped_column(String(64))
    set_at: Mapped[datetime] = mapped_column(UtcTime)

    guns: Mapped[list["PowerSettingGun"]] = relationship(back_populates="setting")


class PowerSettingGun(Base):
    """What became of a limit at one gun."""

    __tablename__ = "power_setting_gun"
    __table_args__ = (
        ForeignKeyConstraint(["pile_number", "gun_no"], ["gun.pile_number", "gun.no"]),
        one_of("state", SettingState),
        Index(None, "pile_number", "gun_no", "setting_id"),
        Index(None, "station_code", "setting_id"),
        Index(
            "ix_power_setting_gun_waiting",
            "deadline_at",
            sqlite_where=text("deadline_at IS NOT NULL"),
            postgresql_where=text("deadline_at IS NOT NULL"),
        ),
    )

    setting_id: Mapped[int] = mapped_column(ForeignKey("power_setting.id"), primary_key=True)
    pile_number: Mapped[str] = mapped_column(String(32), primary_key=True)
    gun_no: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    station_code: Mapped[str] = mapped_column(ForeignKey("station.code"), comment="where the pile stood then")
    limit_kw: Mapped[Decimal | None] = mapped_column(PowerKw, comment="of this gun; empty: no limit")
    state: Mapped[SettingState] = mapped_column(Wording(SettingState))
    reason: Mapped[str | None] = mapped_column(String(64), comment="evcs.contracts.reasons.Reason, of a failure")
    serial: Mapped[str | None] = mapped_column(String(32), comment="of the charge that it was set for")
    bound_by: Mapped[str | None] = mapped_column(String(24), comment="who binds the cap, as the engine last said")
    state_at: Mapped[datetime] = mapped_column(UtcTime)
    deadline_at: Mapped[datetime | None] = mapped_column(UtcTime, comment="no answer of the engine awaited after it")
    tries: Mapped[int] = mapped_column(Integer, default=1, comment="how often it was asked for")

    setting: Mapped["PowerSetting"] = relationship(back_populates="guns")


class GunSessionLive(Base):
    """What `rules` last said of a gun's cap (`G/session`); what moves with every reading is not kept."""

    __tablename__ = "gun_session_live"
    __table_args__ = (
        ForeignKeyConstraint(["pile_number", "gun_no"], ["gun.pile_number", "gun.no"]),
        one_of("cap_state", CapState),
    )

    pile_number: Mapped[str] = mapped_column(String(32), primary_key=True)
    gun_no: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(BigInteger, comment="of the level that last changed something here")
    serial: Mapped[str | None] = mapped_column(String(32), comment="of the session; empty: none")
    cap_kw: Mapped[Decimal | None] = mapped_column(PowerKw)
    bound_by: Mapped[str] = mapped_column(String(24), default="", comment="transformer, hand, pile_floor …")
    cap_state: Mapped[CapState] = mapped_column(Wording(CapState))
    hand_limit_kw: Mapped[Decimal | None] = mapped_column(PowerKw, comment="the limit by hand that the engine heeds")
    allowance_sent_kw: Mapped[Decimal | None] = mapped_column(PowerKw, comment="of the whole pile")
    allowance_confirmed_kw: Mapped[Decimal | None] = mapped_column(PowerKw, comment="of the whole pile")
    allowance_refused: Mapped[str | None] = mapped_column(String(64), comment="evcs.contracts.reasons.Reason")
    caps_json: Mapped[str] = mapped_column(Text, default="[]", comment="every cap with its source, the lowest first")
    changed_at: Mapped[datetime] = mapped_column(UtcTime)
