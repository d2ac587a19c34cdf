"""Time of use, pure: the band of each half hour of the Beijing day, and what a session drew in each band."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise

from evcs.contracts.config import BandPrice
from evcs.contracts.states import TariffBand
from evcs.contracts.times import SLOT, SLOTS_A_DAY, slot_of, slot_start

ENERGY_STEP = Decimal("0.0001")
"""Resolution of every energy, in kWh."""


@dataclass(frozen=True, slots=True)
class PriceTable:
    """A version of a tariff: the band of each of 48 slots and the prices of each band."""

    version_id: str
    slots: tuple[TariffBand, ...]
    prices: tuple[BandPrice, ...]

    def price_of(self, band: TariffBand) -> BandPrice | None:
        """The prices of a band; none where the version does not have it."""
        return next((price for price in self.prices if price.band is band), None)

    def band_at(self, instant: datetime) -> TariffBand:
        """The band in which an instant lies."""
        return self.slots[slot_of(instant)]

    @property
    def by_slot_e5(self) -> tuple[int, ...]:
        """Energy and service price together of each slot, in 0.00001 yuan/kWh."""
        together = {price.band: price.energy_price_e5 + price.service_price_e5 for price in self.prices}
        return tuple(together[band] for band in self.slots)

    @property
    def dearest_e5(self) -> int:
        """The dearest price of the version's slots."""
        return max(self.by_slot_e5)


@dataclass(frozen=True, slots=True)
class Reading:
    """Energy of a session so far, in kWh, at a time."""

    at: datetime
    energy_kwh: Decimal


@dataclass(frozen=True, slots=True)
class BandKwh:
    """What was drawn in one band, in kWh: `billed` (with 计损 where used) and as metered."""

    band: TariffBand
    billed_kwh: Decimal
    metered_kwh: Decimal


def bands_touched(table: PriceTable, start: datetime, end: datetime, widened: timedelta) -> frozenset[TariffBand]:
    """The bands of all slots in an interval that is widened at both ends. A slot belongs to its start.

    Every day has the same slots, so a longer interval (a pile may name any two) touches all of them.
    """
    first, last = slot_start(start - widened), end + widened
    slots = min(SLOTS_A_DAY, (last - first) // SLOT + 1)
    return frozenset(table.band_at(first + number * SLOT) for number in range(slots))


def cut_at_slots(table: PriceTable, readings: Sequence[Reading]) -> tuple[BandKwh, ...]:
    """Divide what was drawn between readings over the bands: cut at each slot boundary, linearly in between.

    Readings in order of time, the first being the begin. The parts add up exactly to last − first. Raises
    ValueError when an energy falls or a time does not grow.
    """
    drawn: dict[TariffBand, Decimal] = {}
    for earlier, later in pairwise(readings):
        if later.at <= earlier.at or later.energy_kwh < earlier.energy_kwh:
            raise ValueError(f"readings run backwards at {later.at.isoformat()}")
        span, rise = later.at - earlier.at, later.energy_kwh - earlier.energy_kwh
        since, level = earlier.at, earlier.energy_kwh
        while since < later.at:
            until = min(slot_start(since) + SLOT, later.at)
            reached = later.energy_kwh
            if until < later.at:
                share = Decimal((until - earlier.at) // _TICK) / Decimal(span // _TICK)
                reached = (earlier.energy_kwh + rise * share).quantize(ENERGY_STEP, rounding=ROUND_HALF_UP)
            band = table.band_at(since)
            drawn[band] = drawn.get(band, Decimal(0)) + reached - level
            since, level = until, reached
    return tuple(BandKwh(band, drawn[band], drawn[band]) for band in TariffBand if drawn.get(band))


_TICK = timedelta(microseconds=1)
