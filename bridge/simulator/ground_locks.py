"""The parking locks in front of the guns: 0x61 on a change and every 5 min, 0x62 → 0x63 (YKC V1.6, ground lock)."""

from dataclasses import dataclass

from bridge.protocols.ykc.codes import BayState, LockAction, LockAlarm, LockState, Outcome
from bridge.protocols.ykc.messages import GroundLockAnswer, GroundLockCommand, GroundLockReport
from bridge.simulator.core import Core
from bridge.simulator.gun import Gun
from bridge.simulator.troubles import Trouble

WEAKEST_PCT = 5
"""Somebody changes the battery before it is empty."""
MOVES_A_PCT = 20


@dataclass(slots=True)
class Lock:
    """One lock."""

    state: LockState = LockState.RAISED
    bay: BayState = BayState.EMPTY
    alarm: LockAlarm = LockAlarm.NONE
    moves: int = 0

    @property
    def battery_pct(self) -> int:
        """It weakens with every movement."""
        return 100 - self.moves // MOVES_A_PCT % (100 - WEAKEST_PCT)


class GroundLocks:
    """All locks of a pile; none where the options say so."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.locks = {number: Lock() for number in core.guns} if core.options.has_ground_locks else {}

    def logged_in(self, now_ms: int) -> None:
        """The platform hears at once how they stand."""
        for number in self.locks:
            self._report(number, now_ms)

    def lost(self) -> None:
        """The link is gone."""
        for number in self.locks:
            self._core.timers.cancel(("lock report", number))

    def wanted(self, message: GroundLockCommand, seq: bytes, now_ms: int) -> None:
        """0x62: nobody is locked in, and only what is there moves."""
        core = self._core
        lock = self.locks.get(message.gun_no)
        raises = message.action == LockAction.RAISE
        ok = lock is not None and message.action in set(LockAction) and not (raises and lock.bay is BayState.OCCUPIED)
        result = Outcome.OK if ok else Outcome.FAILED
        core.answer(GroundLockAnswer(pile_no=core.number, gun_no=message.gun_no, result=result), seq, now_ms)
        if ok:
            to = LockState.RAISED if raises else LockState.LOWERED
            number = message.gun_no
            core.after(("lock", number), core.options.lock_move_s, now_ms, lambda at: self._moved(number, to, at))

    def occupied(self, gun: Gun, now_ms: int) -> None:
        """A car stands in the bay; its driver had the lock down before."""
        lock = self.locks.get(gun.number)
        if lock is not None:
            self._core.timers.cancel(("lock", gun.number))
            lock.state, lock.bay = LockState.LOWERED, BayState.OCCUPIED
            self._report(gun.number, now_ms)

    def left(self, gun: Gun, now_ms: int) -> None:
        """The bay is empty, and the lock goes up by itself."""
        lock = self.locks.get(gun.number)
        if lock is None:
            return
        lock.bay = BayState.EMPTY
        self._report(gun.number, now_ms)
        self._core.after(
            ("lock", gun.number),
            self._core.options.lock_move_s,
            now_ms,
            lambda at: self._moved(gun.number, LockState.RAISED, at),
        )

    def _moved(self, number: int, to: LockState, now_ms: int) -> None:
        lock = self.locks[number]
        stuck = self._core.troubles.happens(Trouble.LOCK_STUCK)
        lock.moves += 1
        lock.state = LockState.BETWEEN if stuck else to
        lock.alarm = LockAlarm.NOT_IN_POSITION if stuck else LockAlarm.NONE
        self._report(number, now_ms)

    def _report(self, number: int, now_ms: int) -> None:
        core, lock = self._core, self.locks[number]
        if not core.logged_in:
            return
        core.send(
            GroundLockReport(
                pile_no=core.number,
                gun_no=number,
                lock_state=lock.state,
                bay_state=lock.bay,
                battery_pct=lock.battery_pct,
                alarm=lock.alarm,
            )
        )
        period_s = max(5.0, core.options.lock_report_s / core.options.speed)
        core.after(("lock report", number), period_s, now_ms, lambda at: self._report(number, at))
