"""Reading transformers: configuration, what the engine last said, degraded mode, feeders."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from webapi.access import Visible
from webapi.http.paging import NameKey, Page, PageWish, page_of, read_cursor
from webapi.piles.models import Pile
from webapi.stations.queries import LoadView, load_of
from webapi.transformers.degraded import DegradedView, degraded_view
from webapi.transformers.models import Feeder, Transformer


@dataclass(frozen=True, slots=True, kw_only=True)
class FeederView:
    """A feeder with the piles directly behind it."""

    code: str
    transformer: str
    name: str
    limit_kw: Decimal
    parent: str | None
    piles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformerDetail:
    """A transformer: its configuration, its load, degraded mode, feeders."""

    code: str
    station: str
    name: str
    rated_kva: Decimal
    has_meter: bool
    base_load_kw: Decimal
    max_base_load_kw: Decimal | None
    power_factor: Decimal
    limited_pct: Decimal
    limited_release_pct: Decimal
    limited_release_s: int
    blocked_pct: Decimal
    blocked_release_pct: Decimal
    blocked_release_s: int
    overload_pct: Decimal
    overload_s: int
    overload_stop_after_s: int
    overload_stop_apart_s: int
    cap_share: Decimal
    releases_caps: bool
    release_apart_s: int
    shown_after_s: int
    is_shared: bool
    share_target_pct: Decimal
    queue_most: int
    queue_s: int
    degraded_blocked_pct: Decimal
    degraded: DegradedView
    feeders: tuple[FeederView, ...]
    live: LoadView | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransformerFilter(PageWish):
    """Which transformers."""

    station: str | None = None


def list_transformers(
    session: Session, sees: Visible, wish: TransformerFilter, *, at: datetime
) -> Page[TransformerDetail]:
    """Transformers by code."""
    query = sees.transformers().options(selectinload(Transformer.feeders), selectinload(Transformer.live))
    if wish.station is not None:
        query = query.where(Transformer.station_code == wish.station)
    after = read_cursor(wish.cursor, NameKey)
    if after is not None:
        query = query.where(Transformer.code > after.code)
    found = session.scalars(query.order_by(Transformer.code).limit(wish.limit + 1)).all()
    page = page_of(found, wish.limit, lambda row: NameKey(row.code))
    piles = _piles_behind(session, [feeder.code for row in page.items for feeder in row.feeders])
    return page.map(lambda row: _view(row, piles, at))


def find_transformer(session: Session, sees: Visible, code: str) -> Transformer | None:
    """A visible transformer."""
    return session.scalars(sees.transformers().where(Transformer.code == code)).one_or_none()


def find_feeder(session: Session, sees: Visible, code: str) -> Feeder | None:
    """A feeder of a visible transformer."""
    return session.scalars(sees.feeders().where(Feeder.code == code)).one_or_none()


def transformer_view(session: Session, row: Transformer, *, at: datetime) -> TransformerDetail:
    """A transformer that is at hand, as it now stands."""
    session.flush()
    session.refresh(row, ["feeders", "live"])
    return _view(row, _piles_behind(session, [feeder.code for feeder in row.feeders]), at)


def feeder_view(session: Session, row: Feeder) -> FeederView:
    """A feeder that is at hand."""
    return _feeder(row, _piles_behind(session, [row.code]))


def _piles_behind(session: Session, feeders: list[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    if not feeders:
        return found
    query = (
        select(Pile.feeder_code, Pile.number)
        .where(Pile.feeder_code.in_(feeders), Pile.archived_at.is_(None))
        .order_by(Pile.number)
    )
    for feeder, pile in session.execute(query):
        assert feeder is not None
        found[feeder] = (*found.get(feeder, ()), pile)
    return found


def _feeder(row: Feeder, piles: dict[str, tuple[str, ...]]) -> FeederView:
    return FeederView(
        code=row.code,
        transformer=row.transformer_code,
        name=row.name,
        limit_kw=row.limit_kw,
        parent=row.parent_code,
        piles=piles.get(row.code, ()),
    )


def _view(row: Transformer, piles: dict[str, tuple[str, ...]], at: datetime) -> TransformerDetail:
    return TransformerDetail(
        code=row.code,
        station=row.station_code,
        name=row.name,
        rated_kva=row.rated_kva,
        has_meter=row.has_meter,
        base_load_kw=row.base_load_kw,
        max_base_load_kw=row.max_base_load_kw,
        power_factor=row.power_factor,
        limited_pct=row.limited_pct,
        limited_release_pct=row.limited_release_pct,
        limited_release_s=row.limited_release_s,
        blocked_pct=row.blocked_pct,
        blocked_release_pct=row.blocked_release_pct,
        blocked_release_s=row.blocked_release_s,
        overload_pct=row.overload_pct,
        overload_s=row.overload_s,
        overload_stop_after_s=row.overload_stop_after_s,
        overload_stop_apart_s=row.overload_stop_apart_s,
        cap_share=row.cap_share,
        releases_caps=row.releases_caps,
        release_apart_s=row.release_apart_s,
        shown_after_s=row.shown_after_s,
        is_shared=row.is_shared,
        share_target_pct=row.share_target_pct,
        queue_most=row.queue_most,
        queue_s=row.queue_s,
        degraded_blocked_pct=row.degraded_blocked_pct,
        degraded=degraded_view(row, at=at),
        feeders=tuple(_feeder(feeder, piles) for feeder in row.feeders),
        live=load_of(row.live, at),
    )
