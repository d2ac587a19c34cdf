"""What a lockout shows: in force only when the current is gone, else what is still awaited (promise S6)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from evcs.contracts.reasons import Sentence
from webapi.guns.now import GunNow
from webapi.stations.lockout_columns import LockoutColumns, WhileCharging


class LockoutState(StrEnum):
    """Whether somebody may rely on it; from its first moment nothing new starts."""

    STOPPING = "stopping"
    WAITING = "waiting"
    UNCONFIRMED = "unconfirmed"
    IN_FORCE = "in_force"


SENTENCES = {
    LockoutState.STOPPING: Sentence(
        "正在停止充电，电流尚未断开，请勿操作设备。", "The charge is being stopped; current still flows. Hands off."
    ),
    LockoutState.WAITING: Sentence(
        "本次充电结束后生效，电流尚未断开，请勿操作设备。",
        "In force after the charge that runs; current still flows. Hands off.",
    ),
    LockoutState.UNCONFIRMED: Sentence(
        "桩离线，无法确认是否已断电；操作前请到现场确认。",
        "The pile is offline: whether current flows is not known. Check on site before you touch anything.",
    ),
    LockoutState.IN_FORCE: Sentence(
        "已生效：桩上报无充电，且不会再启动。", "In force: the pile says that nothing charges, and nothing will start."
    ),
}


@dataclass(frozen=True, slots=True)
class LockoutView:
    """停用: who, why, since when, until when, and how far it has come."""

    by: str
    reason: str | None
    since: datetime
    until: datetime | None
    while_charging: WhileCharging
    state: LockoutState
    sentence: Sentence


def state_of(guns: Sequence[GunNow], while_charging: WhileCharging) -> LockoutState:
    """The worst of the guns that it concerns."""
    if any(gun.runs for gun in guns):
        return LockoutState.STOPPING if while_charging is WhileCharging.STOP else LockoutState.WAITING
    if any(not gun.is_heard for gun in guns):
        return LockoutState.UNCONFIRMED
    return LockoutState.IN_FORCE


def lockout_of(row: LockoutColumns, guns: Sequence[GunNow]) -> LockoutView | None:
    """The lockout that stands on a station, pile or gun; `guns`: those that it concerns."""
    if row.lockout_since is None:
        return None
    mode = row.lockout_while_charging or WhileCharging.STOP
    state = state_of(guns, mode)
    return LockoutView(
        row.lockout_by or "",
        row.lockout_reason,
        row.lockout_since,
        row.lockout_until,
        mode,
        state,
        SENTENCES[state],
    )
