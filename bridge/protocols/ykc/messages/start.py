"""Remote start and its answer (YKC V1.6: 0x34, 0x33)."""

from decimal import Decimal
from typing import Annotated

from bridge.protocols.fields import Bcd, Enum8, Raw, Scaled
from bridge.protocols.ykc.codes import Outcome, StartFailure
from bridge.protocols.ykc.messages.base import GunNo, PileNo, TradeNo, YkcMessage


class RemoteStart(YkcMessage, code=0x34, title="运营平台远程控制启机", source="YKC V1.6 0x34"):
    """Platform → pile; the balance limits the charge."""

    trade_no: TradeNo
    pile_no: PileNo
    gun_no: GunNo
    logical_card: Annotated[str, Bcd(8)]
    physical_card: Annotated[str, Raw(8)]
    balance: Annotated[Decimal, Scaled(4, "0.01", "yuan")]


class RemoteStartAnswer(YkcMessage, code=0x33, title="远程启动充电命令回复", source="YKC V1.6 0x33"):
    """Pile → platform; matched by `trade_no`, since a late success has a sequence number of its own."""

    trade_no: TradeNo
    pile_no: PileNo
    gun_no: GunNo
    result: Annotated[Outcome | int, Enum8(Outcome)]
    fail_reason: Annotated[StartFailure | int, Enum8(StartFailure)]
