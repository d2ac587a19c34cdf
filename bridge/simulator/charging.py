"""Sessions from acceptance to record: start sequence, current, stop, end (YKC V1.6, start and stop)."""

from collections.abc import Sequence

from bridge.protocols.ykc.codes import (
    APP_STOP,
    CONTROL_SYSTEM_FAULT,
    MANUAL_STOP,
    Outcome,
    StartFailure,
    StopFailure,
)
from bridge.protocols.ykc.messages import (
    RemoteParallelStartAnswer,
    RemoteStartAnswer,
    RemoteStop,
    RemoteStopAnswer,
    YkcMessage,
    gun_no,
)
from bridge.simulator.bill import record_of
from bridge.simulator.biller import Tally
from bridge.simulator.bookkeeping import Bookkeeping
from bridge.simulator.core import Core
from bridge.simulator.gun import AskedBy, Gun, Phase, Session, StartOrder
from bridge.simulator.reports import Reports
from bridge.simulator.tariff import tariff_of
from bridge.simulator.troubles import Trouble

BALANCE_TOO_LOW = 0x4E
BMS_REASONS = (0x52, 0x57, 0x59, 0x5A, 0x5C)
"""How a start sequence ends that the car or the insulation test spoils."""


class Charging:
    """Sessions of a pile's guns."""

    def __init__(self, core: Core, reports: Reports, book: Bookkeeping) -> None:
        self._core = core
        self._reports = reports
        self._book = book

    def accept(self, starts: Sequence[tuple[Gun, StartOrder]], now_ms: int) -> None:
        """Begin the start sequence of one gun, or of the guns of a joint charge; all are free, plugged and sound."""
        core = self._core
        assert core.model is not None
        together = tuple(gun.number for gun, _ in starts)
        for gun, order in starts:
            core.execute(order.trade_no)
            gun.shown = ""
            gun.session = Session(
                order=order,
                balance_e4=order.balance_e4,
                tally=Tally(tariff_of(core.model, five_bands=core.options.has_five_bands)),
                phase=Phase.STARTING,
                meter_start=gun.register,
                start_pile_ms=core.pile_ms(now_ms),
                together=together,
            )
        first = starts[0][0]
        delay_s = first.dice.uniform(*core.options.start_delay_s)
        core.after(("start", first.number), delay_s, now_ms, lambda at: self._started(first, at))

    def refuse(self, gun_number: str, order: StartOrder, failure: StartFailure, now_ms: int) -> None:
        """A start that is not executed: the answer alone, no record."""
        self._core.answer(self._answer(gun_number, order, failure), order.seq, now_ms)

    def _answer(self, gun_number: str, order: StartOrder, failure: StartFailure) -> YkcMessage:
        result = Outcome.OK if failure is StartFailure.NONE else Outcome.FAILED
        if order.seat is not None:
            return RemoteParallelStartAnswer(
                trade_no=order.trade_no,
                pile_no=self._core.number,
                gun_no=gun_number,
                result=result,
                fail_reason=failure,
                gun_role=order.seat.role,
                parallel_no=order.seat.number,
            )
        return RemoteStartAnswer(
            trade_no=order.trade_no,
            pile_no=self._core.number,
            gun_no=gun_number,
            result=result,
            fail_reason=failure,
        )

    def _started(self, first: Gun, now_ms: int) -> None:
        """The start sequence came to its end: current, or a record without energy; the same for all guns of a car."""
        session, core = first.session, self._core
        if session is None:
            return
        guns = [core.guns[number] for number in session.together]
        broke = any(gun.session is not None and gun.session.balance_e4 <= 0 for gun in guns)
        reason = core.troubles.fail_start_reason or (BALANCE_TOO_LOW if broke else None)
        if reason is None and core.troubles.happens(Trouble.START_FAILS):
            reason = core.troubles.dice.choice(BMS_REASONS)
        if reason is not None:
            self.start_failed(first, StartFailure.DEVICE_FAULT, reason, now_ms)
            return
        for gun in guns:
            self._begin(gun, now_ms)

    def _begin(self, gun: Gun, now_ms: int) -> None:
        session, core = gun.session, self._core
        if session is None:
            return
        session.phase = Phase.CHARGING
        session.charging_ms = now_ms
        session.start_pile_ms = core.pile_ms(now_ms)

        def told(at_ms: int) -> None:
            self._reports.began(gun, at_ms)

        if session.order.asked_by is AskedBy.PILE:
            told(now_ms)
        else:
            # A success has a sequence number of its own (seen with a real pile).
            answer = self._answer(gun_no(gun.number), session.order, StartFailure.NONE)
            core.answer(answer, None, now_ms, then=told)
        if gun.car is not None and gun.car.manual_stop_after_s is not None:
            pressed_s = gun.car.manual_stop_after_s
            core.after(("button", gun.number), pressed_s, now_ms, lambda at: self.stop(gun, MANUAL_STOP, at))
        core.began(gun, now_ms)

    def start_failed(self, gun: Gun, failure: StartFailure, reason: int, now_ms: int) -> None:
        """An executed start without current: the answer with failure, and a record without energy, for all its guns."""
        if gun.session is None:
            return
        for number in gun.session.together:
            each = self._core.guns[number]
            session = each.session
            if session is None or session.phase is not Phase.STARTING:
                continue
            if session.order.asked_by is not AskedBy.PILE:
                self.refuse(gun_no(number), session.order, failure, now_ms)
            self.end(each, reason, now_ms)

    def never_began(self, gun: Gun, order: StartOrder, now_ms: int) -> None:
        """A confirmation that came too late to be followed: its record without energy closes it."""
        core = self._core
        if gun.session is not None or core.model is None:
            return
        self.accept([(gun, order)], now_ms)
        self.end(gun, CONTROL_SYSTEM_FAULT, now_ms)

    def stop_wanted(self, stop: RemoteStop, seq: bytes, now_ms: int) -> None:
        """0x36: answered, then obeyed in any case."""
        core = self._core
        if core.troubles.happens(Trouble.SILENT_STOPS):
            return
        gun = core.gun_of(stop.gun_no)
        running = gun is not None and gun.session is not None
        answer = RemoteStopAnswer(
            pile_no=core.number,
            gun_no=stop.gun_no,
            result=Outcome.OK if running else Outcome.FAILED,
            fail_reason=StopFailure.NONE if running else StopFailure.NOT_CHARGING,
        )
        core.answer(answer, seq, now_ms)
        if gun is not None:
            self.stop(gun, APP_STOP, now_ms)

    def stop(self, gun: Gun, reason: int, now_ms: int) -> None:
        """Let the current down, then end."""
        session, core = gun.session, self._core
        if session is None or session.phase is Phase.STOPPING:
            return
        if session.phase is Phase.STARTING:
            self.start_failed(gun, StartFailure.DEVICE_FAULT, reason, now_ms)
            return
        session.phase, session.stopping_ms, session.stop_reason = Phase.STOPPING, now_ms, reason
        core.after(("stop", gun.number), core.options.stop_s, now_ms, lambda at: self.end(gun, reason, at))

    def end(self, gun: Gun, reason: int, now_ms: int) -> None:
        """No current from here; the BMS frames and 0x13 at once, the record a little later."""
        core = self._core
        if gun.session is None:
            return
        self._reports.ending(gun, reason, now_ms)
        record = record_of(gun, core.pile_ms(now_ms), reason)
        gun.session = None
        gun.cut_current()
        for key in ("start", "stop", "button"):
            core.timers.cancel((key, gun.number))
        self._reports.report(gun, now_ms)
        self._book.file(record, now_ms)
        core.ended(gun, now_ms)

    def end_all(self, reason: int, now_ms: int) -> None:
        """Power is lost or the pile restarts: every session is over."""
        for gun in self._core.guns.values():
            self.end(gun, reason, now_ms)
