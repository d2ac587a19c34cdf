"""Pure: bytes of one connection → frames → what the pile says; before its login nothing else is listened to."""

from collections.abc import Callable
from dataclasses import dataclass

from bridge.actions import Action, Close, CloseReason, Send, Took
from bridge.dialect import Dialect
from bridge.login import Login
from bridge.moment import Moment
from bridge.pile import Pile
from bridge.protocols.base import Frame, FrameError
from bridge.tally import Drop, Tally
from bridge.trace import Trace
from bridge.words import LoginAnswer, LoginSaid, NotUnderstood
from evcs.contracts.states import Proof
from evcs.contracts.waits import LOGIN_S, SILENT_LINK_S

UNFINISHED_S = 5.0
"""A frame that has begun and does not go on: its start byte was none."""


@dataclass(frozen=True, slots=True)
class LetIn:
    """A login that is accepted: the pile and the name of this login."""

    pile: Pile
    link: str
    proof: Proof
    others: tuple[Action, ...] = ()
    """What else follows from it."""


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """A login that is refused; the connection is closed."""

    others: tuple[Action, ...] = ()


Gate = Callable[[LoginSaid, str, bytes, Moment], LetIn | TurnedAway]
"""(what was said, address, the frame, now) → the decision; the fleet's, since it knows configuration and holders."""


class Link:
    """One connection of a pile, from its first byte to its end."""

    __slots__ = (
        "_dialect",
        "_done_at",
        "_due",
        "_gate",
        "_heard_at",
        "_is_over",
        "_last_bytes",
        "_login_by",
        "_odd_fields",
        "_seen_drops",
        "_splitter",
        "_tally",
        "address",
        "pile",
        "trace",
    )

    def __init__(self, dialect: Dialect, gate: Gate, address: str, tally: Tally, now: Moment) -> None:
        self.address = address
        self.pile: Pile | None = None
        """The pile that logged in here and is still held here."""
        self.trace = Trace()
        self._dialect = dialect
        self._gate = gate
        self._tally = tally
        self._splitter = dialect.splitter()
        self._seen_drops: dict[str, int] = {}
        self._login_by = now.mono + LOGIN_S
        self._heard_at = now.mono
        self._last_bytes = now.mono
        self._done_at = now
        self._due: float | None = now.mono + LOGIN_S
        self._is_over = False
        self._odd_fields: list[str] = []
        """Of the frame in hand: fields with a code that no table has."""

    @property
    def is_logged_in(self) -> bool:
        return self.pile is not None

    @property
    def due(self) -> float:
        """Monotonic time by which `tick` wants to be called. Worked out when it is looked at, not with every frame."""
        if self._due is None:
            due = self._login_by
            if self.pile is not None:
                due = min(self._heard_at + SILENT_LINK_S, self.pile.due(self._done_at))
            self._due = min(due, self._last_bytes + UNFINISHED_S) if self._splitter.pending else due
        return self._due

    def received(self, data: bytes, now: Moment) -> list[Action]:
        """Bytes as they came. Never raises, whatever they are."""
        self._last_bytes = now.mono
        actions = self._frames(self._splitter.feed(data), now)
        self._count_drops()
        return self._done(actions, now)

    def _frames(self, frames: list[Frame], now: Moment) -> list[Action]:
        actions: list[Action] = []
        for frame in frames:
            if self._is_over:
                break
            actions += self._frame(frame, now)
        return actions

    def _frame(self, frame: Frame, now: Moment) -> list[Action]:
        self._tally.frames_in[frame.code] += 1
        self.trace.came(frame.code)
        self._odd_fields.clear()
        try:
            said = self._dialect.hear(frame, self._odd_fields.append)
        except FrameError as error:
            self._tally.drop(Drop.BAD_BODY)
            return self._unused(frame, now, str(error))
        if isinstance(said, LoginSaid):
            return self._login(said, frame, now)
        if self.pile is None:
            return self._close(CloseReason.NOT_A_LOGIN)
        if isinstance(said, NotUnderstood):
            self._tally.drop(Drop.UNKNOWN_TYPE)
            return [
                *self._unused(frame, now, "nothing that a pile says"),
                *self._odd(f"0x{frame.code:02X}", frame),
            ]
        if said.pile != self.pile.number:
            self._tally.drop(Drop.FOREIGN_PILE)
            return self._unused(frame, now, f"about another pile, {said.pile}")
        self._heard_at = now.mono
        # Nothing behind this line ever sees a password.
        raw = self._dialect.redacted(frame.raw)
        actions = self.pile.traced(frame.raw, now, from_pile=True) if self.pile.trace.is_on(now) else []
        for field in self._odd_fields:
            actions += self._odd(f"0x{frame.code:02X} {field}", frame)
        actions += self.pile.heard(said, frame.seq, raw, now)
        return actions

    def _unused(self, frame: Frame, now: Moment, problem: str) -> list[Action]:
        """A frame that changes nothing but a counter; before the login it ends the connection."""
        if self.pile is None:
            return self._close(CloseReason.NOT_A_LOGIN)
        if not self.pile.trace.is_on(now):
            return []
        return self.pile.traced(frame.raw, now, from_pile=True, problem=problem)

    def _odd(self, what: str, frame: Frame) -> list[Action]:
        return [] if self.pile is None else self.pile.odd(what, self._dialect.for_log(frame.raw))

    def _login(self, said: LoginSaid, frame: Frame, now: Moment) -> list[Action]:
        """The first login, or a fresh one on a live connection (also of another pile)."""
        actions: list[Action] = []
        decision = self._gate(said, self.address, frame.raw, now)
        if self.pile is not None and (isinstance(decision, TurnedAway) or decision.pile is not self.pile):
            actions += self.lost("logged in anew", now)
        if isinstance(decision, TurnedAway):
            answer = self._dialect.tell(LoginAnswer(said.pile, ok=False), frame.seq)
            actions += [Send(answer.raw, answer.code), *decision.others, *self._close(CloseReason.LOGIN_REFUSED)]
            return actions
        self.pile = decision.pile
        self._heard_at = now.mono
        login = Login(said, decision.link, decision.proof, self.address, frame.crc_order)
        return [
            *actions,
            *decision.others,
            Took(said.pile),
            *self.pile.logged_in(login, frame.seq, now),
        ]

    def detach(self) -> None:
        """Another connection holds the pile now; this one has nothing to say about it any more."""
        self.pile = None
        self._is_over = True

    def lost(self, why: str, now: Moment) -> list[Action]:
        """The connection is gone, or is given up."""
        pile, self.pile = self.pile, None
        return [] if pile is None else pile.lost(why, now)

    def after(self, actions: list[Action], now: Moment) -> list[Action]:
        """Actions of the pile that came from a command: the link notes them like its own."""
        return self._done(actions, now)

    def paused(self, now: Moment) -> None:
        """The bridge itself does not read at the moment: silence is not the pile's."""
        self._heard_at = self._last_bytes = now.mono
        self._login_by = max(self._login_by, now.mono + 1.0)

    def tick(self, now: Moment) -> list[Action]:
        """Whatever has become due: login and silence time-outs, unfinished frames, the pile's own waits."""
        actions: list[Action] = []
        if self._splitter.pending and now.mono - self._last_bytes >= UNFINISHED_S:
            self._last_bytes = now.mono
            actions += self._frames(self._splitter.abandon(), now)
            self._count_drops()
        if self._is_over:
            return self._done(actions, now)
        if self.pile is None:
            if now.mono >= self._login_by:
                actions += self._close(CloseReason.LOGIN_TIMEOUT)
        elif now.mono - self._heard_at >= SILENT_LINK_S:
            actions += [*self.lost("silent", now), *self._close(CloseReason.SILENT)]
        else:
            actions += self.pile.tick(now)
        return self._done(actions, now)

    def _close(self, reason: CloseReason) -> list[Action]:
        self._is_over = True
        return [Close(reason)]

    def _done(self, actions: list[Action], now: Moment) -> list[Action]:
        for action in actions:
            if isinstance(action, Send):
                self._tally.frames_out[action.code] += 1
                self.trace.went(action.code)
        if self.pile is not None and self.pile.trace.is_on(now):
            actions = self._with_sent_frames(self.pile, actions, now)
        self._done_at, self._due = now, None
        return actions

    def _with_sent_frames(self, pile: Pile, actions: list[Action], now: Moment) -> list[Action]:
        """Each frame that goes out, for whoever watches the pile."""
        watched: list[Action] = []
        for action in actions:
            watched.append(action)
            if isinstance(action, Send):
                watched += pile.traced(action.frame, now, from_pile=False)
        return watched

    def _count_drops(self) -> None:
        """Carry what the splitter threw away since the last time into the common counts."""
        for why, pieces in self._splitter.dropped_pieces.items():
            new = pieces - self._seen_drops.get(why, 0)
            if new:
                self._seen_drops[why] = pieces
                self._tally.drop(str(why), new)
