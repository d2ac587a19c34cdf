"""Cutting at slots: nothing is lost, nothing lands in a band that was not touched."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evcs.contracts.config import BandPrice
from evcs.contracts.states import TariffBand
from evcs.contracts.times import BEIJING
from tests.webapi.books import FLAT, PEAK, PRICES, SHARP, SLOTS, VALLEY
from webapi.tariffs.slots import PriceTable, Reading, bands_touched, cut_at_slots

TABLE = PriceTable("v1", SLOTS, PRICES)
MINUTE = timedelta(minutes=1)


def at(clock: str, day: int = 24) -> datetime:
    """A Beijing time of day."""
    hour, minute, *second = (int(part) for part in clock.split(":"))
    return datetime(2026, 11, day, hour, minute, *second, tzinfo=BEIJING)


def _cut(*readings: tuple[str, str]) -> dict[str, str]:
    parts = cut_at_slots(TABLE, [Reading(at(clock), Decimal(energy)) for clock, energy in readings])
    return {part.band.value: str(part.billed_kwh) for part in parts}


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ((("20:50", "0"), ("21:50", "10")), {"peak": "10"}),
        ((("21:55", "0"), ("22:05", "10")), {"peak": "5.0000", "flat": "5.0000"}),
        ((("22:00", "0"), ("22:30", "3")), {"flat": "3.0000"}),
        ((("21:59:59", "0"), ("22:00", "0.0004"), ("22:00:01", "0.0009")), {"peak": "0.0004", "flat": "0.0005"}),
        ((("21:00", "0"), ("23:30", "25")), {"peak": "10.0000", "flat": "10.0000", "valley": "5.0000"}),
    ],
)
def test_energy_is_cut_where_the_band_changes(readings: tuple[tuple[str, str], ...], expected: dict[str, str]) -> None:
    found = _cut(*readings)
    assert {band: Decimal(energy) for band, energy in found.items()} == {
        band: Decimal(energy) for band, energy in expected.items()
    }


def test_a_session_over_midnight_repeats_the_day() -> None:
    parts = cut_at_slots(TABLE, [Reading(at("23:00"), Decimal(0)), Reading(at("9:00", day=25), Decimal(20))])
    assert {part.band: part.billed_kwh for part in parts} == {VALLEY: 18, PEAK: 2}


@pytest.mark.parametrize("second", [("22:05", "4"), ("21:55", "6"), ("21:54", "7")])
def test_readings_that_run_backwards_are_refused(second: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="backwards"):
        _cut(("21:55", "5"), second)


@given(
    st.integers(0, 86_400),
    st.lists(st.tuples(st.integers(1, 7200), st.integers(0, 200_000)), min_size=1, max_size=12),
)
def test_splitting_loses_nothing(start_s: int, rises: list[tuple[int, int]]) -> None:
    moment, level = at("0:00") + timedelta(seconds=start_s), 0
    readings = [Reading(moment, Decimal(0))]
    for seconds, rise in rises:
        moment, level = moment + timedelta(seconds=seconds), level + rise
        readings.append(Reading(moment, Decimal(level).scaleb(-4)))
    parts = cut_at_slots(TABLE, readings)
    assert sum(part.billed_kwh for part in parts) == Decimal(level).scaleb(-4)
    assert all(part.billed_kwh > 0 for part in parts)
    touched = bands_touched(TABLE, readings[0].at, readings[-1].at, timedelta(0))
    assert {part.band for part in parts} <= touched


def test_bands_touched_are_widened_at_both_ends() -> None:
    assert bands_touched(TABLE, at("22:00"), at("22:10"), MINUTE) == {PEAK, FLAT}
    assert bands_touched(TABLE, at("22:02"), at("22:10"), MINUTE) == {FLAT}
    assert bands_touched(TABLE, at("22:02"), at("22:59:30"), MINUTE) == {FLAT, VALLEY}
    assert bands_touched(TABLE, at("0:00"), at("0:00", day=25), MINUTE) == {SHARP, PEAK, FLAT, VALLEY}


def test_a_session_of_a_hundred_years_takes_no_longer_than_one_of_a_day() -> None:
    deep = BandPrice(band=TariffBand.DEEP_VALLEY, energy_price_e5=1, service_price_e5=1)
    table = PriceTable("v1", SLOTS, (*PRICES, deep))
    looked: list[datetime] = []

    class Counted(PriceTable):
        def band_at(self, instant: datetime) -> TariffBand:
            looked.append(instant)
            return super().band_at(instant)

    counted = Counted(table.version_id, table.slots, table.prices)
    touched = bands_touched(counted, at("0:00") - timedelta(days=36_500), at("0:00"), MINUTE)
    assert touched == {SHARP, PEAK, FLAT, VALLEY}
    assert len(looked) <= 48


def test_dearest_and_prices_by_slot() -> None:
    assert TABLE.dearest_e5 == 172_345
    assert len(TABLE.by_slot_e5) == 48
    assert TABLE.by_slot_e5[44] == 112_345, "22:00 is 平"
