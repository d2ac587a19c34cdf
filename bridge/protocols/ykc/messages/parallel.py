"""Two guns on one car, 并充 (YKC V1.6: 0xA1-0xA4; V1.5 has none of them)."""

from typing import Annotated

from bridge.protocols.fields import Enum8
from bridge.protocols.layout import Named
from bridge.protocols.ykc.codes import GunRole, Outcome, StartFailure
from bridge.protocols.ykc.messages.base import (
    GunNo,
    LogicalCard,
    ParallelNo,
    PhysicalCard,
    PileNo,
    TradeNo,
    YkcMessage,
)
from bridge.protocols.ykc.messages.card import (
    AccountBalance,
    AskedBy,
    AskMode,
    Authorised,
    NeedPassword,
    Password,
    Refusal,
    ReversedVin,
)

Role = Annotated[GunRole | int, Enum8(GunRole), Named("主辅枪标记", "main or auxiliary gun")]


class ParallelStartRequest(YkcMessage, code=0xA1, title="充电桩主动申请并充充电", source="YKC V1.6 0xA1"):
    """Pile → platform, one frame a gun; the pile makes the joint number, the same for all guns."""

    pile_no: PileNo
    gun_no: GunNo
    start_mode: AskMode
    need_password: NeedPassword
    account_or_card: AskedBy
    password_md5: Password
    vin_reversed: ReversedVin  # in reading order here
    gun_role: Role
    parallel_no: ParallelNo


class ParallelStartConfirmation(YkcMessage, code=0xA2, title="运营平台确认并充启动充电", source="YKC V1.6 0xA2"):
    """Platform → pile, one a gun; the pile starts when every gun is confirmed, one refusal cancels all."""

    trade_no: TradeNo
    pile_no: PileNo
    gun_no: GunNo
    logical_card: LogicalCard
    balance: AccountBalance
    auth_ok: Authorised
    fail_reason: Refusal
    parallel_no: ParallelNo


class RemoteParallelStart(YkcMessage, code=0xA4, title="运营平台远程控制并充启机", source="YKC V1.6 0xA4"):
    """Platform → pile, one frame a gun; the platform makes the joint number. (The overview table swaps A3 and A4.)"""

    trade_no: TradeNo
    pile_no: PileNo
    gun_no: GunNo
    logical_card: LogicalCard
    physical_card: PhysicalCard
    balance: AccountBalance
    parallel_no: ParallelNo


class RemoteParallelStartAnswer(YkcMessage, code=0xA3, title="远程并充启机命令回复", source="YKC V1.6 0xA3"):
    """Pile → platform, one a gun, the same result for all."""

    trade_no: TradeNo
    pile_no: PileNo
    gun_no: GunNo
    result: Annotated[Outcome | int, Enum8(Outcome), Named("启动结果", "start result")]
    fail_reason: Annotated[StartFailure | int, Enum8(StartFailure), Named("失败原因", "failure reason")]
    gun_role: Role
    parallel_no: ParallelNo
