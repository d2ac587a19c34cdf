"""What car and charger tell each other on the CAN bus (GB/T 27930), passed on by DC piles (YKC V1.6: 0x15-0x25)."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar

from bridge.protocols.base import FrameError
from bridge.protocols.fields import Ascii, Enum8, Offset, Raw, Reader, Scaled, Uint, Writer
from bridge.protocols.layout import Named
from bridge.protocols.ykc.codes import BatteryType, ChargeMode, Ownership
from bridge.protocols.ykc.messages.base import (
    U8,
    U16,
    BmsAmps,
    CellVolts,
    Celsius,
    GunNo,
    PileNo,
    TradeNo,
    Volts,
    YkcMessage,
)


class ChargeHandshake(YkcMessage, code=0x15, title="充电握手", source="YKC V1.6 0x15, GB/T 27930 BRM"):
    """Pile → platform, once after the start of a DC charge: what car this is."""

    trade_no: TradeNo
    pile_no: PileNo
    gun_no: GunNo
    bms_version: Annotated[str, Raw(3), Named("BMS 通信协议版本号", "BMS protocol version", "010100 is V1.1")]
    battery_type: Annotated[BatteryType | int, Enum8(BatteryType), Named("BMS 电池类型", "battery type")]
    rated_ah: Annotated[Decimal, Scaled(2, "0.1", "Ah"), Named("额定容量", "rated capacity")]
    rated_v: Annotated[Volts, Named("额定总电压", "rated total voltage")]
    maker: Annotated[str, Ascii(4), Named("电池生产厂商名称", "battery maker")]
    pack_serial: Annotated[str, Raw(4), Named("电池组序号", "pack serial", "as the maker defines it")]
    made_year: Annotated[int, Offset(1985), Named("电池组生产日期：年", "production year")]
    made_month: Annotated[U8, Named("电池组生产日期：月", "production month")]
    made_day: Annotated[U8, Named("电池组生产日期：日", "production day")]
    charge_count: Annotated[int, Uint(3), Named("充电次数", "charge count", "24 bits, low byte first")]
    ownership: Annotated[Ownership | int, Enum8(Ownership), Named("产权标识", "ownership")]
    reserved: Annotated[U8, Named("预留位", "reserved")]
    vin: Annotated[str, Ascii(17), Named("车辆识别码", "VIN")]
    bms_sw: Annotated[
        str, Raw(8), Named("BMS 软件版本号", "BMS software version", "serial, day, month, year (2, low first), FFFFFF")
    ]


class ChargeParameters(YkcMessage, code=0x17, title="参数配置", source="YKC V1.6 0x17, GB/T 27930 BCP and CML"):
    """Pile → platform, once after the handshake: what battery and charger can take and give."""

    trade_no: TradeNo
    pile_no: PileNo
    gun_no: GunNo
    cell_v_max: Annotated[CellVolts, Named("BMS 单体最高允许充电电压", "highest cell voltage allowed")]
    bms_i_max: Annotated[BmsAmps, Named("BMS 最高允许充电电流", "highest current the battery allows")]
    energy_nominal: Annotated[Decimal, Scaled(2, "0.1", "kWh"), Named("BMS 动力蓄电池标称总能量", "nominal energy")]
    bms_v_max: Annotated[Volts, Named("BMS 最高允许充电总电压", "highest voltage the battery allows")]
    temp_max: Annotated[Celsius, Named("BMS 最高允许温度", "highest temperature allowed")]
    soc: Annotated[Decimal, Scaled(2, "0.1", "%"), Named("BMS 整车动力蓄电池荷电状态", "SOC")]
    battery_v: Annotated[Volts, Named("BMS 整车动力蓄电池当前电池电压", "battery voltage now")]
    pile_v_max: Annotated[Volts, Named("电桩最高输出电压", "highest voltage of the pile")]
    pile_v_min: Annotated[Volts, Named("电桩最低输出电压", "lowest voltage of the pile")]
    pile_i_max: Annotated[BmsAmps, Named("电桩最大输出电流", "highest current of the pile")]
    pile_i_min: Annotated[BmsAmps, Named("电桩最小输出电流", "lowest current of the pile")]


class ChargeEnd(YkcMessage, code=0x19, title="充电结束", source="YKC V1.6 0x19, GB/T 27930 BSD and CSD"):
    """Pile → platform, after the end of a DC charge."""

    trade_no: TradeNo
    pile_no: PileNo
    gun_no: GunNo
    soc: Annotated[U8, Named("BMS 中止荷电状态 SOC", "SOC at the end", unit="%")]
    cell_v_min: Annotated[CellVolts, Named("BMS 动力蓄电池单体最低电压", "lowest cell voltage")]
    cell_v_max: Annotated[CellVolts, Named("BMS 动力蓄电池单体最高电压", "highest cell voltage")]
    temp_min: Annotated[Celsius, Named("BMS 动力蓄电池最低温度", "lowest temperature")]
    temp_max: Annotated[Celsius, Named("BMS 动力蓄电池最高温度", "highest temperature")]
    charged_min: Annotated[U16, Named("电桩累计充电时间", "charging time", unit="min")]
    energy: Annotated[Decimal, Scaled(2, "0.1", "kWh"), Named("电桩输出能量", "energy given")]
    charger_no: Annotated[int, Uint(4), Named("电桩充电机编号", "charger number", "FFFFFFFF: unknown")]


class ChargeError(YkcMessage, code=0x1B, title="错误报文", source="YKC V1.6 0x1B, GB/T 27930 BEM and CEM"):
    """Pile → platform: who waited for whom in vain. `findings` names the two-bit groups."""

    trade_no: TradeNo
    pile_no: PileNo
    gun_no: GunNo
    err1: Annotated[U8, Named("BMS 侧第 1 字节（4-6 项）", "BMS side, byte 1")]
    err2: Annotated[U8, Named("BMS 侧第 2 字节（7-9 项）", "BMS side, byte 2")]
    err3: Annotated[U8, Named("BMS 侧第 3 字节（10-12 项）", "BMS side, byte 3")]
    err4: Annotated[U8, Named("BMS 侧第 4 字节（13-14 项）", "BMS side, byte 4")]
    err5: Annotated[U8, Named("充电机侧第 1 字节（15-16 项）", "charger side, byte 1")]
    err6: Annotated[U8, Named("充电机侧第 2 字节（17-19 项）", "charger side, byte 2")]
    err7: Annotated[U8, Named("充电机侧第 3 字节（20-23 项）", "charger side, byte 3")]
    err8: Annotated[U8, Named("充电机侧第 4 字节（24-25 项）", "charger side, byte 4")]


class BmsAbort(YkcMessage, code=0x1D, title="充电阶段BMS中止", source="YKC V1.6 0x1D, GB/T 27930 BST"):
    """Pile → platform: the car ended the charge. `findings` names the two-bit groups."""

    trade_no: TradeNo
    pile_no: PileNo
    gun_no: GunNo
    reason: Annotated[U8, Named("BMS 中止充电原因", "why the BMS stopped")]
    fault: Annotated[U16, Named("BMS 中止充电故障原因", "faults")]
    error: Annotated[U8, Named("BMS 中止充电错误原因", "errors")]


class ChargerAbort(YkcMessage, code=0x21, title="充电阶段充电机中止", source="YKC V1.6 0x21, GB/T 27930 CST"):
    """Pile → platform: the charger ended the charge. `findings` names the two-bit groups."""

    trade_no: TradeNo
    pile_no: PileNo
    gun_no: GunNo
    reason: Annotated[U8, Named("充电机中止充电原因", "why the charger stopped")]
    fault: Annotated[U16, Named("充电机中止充电故障原因", "faults")]
    error: Annotated[U8, Named("充电机中止充电错误原因", "errors")]


@dataclass(frozen=True, slots=True)
class CellMax:
    """The highest cell voltage and the group where it was measured."""

    cell_v: Decimal
    """V, 0.00 … 40.95."""
    group: int
    """0 … 15."""


@dataclass(frozen=True, slots=True)
class PackedCell:
    """Two bytes: bits 1-12 voltage in 0.01 V, bits 13-16 the group (GB/T 27930 BCS)."""

    kind: ClassVar[str] = "BIN"

    @property
    def size(self) -> int:
        return 2

    @property
    def format(self) -> str:
        return "H"

    def reader(self) -> Reader:
        step = Decimal("0.01")
        return lambda raw: CellMax((raw & 0x0FFF) * step, raw >> 12)

    def writer(self) -> Writer:
        def write(value: CellMax) -> int:
            hundredths = value.cell_v * 100
            if not (0 <= hundredths <= 0x0FFF and hundredths == int(hundredths) and 0 <= value.group <= 15):
                raise FrameError("not a voltage of 0.00 to 40.95 V with a group of 0 to 15")
            return int(hundredths) | value.group << 12

        return write


class BmsDemand(
    YkcMessage, code=0x23, title="充电过程BMS需求、充电机输出", source="YKC V1.6 0x23, GB/T 27930 BCL, BCS and CCS"
):
    """Pile → platform, every 15 s while a DC pile charges."""

    trade_no: TradeNo
    pile_no: PileNo
    gun_no: GunNo
    need_v: Annotated[Volts, Named("BMS 电压需求", "voltage asked for")]
    need_i: Annotated[BmsAmps, Named("BMS 电流需求", "current asked for", "the sign differs by maker")]
    mode: Annotated[ChargeMode | int, Enum8(ChargeMode), Named("BMS 充电模式", "charge mode")]
    meas_v: Annotated[Volts, Named("BMS 充电电压测量值", "voltage measured by the BMS")]
    meas_i: Annotated[BmsAmps, Named("BMS 充电电流测量值", "current measured by the BMS", "the sign differs by maker")]
    cell_max: Annotated[CellMax, PackedCell(), Named("BMS 最高单体电压及组号", "highest cell voltage and its group")]
    soc: Annotated[U8, Named("BMS 当前荷电状态 SOC", "SOC", unit="%")]
    remain_min: Annotated[U16, Named("BMS 估算剩余充电时间", "remaining time", unit="min")]
    pile_v: Annotated[Volts, Named("电桩电压输出值", "voltage of the pile")]
    pile_i: Annotated[BmsAmps, Named("电桩电流输出值", "current of the pile", "the sign differs by maker")]
    charged_min: Annotated[U16, Named("累计充电时间", "charging time", unit="min")]


class BmsInformation(YkcMessage, code=0x25, title="充电过程BMS信息", source="YKC V1.6 0x25, GB/T 27930 BSM"):
    """Pile → platform, every 15 s while a DC pile charges. `findings` names the two-bit groups."""

    trade_no: TradeNo
    pile_no: PileNo
    gun_no: GunNo
    cell_no: Annotated[U8, Named("BMS 最高单体动力蓄电池电压所在编号", "cell with the highest voltage")]
    temp_max: Annotated[Celsius, Named("BMS 最高动力蓄电池温度", "highest temperature")]
    temp_max_point: Annotated[U8, Named("最高温度检测点编号", "where it is highest")]
    temp_min: Annotated[Celsius, Named("最低动力蓄电池温度", "lowest temperature")]
    temp_min_point: Annotated[U8, Named("最低动力蓄电池温度检测点编号", "where it is lowest")]
    flags1: Annotated[U8, Named("状态第 1 字节（9-12 项）", "status byte 1")]
    flags2: Annotated[U8, Named("状态第 2 字节（13-16 项）", "status byte 2")]
