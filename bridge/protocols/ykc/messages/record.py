"""The charge record and its confirmation (YKC V1.6: 0x3B, 0x40)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from bridge.protocols.fields import Ascii, Cp56Time2a, Enum8, Raw, Scaled
from bridge.protocols.ykc.codes import Band, RecordResult, StartKind
from bridge.protocols.ykc.messages.base import U8, GunNo, PileNo, TradeNo, YkcMessage

PileTime = Annotated[datetime | bytes, Cp56Time2a()]
Price = Annotated[Decimal, Scaled(4, "0.00001", "yuan/kWh")]  # energy price + service price
Kwh = Annotated[Decimal, Scaled(4, "0.0001", "kWh")]
Register = Annotated[Decimal, Scaled(5, "0.0001", "kWh")]
Yuan = Annotated[Decimal, Scaled(4, "0.0001", "yuan")]


class TransactionRecord(YkcMessage, code=0x3B, title="交易记录", source="YKC V1.6 0x3B"):
    """Pile → platform, after every executed start, successful or not; repeated until 0x40."""

    trade_no: TradeNo
    pile_no: PileNo
    gun_no: GunNo
    start_time: PileTime
    end_time: PileTime
    sharp_price: Price
    sharp_kwh: Kwh
    sharp_kwh_loss: Kwh
    sharp_amount: Yuan
    peak_price: Price
    peak_kwh: Kwh
    peak_kwh_loss: Kwh
    peak_amount: Yuan
    flat_price: Price
    flat_kwh: Kwh
    flat_kwh_loss: Kwh
    flat_amount: Yuan
    valley_price: Price
    valley_kwh: Kwh
    valley_kwh_loss: Kwh
    valley_amount: Yuan
    meter_start: Register
    meter_end: Register
    total_kwh: Kwh
    total_kwh_loss: Kwh
    total_amount: Yuan
    vin: Annotated[str, Ascii(17)]  # normal order here
    trade_flag: Annotated[StartKind | int, Enum8(StartKind)]
    trade_time: PileTime
    stop_reason: U8  # codes.stop_reason
    physical_card: Annotated[str, Raw(8)]


class FiveBandRecord(
    YkcMessage, code=0x3B, title="交易记录（五时段）", source="captured, protocol reference §10", variant=True
):
    """The record of piles with a fifth band, deep valley (深谷): 174 bytes, which is how it is told apart."""

    trade_no: TradeNo
    pile_no: PileNo
    gun_no: GunNo
    start_time: PileTime
    end_time: PileTime
    sharp_price: Price
    sharp_kwh: Kwh
    sharp_kwh_loss: Kwh
    sharp_amount: Yuan
    peak_price: Price
    peak_kwh: Kwh
    peak_kwh_loss: Kwh
    peak_amount: Yuan
    flat_price: Price
    flat_kwh: Kwh
    flat_kwh_loss: Kwh
    flat_amount: Yuan
    valley_price: Price
    valley_kwh: Kwh
    valley_kwh_loss: Kwh
    valley_amount: Yuan
    deep_price: Price
    deep_kwh: Kwh
    deep_kwh_loss: Kwh
    deep_amount: Yuan
    meter_start: Register
    meter_end: Register
    total_kwh: Kwh
    total_kwh_loss: Kwh
    total_amount: Yuan
    vin: Annotated[str, Ascii(17)]  # normal order here
    trade_flag: Annotated[StartKind | int, Enum8(StartKind)]
    trade_time: PileTime
    stop_reason: U8  # codes.stop_reason
    physical_card: Annotated[str, Raw(8)]


ChargeRecord = TransactionRecord | FiveBandRecord


@dataclass(frozen=True, slots=True)
class BandLine:
    """What a record says about one band: prices in yuan/kWh, energies in kWh, amount in yuan."""

    band: Band
    price: Decimal
    kwh: Decimal
    kwh_loss: Decimal
    amount: Decimal


def band_lines(record: ChargeRecord) -> tuple[BandLine, ...]:
    """The bands of a record in the order of the wire: four, or five with deep valley."""
    lines = (
        BandLine(Band.SHARP, record.sharp_price, record.sharp_kwh, record.sharp_kwh_loss, record.sharp_amount),
        BandLine(Band.PEAK, record.peak_price, record.peak_kwh, record.peak_kwh_loss, record.peak_amount),
        BandLine(Band.FLAT, record.flat_price, record.flat_kwh, record.flat_kwh_loss, record.flat_amount),
        BandLine(Band.VALLEY, record.valley_price, record.valley_kwh, record.valley_kwh_loss, record.valley_amount),
    )
    if isinstance(record, FiveBandRecord):
        deep = BandLine(Band.DEEP, record.deep_price, record.deep_kwh, record.deep_kwh_loss, record.deep_amount)
        return (*lines, deep)
    return lines


class RecordConfirmation(YkcMessage, code=0x40, title="交易记录确认", source="YKC V1.6 0x40"):
    """Platform → pile: received and stored (not settled); given again for every repetition."""

    trade_no: TradeNo
    result: Annotated[RecordResult | int, Enum8(RecordResult)]
