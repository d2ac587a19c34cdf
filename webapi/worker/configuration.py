"""The configuration that bridge, rules and ingest run by, made from the database: `config/…` as it should be."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from evcs.contracts import topics
from evcs.contracts.config import (
    BandPrice,
    FeederConfig,
    GunConfig,
    Lockout,
    PileConfig,
    PileLimits,
    StationConfig,
    TariffRef,
    TariffTable,
    TransformerConfig,
)
from webapi.faults.dictionary import tables
from webapi.faults.models import FaultDictionary
from webapi.guns.models import Gun
from webapi.piles.firmware import dialect_of
from webapi.piles.models import Pile
from webapi.stations.lockout_columns import LockoutColumns
from webapi.stations.models import Station
from webapi.tariffs.models import TariffDelivery, TariffVersion
from webapi.transformers.models import Transformer
from webapi.worker.shards import Shards

TARIFF_LEVEL = 1
"""A tariff version never changes, so its level has one version for ever."""


@dataclass(frozen=True, slots=True)
class Level:
    """A retained message as it should stand."""

    topic: str
    version: int
    payload: bytes


def levels(session: Session, shards: Shards) -> Iterator[Level]:
    """All levels of an owner: tariffs and fault codes first, since piles refer to them."""
    tariffs = list(session.scalars(select(TariffVersion).options(selectinload(TariffVersion.prices))))
    if shards.owner == 1:
        for version in tariffs:
            topic = topics.CONFIG_TARIFF.at(version=version.id)
            yield Level(topic, TARIFF_LEVEL, topics.CONFIG_TARIFF.encode(tariff_table(version)))
        for table in tables(session):
            topic = topics.CONFIG_FAULT_CODES.at(protocol=table.protocol)
            yield Level(topic, table.version, topics.CONFIG_FAULT_CODES.encode(table))
    delivered = _delivered(session, tariffs)
    for station in _stations(session, shards):
        topic = topics.CONFIG_STATION.at(station=station.code)
        yield Level(topic, station.revision, topics.CONFIG_STATION.encode(station_config(station)))
        for pile in _piles(station):
            topic = topics.CONFIG_PILE.at(pile=pile.number)
            config = pile_config(pile, station, {version.id: version for version in tariffs}, delivered)
            yield Level(topic, pile.revision, topics.CONFIG_PILE.encode(config))


def revisions(session: Session) -> tuple[int, ...]:
    """A cheap sign of any change: what a new revision, station, pile or tariff must move."""
    found: list[int] = []
    for key, revision in ((Station.code, Station.revision), (Pile.number, Pile.revision)):
        found += [
            hash((name, value, archived))
            for name, value, archived in session.execute(
                select(key, revision, key.class_.archived_at.is_not(None)).order_by(key)
            )
        ]
    found += [hash(version) for version in session.scalars(select(TariffVersion.id).order_by(TariffVersion.id))]
    found += session.scalars(select(FaultDictionary.revision))
    return tuple(found)


def _stations(session: Session, shards: Shards) -> list[Station]:
    query = (
        select(Station)
        .where(Station.archived_at.is_(None))
        .options(
            selectinload(Station.transformers).selectinload(Transformer.feeders),
            selectinload(Station.piles).selectinload(Pile.guns),
        )
        .order_by(Station.code)
    )
    return [station for station in session.scalars(query) if shards.owns(station.shard)]


def _piles(station: Station) -> list[Pile]:
    return [pile for pile in station.piles if pile.archived_at is None]


def _guns(pile: Pile) -> list[Gun]:
    return [gun for gun in pile.guns if gun.archived_at is None]


def _delivered(session: Session, tariffs: list[TariffVersion]) -> dict[str, tuple[TariffRef, ...]]:
    by_number = {version.model_no: _ref(version) for version in tariffs}
    found: dict[str, tuple[TariffRef, ...]] = {}
    query = select(TariffDelivery).order_by(TariffDelivery.pile_number, TariffDelivery.model_no)
    for row in session.scalars(query):
        found[row.pile_number] = (*found.get(row.pile_number, ()), by_number[row.model_no])
    return found


def _ref(version: TariffVersion) -> TariffRef:
    return TariffRef(version=version.id, model_no=version.model_digits)


def _lockout(row: LockoutColumns) -> Lockout | None:
    if row.lockout_since is None:
        return None
    return Lockout(
        who=row.lockout_by or "", why=row.lockout_reason or "", since=row.lockout_since, until=row.lockout_until
    )


def _station_stop(station: Station) -> Lockout | None:
    if station.station_stop_since is None:
        return None
    return Lockout(
        who=station.station_stop_by or "", why=station.station_stop_reason or "", since=station.station_stop_since
    )


def _of_pile(pile: Pile, station: Station) -> Lockout | None:
    """What keeps the whole pile from charging: its own lockout, its station's, or the station's stop.

    The bridge knows no stations: so a card that a pile accepts by itself starts nothing either.
    """
    return _lockout(pile) or _lockout(station) or _station_stop(station)


def _gun(gun: Gun) -> GunConfig:
    return GunConfig(
        gun=gun.no, rated_kw=float(gun.rated_kw), hand_limit_kw=_number(gun.hand_limit_kw), lockout=_lockout(gun)
    )


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def pile_config(
    pile: Pile,
    station: Station,
    tariffs: dict[str, TariffVersion],
    delivered: dict[str, tuple[TariffRef, ...]],
) -> PileConfig:
    """A pile as its bridge needs it."""
    wanted, confirmed = pile.wanted_tariff_version_id, pile.confirmed_tariff_version_id
    return PileConfig(
        version=pile.revision,
        pile=pile.number,
        station=station.code,
        shard=station.shard,
        protocol=pile.protocol,
        kind=pile.kind.value,
        rated_kw=float(pile.rated_kw),
        guns=tuple(_gun(gun) for gun in _guns(pile)),
        model=pile.model or "",
        fault_bit_base=pile.fault_bit_base,
        dialect=dialect_of(pile),
        wanted_tariff=None if wanted is None else _ref(tariffs[wanted]),
        confirmed_tariff=None if confirmed is None else _ref(tariffs[confirmed]),
        delivered_models=delivered.get(pile.number, ()),
        number_only_networks=tuple(pile.source_networks) if pile.number_only_login else (),
        lockout=_of_pile(pile, station),
        wrapped_credentials=pile.wrapped_credentials,
    )


def station_config(station: Station) -> StationConfig:
    """A station as the gate and the telemetry store need it."""
    return StationConfig(
        version=station.revision,
        station=station.code,
        shard=station.shard,
        tenant=str(station.tenant_id),
        bucket=station.bucket,
        transformers=tuple(_transformer(one) for one in station.transformers if one.archived_at is None),
        piles=tuple(
            PileLimits(
                pile=pile.number,
                transformer=pile.transformer_code,
                rated_kw=float(pile.rated_kw),
                efficiency=float(pile.efficiency),
                guns=tuple(_gun(gun) for gun in _guns(pile)),
                fault_bit_base=pile.fault_bit_base,
                protocol=pile.protocol,
                lockout=_lockout(pile),
                feeder=pile.feeder_code,
                maker=pile.maker or "",
                model=pile.model or "",
            )
            for pile in _piles(station)
        ),
        lockout=_lockout(station),
        station_stop=_station_stop(station),
    )


def _transformer(row: Transformer) -> TransformerConfig:
    return TransformerConfig(
        transformer=row.code,
        rated_kva=float(row.rated_kva),
        has_meter=row.has_meter,
        base_load_kw=float(row.base_load_kw),
        max_base_load_kw=_number(row.max_base_load_kw),
        power_factor=float(row.power_factor),
        limited_pct=float(row.limited_pct),
        limited_release_pct=float(row.limited_release_pct),
        limited_release_s=float(row.limited_release_s),
        blocked_pct=float(row.blocked_pct),
        blocked_release_pct=float(row.blocked_release_pct),
        blocked_release_s=float(row.blocked_release_s),
        overload_pct=float(row.overload_pct),
        overload_s=float(row.overload_s),
        cap_share=float(row.cap_share),
        release_apart_s=float(row.release_apart_s),
        shown_after_s=float(row.shown_after_s),
        degraded_until=row.degraded_until,
        degraded_blocked_pct=float(row.degraded_blocked_pct),
        releases_caps=row.releases_caps,
        overload_stop_after_s=float(row.overload_stop_after_s),
        overload_stop_apart_s=float(row.overload_stop_apart_s),
        is_shared=row.is_shared,
        share_target_pct=float(row.share_target_pct),
        queue_most=row.queue_most,
        queue_s=float(row.queue_s),
        feeders=tuple(
            FeederConfig(feeder=one.code, limit_kw=float(one.limit_kw), parent=one.parent_code) for one in row.feeders
        ),
    )


def tariff_table(version: TariffVersion) -> TariffTable:
    """A tariff version as piles are given it."""
    return TariffTable(
        version=TARIFF_LEVEL,
        tariff_version=version.id,
        model_no=version.model_digits,
        prices=tuple(
            BandPrice(band=price.band, energy_price_e5=price.energy_price_e5, service_price_e5=price.service_price_e5)
            for price in sorted(version.prices, key=lambda price: price.band)
        ),
        slots=version.slots,
    )
