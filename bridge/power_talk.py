"""Pure: the talk about one pile's power and work permission: who wants which cap, one at a time (YKC 0x52, 0x51)."""

from collections.abc import Mapping

from bridge.allowance import Cap, CapEnd, CapFor, Caps
from bridge.dialect import Dialect
from bridge.gun_talk import GunTalk
from bridge.lockouts import is_pile_locked
from bridge.moment import Moment
from bridge.pile_voice import CommandFate, PileVoice
from bridge.tally import Drop
from bridge.words import PowerAnswered, PowerTold
from evcs.contracts.config import PileConfig
from evcs.contracts.gun import Start
from evcs.contracts.pile import Outcome, PowerAllowance
from evcs.contracts.reasons import Reason

OWN_CAP_AGAIN_S = 30.0
"""After a cap of the bridge's own that was not confirmed."""


class PowerTalk:
    """Who wants which cap of one pile, over all of its links."""

    __slots__ = (
        "_caps",
        "_dialect",
        "_guns",
        "_is_online",
        "_is_told_locked",
        "_own_cap_at",
        "_says",
        "_session_kw",
        "_session_version",
        "_units",
        "config",
    )

    def __init__(self, config: PileConfig, dialect: Dialect, says: PileVoice, guns: Mapping[int, GunTalk]) -> None:
        self.config = config
        self._dialect = dialect
        self._says = says
        self._guns = guns
        self._caps = Caps()
        self._session_kw: float | None = None
        self._session_version = -1
        self._units: int | None = None
        """Last written in this run; None: this pile was never capped by it."""
        self._is_told_locked: bool | None = None
        self._own_cap_at: float | None = None
        self._is_online = False

    def session_level(self, version: int, allowance_kw: float | None) -> None:
        """The power scope's allowance from the newest `G/session` of the pile: set again after a login."""
        if version > self._session_version:
            self._session_version, self._session_kw = version, allowance_kw

    # --- the link

    def logged_in(self, now: Moment) -> None:
        """Set again what `rules` last allowed and what a lockout wants; nothing is known of the pile's own state."""
        self._is_online = True
        self._is_told_locked = None
        self._own_cap_at = None
        if self._session_kw is not None or self._units is not None or is_pile_locked(self.config, now.at):
            self._own_cap()

    def link_lost(self, now: Moment) -> None:
        """What was on its way will not be confirmed. A start that waited for its cap is answered by its gun."""
        self._is_online = False
        for cap in self._caps.link_lost():
            if cap.wanted_by is CapFor.POWER:
                self._says.reply(cap.id, CommandFate(Outcome.TIMED_OUT, Reason.LINK_LOST), now)

    # --- who wants a cap

    def for_start(self, command: Start, gun: int, allowance_kw: float) -> bool:
        """Put the cap of a start in line; False where the line is full."""
        units = self._dialect.units_of(allowance_kw, self.config.rated_kw)
        return self._caps.add(Cap(CapFor.START, command.id, units, command.expires_at, gun))

    def call_off(self, start_id: str) -> None:
        """The start that wanted it is over."""
        self._caps.remove(start_id)

    def allow(self, command: PowerAllowance, now: Moment) -> None:
        """`P/power`: a new allowance for the whole pile."""
        units = self._dialect.units_of(command.allowance_kw, self.config.rated_kw)
        if not self._caps.add(Cap(CapFor.POWER, command.id, units, command.expires_at)):
            self._says.reply(command.id, CommandFate(Outcome.REFUSED, Reason.CAP_NOT_CONFIRMED), now)

    def _own_cap(self) -> None:
        """Set again what `rules` last allowed, with the work permission of the lockout."""
        if self._session_kw is not None:
            units = self._dialect.units_of(self._session_kw, self.config.rated_kw)
        else:
            units = self._units if self._units is not None else self._dialect.power_control.most
        self._own_cap_at = None
        self._caps.add(Cap(CapFor.OWN, "", units))

    def _must_be_locked(self, now: Moment) -> bool:
        """The work permission is the whole pile's: it is taken only when nothing runs on it any more."""
        if self.config.lockout is None:
            return False
        return is_pile_locked(self.config, now.at) and not any(talk.gun.is_running for talk in self._guns.values())

    # --- one after the other

    def settle(self, now: Moment) -> None:
        """After each input: whether the work permission still is as it must be, and whose turn it is."""
        if not self._is_online:
            return
        if self._own_cap_at is None and self._caps.is_quiet and self._must_be_locked(now) != bool(self._is_told_locked):
            self._own_cap()
        while (cap := self._caps.next()) is not None:
            if cap.expires_at is not None and now.at >= cap.expires_at:
                self._expired(cap, now)
                continue
            locked = self._must_be_locked(now)
            seq = self._says.voice.tell(PowerTold(self._says.pile, cap.units, locked))
            if seq is None:
                self._over(cap, CapEnd.REFUSED, 0, "", now)
                continue
            self._units, self._is_told_locked = cap.units, locked
            self._caps.written(cap, seq, now.mono)

    def answered(self, said: PowerAnswered, seq: bytes, raw: bytes, now: Moment) -> None:
        """0x51."""
        answered = self._caps.answered(said.ok, seq)
        if answered is None:
            self._says.voice.tally.drop(Drop.UNEXPECTED)
            return
        self._over(*answered, said.code, raw.hex(), now)

    def _over(self, cap: Cap, end: CapEnd, code: int, frame_hex: str, now: Moment) -> None:
        allowance_kw = self._dialect.kw_of(cap.units, self.config.rated_kw)
        match cap.wanted_by, end:
            case CapFor.START, CapEnd.CONFIRMED:
                self._guns[cap.gun].cap_confirmed(cap.id, allowance_kw, now)
            case CapFor.START, _:
                self._guns[cap.gun].cap_failed(cap.id, now)
            case CapFor.POWER, CapEnd.CONFIRMED:
                fate = CommandFate(Outcome.ACCEPTED, allowance_kw=allowance_kw, frame_hex=frame_hex)
                self._says.reply(cap.id, fate, now)
            case CapFor.POWER, CapEnd.REFUSED:
                fate = CommandFate(Outcome.REFUSED, Reason.CAP_NOT_CONFIRMED, pile_code=code, frame_hex=frame_hex)
                self._says.reply(cap.id, fate, now)
            case CapFor.POWER, CapEnd.TIMED_OUT:
                self._says.reply(cap.id, CommandFate(Outcome.TIMED_OUT, Reason.CAP_NOT_CONFIRMED), now)
            case CapFor.OWN, CapEnd.CONFIRMED:
                pass
            case CapFor.OWN, _:
                self._is_told_locked = None
                self._own_cap_at = now.mono + OWN_CAP_AGAIN_S
                self._says.voice.note("own_cap_not_confirmed", is_warning=True, units=cap.units, end=str(end))

    def _expired(self, cap: Cap, now: Moment) -> None:
        if cap.wanted_by is CapFor.START:
            self._guns[cap.gun].cap_confirmed(cap.id, 0.0, now)  # answers `expired` and writes nothing
        elif cap.wanted_by is CapFor.POWER:
            self._says.reply(cap.id, CommandFate(Outcome.EXPIRED, Reason.EXPIRED), now)

    # --- time

    def tick(self, now: Moment) -> None:
        """Whatever has become due, with a link or without."""
        overdue = self._caps.overdue(now.mono)
        if overdue is not None:
            self._over(overdue, CapEnd.TIMED_OUT, 0, "", now)
        if self._is_online and self._own_cap_at is not None and now.mono >= self._own_cap_at:
            self._own_cap()

    def due(self) -> float | None:
        """Monotonic time at which `tick` has something to do."""
        answer_by, again_at = self._caps.deadline, self._own_cap_at
        if answer_by is None or again_at is None:
            return answer_by if again_at is None else again_at
        return min(answer_by, again_at)
