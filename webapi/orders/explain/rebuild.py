"""Reckoning a bill again from its bundle alone, pure: nothing else is looked at."""

from dataclasses import dataclass
from decimal import Decimal

from evcs.contracts.money import exact_fen, fen_of_e4
from evcs.contracts.states import TariffBand
from webapi.orders.evidence import BillFacts, Bundle, MeterFacts, TariffFacts
from webapi.orders.models import BillKind, BillRoute
from webapi.orders.reckon import (
    Agreed,
    Disputed,
    Figures,
    Limit,
    Observed,
    Reckoning,
    Unclear,
    reckon_marks,
    reckon_record,
)
from webapi.orders.record import Meter
from webapi.orders.two_sides import two_sides
from webapi.tariffs.price import NOTHING
from webapi.tariffs.slots import PriceTable, Reading


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What the bill must be; `keep_fen`: how much of the hold a dispute keeps. No figures: `why` says why not."""

    figures: Figures | None
    keep_fen: int = 0
    why: str | None = None


@dataclass(frozen=True, slots=True)
class ExactLine:
    """One band before and after rounding: energies in kWh, prices in 0.00001 yuan/kWh, amounts in fen."""

    band: TariffBand
    energy_kwh: Decimal
    energy_price_e5: int
    service_price_e5: int
    exact_electricity_fen: Decimal
    exact_service_fen: Decimal
    electricity_fen: int
    service_fen: int


def rebuild(bundle: Bundle) -> Rebuilt:
    """The figures that follow from a bundle."""
    kind = BillKind(bundle.bill.kind)
    if kind is BillKind.DECISION:
        return _decided(bundle)
    if kind is BillKind.PROVISIONAL:
        return _provisional(bundle)
    found = [one for one in bundle.records if one.id == bundle.bill.record]
    if not found:
        return Rebuilt(None, why="record_missing")
    return _rebuilt(by_record(bundle, found[0].id))


def by_record(bundle: Bundle, record_id: int) -> Reckoning:
    """What one of the bundle's charge records comes to."""
    said = next(one.said for one in bundle.records if one.id == record_id)
    return reckon_record(
        said,
        table_of(bundle.tariff),
        readings_of(bundle),
        meter_of(bundle.meter),
        limit=limit_of(bundle),
        observed=_observed(bundle),
    )


def table_of(tariff: TariffFacts | None) -> PriceTable | None:
    """The bundle's tariff as the reckoning takes it."""
    return None if tariff is None else PriceTable(tariff.version, tariff.slots, tariff.prices)


def readings_of(bundle: Bundle) -> tuple[Reading, ...]:
    """The bundle's marks as the reckoning takes them."""
    return tuple(Reading(mark.at, mark.energy_kwh) for mark in bundle.marks)


def meter_of(meter: MeterFacts) -> Meter:
    """The bundle's meter as the reckoning takes it."""
    return Meter.of(meter.step_kwh, meter.rated_kw)


def limit_of(bundle: Bundle) -> Limit:
    """How far the goal limits what the customer pays."""
    return Limit(bundle.order.goal_amount_fen, bundle.order.goal_energy_kwh)


def exact_lines(figures: Figures) -> tuple[ExactLine, ...]:
    """The lines with what they are before rounding."""
    return tuple(
        ExactLine(
            line.band,
            line.billed_kwh,
            line.energy_price_e5,
            line.service_price_e5,
            exact_fen(line.billed_kwh, line.energy_price_e5),
            exact_fen(line.billed_kwh, line.service_price_e5),
            line.electricity_fen,
            line.service_fen,
        )
        for line in figures.priced.lines
    )


def differs_in(figures: Figures, bill: BillFacts) -> tuple[tuple[str, str, str], ...]:
    """Every figure of a bill that is not the rebuilt one: its name, what it must be, what stands there."""
    priced = figures.priced
    pairs: list[tuple[str, object, object]] = []
    lines = {line.band: line for line in priced.lines}
    there = {line.band: line for line in bill.lines}
    for band in sorted(lines.keys() | there.keys()):
        ours, theirs = lines.get(band), there.get(band)
        if ours is None or theirs is None:
            pairs.append((f"{band.value}", _presence(ours), _presence(theirs)))
            continue
        pairs += [
            (f"{band.value}.energy_kwh", ours.billed_kwh, theirs.energy_kwh),
            (f"{band.value}.metered_kwh", ours.metered_kwh, theirs.metered_kwh),
            (f"{band.value}.energy_price_e5", ours.energy_price_e5, theirs.energy_price_e5),
            (f"{band.value}.service_price_e5", ours.service_price_e5, theirs.service_price_e5),
            (f"{band.value}.electricity_fen", ours.electricity_fen, theirs.electricity_fen),
            (f"{band.value}.service_fen", ours.service_fen, theirs.service_fen),
        ]
    pairs += [
        ("route", figures.route.value, bill.route),
        ("energy_kwh", priced.energy_kwh, bill.energy_kwh),
        ("electricity_fen", priced.electricity_fen, bill.electricity_fen),
        ("service_fen", priced.service_fen, bill.service_fen),
        ("discount_fen", figures.discount_fen, bill.discount_fen),
        ("total_fen", figures.total_fen, bill.total_fen),
    ]
    return tuple((name, str(ours), str(theirs)) for name, ours, theirs in pairs if ours != theirs)


def _presence(line: object | None) -> str:
    return "absent" if line is None else "present"


def _provisional(bundle: Bundle) -> Rebuilt:
    """By the marks; of an order in review at most what its pile said. Nothing to bill by: 0."""
    readings = readings_of(bundle)
    nothing = Rebuilt(Figures(NOTHING, 0, BillRoute.NONE))
    if not readings and (bundle.order.started_at is None or bundle.bill.route == BillRoute.NONE.value):
        return nothing
    said = [fen_of_e4(one.said.amount_e4) for one in bundle.records]
    for most in (*((min(said),) if said else ()), None):
        reckoning = reckon_marks(
            table_of(bundle.tariff),
            readings,
            meter_of(bundle.meter),
            limit=limit_of(bundle),
            observed=_observed(bundle),
            pile_fen=most,
        )
        if isinstance(reckoning, Unclear) or (bundle.order.customer is None and reckoning.figures.total_fen):
            return nothing if bundle.bill.route == BillRoute.NONE.value else _rebuilt(reckoning)
        rebuilt = _rebuilt(reckoning)
        if most is None or not differs_in(reckoning.figures, bundle.bill):
            return rebuilt
    return rebuilt


def _decided(bundle: Bundle) -> Rebuilt:
    """A person has chosen one of the two calculations: the bill is one of them, in full."""
    said = next((one.said for one in bundle.records if one.id == bundle.bill.record), None)
    if said is None and bundle.bill.record is not None:
        return Rebuilt(None, why="record_missing")
    sides = two_sides(
        said,
        table_of(bundle.tariff),
        readings_of(bundle),
        meter_of(bundle.meter),
        limit=limit_of(bundle),
        observed=_observed(bundle),
    )
    is_piles = sides.pile is not None and not differs_in(sides.pile, bundle.bill)
    return Rebuilt(sides.pile if is_piles else sides.platform)


def _rebuilt(reckoning: Reckoning) -> Rebuilt:
    match reckoning:
        case Agreed(figures):
            return Rebuilt(figures)
        case Disputed(figures, difference_fen):
            return Rebuilt(figures, keep_fen=difference_fen)
        case Unclear(why):
            return Rebuilt(None, why=why)


def _observed(bundle: Bundle) -> Observed:
    order = bundle.order
    return Observed(order.requested_at, order.ended_at if order.end_observed_at is not None else None)
