"""Pure: one gun's start on its way: waiting for its cap, written, answered, and what ends it."""

from dataclasses import dataclass

from bridge.gun import Gun
from bridge.gun_card import GunCards
from bridge.gun_level import GunLevels
from bridge.gun_voice import Fate, GunVoice
from bridge.joints import Joints
from bridge.moment import Moment
from bridge.tally import Drop
from bridge.words import RecordSaid, StartAnswered, StartTold
from evcs.contracts.gun import GunEventKind, Start
from evcs.contracts.pile import Outcome
from evcs.contracts.reasons import Reason
from evcs.contracts.waits import CHARGE_BEGINS_S, NOT_PLUGGED_S


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
    joint_number: str | None = None
    """Of two guns on one car."""


class GunStarts:
    """The one start that a gun can have on its way: 0x34 or 0xA4, or the answer to a driver who asked at the pile."""

    __slots__ = ("_cards", "_gun", "_joints", "_levels", "_voice", "starting")

    def __init__(self, gun: Gun, voice: GunVoice, levels: GunLevels, cards: GunCards, joints: Joints) -> None:
        self.starting: Starting | None = None
        self._gun = gun
        self._voice = voice
        self._levels = levels
        self._cards = cards
        self._joints = joints

    # --- what it is told

    def await_cap(self, command: Start) -> None:
        """The start needs a cap first; nothing is written until it is confirmed."""
        self.starting = _starting(command)

    def cap_failed(self, start_id: str, now: Moment) -> None:
        """The cap was refused or not answered: nothing is started."""
        if self.starting is not None and self.starting.command.id == start_id:
            self._end(Fate(Outcome.REFUSED, Reason.CAP_NOT_CONFIRMED), now)

    def cap_confirmed(self, start_id: str, allowance_kw: float, now: Moment) -> None:
        """The cap stands: now the start goes out, unless its time is over."""
        if self.starting is None or self.starting.command.id != start_id:
            return
        self.starting.allowance_kw = allowance_kw
        if now.at >= self.starting.command.expires_at:
            self._end(Fate(Outcome.EXPIRED, Reason.EXPIRED), now)
        else:
            self._write(self.starting, now)

    def start(self, command: Start, now: Moment) -> None:
        """Start without a cap."""
        self.starting = _starting(command)
        self._write(self.starting, now)

    def _write(self, starting: Starting, now: Moment) -> None:
        command = starting.command
        if command.card_request is not None and not self._cards.is_open(command.card_request):
            self._end(Fate(Outcome.EXPIRED, Reason.EXPIRED), now)
            return
        if not self._tell(starting):
            self._end(Fate(Outcome.REFUSED, Reason.PILE_REFUSED), now)
            return
        starting.written = now.mono
        self._gun.start_written(command.serial)
        if starting.joint_number is not None:
            self._joints.joined(starting.joint_number, command.serial, self._companion_refused)
        self._levels.show(now)

    def _tell(self, starting: Starting) -> bool:
        command = starting.command
        if command.card_request is not None:
            answer = self._cards.allow(command)
            if answer is not None:
                starting.joint_number = answer.joint_number
                if answer.joint_number is not None:
                    self._joints.over(answer.joint_number, command.card_request)
            return answer is not None
        return self._voice.tell(
            StartTold(
                self._voice.pile,
                self._voice.number,
                command.serial,
                command.balance_fen,
                command.card,
                command.printed_card,
                starting.joint_number,
            )
        )

    def call_off(self, serial: str | None, why: Reason, now: Moment) -> bool:
        """A stop for a start that was not written yet: nothing will be. False where there is none such."""
        starting = self.starting
        if starting is None or starting.written is not None or serial not in (None, starting.command.serial):
            return False
        self._end(Fate(Outcome.REFUSED, why), now)
        return True

    def card_over(self, card_request: str, fate: Fate, now: Moment) -> None:
        """The driver's question was answered with no, or is nobody's any more, while its start waited for a cap."""
        starting = self.starting
        if starting is not None and starting.written is None and starting.command.card_request == card_request:
            self._end(fate, now)

    def link_lost(self, now: Moment) -> None:
        """What was not written never will be; what was written may still charge."""
        if self.starting is not None and self.starting.written is None:
            self._end(Fate(Outcome.REFUSED, Reason.LINK_LOST), now)

    # --- what the pile says

    def answered(self, said: StartAnswered, raw: bytes, now: Moment) -> None:
        """0x33, 0xA3, matched by the serial: a late success has a sequence number of its own."""
        starting = self.starting
        if starting is None or starting.written is None or starting.command.serial != said.serial:
            self._voice.voice.tally.drop(Drop.UNEXPECTED)
            return
        if said.answer.ok:
            starting.not_plugged = None
            self._reply_once(starting, Fate(Outcome.ACCEPTED, frame_hex=raw.hex()), now)
        elif said.not_plugged and now.mono < starting.written + NOT_PLUGGED_S:
            starting.not_plugged, starting.not_plugged_hex = said, raw.hex()
        else:
            self._refused_by_pile(said, raw.hex(), now)

    def _refused_by_pile(self, said: StartAnswered, frame_hex: str, now: Moment) -> None:
        answer = said.answer
        self._voice.event(
            GunEventKind.START_FAILED,
            now,
            serial=said.serial,
            reason=answer.reason,
            pile_code=answer.code,
            frame_hex=frame_hex,
        )
        starting = self.starting
        self._end(Fate(Outcome.REFUSED, answer.reason, answer.code, answer.zh, answer.en, frame_hex), now)
        if starting is not None and starting.joint_number is not None:
            self._joints.refused(starting.joint_number, now)

    def _companion_refused(self, serial: str, now: Moment) -> None:
        starting = self.starting
        if starting is None or starting.command.serial != serial:
            return
        self._voice.event(GunEventKind.START_FAILED, now, serial=serial, reason=Reason.JOINT_CANCELLED)
        self._end(Fate(Outcome.REFUSED, Reason.JOINT_CANCELLED), now)

    def heard(self, raw: bytes, now: Moment) -> None:
        """A reading came. What the pile shows outranks a lost or contradicting 0x33."""
        starting = self.starting
        if starting is not None and self._gun.is_charging and self._gun.running == starting.command.serial:
            self._end(Fate(Outcome.ACCEPTED, frame_hex=raw.hex()), now)

    def recorded(self, said: RecordSaid, raw: bytes, now: Moment) -> None:
        """A record of the start's serial: with energy it did charge, without it came to nothing."""
        starting = self.starting
        if starting is None or starting.written is None or starting.command.serial != said.serial:
            return
        if said.energy_kwh > 0:
            self._end(Fate(Outcome.ACCEPTED, frame_hex=raw.hex()), now)
            return
        self._voice.event(
            GunEventKind.START_FAILED, now, serial=said.serial, reason=Reason.PILE_REFUSED, pile_code=said.stop_code
        )
        fate = Fate(Outcome.REFUSED, Reason.PILE_REFUSED, said.stop_code, said.stop_zh, said.stop_en, raw.hex())
        self._end(fate, now)

    # --- how it ends

    def _end(self, fate: Fate, now: Moment) -> None:
        """The start is over for the bridge: reply where there was none, and let the gun show what it is without it."""
        starting, self.starting = self.starting, None
        if starting is None:
            return
        self._reply_once(starting, fate, now)
        command = starting.command
        self._gun.start_over(command.serial)
        if command.card_request is not None:
            if starting.written is None:
                self._cards.refuse(command.card_request, fate.reason or Reason.EXPIRED)
            self._cards.start_over()
        if starting.joint_number is not None:
            self._joints.over(starting.joint_number, command.serial)
        self._levels.show(now)

    def _reply_once(self, starting: Starting, fate: Fate, now: Moment) -> None:
        if not starting.is_replied:
            starting.is_replied = True
            self._voice.reply(starting.command, fate, now, allowance_kw=starting.allowance_kw)

    # --- time

    def tick(self, now: Moment) -> None:
        starting = self.starting
        if starting is None or starting.written is None:
            return
        if starting.not_plugged is not None and now.mono >= starting.written + NOT_PLUGGED_S:
            self._refused_by_pile(starting.not_plugged, starting.not_plugged_hex, now)
        elif now.mono >= starting.written + CHARGE_BEGINS_S:
            self._voice.event(GunEventKind.START_FAILED, now, serial=starting.command.serial, reason=Reason.TIMED_OUT)
            self._end(Fate(Outcome.TIMED_OUT, Reason.TIMED_OUT), now)

    def due(self) -> float | None:
        """Monotonic time at which `tick` has something to do."""
        starting = self.starting
        if starting is None or starting.written is None:
            return None
        return starting.written + (CHARGE_BEGINS_S if starting.not_plugged is None else NOT_PLUGGED_S)


def _starting(command: Start) -> Starting:
    return Starting(command, joint_number=command.joint.number if command.joint is not None else None)
