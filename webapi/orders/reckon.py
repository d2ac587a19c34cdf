"""What a charge costs, pure: record, marks and tariff in; agreed figures, a dispute, or no figures out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from evcs.contracts.gun import ChargeRecord
from evcs.contracts.money import fen_of_e4
from evcs.contracts.states import TariffBand
from webapi.orders import marks
from webapi.orders.models import BillRoute
from webapi.orders.record import MENDED_BY_MARKS, Doubt, Meter, energies, has_energy, is_possible, is_total_sure
from webapi.tariffs.price import NOTHING, Priced, price
from webapi.tariffs.slots import BandKwh, PriceTable, Reading

ALLOWED_DIFFERENCE_FEN = 1
"""Between our total and the pile's: rounding the total differs from the pile's screen by at most this."""
WHOLE_HOLD_FEN = 10**12
"""More than any hold: a dispute of which nobody knows how much it is about."""
FREE_OVERSHOOT_KWH = Decimal("0.2")
"""How far an energy goal may be passed at the customer's cost; beyond it at the operator's."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What the customer pays: the bill in full, less what is given back for an overshoot. In fen."""

    priced: Priced
    discount_fen: int
    route: BillRoute

    @property
    def total_fen(self) -> int:
        """Electricity and service less the discount."""
        return self.priced.total_fen - self.discount_fen


@dataclass(frozen=True, slots=True)
class Agreed:
    """Pile and platform agree within a fen, or there is no record to compare with."""

    figures: Figures


@dataclass(frozen=True, slots=True)
class Disputed:
    """They do not: `figures` are the lower ones; up to `difference_fen` more is in dispute."""

    figures: Figures
    difference_fen: int


@dataclass(frozen=True, slots=True)
class Unclear:
    """Neither record nor marks say what was drawn in which band: nothing can be taken, a person decides."""

    why: str


Reckoning = Agreed | Disputed | Unclear


@dataclass(frozen=True, slots=True)
class Limit:
    """The order's goal, as far as it limits what the customer pays."""

    amount_fen: int | None = None
    energy_kwh: Decimal | None = None


NO_LIMIT = Limit()


@dataclass(frozen=True, slots=True)
class Observed:
    """What our own clock knows of the charge."""

    requested_at: datetime | None = None
    ended_at: datetime | None = None


NOT_OBSERVED = Observed()


def needs_marks(record: ChargeRecord, table: PriceTable | None, meter: Meter, observed: Observed) -> bool:
    """Whether a record can be priced only by what the order's marks say; they may still be on their way."""
    if table is None or not has_energy(record) or not is_possible(record, meter, observed.requested_at):
        return False
    drawn = energies(record, table, meter, observed.requested_at)
    return isinstance(drawn, Doubt) and drawn in MENDED_BY_MARKS


def reckon_record(
    record: ChargeRecord,
    table: PriceTable | None,
    readings: Sequence[Reading],
    meter: Meter,
    *,
    limit: Limit = NO_LIMIT,
    observed: Observed = NOT_OBSERVED,
) -> Reckoning:
    """Price a charge record anew and compare with the pile's own amount.

    The record's energies per band count where they can be believed, else the order's marks on receive time
    (closed by the record's total, where that is sure). More than a fen apart: disputed, the lower figure stands.
    So it is where the marks saw more than a sample's worth of energy that the record does not know: its own figure
    is the lower one, whatever else was drawn.
    """
    reckoned = _by_record(record, table, readings, meter, limit, observed)
    unknown = readings[-1].energy_kwh - record.energy_kwh if readings else Decimal(0)
    if not isinstance(reckoned, Agreed) or unknown <= meter.sample_kwh:
        return reckoned
    seen = reckon_marks(table, readings, meter, limit=limit, observed=observed)
    if isinstance(seen, Unclear):
        return Disputed(reckoned.figures, WHOLE_HOLD_FEN)
    more_fen = seen.figures.total_fen - reckoned.figures.total_fen
    return Disputed(reckoned.figures, more_fen) if more_fen > ALLOWED_DIFFERENCE_FEN else reckoned


@dataclass(frozen=True, slots=True)
class Full:
    """Our own price of a record, in full; `most_fen`: the most that the goal lets the customer pay of it."""

    priced: Priced
    most_fen: int | None
    route: BillRoute


def price_record(
    record: ChargeRecord,
    table: PriceTable | None,
    readings: Sequence[Reading],
    meter: Meter,
    *,
    limit: Limit = NO_LIMIT,
    observed: Observed = NOT_OBSERVED,
) -> Full | Unclear:
    """What a record that has energy costs by our tariff, whatever the pile says."""
    if table is None:
        return Unclear("no_tariff")
    if not is_possible(record, meter, observed.requested_at):
        return Unclear("more_than_rated")
    drawn = energies(record, table, meter, observed.requested_at)
    route, end = BillRoute.RECORD, record.ended_at
    if isinstance(drawn, Doubt):
        if drawn not in MENDED_BY_MARKS:
            return Unclear(drawn.value)
        end = observed.ended_at or record.received_at
        sure = record.energy_kwh if is_total_sure(record, meter) else None
        by_marks = marks.energies(table, readings, total_kwh=sure, end=end)
        if by_marks is None:
            return Unclear(drawn.value)
        route, drawn = BillRoute.MARKS, by_marks
    return Full(price(table, drawn), most_to_pay(table, drawn, limit, table.band_at(end)), route)


def _by_record(
    record: ChargeRecord,
    table: PriceTable | None,
    readings: Sequence[Reading],
    meter: Meter,
    limit: Limit,
    observed: Observed,
) -> Reckoning:
    pile_fen = fen_of_e4(record.amount_e4)
    if not has_energy(record):
        nothing = Figures(NOTHING, 0, BillRoute.RECORD)
        return Agreed(nothing) if pile_fen <= ALLOWED_DIFFERENCE_FEN else Disputed(nothing, pile_fen)
    full = price_record(record, table, readings, meter, limit=limit, observed=observed)
    if isinstance(full, Unclear):
        return full
    priced, most = full.priced, full.most_fen
    if abs(priced.total_fen - pile_fen) <= ALLOWED_DIFFERENCE_FEN:
        return Agreed(limited(priced, most, full.route))
    lower = limited(priced.scaled_to(min(priced.total_fen, pile_fen)), most, full.route)
    upper_fen = max(priced.total_fen, pile_fen)
    upper_fen = upper_fen if most is None else min(upper_fen, most)
    return Disputed(lower, max(0, upper_fen - lower.total_fen))


def reckon_marks(
    table: PriceTable | None,
    readings: Sequence[Reading],
    meter: Meter,
    *,
    limit: Limit = NO_LIMIT,
    observed: Observed = NOT_OBSERVED,
    pile_fen: int | None = None,
) -> Agreed | Unclear:
    """Price an order by its marks alone; where the pile said a figure too, by the lower one."""
    if not readings:
        return Unclear("no_marks")
    if table is None:
        return Unclear("no_tariff")
    if readings[-1].energy_kwh > meter.most_kwh(readings[-1].at - (observed.requested_at or readings[0].at)):
        return Unclear("more_than_rated")
    drawn = marks.energies(table, readings)
    if drawn is None:
        return Unclear("marks_run_backwards")
    priced = price(table, drawn)
    if pile_fen is not None:
        priced = priced.scaled_to(min(priced.total_fen, pile_fen))
    return Agreed(limited(priced, most_to_pay(table, drawn, limit, table.band_at(readings[-1].at)), BillRoute.MARKS))


def most_to_pay(table: PriceTable, drawn: Sequence[BandKwh], limit: Limit, last_band: TariffBand) -> int | None:
    """The most that the goal lets the customer pay, in fen: the amount, or the price of the energy goal + 0.2 kWh.

    The energy beyond is the last that was drawn: it is taken off the band in which the charge ended, then off the
    dearest others. None: no limit.
    """
    if limit.amount_fen is not None:
        return limit.amount_fen
    if limit.energy_kwh is None:
        return None
    beyond = sum((energy.billed_kwh for energy in drawn), Decimal(0)) - limit.energy_kwh - FREE_OVERSHOOT_KWH
    if beyond <= 0:
        return None

    def dearness(energy: BandKwh) -> tuple[bool, int]:
        of_band = table.price_of(energy.band)
        together = of_band.energy_price_e5 + of_band.service_price_e5 if of_band else 0
        return energy.band is not last_band, -together

    kept = []
    for energy in sorted(drawn, key=dearness):
        off = min(beyond, energy.billed_kwh)
        beyond -= off
        kept.append(BandKwh(energy.band, energy.billed_kwh - off, energy.metered_kwh))
    return price(table, kept).total_fen


def limited(priced: Priced, most_fen: int | None, route: BillRoute) -> Figures:
    """A bill of which the customer pays at most so much."""
    discount = 0 if most_fen is None else max(0, priced.total_fen - most_fen)
    return Figures(priced, discount, route)
