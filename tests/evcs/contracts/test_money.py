"""The one rounding, and sharing out to the fen."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evcs.contracts.money import exact_fen, fen_of_e4, largest_remainder, round_half_up, share_out, yuan


@pytest.mark.parametrize(
    ("amount", "rounded"),
    [("0.5", 1), ("1.5", 2), ("2.5", 3), ("2.49999999", 2), ("-2.5", -3), ("-0.4", 0), ("6567.3603305", 6567)],
)
def test_a_half_goes_away_from_zero(amount: str, rounded: int) -> None:
    assert round_half_up(Decimal(amount)) == rounded


@given(st.decimals(-(10**12), 10**12, places=6))
def test_a_charge_and_its_refund_cancel_out(amount: Decimal) -> None:
    assert round_half_up(amount) + round_half_up(-amount) == 0


def test_floats_are_refused() -> None:
    with pytest.raises(TypeError):
        round_half_up(2.675)  # type: ignore[arg-type]


def test_what_an_energy_costs_is_exact() -> None:
    assert exact_fen(Decimal("9.8765"), 112_345) == Decimal("1109.5753925")
    # the largest energy and price of the wire: 33 digits, more than the default context keeps
    assert exact_fen(Decimal("429496.7295"), 4_294_967_295) * 10**7 == 4_294_967_295**2


def test_amounts_of_the_wire_in_fen() -> None:
    assert [fen_of_e4(e4) for e4 in (0, 49, 50, 656736, 656750)] == [0, 0, 1, 6567, 6568]


parts = st.lists(st.decimals(0, 10**7, places=7), min_size=1, max_size=8)


@given(parts)
def test_the_largest_remainder_adds_up_and_is_never_off_by_one(exact: list[Decimal]) -> None:
    total = round_half_up(sum(exact, Decimal(0)))
    shared = largest_remainder(total, exact)
    assert sum(shared) == total
    assert all(abs(units - part) < 1 for units, part in zip(shared, exact, strict=True))
    assert largest_remainder(-total, [-part for part in exact]) == tuple(-units for units in shared)


def test_a_total_that_is_no_rounding_is_refused() -> None:
    with pytest.raises(ValueError, match="not a rounding"):
        largest_remainder(9, [Decimal("1.2"), Decimal("2.2")])


def test_equal_remainders_go_to_the_earlier_part() -> None:
    assert largest_remainder(4, [Decimal("1.5"), Decimal("1.5"), Decimal("0.5")]) == (2, 2, 0)
    assert share_out(4, [Decimal(1), Decimal(1), Decimal(1)]) == (2, 1, 1)


@given(st.integers(0, 10**9), parts)
def test_sharing_in_proportion_adds_up(total: int, weights: list[Decimal]) -> None:
    shared = share_out(total, weights)
    assert sum(shared) == total
    heavy = sum(weights, Decimal(0))
    if heavy:
        assert all(abs(units - total * weight / heavy) <= 1 for units, weight in zip(shared, weights, strict=True))


def test_amounts_for_people() -> None:
    assert [yuan(fen) for fen in (0, 5, 1234, -205)] == ["0.00", "0.05", "12.34", "-2.05"]
