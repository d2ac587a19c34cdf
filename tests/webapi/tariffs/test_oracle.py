"""Pricing against an oracle of its own: fractions, minute by minute, by nothing of the code that it judges."""

from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor

from hypothesis import example, given
from hypothesis import strategies as st

from evcs.contracts.config import BandPrice
from evcs.contracts.states import TariffBand
from evcs.contracts.times import BEIJING
from webapi.tariffs.price import price
from webapi.tariffs.slots import PriceTable, Reading, cut_at_slots

DAY = datetime(2026, 11, 24, tzinfo=BEIJING)
Steps = list[tuple[int, int]]
"""Minutes to the next reading, and energy drawn in them in 0.0001 kWh."""


def _half_up(value: Fraction) -> int:
    return floor(value + Fraction(1, 2))


def _oracle(table: PriceTable, begin: int, steps: Steps) -> tuple[dict[TariffBand, int], int]:
    """Energy of each band in 0.0001 kWh and the total in fen; `begin` in minutes since a Beijing midnight.

    The counter of the session is known to 0.0001 kWh, so it is read so at the end of every half hour.
    """
    level, said, minute = Fraction(0), 0, begin
    drawn: dict[TariffBand, int] = {}
    for minutes, energy in steps:
        for passed in range(minutes):
            band = table.slots[minute // 30 % 48]
            level, minute = level + Fraction(energy, minutes), minute + 1
            if minute % 30 == 0 or passed == minutes - 1:
                reached = _half_up(level)
                drawn[band] = drawn.get(band, 0) + reached - said
                said = reached
    of_band = {one.band: one.energy_price_e5 + one.service_price_e5 for one in table.prices}
    yuan = sum(
        (Fraction(energy, 10_000) * Fraction(of_band[band], 100_000) for band, energy in drawn.items()), Fraction(0)
    )
    return {band: energy for band, energy in drawn.items() if energy}, _half_up(yuan * 100)


prices = st.tuples(*(st.tuples(st.integers(0, 300_000), st.integers(0, 200_000)) for _ in TariffBand))
tables = st.builds(
    lambda slots, of_bands: PriceTable(
        "v",
        tuple(slots),
        tuple(
            BandPrice(band=band, energy_price_e5=energy, service_price_e5=service)
            for band, (energy, service) in zip(TariffBand, of_bands, strict=True)
        ),
    ),
    st.lists(st.sampled_from(TariffBand), min_size=48, max_size=48),
    prices,
)
courses = st.lists(st.tuples(st.integers(1, 200), st.integers(0, 400_000)), min_size=1, max_size=12)
ALTERNATING = PriceTable(
    "v",
    (TariffBand.PEAK, TariffBand.VALLEY) * 24,
    (
        BandPrice(band=TariffBand.PEAK, energy_price_e5=112_345, service_price_e5=40_000),
        BandPrice(band=TariffBand.VALLEY, energy_price_e5=32_345, service_price_e5=40_000),
    ),
)


@given(tables, st.integers(0, 1439), courses)
@example(ALTERNATING, 1410, [(60, 7)])
@example(ALTERNATING, 5, [(30, 3)])
def test_bands_and_total_equal_the_oracle(table: PriceTable, begin: int, steps: Steps) -> None:
    at, level = DAY + timedelta(minutes=begin), 0
    readings = [Reading(at, Decimal(0))]
    for minutes, energy in steps:
        at, level = at + timedelta(minutes=minutes), level + energy
        readings.append(Reading(at, Decimal(level).scaleb(-4)))
    cut = cut_at_slots(table, readings)
    bands, total_fen = _oracle(table, begin, steps)
    assert {part.band: part.billed_kwh for part in cut} == {b: Decimal(e).scaleb(-4) for b, e in bands.items()}
    assert price(table, cut).total_fen == total_fen
