"""The parking lock in front of a gun (YKC V1.6: 0x61-0x63)."""

from typing import Annotated

from bridge.protocols.fields import Enum8
from bridge.protocols.layout import Named
from bridge.protocols.ykc.codes import BayState, LockAction, LockAlarm, LockState, Outcome
from bridge.protocols.ykc.messages.base import U8, BinGunNo, PileNo, Reserved, YkcMessage

NO_RESERVE = "0" * 8


class GroundLockReport(YkcMessage, code=0x61, title="地锁数据上送", source="YKC V1.6 0x61"):
    """Pile → platform: at once on a change, else every 5 min."""

    pile_no: PileNo
    gun_no: BinGunNo
    lock_state: Annotated[LockState | int, Enum8(LockState), Named("车位锁状态", "lock state")]
    bay_state: Annotated[BayState | int, Enum8(BayState), Named("车位状态", "bay")]
    battery_pct: Annotated[U8, Named("地锁电量状态", "battery of the lock", unit="%")]
    alarm: Annotated[LockAlarm | int, Enum8(LockAlarm), Named("报警状态", "alarm")]
    reserved: Reserved = NO_RESERVE


class GroundLockCommand(YkcMessage, code=0x62, title="遥控地锁升锁与降锁命令（下行）", source="YKC V1.6 0x62"):
    """Platform → pile."""

    pile_no: PileNo
    gun_no: BinGunNo
    action: Annotated[LockAction | int, Enum8(LockAction), Named("升/降地锁", "action")]
    reserved: Reserved = NO_RESERVE


class GroundLockAnswer(YkcMessage, code=0x63, title="充电桩返回数据（上行）", source="YKC V1.6 0x63"):
    """Pile → platform: accepted or not; where the lock then is comes with 0x61."""

    pile_no: PileNo
    gun_no: BinGunNo
    result: Annotated[Outcome | int, Enum8(Outcome), Named("地锁控制返回标志", "result")]
    reserved: Reserved = NO_RESERVE
