"""The retained configuration of the bench's piles: one station, one tariff, guns of 120 kW."""

from collections.abc import Iterator

from bench.bridge.wire import pile_number
from evcs.contracts.config import BandPrice, GunConfig, PileConfig, TariffRef, TariffTable
from evcs.contracts.ids import shard_of
from evcs.contracts.states import TariffBand
from evcs.contracts.topics import CONFIG_PILE, CONFIG_TARIFF

STATION = "BENCH1"
TARIFF = TariffRef(version="bench-1", model_no="0001")


def retained(piles: int) -> Iterator[tuple[str, bytes]]:
    """(topic, payload) of every level that a bridge reads before it opens its port."""
    price = BandPrice(band=TariffBand.FLAT, energy_price_e5=80_000, service_price_e5=40_000)
    table = TariffTable(
        version=1,
        tariff_version=TARIFF.version,
        model_no=TARIFF.model_no,
        prices=(price,),
        slots=(TariffBand.FLAT,) * 48,
    )
    yield CONFIG_TARIFF.at(version=TARIFF.version), CONFIG_TARIFF.encode(table)
    for n in range(piles):
        pile = pile_number(n)
        config = PileConfig(
            version=1,
            pile=pile,
            station=STATION,
            shard=shard_of(STATION),
            rated_kw=120.0,
            guns=(GunConfig(gun=1, rated_kw=120.0),),
            wanted_tariff=TARIFF,
            number_only_networks=("127.0.0.0/8",),
        )
        yield CONFIG_PILE.at(pile=pile), CONFIG_PILE.encode(config)
