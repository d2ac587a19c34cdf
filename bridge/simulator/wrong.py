"""Charge records that do not hold water: what a platform has to notice. Pure."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from bridge.protocols.ykc.messages import ChargeRecord

BANDS = ("sharp", "peak", "flat", "valley")
ONE = Decimal(1)
_STEP = Decimal("0.0001")
BACKWARDS = timedelta(minutes=5)


def _most(record: ChargeRecord) -> int:
    return max(range(len(BANDS)), key=lambda place: getattr(record, f"{BANDS[place]}_kwh"))


def _line(record: ChargeRecord, band: str, energy: Decimal) -> dict[str, Any]:
    """The fields of a band that has this energy, at its own price."""
    price: Decimal = getattr(record, f"{band}_price")
    amount = (energy * price).quantize(_STEP, ROUND_HALF_UP)
    return {f"{band}_kwh": energy, f"{band}_kwh_loss": energy, f"{band}_amount": amount}


def wrong_sums(record: ChargeRecord) -> ChargeRecord:
    """A kilowatt-hour and a yuan more in the totals than in the bands."""
    return replace(
        record,
        total_kwh=record.total_kwh + ONE,
        total_kwh_loss=record.total_kwh_loss + ONE,
        total_amount=record.total_amount + ONE,
    )


def wrong_tiers(record: ChargeRecord) -> ChargeRecord:
    """The energy of the fullest band stands under the next one and is charged at its price; the sums fit."""
    most = _most(record)
    band, other = BANDS[most], BANDS[(most + 1) % len(BANDS)]
    both: Decimal = getattr(record, f"{band}_kwh") + getattr(record, f"{other}_kwh")
    moved = {**_line(record, band, Decimal(0)), **_line(record, other, both)}
    before: Decimal = getattr(record, f"{band}_amount") + getattr(record, f"{other}_amount")
    after = moved[f"{band}_amount"] + moved[f"{other}_amount"]
    return replace(record, **moved, total_amount=record.total_amount - before + after)


def wrong_times(record: ChargeRecord) -> ChargeRecord:
    """It ends before it starts."""
    if not isinstance(record.start_time, datetime):
        return record
    return replace(record, end_time=record.start_time - BACKWARDS)


def changed(record: ChargeRecord) -> ChargeRecord:
    """The same number with a kilowatt-hour more, sound in itself."""
    band = BANDS[_most(record)]
    line = _line(record, band, getattr(record, f"{band}_kwh") + ONE)
    more = line[f"{band}_amount"] - getattr(record, f"{band}_amount")
    return replace(
        record,
        **line,
        meter_end=record.meter_end + ONE,
        total_kwh=record.total_kwh + ONE,
        total_kwh_loss=record.total_kwh_loss + ONE,
        total_amount=record.total_amount + more,
    )
