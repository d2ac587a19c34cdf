"""Reading what happened at a pile, and the newest frames of a traced one."""

from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from evcs.contracts.pile import FrameField, PileEventKind
from evcs.contracts.reasons import Reason, Sentence, sentence
from webapi.access import Visible
from webapi.http.paging import NumberKey, Page, PageWish, page_of, read_cursor
from webapi.piles.history_models import PileEventRow, PileFrameRow

KINDS: dict[PileEventKind, Sentence] = {
    PileEventKind.TARIFF_CONFIRMED: Sentence("计费模型已确认", "tariff confirmed"),
    PileEventKind.TARIFF_REFUSED: Sentence("桩拒绝计费模型", "the pile refused the tariff"),
    PileEventKind.CLOCK_WRONG: Sentence("桩时钟偏差过大", "the pile's clock is wrong"),
    PileEventKind.KEY_REFUSED: Sentence("密钥未通过", "its key was refused"),
    PileEventKind.LOGIN_REFUSED: Sentence("登录被拒", "a login was refused"),
    PileEventKind.CONNECTION_REPLACED: Sentence("连接被新连接取代", "a newer connection replaced the older one"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PileEventView:
    """Something that happened, and how often in a row."""

    id: int
    kind: PileEventKind
    title: Sentence
    reason: str | None
    sentence: Sentence | None
    text: str
    tariff_version: str | None
    clock_offset_s: float | None
    first_at: datetime
    last_at: datetime
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PileFrameView:
    """A frame, either way, decoded as far as it could be."""

    id: int
    at: datetime
    from_pile: bool
    frame_type: str
    title: Sentence
    fields: tuple[FrameField, ...]
    problem: str
    frame_hex: str


def list_events(session: Session, sees: Visible, pile: str, wish: PageWish) -> Page[PileEventView]:
    """What happened at a pile, newest first; at a station where it stood before only for who sees that one too."""
    query = select(PileEventRow).where(PileEventRow.pile_number == pile, sees.sees_station(PileEventRow.station_code))
    after = read_cursor(wish.cursor, NumberKey)
    if after is not None:
        query = query.where(PileEventRow.id < after.id)
    found = session.scalars(query.order_by(PileEventRow.id.desc()).limit(wish.limit + 1)).all()
    return page_of(found, wish.limit, lambda row: NumberKey(row.id)).map(_event)


def list_frames(session: Session, pile: str, wish: PageWish) -> Page[PileFrameView]:
    """The frames that were kept of a pile, newest first. The caller has checked that the pile is visible."""
    query = select(PileFrameRow).where(PileFrameRow.pile_number == pile)
    after = read_cursor(wish.cursor, NumberKey)
    if after is not None:
        query = query.where(PileFrameRow.id < after.id)
    found = session.scalars(query.order_by(PileFrameRow.id.desc()).limit(wish.limit + 1)).all()
    return page_of(found, wish.limit, lambda row: NumberKey(row.id)).map(_frame)


def _event(row: PileEventRow) -> PileEventView:
    return PileEventView(
        id=row.id,
        kind=row.kind,
        title=KINDS.get(row.kind, Sentence(row.kind.value, row.kind.value)),
        reason=row.reason,
        sentence=sentence(Reason(row.reason)) if row.reason in set(Reason) else None,
        text=row.text,
        tariff_version=row.tariff_version,
        clock_offset_s=row.clock_offset_s,
        first_at=row.first_at,
        last_at=row.last_at,
        times=row.times,
    )


def _frame(row: PileFrameRow) -> PileFrameView:
    return PileFrameView(
        id=row.id,
        at=row.at,
        from_pile=row.from_pile,
        frame_type=row.frame_type,
        title=Sentence(row.title_zh, row.title_en),
        fields=msgspec.json.decode(row.fields_json, type=tuple[FrameField, ...]),
        problem=row.problem,
        frame_hex=row.frame_hex,
    )
