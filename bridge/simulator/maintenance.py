"""Restart and program update of a pile: 0x92 and 0x94 (YKC V1.6, maintenance)."""

from pathlib import PurePosixPath

from bridge.protocols.ykc.codes import POWER_LOST, Outcome, RunMode, UpdateModel, UpdateStatus
from bridge.protocols.ykc.messages import Restart, RestartAnswer, Update, UpdateAnswer
from bridge.simulator.charging import Charging
from bridge.simulator.core import Core
from bridge.simulator.gun import Gun
from bridge.simulator.timers import Work
from bridge.simulator.troubles import Trouble

AFTER_ANSWER_S = 1.0
"""The answer is to be on its way before the pile goes down."""
LONGEST_VERSION = 8


class Maintenance:
    """What takes a pile out of service for a while: the connection really goes and comes again."""

    def __init__(self, core: Core, charging: Charging) -> None:
        self._core = core
        self._charging = charging
        self._when_idle: list[Work] = []
        core.on_ended.append(self._ended)

    def restart_wanted(self, message: Restart, seq: bytes, now_ms: int) -> None:
        """0x92: at once, or when nothing charges any more."""
        core = self._core
        ok = message.mode in set(RunMode)
        core.answer(RestartAnswer(pile_no=core.number, result=Outcome.OK if ok else Outcome.FAILED), seq, now_ms)
        if ok:
            self._do(message.mode, self._restart_soon, now_ms)

    def update_wanted(self, message: Update, seq: bytes, now_ms: int) -> None:
        """0x94: fetched after a while; 0x93 comes after the attempt, or at once where the make is of that kind."""
        core = self._core
        if message.model != (UpdateModel.AC if core.options.is_ac else UpdateModel.DC):
            self._tell(UpdateStatus.WRONG_MODEL, seq, now_ms)
            return
        if core.options.answers_update_at_once:
            self._tell(UpdateStatus.OK, seq, now_ms)

        def fetch(at_ms: int) -> None:
            seconds = core.guns[1].dice.uniform(*core.options.update_s) / core.options.speed
            core.after("update", seconds, at_ms, lambda at: self._fetched(message, seq, at))

        self._do(message.mode, fetch, now_ms)

    def _fetched(self, message: Update, seq: bytes, now_ms: int) -> None:
        core = self._core
        failed = core.troubles.happens(Trouble.UPDATE_FAILS)
        if not core.options.answers_update_at_once:
            self._tell(UpdateStatus.TIMED_OUT if failed else UpdateStatus.OK, seq, now_ms)
        if not failed:
            core.software_version = PurePosixPath(message.path).stem[:LONGEST_VERSION] or core.software_version
            self._do(RunMode.WHEN_IDLE, self._restart_soon, now_ms)

    def _tell(self, status: UpdateStatus, seq: bytes, now_ms: int) -> None:
        self._core.answer(UpdateAnswer(pile_no=self._core.number, status=status), seq, now_ms)

    def _do(self, mode: int, work: Work, now_ms: int) -> None:
        if mode == RunMode.WHEN_IDLE and self._core.is_busy:
            self._when_idle.append(work)
        else:
            work(now_ms)

    def _ended(self, _: Gun, now_ms: int) -> None:
        if self._core.is_busy:
            return
        works, self._when_idle = self._when_idle, []
        for work in works:
            work(now_ms)

    def _restart_soon(self, now_ms: int) -> None:
        self._core.after("restart", AFTER_ANSWER_S, now_ms, self._restart)

    def _restart(self, now_ms: int) -> None:
        core = self._core
        core.is_dark = True
        self._charging.end_all(POWER_LOST, now_ms)
        core.hang_up("restart", core.guns[1].dice.uniform(*core.options.restart_s) / core.options.speed)
