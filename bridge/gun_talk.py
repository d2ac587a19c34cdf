"""Pure: the conversation about one gun; each part of it has its own file, here is what reaches several of them."""

from bridge.commands import Commands
from bridge.gun import Began, Ended, FaultsCleared, FaultsRaised, Gun, Happening
from bridge.gun_bms import GunBms
from bridge.gun_card import GunCards
from bridge.gun_level import GunLevels
from bridge.gun_record import GunRecords
from bridge.gun_start import GunStarts, Starting
from bridge.gun_stop import GunStops
from bridge.gun_telemetry import GunTelemetry
from bridge.gun_voice import Fate, GunVoice
from bridge.joints import Joints
from bridge.meter_marks import MeterMarks
from bridge.moment import Moment
from bridge.voice import Voice
from bridge.words import CardAsked, ReadGun, Reading, RecordSaid, StartAnswered, StopAnswered
from bridge.words.bms import Said as BmsSaid
from evcs.contracts.gun import GunEventKind, RecordConfirm, Start, Stop
from evcs.contracts.pile import Outcome
from evcs.contracts.reasons import Reason

POLL_UNHEARD_S = 30.0
"""How often a gun is asked for that has said nothing since the login (at rest it speaks every 5 minutes)."""


class GunTalk:
    """One configured gun of a pile, over all of the pile's links."""

    __slots__ = (
        "_bms",
        "_cards",
        "_joints",
        "_levels",
        "_marks",
        "_poll_at",
        "_records",
        "_starts",
        "_stops",
        "_telemetry",
        "_voice",
        "gun",
    )

    def __init__(self, number: int, kind: str, voice: Voice, commands: Commands, joints: Joints | None = None) -> None:
        joints = joints or Joints()
        self.gun = Gun(number)
        self._voice = GunVoice(self.gun, voice, commands)
        self._levels = GunLevels(self.gun, self._voice)
        self._bms = GunBms(self.gun, self._voice)
        self._telemetry = GunTelemetry(self.gun, kind, self._voice, self._bms)
        self._cards = GunCards(self._voice)
        self._starts = GunStarts(self.gun, self._voice, self._levels, self._cards, joints)
        self._stops = GunStops(self.gun, self._voice)
        self._records = GunRecords(self._voice, self._bms)
        self._marks = MeterMarks()
        self._joints = joints
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
        self._forget_question()
        self._starts.link_lost(now)
        self._stops.link_lost(now)

    def held_elsewhere(self, now: Moment) -> None:
        """Another bridge holds the pile: what was asked here is answered, what the gun is, that one says."""
        self._levels.held_elsewhere()
        self.replaced(now)
        self.gun.lost()
        self._poll_at = None

    def say_again(self, now: Moment) -> None:
        """Publish `G/state` in any case."""
        self._levels.say_again(now)

    def show(self, now: Moment) -> None:
        """Publish `G/state` where it changed."""
        self._levels.show(now)

    # --- readings

    def heard(self, reading: Reading, raw: bytes, now: Moment) -> None:
        """A reading: level, telemetry, marks, events, and what they say about a start or stop on its way."""
        happened = self.gun.heard(reading)
        self._poll_at = None
        began = self._happened(happened, now, raw)
        shown = self.gun.shown
        self._telemetry.publish(reading, shown, now)
        if self.gun.is_charging and not began:
            mark = self._marks.read(reading.energy_kwh, now)
            if mark is not None:
                self._voice.mark(mark, now)
        elif began and self.gun.running is not None:
            self._voice.mark(self._marks.begin(self.gun.running, reading.energy_kwh, now), now)
        self._levels.show(now, shown)
        self._starts.heard(raw, now)
        self._stops.heard(now)

    def _happened(self, happened: list[Happening], now: Moment, raw: bytes) -> bool:
        began = False
        for what in happened:
            match what:
                case Began():
                    began = True
                case Ended(serial):
                    mark = self._marks.end(None, None, now)
                    if mark is not None:
                        self._voice.mark(mark, now)
                    self._records.ended(serial, now)
                case FaultsRaised(bits):
                    self._voice.event(GunEventKind.FAULT_RAISED, now, fault_bits=bits, frame_hex=raw.hex())
                case FaultsCleared(bits):
                    self._voice.event(GunEventKind.FAULT_CLEARED, now, fault_bits=bits, frame_hex=raw.hex())
        return began

    def bms(self, said: BmsSaid, raw: bytes, now: Moment) -> None:
        """What car and charger say in the course of a charge (0x15 to 0x25)."""
        self._bms.heard(said, raw, now)

    # --- a driver at the card reader

    def card_asked(self, said: CardAsked, seq: bytes, raw: bytes, now: Moment, against: Reason | None = None) -> None:
        """0x31, 0xA1. `against`: what the pile as a whole has against any start (no tariff)."""
        reason = Reason.LOCKED_OUT if self.gun.is_locked else against
        if reason is None and self._cards.is_repeated(said):
            self._cards.repeated(said, seq)
            return
        self._another_asks(now)
        if reason is None and (self.starting is not None or self.gun.is_running):
            reason = Reason.GUN_BUSY
        if reason is None and self._cards.is_too_often(now):
            reason = Reason.GUN_BUSY
        if reason is not None:
            self._cards.turn_away(said, seq, reason)
            if said.joint is not None:
                self._joints.refused(said.joint.number, now)
            return
        card_request = self._cards.asked(said, seq, raw, now)
        if said.joint is not None:
            self._joints.joined(said.joint.number, card_request, self._companion_refused)

    def _another_asks(self, now: Moment) -> None:
        """One question of a gun at a time: a start that waits for its cap to answer the one before is called off."""
        self._forget_question()
        starting = self.starting
        if starting is not None and starting.written is None and starting.command.card_request is not None:
            self._starts.card_over(starting.command.card_request, Fate(Outcome.EXPIRED, Reason.EXPIRED), now)

    def _forget_question(self) -> None:
        asking = self._cards.asking
        if asking is not None and asking.said.joint is not None:
            self._joints.over(asking.said.joint.number, asking.id)
        self._cards.forget()

    def _companion_refused(self, card_request: str, now: Moment) -> None:
        self.refuse_card(card_request, Reason.JOINT_CANCELLED, now)

    def refuse_card(self, card_request: str, reason: Reason, now: Moment, outcome: Outcome = Outcome.REFUSED) -> bool:
        """Answer the driver with no (`P/command`, or the time is over); False where it is not open any more."""
        said = self._cards.refuse(card_request, reason)
        if said is None:
            return False
        self._starts.card_over(card_request, Fate(outcome, reason), now)
        if said.joint is not None:
            self._joints.refused(said.joint.number, now)
        return True

    def is_asked(self, card_request: str) -> bool:
        """Whether this question waits for its answer: a start that answers another one comes too late."""
        return self._cards.is_open(card_request)

    # --- start

    def refuse_start(self, command: Start, reason: Reason, now: Moment, outcome: Outcome = Outcome.REFUSED) -> None:
        """Answer a start that is not carried out, and the driver who waits for it at the pile."""
        self._voice.reply(command, Fate(outcome, reason), now)
        starting = self.starting
        is_answered_by_other = starting is not None and starting.command.card_request == command.card_request
        if command.card_request is not None and not is_answered_by_other:
            self.refuse_card(command.card_request, reason, now)

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
        """0x33, 0xA3."""
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
        self._records.stopped(said, now)
        self._records.publish(record)

    def confirm(self, confirm: RecordConfirm, now: Moment) -> None:
        """The record is stored: 0x40 goes out, and the worker is told that it did."""
        self._records.confirm(confirm, now)

    # --- time

    def tick(self, now: Moment, *, is_online: bool) -> None:
        """Whatever has become due."""
        if (card_request := self._cards.overdue(now)) is not None:
            self.refuse_card(card_request, Reason.EXPIRED, now, Outcome.EXPIRED)
        self._starts.tick(now)
        self._stops.tick(now)
        self._records.tick(now)
        if not is_online:
            return
        is_half_hour = self.gun.is_charging and self._marks.is_poll_due(now)
        is_unheard = self._poll_at is not None and now.mono >= self._poll_at
        if is_half_hour or is_unheard:
            self.poll(now)

    def due(self, now: Moment) -> float | None:
        """Monotonic time at which `tick` has something to do; None: nothing is awaited."""
        soonest = self._poll_at
        # Nearly always there is nothing; this is asked for every pile that spoke since the last look.
        for at in (self._starts.due(), self._stops.due(), self._records.due(), self._cards.due()):
            if at is not None and (soonest is None or at < soonest):
                soonest = at
        next_slot_ms = self._marks.next_slot_ms
        if self.gun.is_charging and self.gun.is_online and next_slot_ms is not None:
            slot_at = now.mono + max(0.0, (next_slot_ms - now.wall_ms) / 1000)
            return slot_at if soonest is None or slot_at < soonest else soonest
        return soonest
