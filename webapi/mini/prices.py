"""What a kilowatt-hour costs a driver, now and through the day."""

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from evcs.contracts.states import TariffBand
from evcs.contracts.times import SLOT, SLOTS_A_DAY, slot_start
from webapi.tariffs.slots import PriceTable


@dataclass(frozen=True, slots=True)
class PriceNow:
    """Prices of this half hour in 0.00001 yuan/kWh, and until when they stand."""

    band: TariffBand
    energy_price_e5: int
    service_price_e5: int
    total_e5: int
    until: datetime


@dataclass(frozen=True, slots=True)
class PricePeriod:
    """Neighbouring slots of one band, in minutes from midnight in Beijing; 1440 is the next midnight."""

    from_min: int
    until_min: int
    band: TariffBand
    energy_price_e5: int
    service_price_e5: int
    total_e5: int


_SLOT_MIN = SLOT.seconds // 60


def price_now(table: PriceTable, at: datetime) -> PriceNow | None:
    """The price at an instant; it stands until the first slot of another band, at most a day."""
    band = table.band_at(at)
    price = table.price_of(band)
    if price is None:
        return None
    until = slot_start(at) + SLOT
    for _ in range(SLOTS_A_DAY - 1):
        if table.band_at(until) is not band:
            break
        until += SLOT
    return PriceNow(
        band,
        price.energy_price_e5,
        price.service_price_e5,
        price.energy_price_e5 + price.service_price_e5,
        until,
    )


def price_periods(table: PriceTable) -> tuple[PricePeriod, ...]:
    """The day from midnight, neighbours of one band as one period."""
    periods = []
    for band, group in groupby(enumerate(table.slots), key=lambda slot: slot[1]):
        slots = [number for number, _ in group]
        price = table.price_of(band)
        if price is None:
            continue
        periods.append(
            PricePeriod(
                slots[0] * _SLOT_MIN,
                (slots[-1] + 1) * _SLOT_MIN,
                band,
                price.energy_price_e5,
                price.service_price_e5,
                price.energy_price_e5 + price.service_price_e5,
            )
        )
    return tuple(periods)
