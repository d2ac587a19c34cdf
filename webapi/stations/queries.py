"""Reading stations: list and detail, with transformers and how many guns are in which state."""

from collections import Counter
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from evcs.contracts.reasons import Sentence
from evcs.contracts.states import Band, GunState
from webapi.access import Visible
from webapi.guns.live import shown_states
from webapi.http.paging import NameKey, Page, PageWish, page_of, read_cursor
from webapi.piles.models import Pile
from webapi.stations.lockout_columns import LockoutColumns
from webapi.stations.models import Station
from webapi.transformers.models import Transformer, TransformerLive


@dataclass(frozen=True, slots=True)
class LockoutView:
    """停用: who, why, since when, until when."""

    by: str
    reason: str | None
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class StateCount:
    """How many guns show a state."""

    state: GunState
    guns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadView:
    """What `rules` last said of a transformer, and how long ago; % of its rated apparent power."""

    band: Band
    since: datetime
    load_pct: float | None
    planned_pct: float | None
    load_kva: float | None
    guns_kw: float
    source: str
    why: Sentence
    meter_kva: float | None
    estimate_kva: float | None
    meter_at: datetime | None
    limited_pct: float | None
    blocked_pct: float | None
    degraded_until: datetime | None
    over_since: datetime | None
    curtailed: int
    at: datetime
    age_s: float


@dataclass(frozen=True, slots=True)
class TransformerView:
    """A transformer and the thresholds of its rule, % of its rated apparent power."""

    code: str
    name: str
    rated_kva: Decimal
    base_load_kw: Decimal
    limited_pct: Decimal
    blocked_pct: Decimal
    has_meter: bool
    live: LoadView | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StationView:
    """A station as a list shows it."""

    code: str
    name: str
    address: str | None
    longitude: Decimal | None
    latitude: Decimal | None
    piles: int
    guns: tuple[StateCount, ...]
    lockout: LockoutView | None
    stopped: LockoutView | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StationDetail(StationView):
    """A station with its transformers."""

    created_at: datetime
    transformers: tuple[TransformerView, ...]


def list_stations(session: Session, sees: Visible, wish: PageWish) -> Page[StationView]:
    """Stations by code."""
    query = sees.stations().order_by(Station.code).limit(wish.limit + 1)
    after = read_cursor(wish.cursor, NameKey)
    if after is not None:
        query = query.where(Station.code > after.code)
    page = page_of(session.scalars(query).all(), wish.limit, lambda station: NameKey(station.code))
    views = _views(session, page.items)
    return page.map(lambda station: views[station.code])


def station_detail(session: Session, sees: Visible, code: str, *, at: datetime) -> StationDetail | None:
    """One station."""
    station = session.scalars(sees.stations().where(Station.code == code)).one_or_none()
    if station is None:
        return None
    transformers = session.scalars(
        select(Transformer)
        .where(Transformer.station_code == code, Transformer.archived_at.is_(None))
        .options(joinedload(Transformer.live))
        .order_by(Transformer.code)
    )
    view = _views(session, (station,))[code]
    return StationDetail(
        **{field.name: getattr(view, field.name) for field in fields(view)},
        created_at=station.created_at,
        transformers=tuple(_transformer(transformer, at) for transformer in transformers),
    )


def _transformer(transformer: Transformer, at: datetime) -> TransformerView:
    return TransformerView(
        transformer.code,
        transformer.name,
        transformer.rated_kva,
        transformer.base_load_kw,
        transformer.limited_pct,
        transformer.blocked_pct,
        transformer.has_meter,
        load_of(transformer.live, at),
    )


def load_of(live: TransformerLive | None, at: datetime) -> LoadView | None:
    """What `rules` last said of a transformer; none: it has not said anything yet."""
    if live is None:
        return None
    return LoadView(
        band=live.band,
        since=live.since,
        load_pct=live.load_pct,
        planned_pct=live.planned_pct,
        load_kva=live.load_kva,
        guns_kw=live.guns_kw,
        source=live.source,
        why=Sentence(live.why_zh, live.why_en),
        meter_kva=live.meter_kva,
        estimate_kva=live.estimate_kva,
        meter_at=live.meter_at,
        limited_pct=live.limited_pct,
        blocked_pct=live.blocked_pct,
        degraded_until=live.degraded_until,
        over_since=live.over_since,
        curtailed=live.curtailed,
        at=live.told_at,
        age_s=max(0.0, (at - live.told_at).total_seconds()),
    )


def lockout_of(row: LockoutColumns) -> LockoutView | None:
    """The lockout that stands on a station, pile or gun."""
    if row.lockout_since is None:
        return None
    return LockoutView(row.lockout_by or "", row.lockout_reason, row.lockout_since, row.lockout_until)


def _views(session: Session, stations: tuple[Station, ...]) -> dict[str, StationView]:
    codes = [station.code for station in stations]
    piles: dict[str, int] = dict(
        session.execute(
            select(Pile.station_code, func.count())
            .where(Pile.station_code.in_(codes), Pile.archived_at.is_(None))
            .group_by(Pile.station_code)
        ).all()
    )
    counts: dict[str, Counter[GunState]] = {code: Counter() for code in codes}
    for station, state in shown_states(session, codes):
        counts[station][state] += 1
    return {
        station.code: StationView(
            code=station.code,
            name=station.name,
            address=station.address,
            longitude=station.longitude,
            latitude=station.latitude,
            piles=piles.get(station.code, 0),
            guns=tuple(
                StateCount(state, counts[station.code][state]) for state in GunState if counts[station.code][state]
            ),
            lockout=lockout_of(station),
            stopped=None
            if station.station_stop_since is None
            else LockoutView(
                station.station_stop_by or "", station.station_stop_reason, station.station_stop_since, None
            ),
        )
        for station in stations
    }
