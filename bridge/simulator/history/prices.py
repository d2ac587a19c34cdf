"""The contract's tariff as a pile keeps it: combined prices by band, bands by slot. Pure."""

from bridge.simulator.biller import PileTariff
from evcs.contracts.config import TariffTable
from evcs.contracts.states import TariffBand

_ORDER = (TariffBand.SHARP, TariffBand.PEAK, TariffBand.FLAT, TariffBand.VALLEY, TariffBand.DEEP_VALLEY)
"""As the record has them (0x3B); the fifth only where the table has it."""


def pile_tariff(table: TariffTable) -> PileTariff:
    """0.00001 yuan/kWh, energy and service together. ValueError for a slot without a price."""
    prices = {one.band: one.energy_price_e5 + one.service_price_e5 for one in table.prices}
    if missing := set(table.slots) - prices.keys():
        raise ValueError(f"tariff {table.tariff_version}: no price for {', '.join(sorted(missing))}")
    bands = _ORDER if TariffBand.DEEP_VALLEY in prices else _ORDER[:4]
    return PileTariff(
        prices_e5=tuple(prices.get(band, 0) for band in bands),
        slots=tuple(bands.index(band) for band in table.slots),
    )
