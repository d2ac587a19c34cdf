"""Real-time data and the request for it (YKC V1.6: 0x12, 0x13)."""

from decimal import Decimal
from typing import Annotated

from bridge.protocols.fields import Enum8, Raw, Scaled
from bridge.protocols.layout import Named
from bridge.protocols.ykc.codes import GunHome, GunState, YesNo
from bridge.protocols.ykc.messages.base import U8, U16, Celsius, GunNo, PileNo, TradeNo, Volts, YkcMessage

NO_TEMPERATURE = -50
"""What the raw byte 0 reads as: the pile has no value."""


class ReadRealtime(YkcMessage, code=0x12, title="读取实时监测数据", source="YKC V1.6 0x12"):
    """Platform → pile, on demand."""

    pile_no: PileNo
    gun_no: GunNo


class RealtimeData(YkcMessage, code=0x13, title="上传实时监测数据", source="YKC V1.6 0x13"):
    """Pile → platform: every 15 s while charging, every 5 min at rest, at once on a change, and for 0x12."""

    trade_no: TradeNo  # all zero when no charging is under way
    pile_no: PileNo
    gun_no: GunNo
    state: Annotated[GunState | int, Enum8(GunState), Named("状态", "state")]
    gun_home: Annotated[GunHome | int, Enum8(GunHome), Named("枪是否归位", "gun back in its holder")]
    plugged: Annotated[U8, Named("是否插枪", "plugged in", codes=YesNo)]
    voltage: Annotated[Volts, Named("输出电压", "output voltage", "0 at rest")]
    current: Annotated[Decimal, Scaled(2, "0.1", "A"), Named("输出电流", "output current", "no offset here")]
    cable_temp: Annotated[Celsius, Named("枪线温度", "cable temperature", "raw 0 (-50): no value")]
    cable_code: Annotated[str, Raw(8), Named("枪线编码", "cable code", "0: none")]
    soc: Annotated[U8, Named("SOC", "SOC", "0 at rest and AC", unit="%")]
    battery_temp_max: Annotated[Celsius, Named("电池组最高温度", "hottest battery", "raw 0 (-50): no value")]
    charged_min: Annotated[U16, Named("累计充电时间", "charging time", unit="min")]
    remain_min: Annotated[U16, Named("剩余时间", "remaining time", "0 at rest and AC", unit="min")]
    kwh: Annotated[Decimal, Scaled(4, "0.0001", "kWh"), Named("充电度数", "energy")]
    kwh_loss: Annotated[
        Decimal,
        Scaled(4, "0.0001", "kWh"),
        Named("计损充电度数", "energy with loss", "as energy where the loss ratio is 0; some send 0"),
    ]
    amount: Annotated[
        Decimal, Scaled(4, "0.0001", "yuan"), Named("已充金额", "amount so far", "energy and service price")
    ]
    fault_bits: Annotated[U16, Named("硬件故障", "hardware faults", "Bit1 is 0x0001 or 0x0002, by model")]
