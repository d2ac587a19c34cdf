"""Parking locks (YKC V1.6 §4.7: 0x61 to 0x63)."""

from bridge import words
from bridge.protocols.ykc import codes
from bridge.protocols.ykc import messages as ykc
from bridge.protocols.ykc.translate.common import Hear, Tell, gun
from evcs.contracts.gun import GroundLock
from evcs.contracts.pile import LockAction

_STATES: dict[int, str] = {
    codes.LockState.BETWEEN: "between",
    codes.LockState.RAISED: "raised",
    codes.LockState.LOWERED: "lowered",
}
_BAYS: dict[int, bool] = {codes.BayState.EMPTY: False, codes.BayState.OCCUPIED: True}
_ALARMS: dict[int, str] = {
    codes.LockAlarm.NONE: "",
    codes.LockAlarm.NOT_IN_POSITION: "not_in_position",
    codes.LockAlarm.ARM_DAMAGED: "arm_damaged",
}
_ACTIONS = {LockAction.RAISE: codes.LockAction.RAISE, LockAction.LOWER: codes.LockAction.LOWER}


def _named(names: dict[int, str], code: int) -> str:
    return names.get(code, f"0x{code:02X}")


def _report(message: ykc.GroundLockReport) -> words.GroundLockSaid:
    lock = GroundLock(
        state=_named(_STATES, message.lock_state),
        is_occupied=_BAYS.get(message.bay_state),
        battery_pct=message.battery_pct if message.battery_pct <= 100 else None,
        alarm=_named(_ALARMS, message.alarm),
    )
    return words.GroundLockSaid(message.pile_no, gun(str(message.gun_no)), lock)


HEAR: Hear = {
    ykc.GroundLockReport: _report,
    ykc.GroundLockAnswer: lambda message: words.GroundLockAnswered(
        message.pile_no, gun(str(message.gun_no)), message.result == codes.Outcome.OK, int(message.result)
    ),
}
TELL: Tell = {
    words.GroundLockTold: lambda told: ykc.GroundLockCommand(
        pile_no=told.pile, gun_no=told.gun, action=_ACTIONS[told.action]
    ),
}
