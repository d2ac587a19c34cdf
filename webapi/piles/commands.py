"""Telling a pile something: checks, row and message in one transaction.

`issue(session, Wish(...), at=clock.now()) -> PileCommandRow | Refusal`: the caller commits and writes the audit; a
refusal changed nothing. The message leaves through the outbox; the one reply and the deadline end the row's waiting.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
from sqlalchemy.orm import Session

from evcs.contracts import topics, waits
from evcs.contracts.pile import (
    FirmwareUpdate,
    LockAction,
    OfflineCard,
    PileCommand,
    PileCommandKind,
    QrPrefix,
    RunWhen,
)
from evcs.contracts.reasons import Reason
from webapi.piles.command_models import CommandState, Params, PileCommandRow, UpdateSource
from webapi.piles.link import Link, link_in_force
from webapi.piles.models import Pile
from webapi.refusals import Refusal
from webapi.worker.enqueue import enqueue, new_id

WRITTEN_WITHIN = timedelta(seconds=waits.START_WRITTEN_S)
"""A command is written to the pile within the wait of a start, or not at all."""
REPLY_ON_ITS_WAY = timedelta(seconds=waits.REPEAT_S)
CARDS_A_FRAME = 11
"""Cards of one 0x44 that stay within 200 bytes (YKC V1.6 §4.5); each frame has an answer of its own."""

REPEATED = frozenset({PileCommandKind.POLL, PileCommandKind.CLOCK, PileCommandKind.CARDS_QUERY, PileCommandKind.TRACE})
"""What may as well reach a pile twice: published again under its id, also to a newer login, until it expires.

The rest goes out once: a bridge never carries an id out twice, but one that forgot it with its memory might.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a pile shall be told. `by`: user:7, worker. `kind` says which of the rest counts, as in the contract."""

    pile: str
    kind: PileCommandKind
    by: str
    gun: int | None = None
    when: RunWhen | None = None
    update: FirmwareUpdate | None = None
    qr: QrPrefix | None = None
    cards: tuple[OfflineCard, ...] = ()
    lock: LockAction | None = None
    trace_until: datetime | None = None
    tariff_version: str | None = None
    serial: str | None = None
    balance_fen: int | None = None
    card: str | None = None


def issue(session: Session, wish: Wish, *, at: datetime) -> PileCommandRow | Refusal:
    """Have a pile told something, or say why not. Raises NoResultFound for a pile that does not exist."""
    pile = session.get_one(Pile, wish.pile)
    link = link_in_force(session, pile.number)
    if link is None:
        return Refusal(Reason.PILE_OFFLINE)
    expires_at = at + WRITTEN_WITHIN
    row = PileCommandRow(
        id=new_id(),
        pile_number=pile.number,
        station_code=pile.station_code,
        gun_no=wish.gun,
        kind=wish.kind,
        params_json=msgspec.json.encode(params_of(wish)).decode(),
        bridge=link.bridge,
        link=link.link,
        asked_by=wish.by,
        asked_at=at,
        expires_at=expires_at,
        deadline_at=expires_at + answer_within(wish) + REPLY_ON_ITS_WAY,
        state=CommandState.WAITING,
        pile_text_zh="",
        pile_text_en="",
        tries=1,
        last_sent_at=at,
    )
    session.add(row)
    session.flush()
    publish(session, row, message(row, link, update=wish.update), at=at)
    return row


def params_of(wish: Wish) -> Params:
    """What of a wish is kept and shown: everything but the FTP password."""
    update = wish.update
    return Params(
        when=wish.when,
        update=None
        if update is None
        else UpdateSource(
            server=update.server,
            port=update.port,
            user=update.user,
            path=update.path,
            timeout_min=update.timeout_min,
        ),
        qr=wish.qr,
        cards=wish.cards,
        lock=wish.lock,
        trace_until=wish.trace_until,
        tariff_version=wish.tariff_version,
        serial=wish.serial,
        balance_fen=wish.balance_fen,
        card=wish.card,
    )


def answer_within(wish: Wish) -> timedelta:
    """How long the pile's answer may take once the command is written to it."""
    if wish.kind is PileCommandKind.UPDATE:
        return timedelta(seconds=waits.UPDATE_ANSWER_S)
    frames = max(1, -(-len(wish.cards) // CARDS_A_FRAME))
    return timedelta(seconds=waits.PILE_ANSWER_S * frames)


def message(row: PileCommandRow, link: Link, *, update: FirmwareUpdate | None = None) -> PileCommand:
    """The command for a login; it rests on the row alone, but for the update with its password."""
    params = row.params
    return PileCommand(
        id=row.id,
        bridge=link.bridge,
        link=link.link,
        kind=row.kind,
        expires_at=row.expires_at,
        gun=row.gun_no,
        serial=params.serial,
        balance_fen=params.balance_fen,
        tariff_version=params.tariff_version,
        card=params.card,
        cards=params.cards,
        when=params.when or RunWhen.WHEN_IDLE,
        update=update,
        qr=params.qr,
        lock=params.lock,
        trace_until=params.trace_until,
    )


def publish(session: Session, row: PileCommandRow, told: PileCommand, *, at: datetime) -> None:
    """Put the command into the outbox; one with a password leaves no row there once it is published."""
    enqueue(
        session,
        topics.PILE_COMMAND,
        told,
        at=at,
        station=row.station_code,
        levels={"pile": row.pile_number},
        expires_at=row.expires_at,
        is_secret=told.update is not None and bool(told.update.password),
    )
