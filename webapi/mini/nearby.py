"""Stations around a driver: nearest first, with how many guns are free and what a kilowatt-hour costs now."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from math import asin, cos, radians, sin, sqrt

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from evcs.contracts.states import GunState
from webapi.access import Visible
from webapi.guns.live import shown_states
from webapi.mini.prices import PriceNow, price_now
from webapi.piles.models import Pile
from webapi.stations.models import Station
from webapi.tariffs.queries import price_table
from webapi.tariffs.slots import PriceTable

EARTH_KM = 6371.0
DEGREE_KM = 111.0
"""Of latitude, a little less than it is; of longitude that times the cosine of the latitude."""


@dataclass(frozen=True, slots=True)
class NearbyWish:
    """Where the driver stands (WGS-84 degrees) and how far is near; without a place: all, by name."""

    longitude: Decimal | None = None
    latitude: Decimal | None = None
    within_km: int = 50
    q: str | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class NearbyStation:
    """A station for a driver. `price`: the cheapest of its piles now; None: no pile has a tariff."""

    code: str
    name: str
    address: str | None
    longitude: Decimal | None
    latitude: Decimal | None
    distance_km: float | None
    guns: int
    free_guns: int
    open: bool
    price: PriceNow | None


@dataclass(frozen=True, slots=True)
class NearbyStations:
    """At most as many as were asked for."""

    items: tuple[NearbyStation, ...]


def stations_nearby(session: Session, sees: Visible, wish: NearbyWish, *, at: datetime) -> NearbyStations:
    """The nearest stations of the driver's operator; one whose place is unknown stands behind all others."""
    query = sees.places()
    if wish.q:
        query = query.where(Station.name.icontains(wish.q, autoescape=True))
    if wish.longitude is None or wish.latitude is None:
        query = query.order_by(Station.name, Station.code).limit(wish.limit)
    else:
        query = query.where(or_(Station.longitude.is_(None), _box(wish.longitude, wish.latitude, wish.within_km)))
    stations = [(_distance(wish, station), station) for station in session.scalars(query)]
    stations.sort(key=lambda one: (one[0] is None, one[0] or 0.0, one[1].name, one[1].code))
    near = [one for one in stations if one[0] is None or one[0] <= wish.within_km][: wish.limit]
    codes = [station.code for _, station in near]
    states: dict[str, Counter[GunState]] = defaultdict(Counter)
    for code, state in shown_states(session, codes):
        states[code][state] += 1
    prices = _prices(session, codes, at)
    return NearbyStations(
        tuple(
            NearbyStation(
                code=station.code,
                name=station.name,
                address=station.address,
                longitude=station.longitude,
                latitude=station.latitude,
                distance_km=None if distance is None else round(distance, 2),
                guns=states[station.code].total(),
                free_guns=states[station.code][GunState.IDLE] if is_open(station) else 0,
                open=is_open(station),
                price=prices.get(station.code),
            )
            for distance, station in near
        )
    )


def is_open(station: Station) -> bool:
    """Whether nothing is locked out or stopped at the whole station."""
    return station.lockout_since is None and station.station_stop_since is None


def distance_km(longitude: Decimal, latitude: Decimal, other_longitude: Decimal, other_latitude: Decimal) -> float:
    """Great circle distance of two places in WGS-84 degrees (haversine)."""
    here, there = radians(float(latitude)), radians(float(other_latitude))
    across = radians(float(other_longitude - longitude))
    chord = sin((there - here) / 2) ** 2 + cos(here) * cos(there) * sin(across / 2) ** 2
    return 2 * EARTH_KM * asin(sqrt(min(1.0, chord)))


def _box(longitude: Decimal, latitude: Decimal, within_km: int) -> ColumnElement[bool]:
    """A box around the circle, so that the database leaves out what is far; near a pole every longitude is near."""
    high = Decimal(within_km / DEGREE_KM)
    narrowest = cos(radians(min(89.9, abs(float(latitude)) + float(high))))
    wide = Decimal(within_km / (DEGREE_KM * narrowest))
    in_height = Station.latitude.between(latitude - high, latitude + high)
    if abs(longitude) + wide >= 180:  # across the date line the box would be two
        return in_height
    return and_(in_height, Station.longitude.between(longitude - wide, longitude + wide))


def _distance(wish: NearbyWish, station: Station) -> float | None:
    if wish.longitude is None or wish.latitude is None or station.longitude is None or station.latitude is None:
        return None
    return distance_km(wish.longitude, wish.latitude, station.longitude, station.latitude)


def _prices(session: Session, codes: Sequence[str], at: datetime) -> dict[str, PriceNow]:
    """The cheapest price now of each station, over the versions that its piles have confirmed."""
    rows = session.execute(
        select(Pile.station_code, Pile.confirmed_tariff_version_id)
        .where(Pile.station_code.in_(codes), Pile.archived_at.is_(None), Pile.confirmed_tariff_version_id.is_not(None))
        .distinct()
    ).all()
    tables: dict[str, PriceTable] = {}
    cheapest: dict[str, PriceNow] = {}
    for station, version in rows:
        if version is None:
            continue
        if version not in tables:
            tables[version] = price_table(session, version)
        price = price_now(tables[version], at)
        if price is not None and (station not in cheapest or price.total_e5 < cheapest[station].total_e5):
            cheapest[station] = price
    return cheapest
