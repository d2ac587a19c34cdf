"""The two calculations of an order in review, pure: what it costs by us, and what its pile wants, each in full."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from evcs.contracts.gun import ChargeRecord
from evcs.contracts.money import fen_of_e4
from webapi.orders.models import BillRoute
from webapi.orders.reckon import (
    Agreed,
    Figures,
    Full,
    Limit,
    Observed,
    Unclear,
    limited,
    most_to_pay,
    price_record,
    reckon_marks,
)
from webapi.orders.record import Meter, has_energy, is_possible
from webapi.tariffs.price import NOTHING, price
from webapi.tariffs.slots import BandKwh, PriceTable, Reading

NOTHING_KNOWN = Figures(NOTHING, 0, BillRoute.NONE)


class Side(StrEnum):
    """Whose calculation counts."""

    PLATFORM = "platform"
    PILE = "pile"


@dataclass(frozen=True, slots=True)
class Sides:
    """Both calculations; no `pile`: it said nothing, or nothing that could be booked."""

    platform: Figures
    pile: Figures | None

    def of(self, side: Side) -> Figures | None:
        """The figures of one of them."""
        return self.platform if side is Side.PLATFORM else self.pile


def two_sides(
    record: ChargeRecord | None,
    table: PriceTable | None,
    readings: Sequence[Reading],
    meter: Meter,
    *,
    limit: Limit,
    observed: Observed,
) -> Sides:
    """Both calculations of an order.

    Ours is the record's energy by our tariff, or the marks where the record cannot be believed or knows of less; where
    neither says anything usable it is 0, as it will be when the review's time is over. The pile's is its own amount,
    shared over the energies that it is about: as far as it is possible at all that the gun delivered them.
    """
    by_marks = reckon_marks(table, readings, meter, limit=limit, observed=observed)
    seen = by_marks.figures if isinstance(by_marks, Agreed) else NOTHING_KNOWN
    if record is None:
        return Sides(seen, None)
    full: Full | Unclear = Full(NOTHING, None, BillRoute.RECORD)
    if has_energy(record):
        full = price_record(record, table, readings, meter, limit=limit, observed=observed)
    platform = seen
    if isinstance(full, Full):
        platform = limited(full.priced, full.most_fen, full.route)
        more_kwh = readings[-1].energy_kwh - record.energy_kwh if readings else Decimal(0)
        if more_kwh > meter.sample_kwh and seen.total_fen > platform.total_fen:
            platform = seen
    if not is_possible(record, meter, observed.requested_at):
        return Sides(platform, None)
    own = _own(record, table, limit)
    marks = Full(seen.priced, seen.total_fen if seen.discount_fen else limit.amount_fen, seen.route)
    return Sides(platform, _by_pile(record, (full, own, marks)))


def _by_pile(record: ChargeRecord, bases: Sequence[Full | Unclear]) -> Figures | None:
    """The pile's amount over the first of these that has energies; none where not one of them has."""
    amount_fen = fen_of_e4(record.amount_e4)
    if not amount_fen and not has_energy(record):
        return Figures(NOTHING, 0, BillRoute.RECORD)
    for base in bases:
        if isinstance(base, Full) and base.priced.lines:
            return limited(base.priced.scaled_to(amount_fen), base.most_fen, base.route)
    return None


def _own(record: ChargeRecord, table: PriceTable | None, limit: Limit) -> Full | Unclear:
    """The energies as the pile says them, however doubtful, where our tariff has all their bands."""
    if table is None:
        return Unclear("no_tariff")
    with_loss = record.loss_energy_kwh > 0
    said = [
        BandKwh(band.band, band.loss_energy_kwh if with_loss else band.energy_kwh, band.energy_kwh)
        for band in record.bands
        if (band.loss_energy_kwh if with_loss else band.energy_kwh)
    ]
    if len({one.band for one in said}) != len(said) or any(table.price_of(one.band) is None for one in said):
        return Unclear("band_unpriced")
    return Full(price(table, said), most_to_pay(table, said, limit, table.band_at(record.ended_at)), BillRoute.RECORD)
