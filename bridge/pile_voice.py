"""Pure: what is published about one pile besides its level: events, and the one reply to a command."""

from dataclasses import dataclass

from bridge.commands import Commands
from bridge.moment import Moment
from bridge.voice import Voice
from evcs.contracts.pile import CardResult, LeafCount, Outcome, PileEvent, PileEventKind, PileReply
from evcs.contracts.reasons import Reason
from evcs.contracts.times import Instant
from evcs.contracts.topics import PILE_EVENT, PILE_REPLY


@dataclass(frozen=True, slots=True)
class CommandFate:
    """What became of a power or pile command; where the pile said so, with its code, words and frame."""

    outcome: Outcome
    reason: Reason | None = None
    pile_code: int | None = None
    zh: str = ""
    en: str = ""
    allowance_kw: float | None = None
    cards: tuple[CardResult, ...] = ()
    tariff_version: str | None = None
    frame_hex: str = ""


class PileVoice:
    """A pile's events and replies, over all of its links."""

    __slots__ = (
        "_commands",
        "link",
        "voice",
    )

    def __init__(self, voice: Voice, commands: Commands) -> None:
        self.voice = voice
        self.link = ""
        """Names the login that holds the pile; empty while offline."""
        self._commands = commands

    @property
    def pile(self) -> str:
        return self.voice.pile

    def event(
        self,
        kind: PileEventKind,
        now: Moment,
        *,
        tariff_version: str | None = None,
        clock_offset_s: float | None = None,
        reason: Reason | None = None,
        text: str = "",
        hour: Instant | None = None,
        counts: tuple[LeafCount, ...] = (),
        frame_hex: str = "",
    ) -> None:
        """Publish an event."""
        receipt = self.voice.receipt(PILE_EVENT)
        event = PileEvent(
            id=self.voice.message_id(PILE_EVENT, receipt),
            receipt=receipt,
            kind=kind,
            received_at=now.at,
            link=self.link,
            tariff_version=tariff_version,
            clock_offset_s=clock_offset_s,
            reason=reason,
            text=text,
            hour=hour,
            counts=counts,
            frame_hex=frame_hex,
        )
        self.voice.publish(PILE_EVENT, event)

    def reply(self, command_id: str, fate: CommandFate, now: Moment) -> None:
        """The one reply to a command; one that has it gets no other."""
        if self._commands.has_reply(command_id):
            return
        reply = PileReply(
            id=command_id,
            receipt=self.voice.receipt(PILE_REPLY),
            outcome=fate.outcome,
            received_at=now.at,
            reason=fate.reason,
            pile_code=fate.pile_code,
            allowance_kw=fate.allowance_kw,
            pile_text_zh=fate.zh,
            pile_text_en=fate.en,
            cards=fate.cards,
            tariff_version=fate.tariff_version,
            frame_hex=fate.frame_hex,
        )
        self._commands.answered(command_id, self.voice.publish(PILE_REPLY, reply))
