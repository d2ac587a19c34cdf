"""The pile's own arithmetic, against exact decimals."""

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from hypothesis import given
from hypothesis import strategies as st

from bridge.simulator.biller import PileTariff, Tally, amount_e4, slot_end_ms

PRICES = st.tuples(*[st.integers(0, 300_000)] * 4)
ENERGIES = st.lists(st.integers(0, 2_000_000), min_size=4, max_size=4)


def at(hour: int, minute: int, second: int = 0) -> int:
    """A time of the pile's clock (UTC+8), ms since 1970."""
    local = datetime(2026, 3, 2, hour, minute, second, tzinfo=UTC) - timedelta(hours=8)
    return round(local.timestamp() * 1000)


@given(st.integers(0, 10_000_000), st.integers(0, 4_294_967_295))
def test_an_amount_is_rounded_half_up(steps: int, price: int) -> None:
    exact = Decimal(steps).scaleb(-4) * Decimal(price).scaleb(-5)
    assert Decimal(amount_e4(steps, price)).scaleb(-4) == exact.quantize(Decimal("0.0001"), ROUND_HALF_UP)


def test_the_worked_example_of_three_bands() -> None:
    tally = Tally(PileTariff((0, 152_345, 112_345, 72_345), (2,) * 48), [0, 98_765, 412_003, 60_001])
    assert tally.total_steps == 570_769
    assert list(tally.amounts_e4()) == [0, 150_464, 462_865, 43_408]
    assert Decimal(tally.total_e4).scaleb(-4) == Decimal("65.6737")


def test_a_slot_belongs_to_its_start_in_local_time() -> None:
    tariff = PileTariff((1, 2, 3, 4), tuple(0 if slot == 44 else 3 for slot in range(48)))
    assert tariff.band_at(at(21, 59, 59)) == 3
    assert tariff.band_at(at(22, 0)) == 0
    assert tariff.band_at(at(22, 29, 59)) == 0
    assert tariff.band_at(at(22, 30)) == 3
    assert slot_end_ms(at(22, 0)) == at(22, 30)
    assert slot_end_ms(at(22, 29, 59)) == at(22, 30)


def test_the_first_and_last_slot_of_a_day() -> None:
    tariff = PileTariff((1, 2, 3, 4), (0, *(2,) * 46, 1))
    assert tariff.band_at(at(0, 0)) == 0
    assert tariff.band_at(at(23, 59, 59)) == 1


@given(PRICES, ENERGIES, st.integers(0, 3), st.integers(0, 10_000_000))
def test_the_room_is_the_last_step_that_the_balance_covers(
    prices: tuple[int, int, int, int], energies: list[int], band: int, limit: int
) -> None:
    tally = Tally(PileTariff(prices, (2,) * 48), energies)
    room = tally.room(band, limit)
    if room is None:
        assert prices[band] == 0
        return
    if tally.total_e4 > limit:
        assert room == 0
        return
    tally.add(band, room)
    assert tally.total_e4 <= limit
    tally.add(band, 1)
    assert tally.total_e4 > limit
