"""Prices as a driver reads them: the slot of now, and the day as periods."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from evcs.contracts.config import BandPrice
from evcs.contracts.states import TariffBand
from webapi.mini.prices import price_now, price_periods
from webapi.tariffs.slots import PriceTable

PRICES = tuple(
    BandPrice(band=band, energy_price_e5=10_000 * (n + 1), service_price_e5=40_000) for n, band in enumerate(TariffBand)
)
DAY = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)  # midnight in Beijing


def table(*slots: TariffBand) -> PriceTable:
    return PriceTable("v", slots, PRICES)


def test_price_stands_until_the_first_slot_of_another_band() -> None:
    tariff = table(*(TariffBand.VALLEY,) * 16, *(TariffBand.PEAK,) * 16, *(TariffBand.FLAT,) * 16)
    now = price_now(tariff, DAY + timedelta(hours=9, minutes=59))
    assert now is not None
    assert (now.band, now.total_e5, now.until) == (TariffBand.PEAK, 60_000, DAY + timedelta(hours=16))
    assert [(period.from_min, period.until_min, period.band) for period in price_periods(tariff)] == [
        (0, 480, TariffBand.VALLEY),
        (480, 960, TariffBand.PEAK),
        (960, 1440, TariffBand.FLAT),
    ]


def test_price_over_midnight_stands_into_the_next_day() -> None:
    tariff = table(*(TariffBand.VALLEY,) * 12, *(TariffBand.PEAK,) * 32, *(TariffBand.VALLEY,) * 4)
    now = price_now(tariff, DAY + timedelta(hours=23))
    assert now is not None
    assert now.until == DAY + timedelta(hours=30)


def test_one_price_all_day_is_told_for_a_day() -> None:
    now = price_now(table(*(TariffBand.FLAT,) * 48), DAY + timedelta(hours=5, minutes=10))
    assert now is not None
    assert now.until == DAY + timedelta(days=1, hours=5)


@given(st.lists(st.sampled_from(list(TariffBand)), min_size=48, max_size=48), st.integers(0, 86_399))
def test_periods_cover_the_day_and_agree_with_the_price_of_each_moment(slots: list[TariffBand], second: int) -> None:
    tariff = table(*slots)
    periods = price_periods(tariff)
    assert [period.from_min for period in periods] == [0, *(period.until_min for period in periods[:-1])]
    assert periods[-1].until_min == 1440
    now = price_now(tariff, DAY + timedelta(seconds=second))
    here = next(period for period in periods if period.from_min * 60 <= second < period.until_min * 60)
    assert now is not None
    assert (now.band, now.total_e5) == (here.band, here.total_e5)
