"""The demo's town as a file for other rooms: what `python -m webapi.demo town` prints. Pure."""

from evcs.contracts.config import GunConfig, PileLimits, StationConfig, TariffTable, TransformerConfig
from evcs.contracts.history import Driver, Town
from evcs.contracts.ids import shard_of
from webapi.demo import town
from webapi.demo.seed import Fleet


def town_of(fleet: Fleet) -> Town:
    """What `seed` makes for the same fleet, in the contract's own types."""
    return Town(
        tenant=town.TENANT,
        stations=tuple(_station(site, fleet.guns) for site in town.sites(fleet.piles, fleet.first)),
        tariff=TariffTable(
            version=1, tariff_version=town.TARIFF_VERSION, model_no="0001", prices=town.PRICES, slots=town.SLOTS
        ),
        drivers=tuple(
            Driver(
                name=name,
                phone=phone,
                card=town.card_uid(number),
                printed_card=town.printed_number(number),
                vin=town.vin(number),
                plate=town.plate(number),
            )
            for number, (name, phone) in enumerate(town.CUSTOMERS, 1)
        ),
    )


def _station(site: town.Site, guns: int) -> StationConfig:
    rated_kw = float(town.PILE_KW)
    transformer = TransformerConfig(
        transformer=site.transformer,
        rated_kva=float(site.rated_kva),
        has_meter=site.has_meter,
        base_load_kw=float(site.base_load_kw),
    )
    piles = tuple(
        PileLimits(
            pile=number,
            transformer=site.transformer,
            rated_kw=rated_kw,
            guns=tuple(GunConfig(gun=gun, rated_kw=rated_kw) for gun in range(1, guns + 1)),
        )
        for number in site.piles
    )
    return StationConfig(
        version=1,
        station=site.code,
        shard=shard_of(site.code),
        tenant=town.TENANT,
        transformers=(transformer,),
        piles=piles,
    )
