"""Pure: what each kind of pile command tells the pile, what stands against it, and what its answer means."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from bridge.card_errands import clearing, finding, storing
from bridge.dialect import CardsPerFrame
from bridge.errands import Errand, refused
from bridge.gun_talk import GunTalk
from bridge.moment import Moment
from bridge.pile_clock import PileClock
from bridge.pile_voice import CommandFate
from bridge.tariffs import TariffTalk
from bridge.trace import FrameTrace
from bridge.words import (
    BalanceAnswered,
    BalanceTold,
    ClockSaid,
    GroundLockAnswered,
    GroundLockTold,
    QrAnswered,
    QrTold,
    ReadGun,
    Reading,
    RestartAnswered,
    RestartTold,
    Said,
    TariffPushAnswered,
    Told,
    UpdateAnswered,
    UpdateTold,
)
from evcs.contracts.config import PileConfig
from evcs.contracts.pile import Outcome, PileCommand, PileCommandKind
from evcs.contracts.reasons import Reason
from evcs.contracts.waits import PILE_ANSWER_S, UPDATE_ANSWER_S

UPDATE_MARGIN_S = 300.0
"""For installing, besides the download's own time-out."""
TRACE_AT_MOST = timedelta(hours=1, minutes=1)
"""An hour, and what two clocks may differ by."""

LANES = {
    PileCommandKind.CARDS_CLEAR: PileCommandKind.CARDS_STORE,
    PileCommandKind.CARDS_QUERY: PileCommandKind.CARDS_STORE,
}
"""A list that is asked for shows what was stored and cleared before."""

ACCEPTED = CommandFate(Outcome.ACCEPTED)
NOT_ALLOWED = refused(Reason.VALUE_NOT_ALLOWED)


@dataclass(slots=True)
class Question:
    """A command that is told once, and whose first answer is the end of it."""

    told: tuple[Told, ...]
    answer: type
    judge: Callable[[Said, bytes, Moment], CommandFate]
    gun: int | None = None
    """Where the answer names a gun: it has to be this one."""
    wait_s: float = PILE_ANSWER_S
    outlives_link: bool = False
    not_expressible: Reason = Reason.VALUE_NOT_ALLOWED
    on_failed: Callable[[Outcome], None] | None = None

    def asks(self) -> tuple[Told, ...]:
        return self.told

    def concerns(self, said: Said) -> bool:
        return self.gun is None or getattr(said, "gun", None) == self.gun

    def heard(self, said: Said, raw: bytes, now: Moment) -> CommandFate | None:
        return self.judge(said, raw, now)

    def failed(self, outcome: Outcome, reason: Reason) -> CommandFate:
        if self.on_failed is not None:
            self.on_failed(outcome)
        return CommandFate(outcome, reason)


def _by_code(ok: bool, code: int, zh: str = "", en: str = "") -> CommandFate:
    if ok:
        return ACCEPTED
    return CommandFate(Outcome.REFUSED, Reason.PILE_REFUSED, code, zh, en)


def _simple(said: Said, raw: bytes, now: Moment) -> CommandFate:
    """Answers of which nothing but a result is known."""
    assert isinstance(said, GroundLockAnswered | RestartAnswered)
    return _by_code(said.ok, said.code)


class Kinds:
    """How one pile is told each kind of command, and what of its own state stands against it."""

    __slots__ = (
        "_cards",
        "_clock",
        "_guns",
        "_tariff",
        "_trace",
        "config",
        "expects_restart",
    )

    def __init__(
        self,
        config: PileConfig,
        guns: Mapping[int, GunTalk],
        clock: PileClock,
        tariff: TariffTalk,
        trace: FrameTrace,
        cards: CardsPerFrame,
    ) -> None:
        self.config = config
        self.expects_restart = False
        """The pile took a restart or an update: it will go away for a while."""
        self._guns = guns
        self._clock = clock
        self._tariff = tariff
        self._trace = trace
        self._cards = cards

    def lane(self, kind: PileCommandKind) -> PileCommandKind:
        """Kinds that must not overtake one another share the lane of one of them."""
        return LANES.get(kind, kind)

    def make(self, command: PileCommand, now: Moment) -> Errand | CommandFate:
        """Carry a command out, or say at once what becomes of it."""
        return _MAKERS[command.kind](self, command, now)

    def _balance(self, command: PileCommand, now: Moment) -> Errand | CommandFate:
        """0x42. The pile knows no serial: what runs at the gun has to be the charge that is meant."""
        talk = self._talk(command.gun)
        if talk is None or command.gun is None or command.balance_fen is None or command.serial is None:
            return NOT_ALLOWED
        if not talk.gun.is_running or talk.gun.serial != command.serial:
            return refused(Reason.NOT_CHARGING)
        told = BalanceTold(self.config.pile, command.gun, command.card, command.balance_fen)
        return Question((told,), BalanceAnswered, _balance_answered)

    def _tariff_push(self, command: PileCommand, now: Moment) -> Errand | CommandFate:
        """0x58, never between a start and the end of what it started (design, Tariff)."""
        if any(talk.gun.is_running or talk.starting is not None for talk in self._guns.values()):
            return refused(Reason.PILE_BUSY)
        told = self._tariff.push(command.tariff_version)
        if isinstance(told, Reason):
            return refused(told)
        return Question(
            (told,),
            TariffPushAnswered,
            self._pushed,
            not_expressible=Reason.TARIFF_NOT_EXPRESSIBLE,
            on_failed=self._tariff.push_failed,
        )

    def _pushed(self, said: Said, raw: bytes, now: Moment) -> CommandFate:
        assert isinstance(said, TariffPushAnswered)
        return self._tariff.push_answered(said, raw, now)

    def _poll(self, command: PileCommand, now: Moment) -> Errand | CommandFate:
        """0x12 of a gun, or of all; the first reading is the answer."""
        if command.gun is not None and self._talk(command.gun) is None:
            return NOT_ALLOWED
        guns = [command.gun] if command.gun is not None else sorted(self._guns)
        told = tuple(ReadGun(self.config.pile, gun) for gun in guns)
        return Question(told, Reading, lambda *_: ACCEPTED, gun=command.gun)

    def _set_clock(self, command: PileCommand, now: Moment) -> Errand | CommandFate:
        """0x56; the error that is left stands in `P/status`."""
        return Question((self._clock.setting(now),), ClockSaid, lambda *_: ACCEPTED)

    def _restart(self, command: PileCommand, now: Moment) -> Errand | CommandFate:
        """0x92. At once means at once, also while a car charges: that is the person's choice."""
        return Question((RestartTold(self.config.pile, command.when),), RestartAnswered, self._restarts)

    def _restarts(self, said: Said, raw: bytes, now: Moment) -> CommandFate:
        fate = _simple(said, raw, now)
        self.expects_restart = fate.outcome is Outcome.ACCEPTED
        return fate

    def _update(self, command: PileCommand, now: Moment) -> Errand | CommandFate:
        """0x94. Its answer comes after the attempt, over which the pile may have started anew and logged in again."""
        if command.update is None:
            return NOT_ALLOWED
        is_final = self.config.dialect.update_answer_is_final
        wait_s = min(UPDATE_ANSWER_S, command.update.timeout_min * 60 + UPDATE_MARGIN_S) if is_final else PILE_ANSWER_S
        told = UpdateTold(self.config.pile, self.config.kind, self.config.rated_kw, command.update, command.when)
        return Question((told,), UpdateAnswered, self._updated, wait_s=wait_s, outlives_link=is_final)

    def _updated(self, said: Said, raw: bytes, now: Moment) -> CommandFate:
        assert isinstance(said, UpdateAnswered)
        if not said.ok:
            return _by_code(False, said.code, said.zh, said.en)
        if self.config.dialect.update_answer_is_final:
            return CommandFate(Outcome.ACCEPTED, pile_code=said.code, zh="升级成功", en="updated")
        self.expects_restart = True
        return CommandFate(
            Outcome.ACCEPTED,
            pile_code=said.code,
            zh="充电桩已受理升级，结果以重新登录后的程序版本为准",
            en="the pile took the order; whether it was updated shows the version of its next login",
        )

    def _qr_prefix(self, command: PileCommand, now: Moment) -> Errand | CommandFate:
        """0xF0; makers disagree on which code of 0xF1 means done."""
        if command.qr is None or not command.qr.prefix.isascii():
            return NOT_ALLOWED
        return Question((QrTold(self.config.pile, command.qr),), QrAnswered, self._qr_answered)

    def _qr_answered(self, said: Said, raw: bytes, now: Moment) -> CommandFate:
        assert isinstance(said, QrAnswered)
        return _by_code(said.code == self.config.dialect.qr_ok_code, said.code)

    def _card_list(self, command: PileCommand, now: Moment) -> Errand | CommandFate:
        """0x44, 0x46, 0x48."""
        if not command.cards:
            return NOT_ALLOWED
        pile, cards, per_frame = self.config.pile, command.cards, self._cards
        match command.kind:
            case PileCommandKind.CARDS_STORE:
                return storing(pile, cards, per_frame.stored)
            case PileCommandKind.CARDS_CLEAR:
                return clearing(pile, cards, per_frame.cleared)
            case _:
                return finding(pile, cards, per_frame.asked)

    def _ground_lock(self, command: PileCommand, now: Moment) -> Errand | CommandFate:
        """0x62; where the lock then is, 0x61 says."""
        if command.gun is None or self._talk(command.gun) is None or command.lock is None:
            return NOT_ALLOWED
        told = GroundLockTold(self.config.pile, command.gun, command.lock)
        return Question((told,), GroundLockAnswered, _simple, gun=command.gun)

    def _set_trace(self, command: PileCommand, now: Moment) -> Errand | CommandFate:
        """Nothing is told to the pile: the bridge publishes its frames until then."""
        until = command.trace_until
        if until is not None and not now.at < until <= now.at + TRACE_AT_MOST:
            return NOT_ALLOWED
        self._trace.publish_until(until)
        return ACCEPTED

    def _refuse_card(self, command: PileCommand, now: Moment) -> Errand | CommandFate:
        """0x32 or 0xA2 with a failure code: the driver who asked at the gun may not charge."""
        talk = self._talk(command.gun)
        if talk is None or command.card_request is None or command.reason is None:
            return NOT_ALLOWED
        is_open = talk.refuse_card(command.card_request, command.reason, now)
        return ACCEPTED if is_open else CommandFate(Outcome.EXPIRED, Reason.EXPIRED)

    def _talk(self, gun: int | None) -> GunTalk | None:
        return None if gun is None else self._guns.get(gun)


_MAKERS: dict[PileCommandKind, Callable[[Kinds, PileCommand, Moment], Errand | CommandFate]] = {
    PileCommandKind.BALANCE: Kinds._balance,
    PileCommandKind.TARIFF_PUSH: Kinds._tariff_push,
    PileCommandKind.POLL: Kinds._poll,
    PileCommandKind.CLOCK: Kinds._set_clock,
    PileCommandKind.RESTART: Kinds._restart,
    PileCommandKind.UPDATE: Kinds._update,
    PileCommandKind.QR_PREFIX: Kinds._qr_prefix,
    PileCommandKind.CARDS_STORE: Kinds._card_list,
    PileCommandKind.CARDS_CLEAR: Kinds._card_list,
    PileCommandKind.CARDS_QUERY: Kinds._card_list,
    PileCommandKind.GROUND_LOCK: Kinds._ground_lock,
    PileCommandKind.TRACE: Kinds._set_trace,
    PileCommandKind.REFUSE_CARD: Kinds._refuse_card,
}


def _balance_answered(said: Said, raw: bytes, now: Moment) -> CommandFate:
    assert isinstance(said, BalanceAnswered)
    return _by_code(said.ok, said.code, said.zh, said.en)
