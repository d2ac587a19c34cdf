"""What an operator sets at a pile: its clock and its work parameters (YKC V1.6: 0x56, 0x52)."""

from datetime import datetime

from bridge.protocols.ykc.codes import Outcome, WorkPermission
from bridge.protocols.ykc.messages import TimeSync, TimeSyncAnswer, WorkParameters, WorkParametersAnswer
from bridge.protocols.ykc.power import POWER_CONTROL
from bridge.simulator.core import Core
from bridge.simulator.gun import instant


class Upkeep:
    """Settings from the platform."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def set_clock(self, message: TimeSync, seq: bytes, now_ms: int) -> None:
        """0x56; 0x55 tells the clock after setting."""
        core = self._core
        if isinstance(message.time, datetime):
            core.clock_offset_ms = round(message.time.timestamp() * 1000) - now_ms
        core.answer(TimeSyncAnswer(pile_no=core.number, time=instant(core.pile_ms(now_ms))), seq, now_ms)

    def set_power(self, message: WorkParameters, seq: bytes, now_ms: int) -> None:
        """0x52: 30 to 100 % of the rated power, and whether the pile may work at all."""
        core, troubles = self._core, self._core.troubles
        if troubles.silent_caps:
            return
        allowed = POWER_CONTROL.least <= message.max_power_pct <= POWER_CONTROL.most
        ok = allowed and message.disabled in set(WorkPermission) and not troubles.refuse_caps
        if ok and not troubles.disobey_caps:
            core.max_power_pct = message.max_power_pct
            core.disabled = message.disabled == WorkPermission.LOCKED
        result = Outcome.OK if ok else Outcome.FAILED
        core.answer(WorkParametersAnswer(pile_no=core.number, result=result), seq, now_ms)
