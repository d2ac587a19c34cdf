"""The charge record and its confirmation (YKC V1.6: 0x3B, 0x40)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from bridge.protocols.fields import Ascii, Cp56Time2a, Enum8, Scaled
from bridge.protocols.layout import Named
from bridge.protocols.ykc.codes import Band, RecordResult, StartKind
from bridge.protocols.ykc.messages.base import U8, GunNo, PhysicalCard, PileNo, TradeNo, YkcMessage

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
    start_time: Annotated[PileTime, Named("开始时间", "start")]
    end_time: Annotated[PileTime, Named("结束时间", "end")]
    sharp_price: Annotated[Price, Named("尖单价", "sharp price")]
    sharp_kwh: Annotated[Kwh, Named("尖电量", "sharp energy")]
    sharp_kwh_loss: Annotated[Kwh, Named("计损尖电量", "sharp energy with loss")]
    sharp_amount: Annotated[Yuan, Named("尖金额", "sharp amount")]
    peak_price: Annotated[Price, Named("峰单价", "peak price")]
    peak_kwh: Annotated[Kwh, Named("峰电量", "peak energy")]
    peak_kwh_loss: Annotated[Kwh, Named("计损峰电量", "peak energy with loss")]
    peak_amount: Annotated[Yuan, Named("峰金额", "peak amount")]
    flat_price: Annotated[Price, Named("平单价", "flat price")]
    flat_kwh: Annotated[Kwh, Named("平电量", "flat energy")]
    flat_kwh_loss: Annotated[Kwh, Named("计损平电量", "flat energy with loss")]
    flat_amount: Annotated[Yuan, Named("平金额", "flat amount")]
    valley_price: Annotated[Price, Named("谷单价", "valley price")]
    valley_kwh: Annotated[Kwh, Named("谷电量", "valley energy")]
    valley_kwh_loss: Annotated[Kwh, Named("计损谷电量", "valley energy with loss")]
    valley_amount: Annotated[Yuan, Named("谷金额", "valley amount")]
    meter_start: Annotated[Register, Named("电表总起值", "meter at the start", "40 bits")]
    meter_end: Annotated[Register, Named("电表总止值", "meter at the end", "40 bits")]
    total_kwh: Annotated[Kwh, Named("总电量", "energy")]
    total_kwh_loss: Annotated[Kwh, Named("计损总电量", "energy with loss")]
    total_amount: Annotated[Yuan, Named("消费金额", "amount", "energy and service price")]
    vin: Annotated[str, Ascii(17), Named("电动汽车唯一标识", "VIN", "in reading order, unlike 0x31")]
    trade_flag: Annotated[StartKind | int, Enum8(StartKind), Named("交易标识", "started by")]
    trade_time: Annotated[PileTime, Named("交易日期、时间", "time of the transaction")]
    stop_reason: Annotated[U8, Named("停止原因", "stop reason", "codes.stop_reason")]
    physical_card: PhysicalCard


class FiveBandRecord(
    YkcMessage, code=0x3B, title="交易记录（五时段）", source="captured, protocol reference §10", variant=True
):
    """The record of piles with a fifth band, deep valley (深谷): 174 bytes, which is how it is told apart."""

    trade_no: TradeNo
    pile_no: PileNo
    gun_no: GunNo
    start_time: Annotated[PileTime, Named("开始时间", "start")]
    end_time: Annotated[PileTime, Named("结束时间", "end")]
    sharp_price: Annotated[Price, Named("尖单价", "sharp price")]
    sharp_kwh: Annotated[Kwh, Named("尖电量", "sharp energy")]
    sharp_kwh_loss: Annotated[Kwh, Named("计损尖电量", "sharp energy with loss")]
    sharp_amount: Annotated[Yuan, Named("尖金额", "sharp amount")]
    peak_price: Annotated[Price, Named("峰单价", "peak price")]
    peak_kwh: Annotated[Kwh, Named("峰电量", "peak energy")]
    peak_kwh_loss: Annotated[Kwh, Named("计损峰电量", "peak energy with loss")]
    peak_amount: Annotated[Yuan, Named("峰金额", "peak amount")]
    flat_price: Annotated[Price, Named("平单价", "flat price")]
    flat_kwh: Annotated[Kwh, Named("平电量", "flat energy")]
    flat_kwh_loss: Annotated[Kwh, Named("计损平电量", "flat energy with loss")]
    flat_amount: Annotated[Yuan, Named("平金额", "flat amount")]
    valley_price: Annotated[Price, Named("谷单价", "valley price")]
    valley_kwh: Annotated[Kwh, Named("谷电量", "valley energy")]
    valley_kwh_loss: Annotated[Kwh, Named("计损谷电量", "valley energy with loss")]
    valley_amount: Annotated[Yuan, Named("谷金额", "valley amount")]
    deep_price: Annotated[Price, Named("深谷单价", "deep valley price")]
    deep_kwh: Annotated[Kwh, Named("深谷电量", "deep valley energy")]
    deep_kwh_loss: Annotated[Kwh, Named("计损深谷电量", "deep valley energy with loss")]
    deep_amount: Annotated[Yuan, Named("深谷金额", "deep valley amount")]
    meter_start: Annotated[Register, Named("电表总起值", "meter at the start", "40 bits")]
    meter_end: Annotated[Register, Named("电表总止值", "meter at the end", "40 bits")]
    total_kwh: Annotated[Kwh, Named("总电量", "energy")]
    total_kwh_loss: Annotated[Kwh, Named("计损总电量", "energy with loss")]
    total_amount: Annotated[Yuan, Named("消费金额", "amount", "energy and service price")]
    vin: Annotated[str, Ascii(17), Named("电动汽车唯一标识", "VIN", "in reading order, unlike 0x31")]
    trade_flag: Annotated[StartKind | int, Enum8(StartKind), Named("交易标识", "started by")]
    trade_time: Annotated[PileTime, Named("交易日期、时间", "time of the transaction")]
    stop_reason: Annotated[U8, Named("停止原因", "stop reason", "codes.stop_reason")]
    physical_card: PhysicalCard


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
    result: Annotated[RecordResult | int, Enum8(RecordResult), Named("确认结果", "result")]
