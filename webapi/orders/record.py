"""A charge record as evidence, pure: its fingerprint, and whether its energies can be believed."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

import msgspec

from evcs.contracts.gun import ChargeRecord
from evcs.contracts.states import TariffBand
from webapi.tariffs.slots import BandKwh, PriceTable, bands_touched

SUM_TOLERANCE_KWH = Decimal("0.0005")
"""Sum of the bands against the record's total."""
CLOCK_TOLERANCE = timedelta(seconds=60)
"""How wrong a pile's clock may be before its bands are not believed; slots are widened by it."""
POSSIBLE_SLACK = timedelta(hours=1)
"""By how much a session may have been longer than is known, before its energy counts as impossible."""
SAMPLE_S = 15
"""A pile samples its energy at least this often (YKC 0x13 while charging)."""
_STEP = Decimal("0.0001")


class Doubt(StrEnum):
    """Why the energies of a record are not taken as they stand."""

    CLOCK_WRONG = "clock_wrong"
    TIMES_BACKWARD = "times_backward"
    BANDS_DO_NOT_ADD_UP = "bands_do_not_add_up"
    REGISTER_DIFFERS = "register_differs"
    BAND_UNTOUCHED = "band_untouched"
    BAND_UNPRICED = "band_unpriced"


MENDED_BY_MARKS = frozenset(
    {Doubt.CLOCK_WRONG, Doubt.TIMES_BACKWARD, Doubt.BANDS_DO_NOT_ADD_UP, Doubt.REGISTER_DIFFERS}
)
"""Doubts where the order's own marks say what the record cannot; the others need a person."""


@dataclass(frozen=True, slots=True)
class Meter:
    """What is known of the pile's meter: its resolution, and the energy of one sample at full power, both in kWh."""

    step_kwh: Decimal
    sample_kwh: Decimal

    @classmethod
    def of(cls, step_kwh: Decimal, rated_kw: Decimal) -> "Meter":
        """From the pile model's resolution and the gun's rated power."""
        return cls(step_kwh, rated_kw * SAMPLE_S / 3600)

    def most_kwh(self, span: timedelta) -> Decimal:
        """What can be drawn in a span at all: twice the rated power, and for an hour longer.

        Wide on purpose: it parts figures of a broken pile from charges, not good meters from bad ones.
        """
        seconds = (max(span, timedelta(0)) + POSSIBLE_SLACK) // timedelta(seconds=1)
        return 2 * self.sample_kwh * seconds / SAMPLE_S


class _Band(msgspec.Struct, frozen=True):
    band: TariffBand
    price_e5: int
    energy_kwh: Decimal
    loss_energy_kwh: Decimal
    amount_e4: int


class _Said(msgspec.Struct, frozen=True):
    serial: str
    pile: str
    gun: int
    times: tuple[datetime, ...]
    bands: tuple[_Band, ...]
    figures: tuple[Decimal, ...]
    amount_e4: int
    vin: str
    card: str
    source: str
    stop_code: int


def fingerprint(record: ChargeRecord) -> str:
    """SHA-256 of what the pile said, the same for each repetition: neither sequence number nor receive time count.

    So the times of a pile without a clock do not either: the receive time stands there.
    """

    def whole(energy: Decimal) -> Decimal:
        return energy.quantize(_STEP)

    said = _Said(
        serial=record.serial,
        pile=record.pile,
        gun=record.gun,
        times=(record.started_at, record.ended_at, record.traded_at) if record.is_timed else (),
        bands=tuple(
            _Band(b.band, b.price_e5, whole(b.energy_kwh), whole(b.loss_energy_kwh), b.amount_e4) for b in record.bands
        ),
        figures=(
            whole(record.register_start_kwh),
            whole(record.register_end_kwh),
            whole(record.energy_kwh),
            whole(record.loss_energy_kwh),
        ),
        amount_e4=record.amount_e4,
        vin=record.vin,
        card=record.card,
        source=str(record.source),
        stop_code=record.stop_code,
    )
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()


def has_energy(record: ChargeRecord) -> bool:
    """Whether the record says that anything was drawn."""
    return bool(record.energy_kwh) or any(band.energy_kwh for band in record.bands)


def is_clock_right(record: ChargeRecord, not_before: datetime | None = None) -> bool:
    """Whether the record's times can be believed, within 60 s.

    The clock is compared at each time sync, right after it was set; so the times themselves are looked at too: the
    pile said some, began no earlier than it was asked to (`not_before`), and ended before the record came.
    """
    if record.clock_offset_s is not None and abs(record.clock_offset_s) > CLOCK_TOLERANCE.total_seconds():
        return False
    if not record.is_timed or record.ended_at > record.received_at + CLOCK_TOLERANCE:
        return False
    return not_before is None or record.started_at >= not_before - CLOCK_TOLERANCE


def is_possible(record: ChargeRecord, meter: Meter, not_before: datetime | None = None) -> bool:
    """Whether the gun can have delivered what the record says, in the time between the request and the receipt.

    A figure of a broken pile may agree with itself in every way; taken as it stands it would empty a wallet.
    """
    span = record.received_at - (not_before or record.started_at)
    if is_clock_right(record, not_before) and record.started_at <= record.ended_at:
        span = min(span, record.ended_at - record.started_at)
    return max(record.energy_kwh, record.loss_energy_kwh) <= meter.most_kwh(span)


def is_total_sure(record: ChargeRecord, meter: Meter) -> bool:
    """Whether the metered total agrees with the register, within 1.5 steps of the meter."""
    by_register = record.register_end_kwh - record.register_start_kwh
    return abs(record.energy_kwh - by_register) <= meter.step_kwh * 3 / 2


def energies(
    record: ChargeRecord, table: PriceTable, meter: Meter, not_before: datetime | None = None
) -> tuple[BandKwh, ...] | Doubt:
    """The energies per band as the record has them, or the first doubt about them.

    Believed when the pile's clock was right within 60 s, the bands add up to the total within 0.0005 kWh, the
    total to the register, and no band got more than one sample's worth whose slots the session never touched.
    """
    if not is_clock_right(record, not_before):
        return Doubt.CLOCK_WRONG
    if record.ended_at < record.started_at:
        return Doubt.TIMES_BACKWARD
    with_loss = record.loss_energy_kwh > 0
    if abs(sum((b.energy_kwh for b in record.bands), Decimal(0)) - record.energy_kwh) > SUM_TOLERANCE_KWH:
        return Doubt.BANDS_DO_NOT_ADD_UP
    if with_loss:
        loss = sum((b.loss_energy_kwh for b in record.bands), Decimal(0))
        if abs(loss - record.loss_energy_kwh) > SUM_TOLERANCE_KWH:
            return Doubt.BANDS_DO_NOT_ADD_UP
    if not is_total_sure(record, meter):
        return Doubt.REGISTER_DIFFERS
    touched = bands_touched(table, record.started_at, record.ended_at, CLOCK_TOLERANCE)
    found = []
    for band in record.bands:
        billed = band.loss_energy_kwh if with_loss else band.energy_kwh
        if not billed:
            continue
        if table.price_of(band.band) is None:
            return Doubt.BAND_UNPRICED
        if band.band not in touched and band.energy_kwh > meter.sample_kwh:
            return Doubt.BAND_UNTOUCHED
        found.append(BandKwh(band.band, billed, band.energy_kwh))
    return tuple(found)
