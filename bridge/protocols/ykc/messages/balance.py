"""A running charge gets more money (YKC V1.6: 0x42, 0x41)."""

from typing import Annotated

from bridge.protocols.fields import Enum8
from bridge.protocols.layout import Named
from bridge.protocols.ykc.codes import BalanceResult
from bridge.protocols.ykc.messages.base import Balance, GunNo, PhysicalCard, PileNo, YkcMessage


class BalanceUpdate(YkcMessage, code=0x42, title="远程账户余额更新", source="YKC V1.6 0x42"):
    """Platform → pile, after a recharge; a card of zeros is not compared with the one that charges."""

    pile_no: PileNo
    gun_no: GunNo
    physical_card: Annotated[PhysicalCard, Named("物理卡号", "physical card number", "0: the pile compares no card")]
    balance: Annotated[Balance, Named("修改后账户金额", "new balance")]


class BalanceUpdateAnswer(YkcMessage, code=0x41, title="余额更新应答", source="YKC V1.6 0x41"):
    """Pile → platform; names no gun."""

    pile_no: PileNo
    physical_card: PhysicalCard
    result: Annotated[BalanceResult | int, Enum8(BalanceResult), Named("修改结果", "result")]
