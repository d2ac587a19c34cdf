"""Reading stations: list and detail, with transformers and how many guns are in which state."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from evcs.contracts.reasons import Sentence
from evcs.contracts.states import Band, GunState
from webapi.access import Visible
from webapi.guns.live import shown_states
from webapi.guns.now import GunNow, guns_now
from webapi.http.paging import NameKey, Page, PageWish, page_of, read_cursor
from webapi.piles.models import Pile
from webapi.stations.lockout_columns import WhileCharging
from webapi.stations.lockout_views import SENTENCES, LockoutView, lockout_of, state_of
from webapi.stations.models import Station
from webapi.transformers.models import Transformer, TransformerLive


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


def stopped_of(station: Station, guns: Sequence[GunNow]) -> LockoutView | None:
    """The stop of a station, shown like a lockout; `guns`: those of the station."""
    if station.station_stop_since is None:
        return None
    state = state_of(guns, WhileCharging.STOP)
    return LockoutView(
        station.station_stop_by or "",
        station.station_stop_reason,
        station.station_stop_since,
        None,
        WhileCharging.STOP,
        state,
        SENTENCES[state],
    )


def _guns_of_locked(session: Session, stations: Sequence[Station]) -> dict[str, list[GunNow]]:
    """Guns of the stations that are locked out or stopped: nobody looks at those of the others."""
    codes = [one.code for one in stations if one.lockout_since is not None or one.station_stop_since is not None]
    found: dict[str, list[GunNow]] = {code: [] for code in codes}
    if codes:
        for gun in guns_now(session, Pile.station_code.in_(codes)):
            found[gun.station].append(gun)
    return found


def _views(session: Session, stations: tuple[Station, ...]) -> dict[str, StationView]:
    codes = [station.code for station in stations]
    piles: dict[str, int] = dict(
        session.execute(
            select(Pile.station_code, func.count())
            .where(Pile.station_code.in_(codes), Pile.archived_at.is_(None))
            .group_by(Pile.station_code)
        ).all()
    )
    locked = _guns_of_locked(session, stations)
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
            lockout=lockout_of(station, locked.get(station.code, ())),
            stopped=stopped_of(station, locked.get(station.code, ())),
        )
        for station in stations
    }
