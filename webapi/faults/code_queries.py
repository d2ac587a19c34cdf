"""Reading the fault-code dictionary, and the codes that nobody has described yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec
from sqlalchemy import false, func, or_, select, tuple_
from sqlalchemy.orm import Session

from evcs.contracts.alarm import AlarmAction, AlarmKind, Severity
from webapi.access import Visible
from webapi.faults.dictionary import matches, uses
from webapi.faults.models import AlarmRecord, FaultCodeEntry
from webapi.faults.shipped.themes import FaultCategory
from webapi.http.paging import NumberKey, Page, PageWish, page_of, read_cursor
from webapi.piles.models import Pile

Word = Annotated[str, msgspec.Meta(max_length=64)]


class CodeKey(msgspec.Struct, frozen=True, array_like=True):
    """Key of the list of undescribed codes."""

    protocol: Word
    maker: Word
    model: Word
    code: Word


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultCodeView:
    """An entry as it is shown."""

    id: int
    protocol: str
    maker: str
    model: str
    code: str
    text_zh: str
    text_en: str
    severity: Severity
    action: AlarmAction
    category: FaultCategory
    advice_zh: str
    advice_en: str
    shipped: bool
    changed_at: datetime
    changed_by: str
    records: int | None = None
    """How many records show it; only in the detail."""
    described: int | None = None
    """How many records got its text, of an entry just made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UndescribedCode:
    """A code that piles sent and no entry explains."""

    protocol: str
    maker: str
    model: str
    code: str
    kind: AlarmKind
    records: int
    piles: int
    first_at: datetime
    last_at: datetime
    raw: str
    last_record: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultCodeFilter(PageWish):
    """Which entries; `q`: part of code or words."""

    q: str | None = None
    protocol: str | None = None
    maker: str | None = None
    model: str | None = None
    severity: Sequence[Severity] = ()
    category: Sequence[FaultCategory] = ()
    shipped: bool | None = None


def list_entries(session: Session, wish: FaultCodeFilter) -> Page[FaultCodeView]:
    """Entries in the order in which they were made."""
    query = select(FaultCodeEntry)
    for column, wanted in (
        (FaultCodeEntry.protocol, wish.protocol),
        (FaultCodeEntry.maker, wish.maker),
        (FaultCodeEntry.model, wish.model),
        (FaultCodeEntry.shipped, wish.shipped),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    if wish.severity:
        query = query.where(FaultCodeEntry.severity.in_(wish.severity))
    if wish.category:
        query = query.where(FaultCodeEntry.category.in_(wish.category))
    if wish.q is not None:
        q = wish.q.strip()
        texts = (FaultCodeEntry.text_zh, FaultCodeEntry.text_en, FaultCodeEntry.code)
        query = query.where(or_(*(text.icontains(q, autoescape=True) for text in texts)))
    after = read_cursor(wish.cursor, NumberKey)
    if after is not None:
        query = query.where(FaultCodeEntry.id > after.id)
    found = session.scalars(query.order_by(FaultCodeEntry.id).limit(wish.limit + 1)).all()
    return page_of(found, wish.limit, lambda one: NumberKey(one.id)).map(entry_view)


def entry_view(entry: FaultCodeEntry, *, records: int | None = None, described: int | None = None) -> FaultCodeView:
    """An entry for somebody."""
    return FaultCodeView(
        id=entry.id,
        protocol=entry.protocol,
        maker=entry.maker,
        model=entry.model,
        code=entry.code,
        text_zh=entry.text_zh,
        text_en=entry.text_en,
        severity=entry.severity,
        action=entry.action,
        category=entry.category,
        advice_zh=entry.advice_zh,
        advice_en=entry.advice_en,
        shipped=entry.shipped,
        changed_at=entry.changed_at,
        changed_by=entry.changed_by,
        records=records,
        described=described,
    )


def entry_detail(session: Session, entry: FaultCodeEntry) -> FaultCodeView:
    """An entry with the number of records that show it."""
    return entry_view(entry, records=uses(session, entry))


def records_of(session: Session, entries: Sequence[FaultCodeEntry]) -> int:
    """How many records show one of the entries, each counted once."""
    if not entries:
        return 0
    shows = or_(false(), *(matches(entry) for entry in entries))
    query = select(func.count(AlarmRecord.id)).outerjoin(Pile, Pile.number == AlarmRecord.pile_number)
    return session.scalar(query.where(shows)) or 0


def list_undescribed(session: Session, sees: Visible, wish: PageWish) -> Page[UndescribedCode]:
    """Codes of visible records that wait for a description, by protocol, maker, model, code."""
    maker, model = func.coalesce(Pile.maker, ""), func.coalesce(Pile.model, "")
    key = (AlarmRecord.protocol, maker, model, AlarmRecord.code)
    waiting = sees.alarms().where(AlarmRecord.known.is_(False)).with_only_columns(AlarmRecord.id)
    query = (
        select(
            *key,
            func.max(AlarmRecord.kind),
            func.count(AlarmRecord.id),
            func.count(AlarmRecord.pile_number.distinct()),
            func.min(AlarmRecord.raised_at),
            func.max(AlarmRecord.raised_at),
            func.max(AlarmRecord.raw),
            func.max(AlarmRecord.id),
        )
        .outerjoin(Pile, Pile.number == AlarmRecord.pile_number)
        .where(AlarmRecord.id.in_(waiting))
        .group_by(*key)
    )
    after = read_cursor(wish.cursor, CodeKey)
    if after is not None:
        query = query.where(tuple_(*key) > (after.protocol, after.maker, after.model, after.code))
    rows = session.execute(query.order_by(*key).limit(wish.limit + 1)).all()
    found = [
        UndescribedCode(
            protocol=row[0],
            maker=row[1],
            model=row[2],
            code=row[3],
            kind=AlarmKind(row[4]),
            records=row[5],
            piles=row[6],
            first_at=row[7],
            last_at=row[8],
            raw=row[9],
            last_record=row[10],
        )
        for row in rows
    ]
    return page_of(found, wish.limit, lambda one: CodeKey(one.protocol, one.maker, one.model, one.code))
