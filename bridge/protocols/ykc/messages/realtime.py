"""Real-time data and the request for it (YKC V1.6: 0x12, 0x13)."""

from decimal import Decimal
from typing import Annotated

from bridge.protocols.fields import Enum8, Offset, Raw, Scaled
from bridge.protocols.ykc.codes import GunHome, GunState
from bridge.protocols.ykc.messages.base import U8, U16, GunNo, PileNo, TradeNo, YkcMessage


class ReadRealtime(YkcMessage, code=0x12, title="读取实时监测数据", source="YKC V1.6 0x12"):
    """Platform → pile, on demand."""

    pile_no: PileNo
    gun_no: GunNo


class RealtimeData(YkcMessage, code=0x13, title="上传实时监测数据", source="YKC V1.6 0x13"):
    """Pile → platform: every 15 s while charging, every 5 min at rest, at once on a change, and for 0x12."""

    trade_no: TradeNo  # all zero when no charging is under way
    pile_no: PileNo
    gun_no: GunNo
    state: Annotated[GunState | int, Enum8(GunState)]
    gun_home: Annotated[GunHome | int, Enum8(GunHome)]
    plugged: U8  # 0 no, 1 yes
    voltage: Annotated[Decimal, Scaled(2, "0.1", "V")]
    current: Annotated[Decimal, Scaled(2, "0.1", "A")]  # no offset here
    cable_temp: Annotated[int, Offset(1, -50, "℃")]  # raw 0 (-50) at rest: no temperature
    cable_code: Annotated[str, Raw(8)]
    soc: U8  # %
    battery_temp_max: Annotated[int, Offset(1, -50, "℃")]  # raw 0 (-50) at rest or AC: no temperature
    charged_min: U16
    remain_min: U16
    kwh: Annotated[Decimal, Scaled(4, "0.0001", "kWh")]
    kwh_loss: Annotated[Decimal, Scaled(4, "0.0001", "kWh")]  # = kwh when the loss ratio is 0; some send 0
    amount: Annotated[Decimal, Scaled(4, "0.0001", "yuan")]
    fault_bits: U16


NO_TEMPERATURE = -50
"""What the raw byte 0 reads as: the pile has no value."""
