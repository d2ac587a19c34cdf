"""A session from its acceptance to its record: start sequence, current, stop, end (YKC V1.6, start and stop)."""

from bridge.protocols.ykc.codes import APP_STOP, MANUAL_STOP, Outcome, StartFailure, StopFailure
from bridge.protocols.ykc.messages import RemoteStart, RemoteStartAnswer, RemoteStop, RemoteStopAnswer, gun_no
from bridge.simulator.biller import Tally
from bridge.simulator.core import Core
from bridge.simulator.gun import Gun, Phase, Session
from bridge.simulator.reports import Reports
from bridge.simulator.tariff import tariff_of

BALANCE_TOO_LOW = 0x4E


class Charging:
    """Sessions of a pile's guns."""

    def __init__(self, core: Core, reports: Reports) -> None:
        self._core = core
        self._reports = reports

    def accept(self, gun: Gun, start: RemoteStart, seq: bytes, now_ms: int) -> None:
        """Begin the start sequence; the gun is free and plugged, the pile has a tariff."""
        core = self._core
        assert core.model is not None
        core.executed.add(start.trade_no)
        gun.session = Session(
            trade_no=start.trade_no,
            physical_card=start.physical_card,
            balance_e4=int(start.balance * 10_000),
            seq=seq,
            tally=Tally(tariff_of(core.model)),
            phase=Phase.STARTING,
            meter_start=gun.register,
            start_pile_ms=core.pile_ms(now_ms),
        )
        delay_s = gun.dice.uniform(*core.options.start_delay_s)
        core.after(("start", gun.number), delay_s, now_ms, lambda at: self._started(gun, start, at))

    def _started(self, gun: Gun, start: RemoteStart, now_ms: int) -> None:
        session, core = gun.session, self._core
        if session is None:
            return
        reason = core.troubles.fail_start_reason or (BALANCE_TOO_LOW if session.balance_e4 <= 0 else None)
        if reason is not None:
            self.start_failed(gun, StartFailure.DEVICE_FAULT, reason, now_ms)
            return
        session.phase = Phase.CHARGING
        session.charging_ms = now_ms
        session.start_pile_ms = core.pile_ms(now_ms)
        answer = RemoteStartAnswer(
            trade_no=start.trade_no,
            pile_no=core.number,
            gun_no=start.gun_no,
            result=Outcome.OK,
            fail_reason=StartFailure.NONE,
        )
        # A success has a sequence number of its own (seen with a real pile).
        core.answer(answer, core.own_seq(), now_ms, then=lambda at: self._reports.report(gun, at))
        if gun.car is not None and gun.car.manual_stop_after_s is not None:
            pressed_s = gun.car.manual_stop_after_s
            core.after(("button", gun.number), pressed_s, now_ms, lambda at: self.stop(gun, MANUAL_STOP, at))

    def start_failed(self, gun: Gun, failure: StartFailure, reason: int, now_ms: int) -> None:
        """An executed start without current: 0x33 with failure, and a record without energy."""
        session, core = gun.session, self._core
        if session is None:
            return
        core.timers.cancel(("start", gun.number))
        answer = RemoteStartAnswer(
            trade_no=session.trade_no,
            pile_no=core.number,
            gun_no=gun_no(gun.number),
            result=Outcome.FAILED,
            fail_reason=failure,
        )
        core.answer(answer, session.seq, now_ms)
        self.end(gun, reason, now_ms)

    def stop_wanted(self, stop: RemoteStop, seq: bytes, now_ms: int) -> None:
        """0x36: answered, then obeyed in any case."""
        core = self._core
        if core.troubles.silent_stops:
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
        """No current from here; 0x13 at once, the record a little later."""
        session, core = gun.session, self._core
        if session is None:
            return
        record = gun.record(core.pile_ms(now_ms), reason)
        gun.session = None
        gun.cut_current()
        for key in ("start", "stop", "button"):
            core.timers.cancel((key, gun.number))
        self._reports.report(gun, now_ms)
        if not core.troubles.lose_record:
            core.records.add(record, now_ms + round(core.options.record_delay_s * 1000))
        core.ended(gun, now_ms)
