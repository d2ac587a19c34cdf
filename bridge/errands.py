"""Pure: commands to a pile on their way: each is told, awaits the frame that answers it, and ends in one reply.

Frames that answer say neither the command's id nor, mostly, more than the pile. So of each kind one is on its way at
a time; what comes meanwhile waits its turn, and its conditions are looked at when that comes.
"""

from dataclasses import dataclass, replace
from typing import Protocol

from bridge.moment import Moment
from bridge.pile_voice import CommandFate, PileVoice
from bridge.words import Said, Told
from evcs.contracts.pile import Outcome, PileCommand, PileCommandKind
from evcs.contracts.reasons import Reason

WAITING_AT_MOST = 16
"""Of one lane; more of a kind at once is a mistake of the sender."""
LATE_WITHIN_S = 60.0
"""How long an unanswered sequence number is remembered, so that its late answer is not taken for the next one's."""


class Errand(Protocol):
    """A command that is being carried out."""

    answer: type
    """The word that answers it."""
    wait_s: float
    """From telling to the answer."""
    outlives_link: bool
    """Whether the answer may still come after a new login."""
    not_expressible: Reason
    """Where the protocol has no place for what is to be told."""

    def asks(self) -> tuple[Told, ...]:
        """What to tell now, together; called again after an answer that was not the last."""

    def concerns(self, said: Said) -> bool:
        """Whether a word of the answer's kind is about this command."""

    def heard(self, said: Said, raw: bytes, now: Moment) -> CommandFate | None:
        """The answer; None where more is to be told."""

    def failed(self, outcome: Outcome, reason: Reason) -> CommandFate:
        """No answer will come any more."""


class Kinds(Protocol):
    """What there is to know of each kind of command."""

    def lane(self, kind: PileCommandKind) -> PileCommandKind:
        """Kinds that must not overtake one another share the lane of one of them."""

    def make(self, command: PileCommand, now: Moment) -> Errand | CommandFate:
        """Carry a command out, or say at once what becomes of it."""


def refused(reason: Reason) -> CommandFate:
    """Nothing was told to the pile."""
    return CommandFate(Outcome.REFUSED, reason)


@dataclass(slots=True)
class _UnderWay:
    command: PileCommand
    errand: Errand
    deadline: float
    seqs: tuple[bytes, ...]


class Errands:
    """The pile commands of one pile, over all of its links."""

    __slots__ = (
        "_kinds",
        "_says",
        "_unanswered",
        "_under_way",
        "_waiting",
    )

    def __init__(self, says: PileVoice, kinds: Kinds) -> None:
        self._says = says
        self._kinds = kinds
        self._waiting: dict[PileCommandKind, list[PileCommand]] = {}
        self._under_way: dict[PileCommandKind, _UnderWay] = {}
        self._unanswered: dict[bytes, float] = {}
        """Sequence bytes whose time was over → how long a late answer is reckoned with."""

    def take(self, command: PileCommand, now: Moment) -> None:
        """A command that is fresh and in time."""
        lane = self._kinds.lane(command.kind)
        waiting = self._waiting.setdefault(lane, [])
        if len(waiting) >= WAITING_AT_MOST:
            self._says.reply(command.id, refused(Reason.PILE_BUSY), now)
            return
        waiting.append(command)
        self._next(lane, now)

    def _next(self, lane: PileCommandKind, now: Moment) -> None:
        waiting = self._waiting.get(lane)
        while waiting and lane not in self._under_way:
            command = waiting.pop(0)
            if now.at >= command.expires_at:
                self._says.reply(command.id, CommandFate(Outcome.EXPIRED, Reason.EXPIRED), now)
                continue
            made = self._kinds.make(command, now)
            if isinstance(made, CommandFate):
                self._says.reply(command.id, made, now)
            else:
                self._tell(lane, command, made, now)

    def _tell(self, lane: PileCommandKind, command: PileCommand, errand: Errand, now: Moment) -> None:
        seqs = []
        for told in errand.asks():
            seq = self._says.voice.tell(told)
            if seq is None:
                fate = errand.failed(Outcome.REFUSED, errand.not_expressible)
                self._says.reply(command.id, fate, now)
                return
            seqs.append(seq)
        self._under_way[lane] = _UnderWay(command, errand, now.mono + errand.wait_s, tuple(seqs))

    def heard(self, said: Said, seq: bytes, raw: bytes, now: Moment) -> bool:
        """A word of the pile that may answer one of them; False where it answers none."""
        for lane, under_way in self._under_way.items():
            errand = under_way.errand
            if isinstance(said, errand.answer) and errand.concerns(said) and not self._is_late(seq, under_way, now):
                self._answered(lane, under_way, said, raw, now)
                return True
        return False

    def _is_late(self, seq: bytes, under_way: _UnderWay, now: Moment) -> bool:
        """Answers repeat the sequence number, but not every pile does: it is only used to know a late answer by."""
        return seq not in under_way.seqs and now.mono < self._unanswered.get(seq, 0.0)

    def _answered(self, lane: PileCommandKind, under_way: _UnderWay, said: Said, raw: bytes, now: Moment) -> None:
        del self._under_way[lane]
        fate = under_way.errand.heard(said, raw, now)
        if fate is None:
            self._tell(lane, under_way.command, under_way.errand, now)
        else:
            self._says.reply(under_way.command.id, replace(fate, frame_hex=raw.hex()), now)
        self._next(lane, now)

    def link_lost(self, now: Moment, *, for_good: bool = False) -> None:
        """What was told is not answered any more, what waited will not be told. `for_good`: another bridge has it."""
        for lane, under_way in list(self._under_way.items()):
            if for_good or not under_way.errand.outlives_link:
                del self._under_way[lane]
                fate = under_way.errand.failed(Outcome.TIMED_OUT, Reason.LINK_LOST)
                self._says.reply(under_way.command.id, fate, now)
        for waiting in self._waiting.values():
            while waiting:
                self._says.reply(waiting.pop(0).id, CommandFate(Outcome.TIMED_OUT, Reason.LINK_LOST), now)
        self._unanswered.clear()

    def tick(self, now: Moment) -> None:
        """Whatever has become due, with a link or without."""
        for lane, under_way in list(self._under_way.items()):
            if now.mono >= under_way.deadline:
                del self._under_way[lane]
                self._forget_late(now)
                self._unanswered.update(dict.fromkeys(under_way.seqs, now.mono + LATE_WITHIN_S))
                fate = under_way.errand.failed(Outcome.TIMED_OUT, Reason.TIMED_OUT)
                self._says.reply(under_way.command.id, fate, now)
                self._next(lane, now)
        for waiting in self._waiting.values():
            for command in [one for one in waiting if now.at >= one.expires_at]:
                waiting.remove(command)
                self._says.reply(command.id, CommandFate(Outcome.EXPIRED, Reason.EXPIRED), now)

    def _forget_late(self, now: Moment) -> None:
        self._unanswered = {seq: until for seq, until in self._unanswered.items() if now.mono < until}

    def due(self) -> float | None:
        """Monotonic time at which `tick` has something to do; expiries of waiting ones are looked at often enough."""
        return min(one.deadline for one in self._under_way.values()) if self._under_way else None
