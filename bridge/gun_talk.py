"""Pure: the conversation about one gun; each part of it has its own file, here is what reaches several of them."""

from bridge.commands import Commands
from bridge.gun import Began, Ended, FaultsCleared, FaultsRaised, Gun, Happening
from bridge.gun_level import GunLevels
from bridge.gun_record import GunRecords
from bridge.gun_start import GunStarts, Starting
from bridge.gun_stop import GunStops
from bridge.gun_telemetry import GunTelemetry
from bridge.gun_voice import Fate, GunVoice
from bridge.meter_marks import MeterMarks
from bridge.moment import Moment
from bridge.voice import Voice
from bridge.words import ReadGun, Reading, RecordSaid, StartAnswered, StopAnswered
from evcs.contracts.gun import GunEventKind, RecordConfirm, Start, Stop
from evcs.contracts.pile import Outcome
from evcs.contracts.reasons import Reason

POLL_UNHEARD_S = 30.0
"""How often a gun is asked for that has said nothing since the login (at rest it speaks every 5 minutes)."""


class GunTalk:
    """One configured gun of a pile, over all of the pile's links."""

    def __init__(self, number: int, kind: str, voice: Voice, commands: Commands) -> None:
        self.gun = Gun(number)
        self._voice = GunVoice(self.gun, voice, commands)
        self._levels = GunLevels(self.gun, self._voice)
        self._telemetry = GunTelemetry(self.gun, kind, self._voice)
        self._starts = GunStarts(self.gun, self._voice, self._levels)
        self._stops = GunStops(self.gun, self._voice)
        self._records = GunRecords(self._voice)
        self._marks = MeterMarks()
        self._poll_at: float | None = None

    @property
    def starting(self) -> Starting | None:
        """The start on its way."""
        return self._starts.starting

    # --- the link

    def logged_in(self, login_ms: int, now: Moment) -> None:
        """The pile is back: its level is said anew, and it is asked what the gun does."""
        self.gun.logged_in()
        self._telemetry.logged_in()
        self._levels.logged_in(login_ms, now)
        self.poll(now)

    def poll(self, now: Moment) -> None:
        """Ask for a reading (0x12)."""
        self._voice.tell(ReadGun(self._voice.pile, self._voice.number))
        self._poll_at = now.mono + POLL_UNHEARD_S

    def lost(self, now: Moment) -> None:
        """The link is gone. What runs goes on for all we know; what was not written yet never will be."""
        mark = self._marks.link_lost(now) if self.gun.is_charging else None
        if mark is not None:
            self._voice.mark(mark, now)
        self.replaced(now)
        self.gun.lost()
        self._poll_at = None
        self.show(now)

    def replaced(self, now: Moment) -> None:
        """The pile speaks over another connection now: what was asked on the old one will not be answered."""
        self._starts.link_lost(now)
        self._stops.link_lost(now)

    def show(self, now: Moment) -> None:
        """Publish `G/state` where it changed."""
        self._levels.show(now)

    # --- readings

    def heard(self, reading: Reading, raw: bytes, now: Moment) -> None:
        """A reading: level, telemetry, marks, events, and what they say about a start or stop on its way."""
        happened = self.gun.heard(reading)
        self._poll_at = None
        began = self._happened(happened, now, raw)
        self._telemetry.publish(reading, now)
        if self.gun.is_charging and not began:
            mark = self._marks.read(reading.energy_kwh, now)
            if mark is not None:
                self._voice.mark(mark, now)
        elif began and self.gun.running is not None:
            self._voice.mark(self._marks.begin(self.gun.running, reading.energy_kwh, now), now)
        self._levels.show(now)
        self._starts.heard(raw, now)
        self._stops.heard(now)

    def _happened(self, happened: list[Happening], now: Moment, raw: bytes) -> bool:
        began = False
        for what in happened:
            match what:
                case Began():
                    began = True
                case Ended():
                    mark = self._marks.end(None, None, now)
                    if mark is not None:
                        self._voice.mark(mark, now)
                case FaultsRaised(bits):
                    self._voice.event(GunEventKind.FAULT_RAISED, now, fault_bits=bits, frame_hex=raw.hex())
                case FaultsCleared(bits):
                    self._voice.event(GunEventKind.FAULT_CLEARED, now, fault_bits=bits, frame_hex=raw.hex())
        return began

    # --- start

    def refuse_start(self, command: Start, reason: Reason, now: Moment, outcome: Outcome = Outcome.REFUSED) -> None:
        """Answer a start that is not carried out."""
        self._voice.reply(command, Fate(outcome, reason), now)

    def accept_running(self, command: Start, now: Moment) -> None:
        """The charge of this serial runs already: that is what the start wanted."""
        self._voice.reply(command, Fate(Outcome.ACCEPTED), now)

    def await_cap(self, command: Start) -> None:
        """The start needs a cap first; nothing is written until it is confirmed."""
        self._starts.await_cap(command)

    def cap_failed(self, start_id: str, now: Moment) -> None:
        """The cap was refused or not answered: nothing is started."""
        self._starts.cap_failed(start_id, now)

    def cap_confirmed(self, start_id: str, allowance_kw: float, now: Moment) -> None:
        """The cap stands: now the start goes out, unless its time is over."""
        self._starts.cap_confirmed(start_id, allowance_kw, now)

    def start(self, command: Start, now: Moment) -> None:
        """Start without a cap."""
        self._starts.start(command, now)

    def start_answered(self, said: StartAnswered, raw: bytes, now: Moment) -> None:
        """0x33."""
        self._starts.answered(said, raw, now)

    # --- stop

    def stop(self, command: Stop, now: Moment) -> None:
        """Call off the start that waits, or stop what runs."""
        if self._starts.call_off(command.serial, command.why, now):
            self._voice.reply(command, Fate(Outcome.ACCEPTED), now)
        else:
            self._stops.stop(command, now)

    def stop_answered(self, said: StopAnswered, raw: bytes, now: Moment) -> None:
        """0x35."""
        self._stops.answered(said, raw, now)

    def refuse_stop(self, command: Stop, reason: Reason, now: Moment, outcome: Outcome) -> None:
        """Answer a stop that is not carried out."""
        self._voice.reply(command, Fate(outcome, reason), now)

    # --- record

    def recorded(self, said: RecordSaid, raw: bytes, clock_offset_s: float | None, now: Moment) -> None:
        """The pile's bill: published each time that it comes, and the charge is over."""
        record = self._records.message(said, raw, clock_offset_s, now)
        if self.gun.is_charging and self.gun.running == said.serial:
            mark = self._marks.end(said.energy_kwh, said.register_end_kwh, now)
            if mark is not None:
                self._voice.mark(mark, now)
        self._starts.recorded(said, raw, now)
        self.gun.record_came(said.serial)
        self._levels.show(now)
        self._records.tell_stopped(said, now)
        self._records.publish(record)

    def confirm(self, confirm: RecordConfirm, now: Moment) -> None:
        """The record is stored: 0x40 goes out, and the worker is told that it did."""
        self._records.confirm(confirm, now)

    # --- time

    def tick(self, now: Moment, *, is_online: bool) -> None:
        """Whatever has become due."""
        self._starts.tick(now)
        self._stops.tick(now)
        if not is_online:
            return
        is_half_hour = self.gun.is_charging and self._marks.is_poll_due(now)
        is_unheard = self._poll_at is not None and now.mono >= self._poll_at
        if is_half_hour or is_unheard:
            self.poll(now)

    def due(self, now: Moment) -> float | None:
        """Monotonic time at which `tick` has something to do; None: nothing is awaited."""
        times = [at for at in (self._starts.due(), self._stops.due(), self._poll_at) if at is not None]
        next_slot_ms = self._marks.next_slot_ms
        if self.gun.is_charging and self.gun.is_online and next_slot_ms is not None:
            times.append(now.mono + max(0.0, (next_slot_ms - now.wall_ms) / 1000))
        return min(times, default=None)
