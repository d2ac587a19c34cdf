"""Table of the commands that piles were given apart from starts, stops and power: what was asked, what became of it."""

from datetime import datetime
from enum import StrEnum

import msgspec
from sqlalchemy import ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from evcs.contracts.ids import CardUid, Serial
from evcs.contracts.pile import LockAction, OfflineCard, Outcome, PileCommandKind, QrPrefix, RunWhen
from evcs.contracts.times import Instant
from webapi.database import Base, UtcTime, Wording, one_of


class CommandState(StrEnum):
    """How far a command has come: the outcomes of the contract, and that there is none yet."""

    WAITING = "waiting"
    ACCEPTED = Outcome.ACCEPTED.value
    REFUSED = Outcome.REFUSED.value
    TIMED_OUT = Outcome.TIMED_OUT.value
    EXPIRED = Outcome.EXPIRED.value


class UpdateSource(msgspec.Struct, frozen=True, kw_only=True):
    """Where a pile fetches its program, as it may be shown and kept: the FTP password is not part of it."""

    server: str
    port: int
    user: str
    path: str
    timeout_min: int


class Params(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a command says besides its kind and gun; no secret. Only what the kind has is given."""

    when: RunWhen | None = None
    update: UpdateSource | None = None
    qr: QrPrefix | None = None
    cards: tuple[OfflineCard, ...] = ()
    lock: LockAction | None = None
    trace_until: Instant | None = None
    tariff_version: str | None = None
    serial: Serial | None = None
    balance_fen: int | None = None
    card: CardUid | None = None


class PileCommandRow(Base):
    """A command under its message id. `deadline_at` is set while it waits: then nobody waits any more."""

    __tablename__ = "pile_command"
    __table_args__ = (
        one_of("kind", PileCommandKind),
        one_of("state", CommandState),
        Index(None, "pile_number", "asked_at", "id"),
        Index(
            "ix_pile_command_waiting",
            "deadline_at",
            sqlite_where=text("deadline_at IS NOT NULL"),
            postgresql_where=text("deadline_at IS NOT NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    pile_number: Mapped[str] = mapped_column(ForeignKey("pile.number"))
    station_code: Mapped[str] = mapped_column(ForeignKey("station.code"), comment="where the pile stood when asked")
    gun_no: Mapped[int | None] = mapped_column(Integer)
    kind: Mapped[PileCommandKind] = mapped_column(Wording(PileCommandKind))
    params_json: Mapped[str] = mapped_column(Text, comment="no secret: an FTP password is only ever in the outbox")
    bridge: Mapped[str] = mapped_column(String(32))
    link: Mapped[str] = mapped_column(String(64), comment="the login that it was last sent to")
    asked_by: Mapped[str] = mapped_column(String(64), comment="user:7, worker")
    asked_at: Mapped[datetime] = mapped_column(UtcTime)
    expires_at: Mapped[datetime] = mapped_column(UtcTime, comment="not written to the pile after it")
    deadline_at: Mapped[datetime | None] = mapped_column(UtcTime, comment="no answer is awaited after it; empty: over")
    state: Mapped[CommandState] = mapped_column(Wording(CommandState), default=CommandState.WAITING)
    reason: Mapped[str | None] = mapped_column(String(32), comment="evcs.contracts.reasons.Reason")
    pile_code: Mapped[int | None] = mapped_column(Integer)
    pile_text_zh: Mapped[str] = mapped_column(String(200), default="")
    pile_text_en: Mapped[str] = mapped_column(String(200), default="")
    cards_json: Mapped[str | None] = mapped_column(Text, comment="what the pile said about each offline card")
    replied_at: Mapped[datetime | None] = mapped_column(UtcTime, comment="when the bridge had the answer")
    tries: Mapped[int] = mapped_column(Integer, default=1, comment="how often it was published under its id")
    last_sent_at: Mapped[datetime] = mapped_column(UtcTime)

    @property
    def params(self) -> Params:
        """What it says besides kind and gun."""
        return msgspec.json.decode(self.params_json, type=Params)
