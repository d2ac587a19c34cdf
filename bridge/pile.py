"""Pure: one pile's conversation over all of its links: what it says goes to the part that it is about.

Frames come and go through `link`. Each part has its own file: level, clock, tariff, power, commands, locks, guns.
"""

from bridge.actions import Action
from bridge.commands import Commands, Late, Repeated
from bridge.dialect import Dialect
from bridge.errand_kinds import Kinds
from bridge.errands import Errands
from bridge.ground_locks import GroundLocks
from bridge.gun_talk import GunTalk
from bridge.joints import Joints
from bridge.lockouts import is_gun_locked
from bridge.login import Login
from bridge.moment import Moment
from bridge.pile_clock import PileClock
from bridge.pile_level import PileLevel
from bridge.pile_starts import PileStarts
from bridge.pile_voice import CommandFate, PileVoice
from bridge.power_talk import PowerTalk
from bridge.receipts import hour_of
from bridge.tally import Drop, Tally
from bridge.tariffs import TariffTalk
from bridge.trace import FrameTrace
from bridge.voice import BridgeRun, Voice
from bridge.words import (
    AbortSaid,
    BatterySaid,
    BmsErrorSaid,
    CardAsked,
    ClockSaid,
    DemandSaid,
    EndingSaid,
    GroundLockSaid,
    HeartbeatAnswer,
    HeartbeatSaid,
    LimitsSaid,
    LoginAnswer,
    PowerAnswered,
    Reading,
    RecordSaid,
    Said,
    StartAnswered,
    StopAnswered,
    TariffAsked,
    TariffChecked,
    TariffPushAnswered,
    VehicleSaid,
)
from evcs.contracts.config import PileConfig, TariffTable
from evcs.contracts.gun import RecordConfirm, Start, Stop
from evcs.contracts.pile import Outcome, PileCommand, PileEventKind, PileStatus, PowerAllowance
from evcs.contracts.reasons import Reason
from evcs.contracts.times import Instant, from_ms, to_ms

LOOK_AT_LEAST_EVERY_S = 5.0
"""Bound for what hangs on the time of day (lockouts, half hours), which may be moved."""
REPLACED_WITHIN_S = 3600.0
"""Over which replacements of a pile's connection are counted."""
SAID_AGAIN_S = 5.0
"""After taking a pile over from another bridge: what that one still said meanwhile is put right."""


class Pile:
    """Everything that the bridge knows and says of one pile. Lives as long as the bridge; a link comes and goes."""

    __slots__ = (
        "_clock",
        "_errands",
        "_guns",
        "_hour_ms",
        "_joints",
        "_kinds",
        "_level",
        "_locks",
        "_logins_elsewhere_ms",
        "_odd",
        "_power",
        "_replaced",
        "_say_again_at",
        "_says",
        "_starts",
        "_tally",
        "_tariff",
        "_voice",
        "commands",
        "config",
        "login_ms",
        "trace",
    )

    def __init__(self, config: PileConfig, dialect: Dialect, run: BridgeRun, tally: Tally) -> None:
        self.config = config
        self.login_ms = 0
        self._logins_elsewhere_ms = 0
        self.commands = Commands()
        self._tally = tally
        self._voice = Voice(run, config.station, config.pile, dialect, tally)
        self._says = PileVoice(self._voice, self.commands)
        self._level = PileLevel(self._voice, run, config)
        self._joints = Joints()
        self._guns = {gun.gun: self._new_gun(gun.gun) for gun in config.guns}
        self._clock = PileClock(self._says, self._level)
        self._tariff = TariffTalk(config, self._says, self._level)
        self._power = PowerTalk(config, dialect, self._says, self._guns)
        self._starts = PileStarts(config, self._guns, self.commands, self._voice, self._tariff, self._power)
        self._locks = GroundLocks(self._voice)
        self.trace = FrameTrace(self._voice)
        self._kinds = Kinds(config, self._guns, self._clock, self._tariff, self.trace, dialect.cards_per_frame)
        self._errands = Errands(self._says, self._kinds)
        self._replaced: list[float] = []
        self._say_again_at: float | None = None
        self._odd: frozenset[str] = frozenset()
        self._hour_ms = 0

    def _new_gun(self, number: int) -> GunTalk:
        return GunTalk(number, self.config.kind, self._voice, self.commands, self._joints)

    # --- what the fleet asks

    @property
    def number(self) -> str:
        return self.config.pile

    @property
    def login(self) -> Login | None:
        """The link that holds it; None: offline."""
        return self._level.login

    @property
    def link(self) -> str:
        """Names the login that holds it; empty while offline."""
        return self._says.link

    @property
    def is_running(self) -> bool:
        """Whether a charge is under way or starting, as far as known."""
        return any(talk.gun.is_running for talk in self._guns.values())

    @property
    def joints_under_way(self) -> int:
        """How many joint charges are asked for or starting."""
        return self._joints.under_way

    @property
    def guns(self) -> dict[int, GunTalk]:
        return self._guns

    def level_topics(self) -> tuple[str, ...]:
        """The retained topics that the bridge owns for it."""
        return self._voice.level_topics(tuple(self._guns))

    # --- configuration

    def configured(self, config: PileConfig, table: TariffTable | None, now: Moment) -> list[Action]:
        """A new configuration of the same station and guns, and the table of the tariff that it wants."""
        self.config = self._power.config = self._starts.config = self._kinds.config = config
        self._tariff.configured(config, table)
        self._choose_crc_order()
        self._apply_lockouts(now)
        return self._done(now)

    def session_level(self, version: int, allowance_kw: float | None) -> None:
        """The power scope's allowance from the newest `G/session` of the pile: set again after a login."""
        self._power.session_level(version, allowance_kw)

    def status_seen(self, version: int, login_ms: int) -> None:
        """What stands on the pile's status topic: our versions stay above it, our next login is newer than its."""
        self._level.seen(version)
        self._logins_elsewhere_ms = max(self._logins_elsewhere_ms, login_ms)

    def _choose_crc_order(self) -> None:
        login = self.login
        in_peers = login is not None and self.config.dialect.answers_in_peers_crc_order
        self._voice.crc_order = login.crc_order if login is not None and in_peers else None

    def _apply_lockouts(self, now: Moment, *, show: bool = True) -> None:
        for gun in self.config.guns:
            talk = self._guns[gun.gun]
            talk.gun.is_locked = is_gun_locked(self.config, gun, now.at)
            if show and self.login is not None:
                talk.show(now)

    # --- the link

    def logged_in(self, login: Login, seq: bytes, now: Moment) -> list[Action]:
        """A login was accepted: 0x02, 0x56, status, levels; each gun is asked what it does; the cap is set again."""
        if self.login is not None:
            for talk in self._guns.values():
                talk.replaced(now)
            self._unanswered(now)
        self.login_ms = max(now.wall_ms, self.login_ms + 1, self._logins_elsewhere_ms + 1)
        self._level.logged_in(login, self.login_ms, now)
        self._says.link = login.link
        self._kinds.expects_restart = False
        self._voice.new_link(login.link)
        self._choose_crc_order()
        self._voice.tell(LoginAnswer(self.number, ok=True), seq)
        self._clock.set(now)
        self._apply_lockouts(now, show=False)
        self._locks.logged_in()
        self._level.publish(now)
        for talk in self._guns.values():
            talk.logged_in(self.login_ms, now)
        self._power.logged_in(now)
        self._voice.note("pile_online", link=login.link, address=login.address, protocol=login.said.protocol)
        return self._done(now)

    def lost(self, why: str, now: Moment) -> list[Action]:
        """The link is gone: marks of running sessions, status and guns offline."""
        if self.login is None:
            return []
        link = self.link
        self._offline(now)
        self._unanswered(now)
        for talk in self._guns.values():
            talk.lost(now)
        self._level.publish(now)
        self._voice.note("pile_offline", link=link, why=why, was_expected=self._kinds.expects_restart)
        return self._done(now)

    def held_elsewhere(self, now: Moment) -> list[Action]:
        """Another bridge holds it by a newer login: its levels are not ours to say any more, replies still are."""
        self._offline(now)
        self._unanswered(now, for_good=True)
        for talk in self._guns.values():
            talk.held_elsewhere(now)
        self._voice.note("pile_held_elsewhere", is_warning=True)
        return self._voice.take()

    def _offline(self, now: Moment) -> None:
        self._level.lost(now)
        self._says.link = ""
        self._say_again_at = None

    def _unanswered(self, now: Moment, *, for_good: bool = False) -> None:
        """What was written to the link that is over and is not answered yet."""
        self._power.link_lost(now)
        self._errands.link_lost(now, for_good=for_good)
        self._tariff.link_lost()

    def login_refused(self, reason: Reason, address: str, now: Moment) -> list[Action]:
        """Somebody said this pile's number and was not let in."""
        self._says.event(PileEventKind.LOGIN_REFUSED, now, reason=reason, text=address)
        return self._voice.take()

    def connection_replaced(self, old_link: str, old_address: str, now: Moment, bridge: str = "") -> list[Action]:
        """A newer connection takes the pile over from an older one, which may be at another bridge."""
        self._replaced = [at for at in self._replaced if at > now.mono - REPLACED_WITHIN_S]
        self._replaced.append(now.mono)
        if bridge:
            self._say_again_at = now.mono + SAID_AGAIN_S
        where = f" at {bridge}" if bridge else ""
        text = f"{old_link} {old_address}{where}; {len(self._replaced)} in this hour"
        if len(self._replaced) > 1:
            # Two devices under one number, or one that loses its connection again and again.
            self._voice.note("connection_replaced_again", is_warning=True, count=len(self._replaced), old=old_address)
        self._says.event(PileEventKind.CONNECTION_REPLACED, now, text=text)
        return self._voice.take()

    def status_again(self, now: Moment) -> list[Action]:
        """Somebody else's status stands on the topic: ours is published above it."""
        if self._level.is_known:
            self._level.publish(now)
        return self._voice.take()

    def offline_after_restart(self, before: PileStatus, now: Moment) -> list[Action]:
        """An earlier run of this bridge left it retained as online; whatever held it is gone."""
        self.status_seen(before.version, to_ms(before.login_at) if before.login_at is not None else 0)
        self._level.left_behind(before, now)
        return self._voice.take()

    # --- what the pile says

    def heard(self, said: Said, seq: bytes, raw: bytes, now: Moment) -> list[Action]:
        """A frame of the pile that holds this link; logins come to `logged_in`. `raw` is without secrets."""
        is_answer = self._errands.heard(said, seq, raw, now)
        match said:
            case Reading(gun=gun):
                if (talk := self._talk(gun)) is not None:
                    talk.heard(said, raw, now)
            case HeartbeatSaid(pile, gun_text):
                self._voice.tell(HeartbeatAnswer(pile, gun_text), seq)
            case (
                DemandSaid(gun=gun)
                | BatterySaid(gun=gun)
                | VehicleSaid(gun=gun)
                | LimitsSaid(gun=gun)
                | EndingSaid(gun=gun)
                | BmsErrorSaid(gun=gun)
                | AbortSaid(gun=gun)
            ):
                if (talk := self._talk(gun)) is not None:
                    talk.bms(said, raw, now)
            case CardAsked(gun=gun):
                if (talk := self._talk(gun)) is not None:
                    talk.card_asked(said, seq, raw, now, self._starts.why_no_charge())
            case StartAnswered(gun=gun):
                if (talk := self._talk(gun)) is not None:
                    talk.start_answered(said, raw, now)
            case StopAnswered(gun=gun):
                if (talk := self._talk(gun)) is not None:
                    talk.stop_answered(said, raw, now)
            case RecordSaid(gun=gun):
                # A record is money: also that of a gun which the configuration does not have.
                talk = self._guns.get(gun) or self._new_gun(gun)
                talk.recorded(said, raw, self._clock.offset_s, now)
            case PowerAnswered():
                self._power.answered(said, seq, raw, now)
            case ClockSaid():
                self._clock.said(said, raw, now)
            case TariffChecked(model_no=model_no):
                self._tariff.checked(model_no, seq, raw, now, is_charging=self.is_running)
            case TariffAsked():
                self._tariff.asked(seq, raw, now)
            case TariffPushAnswered():
                if not is_answer and not self._tariff.answered_late(said, raw, now):
                    self._tally.drop(Drop.UNEXPECTED)
            case GroundLockSaid(gun=gun):
                if self._talk(gun) is not None:
                    self._locks.said(said, raw, now)
            case _:
                # An answer to a command, which was heard above; or a login, which does not come here.
                if not is_answer:
                    self._tally.drop(Drop.UNEXPECTED)
        return self._done(now)

    def traced(self, raw: bytes, now: Moment, *, from_pile: bool, problem: str = "") -> list[Action]:
        """A frame of this pile, either way, for whoever watches it."""
        self.trace.publish(raw, now, from_pile=from_pile, problem=problem)
        return self._voice.take()

    def odd(self, what: str, raw: bytes) -> list[Action]:
        """Something that no table has, a frame type or the code of a field: counted always, logged once.

        `raw` is the frame as a log may hold it.
        """
        self._tally.odd[what] += 1
        if what in self._odd:
            return []
        self._odd |= {what}
        self._voice.note("not_in_the_tables", what=what, frame=raw.hex())
        return self._voice.take()

    def _talk(self, gun: int) -> GunTalk | None:
        talk = self._guns.get(gun)
        if talk is None:
            self._tally.drop(Drop.UNKNOWN_GUN)
        return talk

    # --- commands

    def start(self, command: Start, gun: int, now: Moment) -> list[Action]:
        """`G/start` for the link that holds the pile."""
        self._starts.start(command, gun, now)
        return self._done(now)

    def stop(self, command: Stop, gun: int, now: Moment) -> list[Action]:
        """`G/stop` for the link that holds the pile."""
        self._starts.stop(command, gun, now)
        return self._done(now)

    def power(self, command: PowerAllowance, now: Moment) -> list[Action]:
        """`P/power` for the link that holds the pile."""
        if self._is_fresh(command.id, command.expires_at, now):
            self._power.allow(command, now)
        return self._done(now)

    def command(self, command: PileCommand, now: Moment) -> list[Action]:
        """`P/command` for this bridge; one for a login that is over was never carried out and never will be."""
        if self._is_fresh(command.id, command.expires_at, now):
            if self.login is None:
                self._says.reply(command.id, CommandFate(Outcome.REFUSED, Reason.PILE_OFFLINE), now)
            elif command.link != self.link:
                self._says.reply(command.id, CommandFate(Outcome.REFUSED, Reason.LINK_LOST), now)
            else:
                self._errands.take(command, now)
        return self._done(now)

    def _is_fresh(self, command_id: str, expires_at: Instant, now: Moment) -> bool:
        match self.commands.take(command_id, expires_at, now.at):
            case Repeated(reply):
                if reply is not None:
                    self._voice.add(reply)
                return False
            case Late():
                self._says.reply(command_id, CommandFate(Outcome.EXPIRED, Reason.EXPIRED), now)
                return False
        return True

    def confirm(self, confirm: RecordConfirm, gun: int, now: Moment) -> list[Action]:
        """`G/confirm`: the record is stored. Without a link it is dropped: the worker sends it again at the login."""
        if self.login is None:
            return []
        talk = self._guns.get(gun) or self._new_gun(gun)
        talk.confirm(confirm, now)
        return self._done(now)

    # --- time

    def tick(self, now: Moment) -> list[Action]:
        """Whatever has become due, with a link or without."""
        is_online = self.login is not None
        self._power.tick(now)
        self._errands.tick(now)
        for talk in self._guns.values():
            talk.tick(now, is_online=is_online)
        if is_online:
            self._apply_lockouts(now)
            self._clock.tick(now)
            if self._say_again_at is not None and now.mono >= self._say_again_at:
                self._say_again(now)
        self._close_hour(now)
        return self._done(now)

    def _say_again(self, now: Moment) -> None:
        self._say_again_at = None
        self._level.publish(now)
        for talk in self._guns.values():
            talk.say_again(now)

    def _close_hour(self, now: Moment) -> None:
        hour_ms = hour_of(now.wall_ms)
        if hour_ms <= self._hour_ms:
            return
        before, self._hour_ms = self._hour_ms, hour_ms
        counts = self._voice.receipts.close_hour() if before else ()
        if counts:
            self._says.event(PileEventKind.RECEIPTS_CLOSED, now, hour=from_ms(before), counts=counts)

    def _done(self, now: Moment) -> list[Action]:
        """After each input: whose turn it is for a cap, and what has come together."""
        self._power.settle(now)
        return self._voice.take()

    def due(self, now: Moment) -> float:
        """Monotonic time by which `tick` wants to be called."""
        waits = (self._errands.due(), self._power.due(), *(talk.due(now) for talk in self._guns.values()))
        return min(now.mono + LOOK_AT_LEAST_EVERY_S, *(at for at in waits if at is not None), float("inf"))
