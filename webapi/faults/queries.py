"""Reading alarm records: open ones first, then the newest; counts for the bell."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

import msgspec
from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session, joinedload

from evcs.contracts.alarm import AlarmKind, Severity
from evcs.contracts.times import Instant
from webapi.access import Visible
from webapi.faults.dictionary import entry_for
from webapi.faults.models import AlarmRecord
from webapi.http.instants import check_year
from webapi.http.paging import Page, PageWish, page_of, read_cursor

AROUND_CURVE = timedelta(minutes=5)
"""What is looked at in the curve before and behind an alarm (F033)."""
EARLIER_MOST = 20


class AlarmKey(msgspec.Struct, frozen=True, array_like=True):
    """Key of lists of alarms."""

    open: bool
    at: Instant
    id: Annotated[int, msgspec.Meta(ge=0, le=2**53)]

    def __post_init__(self) -> None:
        """A time that no row can have is no key."""
        check_year(self.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmView:
    """A record as a list shows it."""

    id: int
    alarm: str
    station: str
    station_name: str
    transformer: str | None
    pile: str | None
    gun: int | None
    serial: str | None
    kind: AlarmKind
    protocol: str
    code: str
    known: bool
    severity: Severity
    action: str
    zh: str
    en: str
    count: int
    value: float | None
    limit: float | None
    unit: str
    raw: str
    open: bool
    raised_at: datetime
    cleared_at: datetime | None
    duration_s: float
    acknowledged_at: datetime | None
    acknowledged_by: str | None
    acknowledged_name: str | None
    acknowledge_note: str | None


@dataclass(frozen=True, slots=True)
class Advice:
    """What the dictionary says today."""

    entry: int
    zh: str
    en: str
    severity: Severity
    category: str
    advice_zh: str
    advice_en: str


@dataclass(frozen=True, slots=True)
class Earlier:
    """Another time that the same alarm was raised."""

    id: int
    raised_at: datetime
    cleared_at: datetime | None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmDetail:
    """A record with what explains it."""

    alarm: AlarmView
    dictionary: Advice | None
    described_at: datetime | None
    earlier: tuple[Earlier, ...]
    curve_since: datetime
    curve_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmFilter(PageWish):
    """Which records; the range of the time of raising is half-open."""

    station: str | None = None
    transformer: str | None = None
    pile: str | None = None
    gun: int | None = None
    serial: str | None = None
    kind: AlarmKind | None = None
    severity: Sequence[Severity] = ()
    code: str | None = None
    open: bool | None = None
    acknowledged: bool | None = None
    known: bool | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmCounts:
    """What is open: for the bell."""

    open: int
    unacknowledged: int
    critical: int
    warning: int
    info: int
    faults: int
    warnings: int
    undescribed: int


def list_alarms(session: Session, sees: Visible, wish: AlarmFilter, *, at: datetime) -> Page[AlarmView]:
    """Open ones first, then by time of raising, newest first."""
    query = _narrowed(sees.alarms(), wish)
    after = read_cursor(wish.cursor, AlarmKey)
    if after is not None:
        query = query.where(_behind(after))
    is_open = case((AlarmRecord.cleared_at.is_(None), 1), else_=0)
    order = (is_open.desc(), AlarmRecord.raised_at.desc(), AlarmRecord.id.desc())
    found = session.scalars(query.options(joinedload(AlarmRecord.station)).order_by(*order).limit(wish.limit + 1)).all()
    return page_of(found, wish.limit, lambda one: AlarmKey(one.cleared_at is None, one.raised_at, one.id)).map(
        lambda one: alarm_view(one, at)
    )


def find_alarm(session: Session, sees: Visible, alarm_id: int, *, lock: bool = False) -> AlarmRecord | None:
    """One record; locked for a change."""
    query = sees.alarms().where(AlarmRecord.id == alarm_id)
    return session.scalars(query.with_for_update(of=AlarmRecord) if lock else query).one_or_none()


def alarm_detail(session: Session, record: AlarmRecord, *, at: datetime) -> AlarmDetail:
    """A record with the dictionary's words of today and the other times that it was raised."""
    entry = entry_for(session, record)
    others = session.scalars(
        select(AlarmRecord)
        .where(AlarmRecord.alarm_id == record.alarm_id, AlarmRecord.id != record.id)
        .order_by(AlarmRecord.raised_at.desc())
        .limit(EARLIER_MOST)
    )
    advice = None
    if entry is not None:
        advice = Advice(
            entry.id,
            entry.text_zh,
            entry.text_en,
            entry.severity,
            entry.category.value,
            entry.advice_zh,
            entry.advice_en,
        )
    return AlarmDetail(
        alarm=alarm_view(record, at),
        dictionary=advice,
        described_at=record.described_at,
        earlier=tuple(Earlier(one.id, one.raised_at, one.cleared_at, one.count) for one in others),
        curve_since=record.raised_at - AROUND_CURVE,
        curve_until=(record.cleared_at or record.raised_at) + AROUND_CURVE,
    )


def count_open(session: Session, sees: Visible, station: str | None) -> AlarmCounts:
    """How many are open, by severity and kind."""
    visible = sees.alarms().with_only_columns(AlarmRecord.id)
    if station is not None:
        visible = visible.where(AlarmRecord.station_code == station)

    def number(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)

    row = session.execute(
        select(
            func.count(AlarmRecord.id),
            number(AlarmRecord.acknowledged_at.is_(None)),
            number(AlarmRecord.severity == Severity.CRITICAL),
            number(AlarmRecord.severity == Severity.WARNING),
            number(AlarmRecord.severity == Severity.INFO),
            number(AlarmRecord.kind == AlarmKind.FAULT),
            number(AlarmRecord.kind == AlarmKind.WARNING),
            number(AlarmRecord.known.is_(False)),
        ).where(AlarmRecord.cleared_at.is_(None), AlarmRecord.id.in_(visible))
    ).one()
    return AlarmCounts(
        open=row[0],
        unacknowledged=row[1],
        critical=row[2],
        warning=row[3],
        info=row[4],
        faults=row[5],
        warnings=row[6],
        undescribed=row[7],
    )


def alarm_view(record: AlarmRecord, at: datetime) -> AlarmView:
    """A record for somebody; what is still open lasts until now."""
    return AlarmView(
        id=record.id,
        alarm=record.alarm_id,
        station=record.station_code,
        station_name=record.station.name,
        transformer=record.transformer_code,
        pile=record.pile_number,
        gun=record.gun_no,
        serial=record.order_serial,
        kind=record.kind,
        protocol=record.protocol,
        code=record.code,
        known=record.known,
        severity=record.severity,
        action=record.action,
        zh=record.text_zh,
        en=record.text_en,
        count=record.count,
        value=record.value,
        limit=record.limit,
        unit=record.unit,
        raw=record.raw,
        open=record.cleared_at is None,
        raised_at=record.raised_at,
        cleared_at=record.cleared_at,
        duration_s=round(max(((record.cleared_at or at) - record.raised_at).total_seconds(), 0.0), 1),
        acknowledged_at=record.acknowledged_at,
        acknowledged_by=record.acknowledged_by,
        acknowledged_name=record.acknowledged_name,
        acknowledge_note=record.acknowledge_note,
    )


def _narrowed(query: Select[AlarmRecord], wish: AlarmFilter) -> Select[AlarmRecord]:
    for column, wanted in (
        (AlarmRecord.station_code, wish.station),
        (AlarmRecord.transformer_code, wish.transformer),
        (AlarmRecord.pile_number, wish.pile),
        (AlarmRecord.gun_no, wish.gun),
        (AlarmRecord.order_serial, wish.serial),
        (AlarmRecord.kind, wish.kind),
        (AlarmRecord.code, wish.code),
        (AlarmRecord.known, wish.known),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    if wish.severity:
        query = query.where(AlarmRecord.severity.in_(wish.severity))
    if wish.open is not None:
        cleared = AlarmRecord.cleared_at
        query = query.where(cleared.is_(None) if wish.open else cleared.is_not(None))
    if wish.acknowledged is not None:
        seen = AlarmRecord.acknowledged_at
        query = query.where(seen.is_not(None) if wish.acknowledged else seen.is_(None))
    if wish.since is not None:
        query = query.where(AlarmRecord.raised_at >= wish.since)
    if wish.until is not None:
        query = query.where(AlarmRecord.raised_at < wish.until)
    return query


def _behind(key: AlarmKey) -> ColumnElement[bool]:
    """What comes after a key: the rest of its part of the list, and behind the open ones all that is cleared."""
    later = or_(AlarmRecord.raised_at < key.at, and_(AlarmRecord.raised_at == key.at, AlarmRecord.id < key.id))
    if key.open:
        return or_(AlarmRecord.cleared_at.is_not(None), later)
    return and_(AlarmRecord.cleared_at.is_not(None), later)
