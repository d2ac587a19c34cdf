"""Pure: a driver's question at one gun's card reader (0x31, 0xA1), from its frame to its one answer (0x32, 0xA2)."""

from dataclasses import dataclass
from datetime import timedelta

from bridge.gun_voice import GunVoice
from bridge.moment import Moment
from bridge.words import CardAllowed, CardAsked, CardRefused
from evcs.contracts.gun import CardRequest, GunEventKind, Start
from evcs.contracts.reasons import Reason
from evcs.contracts.times import Instant
from evcs.contracts.waits import CARD_ANSWER_S

QUESTIONS_AT_MOST = 12
OFTEN_WITHIN_S = 60.0
"""No driver swipes more often at one gun: each question becomes rows in the database, and costs looking at it."""


@dataclass(slots=True)
class Asking:
    """A question that waits for its answer."""

    id: str
    said: CardAsked
    seq: bytes
    """Of its newest repetition: that is what the answer repeats."""
    deadline: float


@dataclass(frozen=True, slots=True)
class Allowed:
    """The answer that was given, as long as the pile may ask again because it crossed on the way."""

    question: CardAsked
    answer: CardAllowed


class GunCards:
    """At most one question of a gun is open. Whether it may start is for others to decide; here is only the asking."""

    __slots__ = ("_allowed", "_asked_at", "_voice", "asking")

    def __init__(self, voice: GunVoice) -> None:
        self.asking: Asking | None = None
        self._allowed: Allowed | None = None
        self._asked_at: tuple[float, ...] = ()
        self._voice = voice

    def is_repeated(self, said: CardAsked) -> bool:
        """Whether it is the open question, or the one that was answered with yes and has not led to a charge yet."""
        is_open = self.asking is not None and self.asking.said == said
        return is_open or (self._allowed is not None and self._allowed.question == said)

    def is_too_often(self, now: Moment) -> bool:
        """Count a new question; whether it is one too many of the last minute."""
        self._asked_at = tuple(at for at in self._asked_at if at > now.mono - OFTEN_WITHIN_S)
        if len(self._asked_at) >= QUESTIONS_AT_MOST:
            return True
        self._asked_at = (*self._asked_at, now.mono)
        return False

    def repeated(self, said: CardAsked, seq: bytes) -> None:
        """The same question again: the open one gets the newest sequence bytes, an answered one its answer."""
        if self.asking is not None and self.asking.said == said:
            self.asking.seq = seq
        elif self._allowed is not None:
            self._voice.tell(self._allowed.answer, seq)

    def asked(self, said: CardAsked, seq: bytes, raw: bytes, now: Moment) -> str:
        """A new question: published. Returns its id."""
        self._allowed = None
        expires_at: Instant = now.at + timedelta(seconds=CARD_ANSWER_S)
        event_id = self._voice.event(
            GunEventKind.CARD_REQUEST,
            now,
            card=said.card,
            vin=said.vin or None,
            card_request=CardRequest(
                mode=said.mode,
                card=said.card,
                vin=said.vin,
                password=said.password,
                joint=said.joint,
                expires_at=expires_at,
            ),
            frame_hex=raw.hex(),
        )
        self.asking = Asking(event_id, said, seq, now.mono + CARD_ANSWER_S)
        return event_id

    def turn_away(self, said: CardAsked, seq: bytes, reason: Reason) -> None:
        """What the bridge itself knows against it: answered at once, nobody is asked."""
        self.asking = None
        self._voice.tell(_refusal(said, reason), seq)
        self._voice.voice.note("card_turned_away", gun=self._voice.number, reason=str(reason))

    def is_open(self, card_request: str) -> bool:
        """Whether this question still waits for its answer."""
        return self.asking is not None and self.asking.id == card_request

    def allow(self, start: Start) -> CardAllowed | None:
        """Answer the question of an admitted start with yes; None where the protocol cannot express it."""
        asking, self.asking = self.asking, None
        if asking is None or asking.id != start.card_request:
            return None
        joint = asking.said.joint
        answer = CardAllowed(
            self._voice.pile,
            self._voice.number,
            start.serial,
            start.balance_fen,
            start.printed_card,
            joint.number if joint is not None else None,
        )
        if not self._voice.tell(answer, asking.seq):
            self._voice.tell(_refusal(asking.said, Reason.PILE_REFUSED), asking.seq)
            return None
        self._allowed = Allowed(asking.said, answer)
        return answer

    def refuse(self, card_request: str, reason: Reason) -> CardAsked | None:
        """Answer it with no, once; returns what was asked, None where it is not open any more."""
        asking = self.asking
        if asking is None or asking.id != card_request:
            return None
        self.asking = None
        self._voice.tell(_refusal(asking.said, reason), asking.seq)
        return asking.said

    def start_over(self) -> None:
        """What was answered with yes charges, or came to nothing: the same question is a new one from now on."""
        self._allowed = None

    def forget(self) -> None:
        """The open question is nobody's any more: another one came, or the connection over which it came is gone.

        What was answered with yes stays: the pile may not have heard it, and asks the same again over a new link.
        """
        self.asking = None

    def overdue(self, now: Moment) -> str | None:
        """Id of the open question whose time is over."""
        return self.asking.id if self.asking is not None and now.mono >= self.asking.deadline else None

    def due(self) -> float | None:
        return None if self.asking is None else self.asking.deadline


def _refusal(said: CardAsked, reason: Reason) -> CardRefused:
    return CardRefused(said.pile, said.gun, reason, said.joint.number if said.joint is not None else None)
