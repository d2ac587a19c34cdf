"""Pricing: the worked example, and sums that hold at every level for any order."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evcs.contracts.config import BandPrice
from evcs.contracts.money import exact_fen
from evcs.contracts.states import TariffBand
from tests.webapi.books import FLAT, PEAK, PRICES, SLOTS, VALLEY, WORKED
from webapi.tariffs.price import NOTHING, NoPrice, price
from webapi.tariffs.slots import BandKwh, PriceTable

TABLE = PriceTable("v1", SLOTS, PRICES)


def _drawn(*energies: tuple[TariffBand, Decimal]) -> tuple[BandKwh, ...]:
    return tuple(BandKwh(band, energy, energy) for band, energy in energies)


def test_the_worked_example() -> None:
    bill = price(TABLE, _drawn(*WORKED))
    assert (bill.total_fen, bill.electricity_fen, bill.service_fen) == (6567, 4284, 2283)
    assert [(line.band, line.electricity_fen, line.service_fen) for line in bill.lines] == [
        (PEAK, 1109, 395),
        (FLAT, 2981, 1648),
        (VALLEY, 194, 240),
    ]


def test_nothing_costs_nothing() -> None:
    assert price(TABLE, ()) == NOTHING


def test_a_band_without_price_is_no_bill() -> None:
    with pytest.raises(NoPrice):
        price(TABLE, _drawn((TariffBand.DEEP_VALLEY, Decimal(1))))


def test_a_half_fen_goes_up() -> None:
    half = (BandPrice(band=FLAT, energy_price_e5=50_000, service_price_e5=0),)
    assert price(PriceTable("v", (FLAT,) * 48, half), _drawn((FLAT, Decimal("0.0300")))).total_fen == 2
    assert price(PriceTable("v", (FLAT,) * 48, half), _drawn((FLAT, Decimal("0.0500")))).total_fen == 3


energies = st.integers(0, 4_000_000).map(lambda steps: Decimal(steps).scaleb(-4))
prices = st.tuples(st.integers(0, 300_000), st.integers(0, 300_000))
orders = st.lists(st.tuples(st.sampled_from(TariffBand), energies, prices), max_size=5, unique_by=lambda part: part[0])


@given(orders)
def test_every_level_adds_up_and_no_line_is_off_by_a_fen(
    order: list[tuple[TariffBand, Decimal, tuple[int, int]]],
) -> None:
    table = PriceTable(
        "v", (FLAT,) * 48, tuple(BandPrice(band=b, energy_price_e5=e, service_price_e5=s) for b, _, (e, s) in order)
    )
    bill = price(table, _drawn(*((band, energy) for band, energy, _ in order)))
    exact = sum((exact_fen(energy, e + s) for _, energy, (e, s) in order), Decimal(0))
    assert bill.total_fen - exact <= Decimal("0.5")
    assert exact - bill.total_fen < Decimal("0.5")
    assert sum(line.electricity_fen for line in bill.lines) == bill.electricity_fen
    assert sum(line.service_fen for line in bill.lines) == bill.service_fen
    for line, (_, energy, (e, s)) in zip(bill.lines, order, strict=True):
        assert abs(line.electricity_fen - exact_fen(energy, e)) < 1
        assert abs(line.service_fen - exact_fen(energy, s)) < 1
        assert min(line.electricity_fen, line.service_fen) >= 0


@given(orders, st.integers(0, 10_000_000))
def test_a_bill_with_another_total_adds_up_too(
    order: list[tuple[TariffBand, Decimal, tuple[int, int]]], total: int
) -> None:
    table = PriceTable(
        "v", (FLAT,) * 48, tuple(BandPrice(band=b, energy_price_e5=e, service_price_e5=s) for b, _, (e, s) in order)
    )
    bill = price(table, _drawn(*((band, energy) for band, energy, _ in order)))
    total = min(total, bill.total_fen)
    scaled = bill.scaled_to(total)
    assert scaled.total_fen == total
    assert sum(line.electricity_fen for line in scaled.lines) == scaled.electricity_fen
    assert sum(line.service_fen for line in scaled.lines) == scaled.service_fen
    assert all(line.electricity_fen >= 0 and line.service_fen >= 0 for line in scaled.lines)
