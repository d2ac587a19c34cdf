"""Reading commands: what a pile was told, by whom, and what became of it."""

from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from evcs.contracts.pile import CardResult, LockAction, PileCommandKind, QrKind, RunWhen
from evcs.contracts.reasons import Sentence
from webapi.access import Visible
from webapi.http.paging import Page, PageWish, TimeKey, page_of, read_cursor
from webapi.piles.command_models import CommandState, PileCommandRow, UpdateSource
from webapi.piles.command_texts import told
from webapi.piles.masks import masked_number
from webapi.users.roles import Right


@dataclass(frozen=True, slots=True)
class CardView:
    """An offline card of a command; `ok` and `pile_code`: what the pile said about it, if anything."""

    uid: str
    printed_no: str
    ok: bool | None
    pile_code: int | None


@dataclass(frozen=True, slots=True)
class QrView:
    """A prefix, and what the pile draws behind it."""

    prefix: str
    kind: QrKind


@dataclass(frozen=True, slots=True, kw_only=True)
class ParamsView:
    """What the command said; what its kind does not have is null."""

    when: RunWhen | None
    update: UpdateSource | None
    qr: QrView | None
    lock: LockAction | None
    trace_until: datetime | None
    tariff_version: str | None
    balance_fen: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandView:
    """A command as it is shown."""

    id: str
    pile: str
    gun: int | None
    station: str
    kind: PileCommandKind
    params: ParamsView
    state: CommandState
    reason: str | None
    sentence: Sentence
    pile_code: int | None
    pile_text: Sentence | None
    cards: tuple[CardView, ...]
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    replied_at: datetime | None
    tries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandFilter(PageWish):
    """Which commands of a pile."""

    kind: tuple[PileCommandKind, ...] = ()
    state: tuple[CommandState, ...] = ()


def list_commands(session: Session, sees: Visible, pile: str, wish: CommandFilter) -> Page[CommandView]:
    """A pile's commands, newest first; those of a station where it stood before only to who sees that one too."""
    query = select(PileCommandRow).where(
        PileCommandRow.pile_number == pile, sees.sees_station(PileCommandRow.station_code)
    )
    if wish.kind:
        query = query.where(PileCommandRow.kind.in_(wish.kind))
    if wish.state:
        query = query.where(PileCommandRow.state.in_(wish.state))
    after = read_cursor(wish.cursor, TimeKey)
    if after is not None:
        query = query.where(tuple_(PileCommandRow.asked_at, PileCommandRow.id) < tuple_(after.at, after.id))
    ordered = query.order_by(PileCommandRow.asked_at.desc(), PileCommandRow.id.desc()).limit(wish.limit + 1)
    page = page_of(session.scalars(ordered).all(), wish.limit, lambda row: TimeKey(row.asked_at, row.id))
    return page.map(lambda row: command_view(row, sees))


def find_command(session: Session, sees: Visible, command: str) -> CommandView | None:
    """One command."""
    row = session.scalars(
        select(PileCommandRow).where(PileCommandRow.id == command, sees.sees_station(PileCommandRow.station_code))
    ).one_or_none()
    return None if row is None else command_view(row, sees)


def command_view(row: PileCommandRow, sees: Visible) -> CommandView:
    """A command for somebody: card numbers are whole only for who works with the piles."""
    params = row.params
    return CommandView(
        id=row.id,
        pile=row.pile_number,
        gun=row.gun_no,
        station=row.station_code,
        kind=row.kind,
        params=ParamsView(
            when=params.when,
            update=params.update,
            qr=None if params.qr is None else QrView(params.qr.prefix, params.qr.kind),
            lock=params.lock,
            trace_until=params.trace_until,
            tariff_version=params.tariff_version,
            balance_fen=params.balance_fen,
        ),
        state=row.state,
        reason=row.reason,
        sentence=told(row),
        pile_code=row.pile_code,
        pile_text=Sentence(row.pile_text_zh, row.pile_text_en) if row.pile_text_zh or row.pile_text_en else None,
        cards=_cards(row, in_full=bool({Right.OPERATE_PILES, Right.MANAGE_CARDS} & sees.asker.rights)),
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        expires_at=row.expires_at,
        replied_at=row.replied_at,
        tries=row.tries,
    )


def _cards(row: PileCommandRow, *, in_full: bool) -> tuple[CardView, ...]:
    results: dict[str, CardResult] = {}
    if row.cards_json is not None:
        results = {result.uid: result for result in msgspec.json.decode(row.cards_json, type=tuple[CardResult, ...])}
    shown = []
    for card in row.params.cards:
        result = results.get(card.uid)
        shown.append(
            CardView(
                uid=card.uid if in_full else masked_number(card.uid),
                printed_no=card.printed_no if in_full else masked_number(card.printed_no),
                ok=None if result is None else result.ok,
                pile_code=None if result is None else result.pile_code,
            )
        )
    return tuple(shown)
