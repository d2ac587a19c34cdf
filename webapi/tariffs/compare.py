"""Two versions of a tariff side by side, pure: what each half hour of the day costs before and after."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from evcs.contracts.states import TariffBand
from webapi.tariffs.slots import PriceTable


@dataclass(frozen=True, slots=True)
class SlotPrice:
    """What half an hour costs, in 0.00001 yuan/kWh."""

    band: TariffBand
    energy_price_e5: int
    service_price_e5: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Half hours in a row that change alike. `start`, `end`: Beijing time of the day, `24:00` for its end.

    `difference_e5`: how much dearer a kWh becomes, electricity and service together, in 0.00001 yuan.
    """

    start: str
    end: str
    before: SlotPrice
    after: SlotPrice
    difference_e5: int
    changed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The whole day, its intervals in order and without gaps."""

    before: str
    after: str
    changed_slots: int
    intervals: tuple[Interval, ...]


def compare(before: PriceTable, after: PriceTable) -> Compared:
    """Every half hour before and after."""
    pairs = tuple(zip(_day(before), _day(after), strict=True))
    intervals = []
    for pair, run in groupby(range(len(pairs)), key=lambda slot: pairs[slot]):
        slots = list(run)
        old, new = pair
        intervals.append(
            Interval(
                start=_clock(slots[0]),
                end=_clock(slots[-1] + 1),
                before=old,
                after=new,
                difference_e5=_together(new) - _together(old),
                changed=old != new,
            )
        )
    return Compared(
        before=before.version_id,
        after=after.version_id,
        changed_slots=sum(old != new for old, new in pairs),
        intervals=tuple(intervals),
    )


def unused_bands(slots: Sequence[TariffBand], priced: Sequence[TariffBand]) -> tuple[TariffBand, ...]:
    """Bands that have a price and no half hour: whoever wrote them meant another table than this one."""
    return tuple(band for band in TariffBand if band in priced and band not in slots)


def _day(table: PriceTable) -> tuple[SlotPrice, ...]:
    prices = {one.band: SlotPrice(one.band, one.energy_price_e5, one.service_price_e5) for one in table.prices}
    return tuple(prices[band] for band in table.slots)


def _together(price: SlotPrice) -> int:
    return price.energy_price_e5 + price.service_price_e5


def _clock(slot: int) -> str:
    return f"{slot // 2:02d}:{slot % 2 * 30:02d}"
