"""Reading guns: configuration, the state shown, and while charging the newest live values."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from evcs.contracts.states import GunState
from evcs.store.interface import GunSeries, Latest, TelemetryReader
from webapi.access import Visible
from webapi.guns.live import state_shown
from webapi.guns.models import Gun, GunLive
from webapi.guns.now import GunNow
from webapi.guns.power_queries import PowerView, power_view
from webapi.guns.readings import LiveView, live_of, newest_of
from webapi.guns.said import GroundLockView, VehicleView, ground_lock_of, vehicle_of
from webapi.http.paging import GunKey, Page, PageWish, page_of, read_cursor
from webapi.piles.link import Link, link_of
from webapi.piles.models import BridgeLive, Pile, PileLive
from webapi.stations.lockout_views import LockoutView, lockout_of


@dataclass(frozen=True, slots=True, kw_only=True)
class GunView:
    """A gun as lists and its page show it."""

    pile: str
    gun: int
    station: str
    rated_kw: Decimal
    hand_limit_kw: Decimal | None
    state: GunState
    since: datetime | None
    state_age_s: float | None
    plugged: bool | None
    serial: str | None
    fault_bits: int
    lockout: LockoutView | None
    live: LiveView | None
    live_available: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GunDetail(GunView):
    """A gun with its limits, its parking lock and what the last car said of itself; none: nothing was heard."""

    ground_lock: GroundLockView | None
    vehicle: VehicleView | None
    power: PowerView


@dataclass(frozen=True, slots=True, kw_only=True)
class GunFilter(PageWish):
    """Which guns: of a station or of a pile."""

    station: str | None = None
    pile: str | None = None


@dataclass(frozen=True, slots=True)
class _Row:
    gun: Gun
    pile: Pile
    level: GunLive | None
    link: Link | None
    state: GunState


def list_guns(
    session: Session, sees: Visible, telemetry: TelemetryReader, wish: GunFilter, *, at: datetime
) -> Page[GunView]:
    """Guns by pile and number."""
    query = sees.guns()
    if wish.station is not None:
        query = query.where(Pile.station_code == wish.station)
    if wish.pile is not None:
        query = query.where(Gun.pile_number == wish.pile)
    after = read_cursor(wish.cursor, GunKey)
    if after is not None:
        query = query.where(tuple_(Gun.pile_number, Gun.no) > (after.pile, after.gun))
    found = session.scalars(query.order_by(Gun.pile_number, Gun.no).limit(wish.limit + 1)).all()
    page = page_of(found, wish.limit, lambda gun: GunKey(gun.pile_number, gun.no))
    views = _views(session, telemetry, page.items, at)
    return page.map(lambda gun: views[gun.pile_number, gun.no])


def gun_detail(
    session: Session, sees: Visible, telemetry: TelemetryReader, pile: str, number: int, *, at: datetime
) -> GunDetail | None:
    """One gun."""
    gun = session.scalars(sees.guns().where(Gun.pile_number == pile, Gun.no == number)).one_or_none()
    if gun is None:
        return None
    view = _views(session, telemetry, (gun,), at)[pile, number]
    vehicle = vehicle_of(session, sees, pile, number)
    is_there = vehicle is not None and vehicle.serial is not None and vehicle.serial == view.serial
    return GunDetail(
        **{field.name: getattr(view, field.name) for field in fields(view)},
        ground_lock=ground_lock_of(session, pile, number, at=at),
        vehicle=vehicle,
        power=power_view(
            session,
            gun,
            session.get_one(Pile, pile),
            vehicle_kw=vehicle.max_power_kw if vehicle is not None and is_there else None,
            serial=view.serial,
        ),
    )


def _views(
    session: Session, telemetry: TelemetryReader, guns: Sequence[Gun], at: datetime
) -> dict[tuple[str, int], GunView]:
    rows = _rows(session, guns)
    charging = [
        GunSeries(row.pile.station_code, row.gun.pile_number, row.gun.no)
        for row in rows
        if row.state is GunState.CHARGING
    ]
    newest = newest_of(telemetry, charging)
    return {(row.gun.pile_number, row.gun.no): _view(row, newest, at) for row in rows}


def _rows(session: Session, guns: Sequence[Gun]) -> list[_Row]:
    numbers = sorted({gun.pile_number for gun in guns})
    piles = {pile.number: pile for pile in session.scalars(select(Pile).where(Pile.number.in_(numbers)))}
    levels = {
        (level.pile_number, level.gun_no): level
        for level in session.scalars(select(GunLive).where(GunLive.pile_number.in_(numbers)))
    }
    links = {
        link.pile_number: (link, bridge)
        for link, bridge in session.execute(
            select(PileLive, BridgeLive)
            .outerjoin(BridgeLive, BridgeLive.bridge == PileLive.bridge)
            .where(PileLive.pile_number.in_(numbers))
        )
    }
    rows = []
    for gun in guns:
        level = levels.get((gun.pile_number, gun.no))
        link, bridge = links.get(gun.pile_number, (None, None))
        state = state_shown(level, link, bridge)
        rows.append(_Row(gun, piles[gun.pile_number], level, link_of(link, bridge), state))
    return rows


def _view(row: _Row, newest: dict[GunSeries, Latest] | None, at: datetime) -> GunView:
    gun, level = row.gun, row.level
    point = None if newest is None else newest.get(GunSeries(row.pile.station_code, gun.pile_number, gun.no))
    return GunView(
        pile=gun.pile_number,
        gun=gun.no,
        station=row.pile.station_code,
        rated_kw=gun.rated_kw,
        hand_limit_kw=gun.hand_limit_kw,
        state=row.state,
        since=None if level is None else level.since,
        state_age_s=None if level is None else max(0.0, (at - level.since).total_seconds()),
        plugged=None if level is None or row.state is GunState.OFFLINE else level.plugged,
        serial=None if level is None else level.serial,
        fault_bits=0 if level is None else level.fault_bits,
        lockout=lockout_of(gun, (GunNow(gun.pile_number, gun.no, row.pile.station_code, level, row.link),)),
        live=live_of(point, None if level is None else level.serial, at),
        live_available=newest is not None,
    )
