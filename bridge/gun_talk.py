"""Pure: the conversation about one gun: its readings, start, stop, marks, record and the confirmation of that."""

from collections import deque
from dataclasses import dataclass
from decimal import Decimal

from bridge.commands import Commands
from bridge.gun import Began, Ended, FaultsCleared, FaultsRaised, Gun, Happening, Shown
from bridge.meter_marks import Mark, MeterMarks
from bridge.moment import Moment
from bridge.tally import Drop
from bridge.voice import Voice
from bridge.words import ReadGun, Reading, RecordConfirmed, RecordSaid, StartAnswered, StartTold, StopAnswered, StopTold
from evcs.contracts.gun import (
    ChargeRecord,
    GunEvent,
    GunEventKind,
    GunLevel,
    GunReply,
    MeterMark,
    RecordConfirm,
    Start,
    Stop,
    Telemetry,
)
from evcs.contracts.pile import Outcome
from evcs.contracts.reasons import Reason
from evcs.contracts.states import GunState
from evcs.contracts.times import from_ms
from evcs.contracts.topics import GUN_EVENT, GUN_REPLY, GUN_STATE, METER, RECORD, TELEMETRY
from evcs.contracts.waits import CHARGE_BEGINS_S, NOT_PLUGGED_S, STOP_ANSWER_S

POLL_UNHEARD_S = 30.0
"""How often a gun is asked for that has said nothing since the login (at rest it speaks every 5 minutes)."""
AC_POWER_OVER_S = 5.0
"""Shortest time over which an AC gun's power is derived from its energy."""
RECORDS_REMEMBERED = 16


@dataclass(slots=True)
class Starting:
    """A start on its way: waiting for its cap, then written, then answered."""

    command: Start
    written: float | None = None
    allowance_kw: float | None = None
    is_replied: bool = False
    not_plugged: StartAnswered | None = None
    """The refusal that counts only after 60 s."""
    not_plugged_hex: str = ""


@dataclass(slots=True)
class Stopping:
    """A stop on its way; not written while what runs is still unknown."""

    command: Stop
    deadline: float
    is_written: bool = False


class GunTalk:
    """One configured gun of a pile, over all of the pile's links."""

    def __init__(self, number: int, kind: str, voice: Voice, commands: Commands) -> None:
        self.gun = Gun(number)
        self.starting: Starting | None = None
        self._number = number
        self._kind = kind
        self._voice = voice
        self._commands = commands
        self._marks = MeterMarks()
        self._stops: list[Stopping] = []
        self._login_ms = 0
        self._level: Shown | None = None
        self._level_version = 0
        self._since_ms = 0
        self._last_ms = 0
        self._poll_at: float | None = None
        self._ac: tuple[str | None, Decimal, int] | None = None
        self._recorded: deque[str] = deque(maxlen=RECORDS_REMEMBERED)

    # --- the link

    def logged_in(self, login_ms: int, now: Moment) -> None:
        """The pile is back: its level is said anew, and it is asked what the gun does."""
        self._login_ms = login_ms
        self.gun.logged_in()
        self._ac = None
        self.show(now, force=True)
        self.poll(now)

    def poll(self, now: Moment) -> None:
        """Ask for a reading (0x12)."""
        self._voice.tell(ReadGun(self._voice.pile, self._number))
        self._poll_at = now.mono + POLL_UNHEARD_S

    def lost(self, now: Moment) -> None:
        """The link is gone. What runs goes on for all we know; what was not written yet never will be."""
        mark = self._marks.link_lost(now) if self.gun.is_charging else None
        if mark is not None:
            self._publish_mark(mark, now)
        if self.starting is not None and self.starting.written is None:
            self._end_start(Outcome.REFUSED, Reason.LINK_LOST, now)
        self._fail_stops(Reason.LINK_LOST, now)
        self.gun.lost()
        self._poll_at = None
        self.show(now)

    def _fail_stops(self, reason: Reason, now: Moment) -> None:
        stops, self._stops = self._stops, []
        for stop in stops:
            self._reply(stop.command, Outcome.TIMED_OUT, reason, now)

    def replaced(self, now: Moment) -> None:
        """The pile speaks over another connection now: what was asked on the old one will not be answered."""
        if self.starting is not None and self.starting.written is None:
            self._end_start(Outcome.REFUSED, Reason.LINK_LOST, now)
        self._fail_stops(Reason.LINK_LOST, now)

    # --- the level

    def show(self, now: Moment, *, force: bool = False) -> None:
        """Publish `G/state` where it changed. Never before a login: such a gun is only known from a record."""
        shown = self.gun.shown
        if not self._login_ms:
            return
        if shown == self._level and not force:
            return
        if self._level is None or (shown.state, shown.serial) != (self._level.state, self._level.serial):
            self._since_ms = now.wall_ms
        self._level = shown
        self._level_version = max(now.wall_ms, self._level_version + 1)
        level = GunLevel(
            receipt=self._voice.receipt(GUN_STATE),
            login_ms=self._login_ms,
            version=self._level_version,
            pile=self._voice.pile,
            gun=self._number,
            state=shown.state,
            serial=shown.serial,
            plugged=shown.plugged,
            fault_bits=shown.fault_bits,
            since=from_ms(self._since_ms),
        )
        self._voice.publish(GUN_STATE, level, self._number)

    # --- readings

    def heard(self, reading: Reading, raw: bytes, now: Moment) -> None:
        """A reading: level, telemetry, marks, events, and what they say about a start or stop on its way."""
        happened = self.gun.heard(reading)
        self._poll_at = None
        began = self._happened(happened, now, raw)
        self._publish_telemetry(reading, now)
        if self.gun.is_charging and not began:
            mark = self._marks.read(reading.energy_kwh, now)
            if mark is not None:
                self._publish_mark(mark, now)
        elif began and self.gun.running is not None:
            self._publish_mark(self._marks.begin(self.gun.running, reading.energy_kwh, now), now)
        self.show(now)
        starting = self.starting
        if starting is not None and self.gun.is_charging and self.gun.running == starting.command.serial:
            # What the pile shows outranks a lost or contradicting 0x33.
            self._end_start(Outcome.ACCEPTED, None, now, frame_hex=raw.hex())
        for stop in [stop for stop in self._stops if not stop.is_written]:
            self._stops.remove(stop)
            self._write_stop(stop.command, now)

    def _happened(self, happened: list[Happening], now: Moment, raw: bytes) -> bool:
        began = False
        for what in happened:
            match what:
                case Began():
                    began = True
                case Ended():
                    mark = self._marks.end(None, None, now)
                    if mark is not None:
                        self._publish_mark(mark, now)
                case FaultsRaised(bits):
                    self._event(GunEventKind.FAULT_RAISED, now, fault_bits=bits, frame_hex=raw.hex())
                case FaultsCleared(bits):
                    self._event(GunEventKind.FAULT_CLEARED, now, fault_bits=bits, frame_hex=raw.hex())
        return began

    def _publish_telemetry(self, reading: Reading, now: Moment) -> None:
        shown = self.gun.shown
        self._last_ms = max(now.wall_ms, self._last_ms + 1)
        point = Telemetry(
            receipt=self._voice.receipt(TELEMETRY),
            received_at=from_ms(self._last_ms),
            pile=self._voice.pile,
            gun=self._number,
            state=shown.state,
            serial=shown.serial if shown.state is not GunState.FINISHED else reading.serial,
            voltage_v=reading.voltage_v,
            current_a=reading.current_a,
            power_kw=self._power_kw(reading),
            energy_kwh=reading.energy_kwh,
            soc_pct=reading.soc_pct,
            cable_temp_c=reading.cable_temp_c,
            battery_temp_max_c=reading.battery_temp_max_c,
            elapsed_min=reading.elapsed_min,
            remaining_min=reading.remaining_min,
            cost_fen=reading.cost_fen,
        )
        self._voice.publish(TELEMETRY, point, self._number)

    def _power_kw(self, reading: Reading) -> float | None:
        """DC: V × I, since the frame has no power. AC: from the energy since the last reading (phases unknown)."""
        if reading.voltage_v is None or reading.current_a is None:
            self._ac = None
            return None
        if self._kind != "ac":
            return round(reading.voltage_v * reading.current_a / 1000, 3)
        if reading.energy_kwh is None:
            return None
        before = self._ac
        if before is None or before[0] != reading.serial:
            self._ac = (reading.serial, reading.energy_kwh, self._last_ms)
            return None
        seconds = (self._last_ms - before[2]) / 1000
        if seconds < AC_POWER_OVER_S:
            return None
        self._ac = (reading.serial, reading.energy_kwh, self._last_ms)
        return round(max(0.0, float(reading.energy_kwh - before[1]) * 3600 / seconds), 3)

    def _publish_mark(self, mark: Mark, now: Moment) -> None:
        payload = MeterMark(
            receipt=self._voice.receipt(METER),
            serial=mark.serial,
            why=mark.why,
            received_at=now.at,
            energy_kwh=mark.energy_kwh,
            register_kwh=mark.register_kwh,
        )
        self._voice.publish(METER, payload, self._number)

    def _event(
        self,
        kind: GunEventKind,
        now: Moment,
        *,
        event_id: str | None = None,
        serial: str | None = None,
        reason: Reason | None = None,
        pile_code: int | None = None,
        fault_bits: int | None = None,
        vin: str | None = None,
        frame_hex: str = "",
    ) -> None:
        receipt = self._voice.receipt(GUN_EVENT)
        event = GunEvent(
            id=event_id or self._voice.message_id(GUN_EVENT, receipt),
            receipt=receipt,
            kind=kind,
            received_at=now.at,
            serial=serial if serial is not None else self.gun.serial,
            reason=reason,
            pile_code=pile_code,
            fault_bits=fault_bits,
            vin=vin,
            frame_hex=frame_hex,
        )
        self._voice.publish(GUN_EVENT, event, self._number)

    # --- start

    def refuse_start(self, command: Start, reason: Reason, now: Moment, outcome: Outcome = Outcome.REFUSED) -> None:
        """Answer a start that is not carried out."""
        self._reply(command, outcome, reason, now)

    def accept_running(self, command: Start, now: Moment) -> None:
        """The charge of this serial runs already: that is what the start wanted."""
        self._reply(command, Outcome.ACCEPTED, None, now)

    def await_cap(self, command: Start) -> None:
        """The start needs a cap first; nothing is written until it is confirmed."""
        self.starting = Starting(command)

    def cap_failed(self, start_id: str, now: Moment) -> None:
        """The cap was refused or not answered: nothing is started."""
        if self.starting is not None and self.starting.command.id == start_id:
            self._end_start(Outcome.REFUSED, Reason.CAP_NOT_CONFIRMED, now)

    def cap_confirmed(self, start_id: str, allowance_kw: float, now: Moment) -> None:
        """The cap stands: now the start goes out, unless its time is over."""
        if self.starting is None or self.starting.command.id != start_id:
            return
        self.starting.allowance_kw = allowance_kw
        if now.at >= self.starting.command.expires_at:
            self._end_start(Outcome.EXPIRED, Reason.EXPIRED, now)
        else:
            self._write_start(self.starting, now)

    def start(self, command: Start, now: Moment) -> None:
        """Start without a cap."""
        self.starting = Starting(command)
        self._write_start(self.starting, now)

    def _write_start(self, starting: Starting, now: Moment) -> None:
        command = starting.command
        told = StartTold(self._voice.pile, self._number, command.serial, command.balance_fen, command.card)
        if self._voice.tell(told) is None:
            self._end_start(Outcome.REFUSED, Reason.PILE_REFUSED, now)
            return
        starting.written = now.mono
        self.gun.start_written(command.serial)
        self.show(now)

    def start_answered(self, said: StartAnswered, raw: bytes, now: Moment) -> None:
        """0x33, matched by the serial: a late success has a sequence number of its own."""
        starting = self.starting
        if starting is None or starting.written is None or starting.command.serial != said.serial:
            self._voice.tally.drop(Drop.UNEXPECTED)
            return
        if said.answer.ok:
            starting.not_plugged = None
            self._reply_once(starting, Outcome.ACCEPTED, None, now, frame_hex=raw.hex())
        elif said.not_plugged and now.mono < starting.written + NOT_PLUGGED_S:
            starting.not_plugged, starting.not_plugged_hex = said, raw.hex()
        else:
            self._refused_by_pile(said, raw.hex(), now)

    def _refused_by_pile(self, said: StartAnswered, frame_hex: str, now: Moment) -> None:
        answer = said.answer
        self._event(
            GunEventKind.START_FAILED,
            now,
            serial=said.serial,
            reason=answer.reason,
            pile_code=answer.code,
            frame_hex=frame_hex,
        )
        self._end_start(
            Outcome.REFUSED,
            answer.reason,
            now,
            pile_code=answer.code,
            zh=answer.zh,
            en=answer.en,
            frame_hex=frame_hex,
        )

    def _start_overdue(self, starting: Starting, now: Moment) -> None:
        if starting.written is None:
            return
        if starting.not_plugged is not None and now.mono >= starting.written + NOT_PLUGGED_S:
            self._refused_by_pile(starting.not_plugged, starting.not_plugged_hex, now)
        elif now.mono >= starting.written + CHARGE_BEGINS_S:
            self._event(GunEventKind.START_FAILED, now, serial=starting.command.serial, reason=Reason.TIMED_OUT)
            self._end_start(Outcome.TIMED_OUT, Reason.TIMED_OUT, now)

    def _end_start(
        self,
        outcome: Outcome,
        reason: Reason | None,
        now: Moment,
        *,
        pile_code: int | None = None,
        zh: str = "",
        en: str = "",
        frame_hex: str = "",
    ) -> None:
        """The start is over for the bridge: reply where there was none, and let the gun show what it is without it."""
        starting, self.starting = self.starting, None
        if starting is None:
            return
        self._reply_once(starting, outcome, reason, now, pile_code=pile_code, zh=zh, en=en, frame_hex=frame_hex)
        self.gun.start_over(starting.command.serial)
        self.show(now)

    def _reply_once(
        self,
        starting: Starting,
        outcome: Outcome,
        reason: Reason | None,
        now: Moment,
        *,
        pile_code: int | None = None,
        zh: str = "",
        en: str = "",
        frame_hex: str = "",
    ) -> None:
        if starting.is_replied:
            return
        starting.is_replied = True
        self._reply(
            starting.command,
            outcome,
            reason,
            now,
            pile_code=pile_code,
            zh=zh,
            en=en,
            allowance_kw=starting.allowance_kw,
            frame_hex=frame_hex,
        )

    def _reply(
        self,
        command: Start | Stop,
        outcome: Outcome,
        reason: Reason | None,
        now: Moment,
        *,
        pile_code: int | None = None,
        zh: str = "",
        en: str = "",
        allowance_kw: float | None = None,
        frame_hex: str = "",
    ) -> None:
        """The one reply to a start or stop; a command that has it gets no other."""
        if self._commands.has_reply(command.id):
            return
        reply = GunReply(
            id=command.id,
            receipt=self._voice.receipt(GUN_REPLY),
            serial=command.serial,
            command="start" if isinstance(command, Start) else "stop",
            outcome=outcome,
            reason=reason,
            pile_code=pile_code,
            pile_text_zh=zh,
            pile_text_en=en,
            allowance_kw=allowance_kw,
            received_at=now.at,
            frame_hex=frame_hex,
        )
        self._commands.answered(reply.id, self._voice.publish(GUN_REPLY, reply, self._number))

    # --- stop

    def stop(self, command: Stop, now: Moment) -> None:
        """Stop what runs, where it is what the command names. Written at once, or as soon as it is known what runs."""
        if (
            self.starting is not None
            and self.starting.written is None
            and command.serial
            in (
                None,
                self.starting.command.serial,
            )
        ):
            self._end_start(Outcome.REFUSED, command.why, now)  # nothing was written yet, so nothing will be
            self._reply(command, Outcome.ACCEPTED, None, now)
        elif self.gun.is_heard or (command.serial is not None and command.serial == self.gun.serial):
            self._write_stop(command, now)
        else:
            self._stops.append(Stopping(command, now.mono + STOP_ANSWER_S))

    def _write_stop(self, command: Stop, now: Moment) -> None:
        # 0x36 names a gun and no serial: what runs there has to be the charge that is meant.
        if not self.gun.is_running or command.serial not in (None, self.gun.serial):
            self._reply(command, Outcome.REFUSED, Reason.NOT_CHARGING, now)
        elif self._voice.tell(StopTold(self._voice.pile, self._number)) is None:
            self._reply(command, Outcome.REFUSED, Reason.PILE_REFUSED, now)
        else:
            self._stops.append(Stopping(command, now.mono + STOP_ANSWER_S, is_written=True))

    def stop_answered(self, said: StopAnswered, raw: bytes, now: Moment) -> None:
        """0x35 answers the oldest stop that was written."""
        stop = next((stop for stop in self._stops if stop.is_written), None)
        if stop is None:
            self._voice.tally.drop(Drop.UNEXPECTED)
            return
        self._stops.remove(stop)
        answer = said.answer
        outcome = Outcome.ACCEPTED if answer.ok else Outcome.REFUSED
        self._reply(
            stop.command,
            outcome,
            answer.reason,
            now,
            pile_code=None if answer.ok else answer.code,
            zh=answer.zh,
            en=answer.en,
            frame_hex=raw.hex(),
        )

    def refuse_stop(self, command: Stop, reason: Reason, now: Moment, outcome: Outcome) -> None:
        """Answer a stop that is not carried out."""
        self._reply(command, outcome, reason, now)

    # --- record

    def recorded(self, said: RecordSaid, raw: bytes, clock_offset_s: float | None, now: Moment) -> None:
        """The pile's bill: published each time that it comes (the worker knows repetitions), and the charge is over."""
        receipt = self._voice.receipt(RECORD)
        record = ChargeRecord(
            id=self._voice.message_id(RECORD, receipt),
            receipt=receipt,
            serial=said.serial,
            pile=self._voice.pile,
            gun=self._number,
            received_at=now.at,
            # A pile without a clock says no time; the frame itself goes along.
            started_at=said.started_at or now.at,
            ended_at=said.ended_at or now.at,
            traded_at=said.traded_at or now.at,
            bands=said.bands,
            register_start_kwh=said.register_start_kwh,
            register_end_kwh=said.register_end_kwh,
            energy_kwh=said.energy_kwh,
            loss_energy_kwh=said.loss_energy_kwh,
            amount_e4=said.amount_e4,
            vin=said.vin,
            card=said.card,
            source=said.source,
            stop_code=said.stop_code,
            stop_class=said.stop_class,
            clock_offset_s=clock_offset_s,
            is_timed=None not in (said.started_at, said.ended_at, said.traded_at),
            frame_hex=raw.hex(),
        )
        self._over_by_record(said, raw, now)
        self._voice.publish(RECORD, record, self._number)

    def _over_by_record(self, said: RecordSaid, raw: bytes, now: Moment) -> None:
        if self.gun.is_charging and self.gun.running == said.serial:
            mark = self._marks.end(said.energy_kwh, said.register_end_kwh, now)
            if mark is not None:
                self._publish_mark(mark, now)
        starting = self.starting
        if starting is not None and starting.written is not None and starting.command.serial == said.serial:
            if said.energy_kwh > 0:
                self._end_start(Outcome.ACCEPTED, None, now, frame_hex=raw.hex())
            else:
                self._event(
                    GunEventKind.START_FAILED,
                    now,
                    serial=said.serial,
                    reason=Reason.PILE_REFUSED,
                    pile_code=said.stop_code,
                )
                self._end_start(
                    Outcome.REFUSED,
                    Reason.PILE_REFUSED,
                    now,
                    pile_code=said.stop_code,
                    zh=said.stop_zh,
                    en=said.stop_en,
                    frame_hex=raw.hex(),
                )
        self.gun.record_came(said.serial)
        self.show(now)
        if said.serial not in self._recorded:
            self._recorded.append(said.serial)
            self._event(GunEventKind.STOPPED, now, serial=said.serial, pile_code=said.stop_code, vin=said.vin or None)

    def confirm(self, confirm: RecordConfirm, now: Moment) -> None:
        """The record is stored: 0x40 goes out, and the worker is told that it did."""
        if self._voice.tell(RecordConfirmed(confirm.serial, confirm.result)) is not None:
            self._event(GunEventKind.CONFIRM_SENT, now, event_id=confirm.id, serial=confirm.serial)

    # --- time

    def tick(self, now: Moment, *, is_online: bool) -> None:
        """Whatever has become due."""
        if self.starting is not None:
            self._start_overdue(self.starting, now)
        overdue = [stop for stop in self._stops if now.mono >= stop.deadline]
        for stop in overdue:
            self._stops.remove(stop)
            self._reply(stop.command, Outcome.TIMED_OUT, Reason.TIMED_OUT, now)
        if not is_online:
            return
        is_half_hour = self.gun.is_charging and self._marks.is_poll_due(now)
        is_unheard = self._poll_at is not None and now.mono >= self._poll_at
        if is_half_hour or is_unheard:
            self.poll(now)

    def due(self, now: Moment) -> float | None:
        """Monotonic time at which `tick` has something to do; None: nothing is awaited."""
        times = [stop.deadline for stop in self._stops]
        starting = self.starting
        if starting is not None and starting.written is not None:
            wait_s = CHARGE_BEGINS_S if starting.not_plugged is None else NOT_PLUGGED_S
            times.append(starting.written + wait_s)
        if self._poll_at is not None:
            times.append(self._poll_at)
        next_slot_ms = self._marks.next_slot_ms
        if self.gun.is_charging and self.gun.is_online and next_slot_ms is not None:
            times.append(now.mono + max(0.0, (next_slot_ms - now.wall_ms) / 1000))
        return min(times, default=None)
