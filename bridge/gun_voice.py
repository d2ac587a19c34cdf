"""Pure: what is published about one gun and said to its pile: events, marks, and the one reply to a command."""

from dataclasses import dataclass

from bridge.commands import Commands
from bridge.gun import Gun
from bridge.meter_marks import Mark
from bridge.moment import Moment
from bridge.voice import Voice
from bridge.words import Told
from evcs.contracts.gun import (
    BatteryLimits,
    CardRequest,
    ChargeEnding,
    Finding,
    GroundLock,
    GunEvent,
    GunEventKind,
    GunReply,
    MeterMark,
    Start,
    Stop,
    Vehicle,
)
from evcs.contracts.pile import Outcome
from evcs.contracts.reasons import Reason
from evcs.contracts.states import StopClass
from evcs.contracts.topics import GUN_EVENT, GUN_REPLY, METER


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a start or stop; where the pile said so, with its code, words and frame."""

    outcome: Outcome
    reason: Reason | None = None
    pile_code: int | None = None
    zh: str = ""
    en: str = ""
    frame_hex: str = ""


class GunVoice:
    """A gun's part of its pile's voice, over all of the pile's links."""

    __slots__ = ("_commands", "_gun", "number", "voice")

    def __init__(self, gun: Gun, voice: Voice, commands: Commands) -> None:
        self.voice = voice
        self.number = gun.number
        self._gun = gun
        self._commands = commands

    @property
    def pile(self) -> str:
        return self.voice.pile

    def tell(self, told: Told, answers: bytes | None = None) -> bool:
        """Say something to the pile; False where the protocol cannot express it."""
        return self.voice.tell(told, answers) is not None

    def mark(self, mark: Mark, now: Moment) -> None:
        """Publish a register mark."""
        payload = MeterMark(
            receipt=self.voice.receipt(METER),
            serial=mark.serial,
            why=mark.why,
            received_at=now.at,
            energy_kwh=mark.energy_kwh,
            register_kwh=mark.register_kwh,
        )
        self.voice.publish(METER, payload, self.number)

    def event(
        self,
        kind: GunEventKind,
        now: Moment,
        *,
        event_id: str | None = None,
        serial: str | None = None,
        reason: Reason | None = None,
        pile_code: int | None = None,
        stop_class: StopClass | None = None,
        fault_bits: int | None = None,
        card: str | None = None,
        vin: str | None = None,
        card_request: CardRequest | None = None,
        vehicle: Vehicle | None = None,
        limits: BatteryLimits | None = None,
        ending: ChargeEnding | None = None,
        findings: tuple[Finding, ...] = (),
        ground_lock: GroundLock | None = None,
        frame_hex: str = "",
    ) -> str:
        """Publish an event; without a serial it is about what runs or is starting. Returns its id."""
        receipt = self.voice.receipt(GUN_EVENT)
        event = GunEvent(
            id=event_id or self.voice.message_id(GUN_EVENT, receipt),
            receipt=receipt,
            kind=kind,
            received_at=now.at,
            link=self.voice.link,
            serial=serial if serial is not None else self._gun.serial,
            reason=reason,
            pile_code=pile_code,
            stop_class=stop_class,
            fault_bits=fault_bits,
            card=card,
            vin=vin,
            card_request=card_request,
            vehicle=vehicle,
            limits=limits,
            ending=ending,
            findings=findings,
            ground_lock=ground_lock,
            frame_hex=frame_hex,
        )
        self.voice.publish(GUN_EVENT, event, self.number)
        return event.id

    def reply(self, command: Start | Stop, fate: Fate, now: Moment, *, allowance_kw: float | None = None) -> None:
        """The one reply to a start or stop; a command that has it gets no other."""
        if self._commands.has_reply(command.id):
            return
        reply = GunReply(
            id=command.id,
            receipt=self.voice.receipt(GUN_REPLY),
            serial=command.serial,
            command="start" if isinstance(command, Start) else "stop",
            outcome=fate.outcome,
            reason=fate.reason,
            pile_code=fate.pile_code,
            pile_text_zh=fate.zh,
            pile_text_en=fate.en,
            allowance_kw=allowance_kw,
            received_at=now.at,
            frame_hex=fate.frame_hex,
        )
        self._commands.answered(reply.id, self.voice.publish(GUN_REPLY, reply, self.number))
