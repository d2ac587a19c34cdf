"""Remote start and its answer (YKC V1.6: 0x34, 0x33)."""

from typing import Annotated

from bridge.protocols.fields import Enum8
from bridge.protocols.layout import Named
from bridge.protocols.ykc.codes import Outcome, StartFailure
from bridge.protocols.ykc.messages.base import Balance, GunNo, LogicalCard, PhysicalCard, PileNo, TradeNo, YkcMessage


class RemoteStart(YkcMessage, code=0x34, title="运营平台远程控制启机", source="YKC V1.6 0x34"):
    """Platform → pile; the balance limits the charge."""

    trade_no: TradeNo
    pile_no: PileNo
    gun_no: GunNo
    logical_card: LogicalCard
    physical_card: PhysicalCard
    balance: Annotated[Balance, Named("账户余额", "account balance")]


class RemoteStartAnswer(YkcMessage, code=0x33, title="远程启动充电命令回复", source="YKC V1.6 0x33"):
    """Pile → platform; matched by `trade_no`, since a late success has a sequence number of its own."""

    trade_no: TradeNo
    pile_no: PileNo
    gun_no: GunNo
    result: Annotated[Outcome | int, Enum8(Outcome), Named("启动结果", "start result")]
    fail_reason: Annotated[StartFailure | int, Enum8(StartFailure), Named("失败原因", "failure reason")]
