"""One simulated pile: bytes | time | hand → what it sends. Pure: no socket, no clock, all chance from its seed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from random import Random

from bridge.protocols.base import Frame, FrameError, UnknownFrame
from bridge.protocols.ykc.codes import (
    APP_STOP,
    CONTROL_SYSTEM_FAULT,
    EMERGENCY_STOP,
    MANUAL_STOP,
    PLUG_PULLED,
    LoginResult,
    Network,
    Outcome,
    PileType,
    RecordResult,
    StartFailure,
    StopFailure,
    TariffCheck,
    WorkPermission,
)
from bridge.protocols.ykc.messages import (
    Heartbeat,
    HeartbeatAnswer,
    Login,
    LoginAnswer,
    ReadRealtime,
    RecordConfirmation,
    RemoteStart,
    RemoteStartAnswer,
    RemoteStop,
    RemoteStopAnswer,
    TariffCheckAnswer,
    TariffCheckRequest,
    TariffModel,
    TariffRequest,
    TimeSync,
    TimeSyncAnswer,
    WorkParameters,
    WorkParametersAnswer,
    YkcMessage,
    gun_no,
)
from bridge.protocols.ykc.power import POWER_CONTROL
from bridge.protocols.ykc.protocol import Ykc
from bridge.simulator.arrivals import Visit, draw_car, draw_visit
from bridge.simulator.biller import PileTariff, Tally, slot_end_ms
from bridge.simulator.gun import Car, Gun, Phase, Session, instant
from bridge.simulator.memory import PileMemory, recall, remember
from bridge.simulator.options import PileOptions, Troubles
from bridge.simulator.records import RecordBook
from bridge.simulator.timers import Timers

FLOW_MS = 250
"""Longest span in which power counts as constant."""
CHARGING_TICK_MS = 500
LOST_AFTER = 3
"""Heartbeats without an answer until the pile gives the link up."""
NOT_CONNECTED = 0x4B
BALANCE_TOO_LOW = 0x4E
NO_MODEL = "0000"


@dataclass(frozen=True, slots=True)
class Sent:
    """Bytes to write to the platform."""

    message: YkcMessage
    raw: bytes


@dataclass(frozen=True, slots=True)
class Received:
    """A frame that came from the platform, as understood."""

    message: YkcMessage | UnknownFrame
    raw: bytes


@dataclass(frozen=True, slots=True)
class HangUp:
    """Close the connection; connect again not before `wait_s`."""

    why: str
    wait_s: float = 0.0


Action = Sent | Received | HangUp


def share_out(limit_w: int, wanted_w: list[int]) -> list[int]:
    """Fair split of the pile's power: nobody gets more than it wants, what one leaves the others may draw. W."""
    given = [0] * len(wanted_w)
    left = limit_w
    for rank, index in enumerate(sorted(range(len(wanted_w)), key=lambda place: wanted_w[place])):
        given[index] = min(wanted_w[index], left // (len(wanted_w) - rank))
        left -= given[index]
    return given


class Pile:
    """Conversation and state of one pile. All times are milliseconds of the caller's wall clock.

    Every call returns what to do, in order. `due_ms` says when `tick` is wanted next.
    """

    def __init__(
        self,
        number: str,
        guns: int,
        seed: int,
        options: PileOptions,
        *,
        memory: PileMemory | None = None,
        troubles: Troubles | None = None,
    ) -> None:
        self.number = number
        self.options = options
        self.troubles = troubles or Troubles()
        dice = Random(f"{seed}/{number}")
        self._sim = "8986" + "".join(str(dice.randrange(10)) for _ in range(16))
        self.guns = {
            gun: Gun(number, gun, Random(f"{seed}/{number}/{gun}"), dice.randrange(10**6, 10**8), options.gun_w)
            for gun in range(1, guns + 1)
        }
        self.records = RecordBook(options.resend_s)
        self.model: TariffModel | None = None
        self.max_power_pct = POWER_CONTROL.most
        self.disabled = False
        self.clock_offset_ms = 0
        self._protocol = Ykc()
        self._splitter = self._protocol.splitter()
        self._timers = Timers()
        self._actions: list[Action] = []
        self._seq = 0
        self._connected = self.logged_in = False
        self._unanswered = 0
        self._flowed_ms = 0
        self.executed: set[str] = set()
        self._waiting: dict[int, RemoteStart] = {}
        self._linger: dict[int, int] = {}
        self._answers = 0
        if memory is not None:
            recall(self, memory)

    # — from outside ————————————————————————————————————————————————————————————————————————————————

    def begin(self, now_ms: int) -> None:
        """Power on: from here cars arrive, if the options let them."""
        self._flowed_ms = now_ms
        if self.options.arrivals_per_hour > 0:
            for gun in self.guns.values():
                self._expect(gun, now_ms, first=True)

    def connected(self, now_ms: int) -> list[Action]:
        """The TCP connection stands."""
        self._splitter = self._protocol.splitter()
        self._seq = self._unanswered = 0
        self._connected = True
        self._timers.set("login", now_ms + round(self.options.login_delay_s * 1000), self._log_in)
        return self.tick(now_ms)

    def lost(self, now_ms: int) -> list[Action]:
        """The TCP connection is gone; what charges goes on charging."""
        self._connected = self.logged_in = False
        for key in ("login", "heartbeat", "check", "fetch", *(("report", gun) for gun in self.guns)):
            self._timers.cancel(key)
        return self.tick(now_ms)

    def received(self, data: bytes, now_ms: int) -> list[Action]:
        """Bytes from the platform."""
        self._advance(now_ms)
        for frame in self._splitter.feed(data):
            try:
                message = self._protocol.decode(frame)
            except FrameError:
                continue  # like the piles of the field: a frame with a wrong length is dropped without a word
            self._actions.append(Received(message, frame.raw))
            if isinstance(message, YkcMessage):
                self._understand(message, frame, now_ms)
        return self._done(now_ms)

    def tick(self, now_ms: int) -> list[Action]:
        """Time has passed."""
        self._advance(now_ms)
        return self._done(now_ms)

    def due_ms(self, now_ms: int) -> int:
        """When to call `tick` next."""
        due = [self._timers.next_ms(), self.records.next_ms() if self.logged_in else None]
        if any(gun.is_drawing for gun in self.guns.values()):
            due.append(now_ms + CHARGING_TICK_MS)
        return min((at for at in due if at is not None), default=now_ms + 60_000)

    def plug(
        self, gun_number: int, now_ms: int, *, need_kwh: float | None = None, car: Car | None = None
    ) -> list[Action]:
        """A car is plugged in by hand; a car that already stands there is replaced by nobody."""
        self._advance(now_ms)
        gun = self.guns[gun_number]
        if gun.car is None:
            self._plug(gun, car or draw_car(gun.dice, self.options, need_kwh), now_ms)
        return self._done(now_ms)

    def unplug(self, gun_number: int, now_ms: int) -> list[Action]:
        """The plug is pulled; a running session ends at once."""
        self._advance(now_ms)
        self._unplug(self.guns[gun_number], now_ms)
        return self._done(now_ms)

    def press_stop(self, gun_number: int, now_ms: int) -> list[Action]:
        """The driver presses stop at the pile."""
        self._advance(now_ms)
        self._stop(self.guns[gun_number], MANUAL_STOP, now_ms)
        return self._done(now_ms)

    def fail(self, gun_number: int, bits: int, now_ms: int, reason: int = EMERGENCY_STOP) -> list[Action]:
        """A hardware fault: bits into 0x13, state fault, a running session ends with `reason`."""
        self._advance(now_ms)
        gun = self.guns[gun_number]
        gun.fault_bits, gun.faulty = bits, True
        if gun.session is None:
            self._report(gun, now_ms)
        elif gun.session.phase is Phase.STARTING:
            self._start_failed(gun, StartFailure.DEVICE_FAULT, CONTROL_SYSTEM_FAULT, now_ms)
        else:
            self._end(gun, reason, now_ms)
        return self._done(now_ms)

    def repair(self, gun_number: int, now_ms: int) -> list[Action]:
        """The fault is gone."""
        self._advance(now_ms)
        gun = self.guns[gun_number]
        gun.fault_bits, gun.faulty = 0, False
        self._report(gun, now_ms)
        return self._done(now_ms)

    def memory(self, now_ms: int) -> PileMemory:
        """What survives the loss of power: registers, tariff, unconfirmed records, and running sessions as records."""
        return remember(self, self._pile_ms(now_ms))

    # — time ————————————————————————————————————————————————————————————————————————————————————————

    def _pile_ms(self, now_ms: int) -> int:
        return now_ms + self.clock_offset_ms

    @property
    def limit_w(self) -> int:
        """What the guns may draw together, W."""
        return self.options.pile_w * self.max_power_pct // 100

    def _advance(self, now_ms: int) -> None:
        self._flow(now_ms)
        self._timers.fire(now_ms)
        if self.logged_in:
            self._send_records(now_ms)

    def _done(self, now_ms: int) -> list[Action]:
        if self.logged_in:
            self._send_records(now_ms)
        actions, self._actions = self._actions, []
        return actions

    def _flow(self, now_ms: int) -> None:
        at = self._flowed_ms
        while at < now_ms:
            drawing = [gun for gun in self.guns.values() if gun.is_drawing]
            if not drawing:
                break
            pile_ms = self._pile_ms(at)
            to = min(now_ms, at + FLOW_MS, at + slot_end_ms(pile_ms) - pile_ms)
            shares = share_out(self.limit_w, [gun.wanted_w(at, self.options.stop_s) for gun in drawing])
            for gun, watts in zip(drawing, shares, strict=True):
                session = gun.session
                if session is None:
                    continue
                band = session.tally.tariff.band_at(pile_ms)
                ended = gun.flow(watts, to - at, band, self.options.energy_factor)
                if ended is not None:
                    self._end(gun, session.stop_reason or ended, to)
            at = to
        self._flowed_ms = max(now_ms, self._flowed_ms)

    # — sending —————————————————————————————————————————————————————————————————————————————————————

    def _send(self, message: YkcMessage, seq: bytes | None = None) -> None:
        if not self._connected or self.troubles.mute:
            return
        self._actions.append(Sent(message, self._protocol.encode(message, self._own_seq() if seq is None else seq)))

    def _own_seq(self) -> bytes:
        """The next number of this connection: from 0, +1 per frame of one's own, back to 0 after 65535."""
        seq = self._seq.to_bytes(2, "little")
        self._seq = (self._seq + 1) & 0xFFFF
        return seq

    def _answer(self, message: YkcMessage, seq: bytes, now_ms: int, then: Callable[[int], None] | None = None) -> None:
        def send(at_ms: int) -> None:
            self._send(message, seq)
            if then is not None:
                then(at_ms)

        if self.troubles.answer_delay_s > 0:
            self._answers += 1
            key = ("answer", self._answers)
            self._timers.set(key, now_ms + round(self.troubles.answer_delay_s * 1000), send)
        else:
            send(now_ms)

    def _send_records(self, now_ms: int) -> None:
        for record in self.records.take_due(now_ms):
            for _ in range(2 if self.troubles.record_twice else 1):
                self._send(record)

    def _report(self, gun: Gun, now_ms: int, seq: bytes | None = None) -> None:
        """0x13 now; its period begins anew."""
        if not self.logged_in:
            return
        self._send(gun.realtime(now_ms), seq)
        options = self.options
        if gun.is_drawing:
            period_s = max(0.5, options.report_s / options.speed)
        else:
            period_s = max(5.0, options.idle_report_s / options.speed)
        self._timers.set(("report", gun.number), now_ms + round(period_s * 1000), lambda at: self._report(gun, at))

    # — login, heartbeat, tariff ————————————————————————————————————————————————————————————————————

    def _log_in(self, now_ms: int) -> None:
        self._send(
            Login(
                pile_no=self.number,
                pile_type=PileType.DC,
                gun_count=len(self.guns),
                protocol_version=self.options.protocol_version,
                software_version=self.options.software_version,
                network=Network.LAN,
                sim=self._sim,
                operator=4,
            )
        )
        self._timers.set("login", now_ms + round(self.options.answer_wait_s * 1000), self._log_in)

    def _logged_in(self, answer: LoginAnswer, now_ms: int) -> None:
        if answer.result != LoginResult.OK:
            self.logged_in = False
            self._timers.set("login", now_ms + round(self.options.refused_wait_s * 1000), self._log_in)
            return
        self._timers.cancel("login")
        self.logged_in = True
        self._check_tariff(now_ms)
        self._beat(now_ms)

    def _beat(self, now_ms: int) -> None:
        if self._unanswered >= LOST_AFTER:
            self._actions.append(HangUp("heartbeat_unanswered"))
            return
        faulty = next((gun for gun in self.guns.values() if gun.faulty), None)
        gun = faulty or self.guns[1]
        self._unanswered += 1
        self._send(Heartbeat(pile_no=self.number, gun_no=gun_no(gun.number), gun_state=int(gun.faulty)))
        self._timers.set("heartbeat", now_ms + round(self.options.heartbeat_s * 1000), self._beat)

    def _check_tariff(self, now_ms: int) -> None:
        model_no = self.model.model_no if self.model is not None else NO_MODEL
        self._send(TariffCheckRequest(pile_no=self.number, model_no=model_no))
        self._timers.set("check", now_ms + round(self.options.answer_wait_s * 1000), self._check_tariff)

    def _fetch_tariff(self, now_ms: int) -> None:
        self._send(TariffRequest(pile_no=self.number))
        self._timers.set("fetch", now_ms + round(self.options.answer_wait_s * 1000), self._fetch_tariff)

    def _checked(self, answer: TariffCheckAnswer, now_ms: int) -> None:
        if not self._timers.holds("check"):
            return
        self._timers.cancel("check")
        if answer.result != TariffCheck.SAME or self.model is None:
            self._fetch_tariff(now_ms)
        # Stored records and the present picture follow the check (YKC V1.6, power-up sequence).
        self.records.logged_in(now_ms)
        for gun in self.guns.values():
            self._report(gun, now_ms)

    # — what the platform says ——————————————————————————————————————————————————————————————————————

    def _understand(self, message: YkcMessage, frame: Frame, now_ms: int) -> None:
        if getattr(message, "pile_no", self.number) != self.number:
            return  # a pile ignores what is meant for another
        match message:
            case LoginAnswer() if not self.logged_in:
                self._logged_in(message, now_ms)
            case HeartbeatAnswer():
                self._unanswered = 0
            case TariffCheckAnswer():
                self._checked(message, now_ms)
            case TariffModel():
                self._timers.cancel("fetch")
                self.model = message
            case TimeSync():
                self._set_clock(message, frame.seq, now_ms)
            case ReadRealtime():
                gun = self.guns.get(_number(message.gun_no))
                if gun is not None:
                    self._report(gun, now_ms, frame.seq)
            case RemoteStart():
                self._start_wanted(message, frame.seq, now_ms)
            case RemoteStop():
                self._stop_wanted(message, frame.seq, now_ms)
            case WorkParameters():
                self._set_power(message, frame.seq, now_ms)
            case RecordConfirmation():
                if not self.troubles.ignore_confirmation:
                    self.records.confirmed(message.trade_no, stored=message.result == RecordResult.STORED)
            case _:
                pass  # answers nobody asked for, and types that a platform does not send

    def _set_clock(self, message: TimeSync, seq: bytes, now_ms: int) -> None:
        if isinstance(message.time, datetime):
            self.clock_offset_ms = round(message.time.timestamp() * 1000) - now_ms
        self._answer(TimeSyncAnswer(pile_no=self.number, time=instant(self._pile_ms(now_ms))), seq, now_ms)

    def _set_power(self, message: WorkParameters, seq: bytes, now_ms: int) -> None:
        if self.troubles.silent_caps:
            return
        allowed = POWER_CONTROL.least <= message.max_power_pct <= POWER_CONTROL.most
        ok = allowed and message.disabled in set(WorkPermission) and not self.troubles.refuse_caps
        if ok and not self.troubles.disobey_caps:
            self.max_power_pct = message.max_power_pct
            self.disabled = message.disabled == WorkPermission.LOCKED
        result = Outcome.OK if ok else Outcome.FAILED
        self._answer(WorkParametersAnswer(pile_no=self.number, result=result), seq, now_ms)

    # — start ———————————————————————————————————————————————————————————————————————————————————————

    def _start_wanted(self, start: RemoteStart, seq: bytes, now_ms: int) -> None:
        if self.troubles.silent_starts:
            return
        gun = self.guns.get(_number(start.gun_no))
        if self.model is None:
            self._answer_start(start, StartFailure.DEVICE_FAULT, seq, now_ms, then=self._fetch_tariff)
        elif gun is None or gun.faulty or self.disabled or start.trade_no in self.executed:
            self._answer_start(start, StartFailure.DEVICE_FAULT, seq, now_ms)
        elif gun.session is not None:
            self._answer_start(start, StartFailure.ALREADY_CHARGING, seq, now_ms)
        elif not gun.is_plugged:
            self._waiting[gun.number] = start
            window_ms = round(self.options.plug_window_s * 1000)
            self._timers.set(("window", gun.number), now_ms + window_ms, lambda _: self._forget(gun.number))
            self._answer_start(start, StartFailure.NOT_PLUGGED, seq, now_ms)
        else:
            self._accept(gun, start, seq, now_ms)

    def _forget(self, gun_number: int) -> None:
        self._waiting.pop(gun_number, None)
        self._timers.cancel(("window", gun_number))

    def _answer_start(
        self,
        start: RemoteStart,
        failure: StartFailure,
        seq: bytes,
        now_ms: int,
        then: Callable[[int], None] | None = None,
    ) -> None:
        result = Outcome.OK if failure is StartFailure.NONE else Outcome.FAILED
        self._answer(
            RemoteStartAnswer(
                trade_no=start.trade_no,
                pile_no=self.number,
                gun_no=start.gun_no,
                result=result,
                fail_reason=failure,
            ),
            seq,
            now_ms,
            then,
        )

    def _accept(self, gun: Gun, start: RemoteStart, seq: bytes, now_ms: int) -> None:
        assert self.model is not None
        self._forget(gun.number)
        self.executed.add(start.trade_no)
        gun.session = Session(
            trade_no=start.trade_no,
            physical_card=start.physical_card,
            balance_e4=int(start.balance * 10_000),
            seq=seq,
            tally=Tally(tariff_of(self.model)),
            phase=Phase.STARTING,
            meter_start=gun.register,
            start_pile_ms=self._pile_ms(now_ms),
        )
        delay_s = gun.dice.uniform(*self.options.start_delay_s)
        self._timers.set(
            ("start", gun.number), now_ms + round(delay_s * 1000), lambda at: self._started(gun, start, at)
        )

    def _started(self, gun: Gun, start: RemoteStart, now_ms: int) -> None:
        session = gun.session
        if session is None:
            return
        reason = self.troubles.fail_start_reason or (BALANCE_TOO_LOW if session.balance_e4 <= 0 else None)
        if reason is not None:
            self._start_failed(gun, StartFailure.DEVICE_FAULT, reason, now_ms)
            return
        session.phase = Phase.CHARGING
        session.charging_ms = now_ms
        session.start_pile_ms = self._pile_ms(now_ms)
        # A success has a sequence number of its own (seen with a real pile).
        self._answer_start(start, StartFailure.NONE, self._own_seq(), now_ms, then=lambda at: self._report(gun, at))
        if gun.car is not None and gun.car.manual_stop_after_s is not None:
            pressed_ms = now_ms + round(gun.car.manual_stop_after_s * 1000)
            self._timers.set(("button", gun.number), pressed_ms, lambda at: self._stop(gun, MANUAL_STOP, at))

    def _start_failed(self, gun: Gun, failure: StartFailure, reason: int, now_ms: int) -> None:
        """An executed start without current: 0x33 with failure, and a record without energy."""
        session = gun.session
        if session is None:
            return
        self._timers.cancel(("start", gun.number))
        self._answer(
            RemoteStartAnswer(
                trade_no=session.trade_no,
                pile_no=self.number,
                gun_no=gun_no(gun.number),
                result=Outcome.FAILED,
                fail_reason=failure,
            ),
            session.seq,
            now_ms,
        )
        self._end(gun, reason, now_ms)

    # — stop and end ————————————————————————————————————————————————————————————————————————————————

    def _stop_wanted(self, stop: RemoteStop, seq: bytes, now_ms: int) -> None:
        if self.troubles.silent_stops:
            return
        gun = self.guns.get(_number(stop.gun_no))
        running = gun is not None and gun.session is not None
        self._answer(
            RemoteStopAnswer(
                pile_no=self.number,
                gun_no=stop.gun_no,
                result=Outcome.OK if running else Outcome.FAILED,
                fail_reason=StopFailure.NONE if running else StopFailure.NOT_CHARGING,
            ),
            seq,
            now_ms,
        )
        if gun is not None:
            self._stop(gun, APP_STOP, now_ms)

    def _stop(self, gun: Gun, reason: int, now_ms: int) -> None:
        session = gun.session
        if session is None or session.phase is Phase.STOPPING:
            return
        if session.phase is Phase.STARTING:
            self._start_failed(gun, StartFailure.DEVICE_FAULT, reason, now_ms)
            return
        session.phase, session.stopping_ms, session.stop_reason = Phase.STOPPING, now_ms, reason
        self._timers.set(
            ("stop", gun.number), now_ms + round(self.options.stop_s * 1000), lambda at: self._end(gun, reason, at)
        )

    def _end(self, gun: Gun, reason: int, now_ms: int) -> None:
        """No current from here; 0x13 at once, the record a little later."""
        session = gun.session
        if session is None:
            return
        record = gun.record(self._pile_ms(now_ms), reason)
        gun.session = None
        gun.cut_current()
        for key in ("start", "stop", "button"):
            self._timers.cancel((key, gun.number))
        self._report(gun, now_ms)
        if not self.troubles.lose_record:
            self.records.add(record, now_ms + round(self.options.record_delay_s * 1000))
        if self._timers.holds(("leave", gun.number)):
            linger_ms = self._linger[gun.number]
            self._timers.set(("leave", gun.number), now_ms + linger_ms, lambda at: self._leave(gun, at))

    # — cars ————————————————————————————————————————————————————————————————————————————————————————

    def _plug(self, gun: Gun, car: Car, now_ms: int) -> None:
        gun.car = car
        self._report(gun, now_ms)
        start = self._waiting.get(gun.number)
        if start is not None:
            self._accept(gun, start, self._own_seq(), now_ms)

    def _unplug(self, gun: Gun, now_ms: int) -> None:
        if gun.car is None:
            return
        session = gun.session
        if session is not None and session.phase is Phase.STARTING:
            self._start_failed(gun, StartFailure.NOT_PLUGGED, NOT_CONNECTED, now_ms)
        elif session is not None:
            self._end(gun, session.stop_reason or PLUG_PULLED, now_ms)
        gun.car = None
        self._report(gun, now_ms)

    def _expect(self, gun: Gun, now_ms: int, *, first: bool = False) -> None:
        visit = draw_visit(gun.dice, self.options, first=first)
        self._timers.set(("arrive", gun.number), now_ms + visit.gap_ms, lambda at: self._arrive(gun, visit, at))

    def _arrive(self, gun: Gun, visit: Visit, now_ms: int) -> None:
        if gun.car is not None:  # somebody plugged by hand meanwhile
            self._expect(gun, now_ms)
            return
        self._linger[gun.number] = visit.linger_ms
        self._timers.set(("leave", gun.number), now_ms + visit.patience_ms, lambda at: self._leave(gun, at))
        self._plug(gun, visit.car, now_ms)

    def _leave(self, gun: Gun, now_ms: int) -> None:
        if gun.session is not None:  # patience is over, but it charges: `_end` sets the time of leaving
            self._timers.set(("leave", gun.number), now_ms + 60_000, lambda at: self._leave(gun, at))
            return
        self._unplug(gun, now_ms)
        self._expect(gun, now_ms)


def tariff_of(model: TariffModel) -> PileTariff:
    """0x0A as the pile keeps it: energy and service price together, in 0.00001 yuan/kWh."""

    def price(energy: Decimal, service: Decimal) -> int:
        return int((energy + service).scaleb(5))

    return PileTariff(
        prices_e5=(
            price(model.sharp_energy_price, model.sharp_service_price),
            price(model.peak_energy_price, model.peak_service_price),
            price(model.flat_energy_price, model.flat_service_price),
            price(model.valley_energy_price, model.valley_service_price),
        ),
        slots=model.slots,
    )


def _number(text: str) -> int:
    """Gun digits on the wire → 1 … 99; 0 for what is no gun."""
    return int(text) if text.isdecimal() else 0
