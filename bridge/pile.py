"""Pure: one pile's conversation: what it says and what it is told, over all of its links.

Frames come and go through `link`, one gun's part is `gun_talk`; here are login, tariff, clock, power and commands.
"""

from dataclasses import dataclass

from bridge.actions import Action
from bridge.allowance import Cap, CapEnd, CapFor, Caps
from bridge.commands import Commands, Late, Repeated
from bridge.dialect import Dialect
from bridge.gun_talk import GunTalk
from bridge.moment import Moment
from bridge.receipts import hour_of
from bridge.tally import Drop, Tally
from bridge.tariffs import TariffTalk
from bridge.voice import BridgeRun, Voice
from bridge.words import (
    ClockSaid,
    ClockSet,
    HeartbeatAnswer,
    HeartbeatSaid,
    LoginAnswer,
    LoginSaid,
    PowerAnswered,
    PowerTold,
    Reading,
    RecordSaid,
    Said,
    StartAnswered,
    StopAnswered,
    TariffAnswer,
    TariffAsked,
    TariffChecked,
    TariffTold,
)
from evcs.contracts.config import PileConfig, TariffRef, TariffTable
from evcs.contracts.gun import RecordConfirm, Start, Stop
from evcs.contracts.pile import (
    LeafCount,
    Outcome,
    PileCommand,
    PileCommandKind,
    PileEvent,
    PileEventKind,
    PileReply,
    PileStatus,
    PowerAllowance,
)
from evcs.contracts.reasons import Reason
from evcs.contracts.states import Proof
from evcs.contracts.times import Instant, from_ms
from evcs.contracts.topics import PILE_EVENT, PILE_REPLY, PILE_STATUS
from evcs.contracts.waits import STOP_ANSWER_S

CLOCK_WRONG_S = 60.0
"""From this error on a pile is flagged, and its charges are billed by marks (domain 4.2)."""
CLOCK_EVERY_S = 86_400.0
"""YKC V1.6 §6: daily, besides after each login."""
OWN_CAP_AGAIN_S = 30.0
"""After a cap of the bridge's own that was not confirmed."""
LOOK_AT_LEAST_EVERY_S = 5.0
"""Bound for what hangs on the time of day (lockouts, half hours), which may be moved."""


@dataclass(frozen=True, slots=True)
class Login:
    """A login that was accepted."""

    said: LoginSaid
    link: str
    proof: Proof
    address: str


@dataclass(slots=True)
class _Asked:
    """A pile command that waits for the frame that answers it; `gun` 0: the whole pile."""

    command: PileCommand
    deadline: float


class Pile:
    """Everything that the bridge knows and says of one pile. Lives as long as the bridge; a link comes and goes."""

    def __init__(self, config: PileConfig, dialect: Dialect, run: BridgeRun, tally: Tally) -> None:
        self.config = config
        self.login: Login | None = None
        """The link that holds it; None: offline."""
        self.login_ms = 0
        self.wanted_table: TariffTable | None = None
        self.commands = Commands()
        self._dialect = dialect
        self._run = run
        self._voice = Voice(run, config.station, config.pile, dialect, tally)
        self._tally = tally
        self._guns = {gun.gun: self._new_gun(gun.gun) for gun in config.guns}
        self._tariff = TariffTalk(config)
        self._caps = Caps()
        self._asked: list[_Asked] = []
        self._session_kw: float | None = None
        self._session_version = -1
        self._units: int | None = None
        """Last written in this run; None: this pile was never capped by it."""
        self._is_told_locked: bool | None = None
        self._own_cap_at: float | None = None
        self._clock_at = 0.0
        self._clock_offset_s: float | None = None
        self._status_version = 0
        self._status_since: Instant | None = None
        self._hour_ms = 0
        self._last_said: LoginSaid | None = None
        self._last_proof = Proof.NUMBER
        self._last_address = ""
        self._login_at: Instant | None = None

    def _new_gun(self, number: int) -> GunTalk:
        return GunTalk(number, self.config.kind, self._voice, self.commands)

    # --- what the fleet asks

    @property
    def number(self) -> str:
        return self.config.pile

    @property
    def link(self) -> str:
        """Names the login that holds it; empty while offline."""
        return "" if self.login is None else self.login.link

    @property
    def is_running(self) -> bool:
        """Whether a charge is under way or starting, as far as known."""
        return any(talk.gun.is_running for talk in self._guns.values())

    @property
    def guns(self) -> dict[int, GunTalk]:
        return self._guns

    def level_topics(self) -> tuple[str, ...]:
        """The retained topics that the bridge owns for it."""
        return self._voice.level_topics(tuple(self._guns))

    # --- configuration

    def configured(self, config: PileConfig, table: TariffTable | None, now: Moment) -> list[Action]:
        """A new configuration of the same station and guns, and the table of the tariff that it wants."""
        self.config = config
        self.wanted_table = table
        self._tariff.configured(config)
        self._apply_lockouts(now)
        return self._done(now)

    def session_level(self, version: int, allowance_kw: float | None) -> None:
        """The power scope's allowance from the newest `G/session` of the pile: set again after a login."""
        if version > self._session_version:
            self._session_version, self._session_kw = version, allowance_kw

    def status_seen(self, version: int) -> None:
        """A version that stands on the pile's status topic: ours stay above it."""
        self._status_version = max(self._status_version, version)

    # --- the link

    def logged_in(self, login: Login, seq: bytes, now: Moment) -> list[Action]:
        """A login was accepted: 0x02, 0x56, status, levels; each gun is asked what it does; the cap is set again."""
        if self.login is not None:
            for talk in self._guns.values():
                talk.replaced(now)
            self._caps_gone(now)
            self._asked_gone(Reason.LINK_LOST, now)
        self.login = login
        self._last_said, self._last_proof, self._last_address = login.said, login.proof, login.address
        self.login_ms = max(now.wall_ms, self.login_ms + 1)
        self._login_at = self._status_since = now.at
        self._is_told_locked = None
        self._own_cap_at = None
        self._voice.new_link()
        self._voice.tell(LoginAnswer(self.number, ok=True), seq)
        self._set_clock(now)
        self._apply_lockouts(now, show=False)
        self._publish_status(now)
        for talk in self._guns.values():
            talk.logged_in(self.login_ms, now)
        if self._session_kw is not None or self._units is not None or self._is_locked(now):
            self._own_cap(now)
        self._voice.note("pile_online", link=login.link, address=login.address, protocol=login.said.protocol)
        return self._done(now)

    def lost(self, why: str, now: Moment) -> list[Action]:
        """The link is gone: marks of running sessions, status and guns offline."""
        if self.login is None:
            return []
        link, self.login = self.login.link, None
        self._caps_gone(now)
        self._asked_gone(Reason.LINK_LOST, now)
        for talk in self._guns.values():
            talk.lost(now)
        self._status_since = now.at
        self._publish_status(now)
        self._voice.note("pile_offline", link=link, why=why)
        return self._done(now)

    def held_elsewhere(self, now: Moment) -> list[Action]:
        """Another bridge holds it by a newer login: its levels are not ours to say any more."""
        self.login = None
        self._caps.link_lost()
        self._asked.clear()
        for talk in self._guns.values():
            talk.gun.lost()
        self._voice.note("pile_held_elsewhere", is_warning=True)
        return self._voice.take()

    def login_refused(self, reason: Reason, address: str, now: Moment) -> list[Action]:
        """Somebody said this pile's number and was not let in."""
        self._publish_event(PileEventKind.LOGIN_REFUSED, now, reason=reason, text=address)
        return self._voice.take()

    def connection_replaced(self, old_link: str, old_address: str, now: Moment) -> list[Action]:
        """A newer connection took the pile over from an older one."""
        self._publish_event(PileEventKind.CONNECTION_REPLACED, now, text=f"{old_link} {old_address}")
        return self._voice.take()

    def status_again(self, now: Moment) -> list[Action]:
        """Somebody else's status stands on the topic: ours is published above it."""
        if self._last_said is not None:
            self._publish_status(now)
        return self._voice.take()

    def offline_after_restart(self, before: PileStatus, now: Moment) -> list[Action]:
        """An earlier run of this bridge left it retained as online; whatever held it is gone."""
        self.status_seen(before.version)
        self._last_said = LoginSaid(self.number, self.config.kind, before.gun_count, before.protocol, before.firmware)
        self._last_proof, self._last_address = before.proof, before.address
        self._login_at, self._clock_offset_s = before.login_at, before.clock_offset_s
        self._status_since = now.at
        self._publish_status(now)
        return self._voice.take()

    def _publish_status(self, now: Moment) -> None:
        self._status_version = max(now.wall_ms, self._status_version + 1)
        said = self._last_said
        status = PileStatus(
            receipt=self._voice.receipt(PILE_STATUS),
            version=self._status_version,
            pile=self.number,
            online=self.login is not None,
            since=self._status_since or now.at,
            login_at=self._login_at,
            link=self.link,
            bridge=self._run.bridge,
            bridge_started_ms=self._run.started_ms,
            proof=self._last_proof,
            protocol=said.protocol if said is not None else "",
            firmware=said.firmware if said is not None else "",
            address=self._last_address,
            gun_count=len(self._guns),
            tariff_version=self._tariff.confirmed.version if self._tariff.confirmed is not None else None,
            power_control=self._dialect.power_control,
            clock_offset_s=self._clock_offset_s,
        )
        self._voice.publish(PILE_STATUS, status)

    def _publish_event(
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
        receipt = self._voice.receipt(PILE_EVENT)
        event = PileEvent(
            id=self._voice.message_id(PILE_EVENT, receipt),
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
        self._voice.publish(PILE_EVENT, event)

    # --- what the pile says

    def heard(self, said: Said, seq: bytes, raw: bytes, now: Moment) -> list[Action]:
        """A frame of the pile that holds this link; logins come to `logged_in`."""
        match said:
            case HeartbeatSaid(pile, gun_text):
                self._voice.tell(HeartbeatAnswer(pile, gun_text), seq)
            case Reading(gun=gun):
                if (talk := self._talk(gun)) is not None:
                    talk.heard(said, raw, now)
                    self._polled(gun, raw, now)
            case StartAnswered(gun=gun):
                if (talk := self._talk(gun)) is not None:
                    talk.start_answered(said, raw, now)
            case StopAnswered(gun=gun):
                if (talk := self._talk(gun)) is not None:
                    talk.stop_answered(said, raw, now)
            case RecordSaid(gun=gun):
                # A record is money: also that of a gun which the configuration does not have.
                talk = self._guns.get(gun) or self._new_gun(gun)
                talk.recorded(said, raw, self._clock_offset_s, now)
            case PowerAnswered(ok=ok):
                self._power_answered(ok, said.code, seq, raw, now)
            case ClockSaid(time=time):
                self._clock_said(time, raw, now)
            case TariffChecked(model_no=model_no):
                self._tariff_checked(model_no, seq, raw, now)
            case TariffAsked():
                self._tariff_asked(seq, raw, now)
            case LoginSaid():
                self._tally.drop(Drop.UNEXPECTED)
        return self._done(now)

    def _talk(self, gun: int) -> GunTalk | None:
        talk = self._guns.get(gun)
        if talk is None:
            self._tally.drop(Drop.UNKNOWN_GUN)
        return talk

    # --- clock

    def _set_clock(self, now: Moment) -> None:
        self._voice.tell(ClockSet(self.number, now.at))
        self._clock_at = now.mono + CLOCK_EVERY_S

    def _clock_said(self, time: Instant | None, raw: bytes, now: Moment) -> None:
        for asked in [one for one in self._asked if one.command.kind is PileCommandKind.CLOCK]:
            self._asked.remove(asked)
            self._reply(asked.command.id, Outcome.ACCEPTED, now, frame_hex=raw.hex())
        if time is None:
            return
        offset_s = round((time - now.at).total_seconds(), 3)
        is_news = self._clock_offset_s is None or abs(offset_s - self._clock_offset_s) > 1
        self._clock_offset_s = offset_s
        if is_news:
            self._publish_status(now)
        if abs(offset_s) > CLOCK_WRONG_S:
            self._publish_event(PileEventKind.CLOCK_WRONG, now, clock_offset_s=offset_s, frame_hex=raw.hex())

    # --- tariff

    def _tariff_checked(self, model_no: str, seq: bytes, raw: bytes, now: Moment) -> None:
        before = self._tariff.confirmed
        same = self._tariff.checked(model_no, is_charging=self.is_running)
        if self._voice.tell(TariffAnswer(self.number, model_no, same=same is not None), seq) is None:
            return
        if same is not None:
            self._tariff_confirmed(same, before, raw, now)
        elif self._tariff.confirmed != before:
            self._publish_status(now)

    def _tariff_asked(self, seq: bytes, raw: bytes, now: Moment) -> None:
        wanted, table = self._tariff.wanted, self.wanted_table
        if wanted is None or table is None:
            # It repeats the question until there is an answer, and charges nobody meanwhile.
            self._voice.note("tariff_missing", is_warning=True, wanted=wanted.version if wanted else None)
            return
        if self._voice.tell(TariffTold(self.number, table), seq) is None:
            return
        before = self._tariff.confirmed
        self._tariff.delivered(wanted)
        self._tariff_confirmed(wanted, before, raw, now)

    def _tariff_confirmed(self, ref: TariffRef, before: TariffRef | None, raw: bytes, now: Moment) -> None:
        self._publish_event(PileEventKind.TARIFF_CONFIRMED, now, tariff_version=ref.version, frame_hex=raw.hex())
        if before is None or before.version != ref.version:
            self._publish_status(now)

    # --- lockouts and power

    def _is_locked(self, now: Moment) -> bool:
        lockout = self.config.lockout
        return lockout is not None and lockout.in_force(now.at)

    def _apply_lockouts(self, now: Moment, *, show: bool = True) -> None:
        whole = self._is_locked(now)
        for gun in self.config.guns:
            talk = self._guns[gun.gun]
            talk.gun.is_locked = whole or (gun.lockout is not None and gun.lockout.in_force(now.at))
            if show and self.login is not None:
                talk.show(now)

    def _must_be_locked(self, now: Moment) -> bool:
        """The work permission is the whole pile's: it is taken only when nothing runs on it any more."""
        return self._is_locked(now) and not self.is_running

    def _own_cap(self, now: Moment) -> None:
        """Set again what `rules` last allowed, with the work permission of the lockout."""
        if self._session_kw is not None:
            units = self._dialect.units_of(self._session_kw, self.config.rated_kw)
        else:
            units = self._units if self._units is not None else self._dialect.power_control.most
        self._own_cap_at = None
        self._caps.add(Cap(CapFor.OWN, "", units))

    def _next_cap(self, now: Moment) -> None:
        while self.login is not None and (cap := self._caps.next()) is not None:
            if cap.expires_at is not None and now.at >= cap.expires_at:
                self._cap_expired(cap, now)
                continue
            locked = self._must_be_locked(now)
            seq = self._voice.tell(PowerTold(self.number, cap.units, locked))
            if seq is None:
                self._cap_over(cap, CapEnd.REFUSED, 0, "", now)
                continue
            self._units, self._is_told_locked = cap.units, locked
            self._caps.written(cap, seq, now.mono)

    def _power_answered(self, ok: bool, code: int, seq: bytes, raw: bytes, now: Moment) -> None:
        answered = self._caps.answered(ok, seq)
        if answered is None:
            self._tally.drop(Drop.UNEXPECTED)
            return
        self._cap_over(*answered, code, raw.hex(), now)

    def _cap_over(self, cap: Cap, end: CapEnd, code: int, frame_hex: str, now: Moment) -> None:
        allowance_kw = self._dialect.kw_of(cap.units, self.config.rated_kw)
        match cap.wanted_by, end:
            case CapFor.START, CapEnd.CONFIRMED:
                self._guns[cap.gun].cap_confirmed(cap.id, allowance_kw, now)
            case CapFor.START, _:
                self._guns[cap.gun].cap_failed(cap.id, now)
            case CapFor.POWER, CapEnd.CONFIRMED:
                self._reply(cap.id, Outcome.ACCEPTED, now, allowance_kw=allowance_kw, frame_hex=frame_hex)
            case CapFor.POWER, CapEnd.REFUSED:
                self._reply(
                    cap.id, Outcome.REFUSED, now, reason=Reason.CAP_NOT_CONFIRMED, pile_code=code, frame_hex=frame_hex
                )
            case CapFor.POWER, CapEnd.TIMED_OUT:
                self._reply(cap.id, Outcome.TIMED_OUT, now, reason=Reason.CAP_NOT_CONFIRMED)
            case CapFor.OWN, CapEnd.CONFIRMED:
                pass
            case CapFor.OWN, _:
                self._is_told_locked = None
                self._own_cap_at = now.mono + OWN_CAP_AGAIN_S
                self._voice.note("own_cap_not_confirmed", is_warning=True, units=cap.units, end=str(end))

    def _cap_expired(self, cap: Cap, now: Moment) -> None:
        if cap.wanted_by is CapFor.START:
            self._guns[cap.gun].cap_confirmed(cap.id, 0.0, now)  # answers `expired` and writes nothing
        elif cap.wanted_by is CapFor.POWER:
            self._reply(cap.id, Outcome.EXPIRED, now, reason=Reason.EXPIRED)

    def _caps_gone(self, now: Moment) -> None:
        for cap in self._caps.link_lost():
            if cap.wanted_by is CapFor.POWER:
                self._reply(cap.id, Outcome.TIMED_OUT, now, reason=Reason.LINK_LOST)
            # A start that waited for its cap is answered by its gun; the bridge's own caps are set at the next login.

    # --- commands

    def start(self, command: Start, gun: int, now: Moment) -> list[Action]:
        """`G/start` for the link that holds the pile."""
        talk = self._guns.get(gun)
        if talk is not None and self._is_fresh_start(talk, command, now):
            reason = self._why_not(talk, command, now)
            if talk.gun.is_charging and talk.gun.running == command.serial:
                talk.accept_running(command, now)
            elif reason is not None:
                talk.refuse_start(command, reason, now)
            elif command.allowance_kw is None:
                talk.start(command, now)
            else:
                units = self._dialect.units_of(command.allowance_kw, self.config.rated_kw)
                if self._caps.add(Cap(CapFor.START, command.id, units, command.expires_at, gun)):
                    talk.await_cap(command)
                else:
                    talk.refuse_start(command, Reason.CAP_NOT_CONFIRMED, now)
        return self._done(now)

    def _is_fresh_start(self, talk: GunTalk, command: Start, now: Moment) -> bool:
        match self.commands.take(command.id, command.expires_at, now.at):
            case Repeated(reply):
                if reply is not None:
                    self._voice.add(reply)
                return False
            case Late():
                talk.refuse_start(command, Reason.EXPIRED, now, Outcome.EXPIRED)
                return False
        return True

    def _why_not(self, talk: GunTalk, command: Start, now: Moment) -> Reason | None:
        """What the bridge knows against a start; everything else the pile answers itself."""
        talk_config = next(gun for gun in self.config.guns if self._guns[gun.gun] is talk)
        if self._is_locked(now) or (talk_config.lockout is not None and talk_config.lockout.in_force(now.at)):
            return Reason.LOCKED_OUT
        if talk.starting is not None or talk.gun.is_running:
            return Reason.GUN_BUSY
        if self._tariff.confirmed is None:
            return Reason.NO_TARIFF
        if self._tariff.confirmed.version != command.tariff_version:
            return Reason.TARIFF_DIFFERS
        return None

    def stop(self, command: Stop, gun: int, now: Moment) -> list[Action]:
        """`G/stop` for the link that holds the pile."""
        talk = self._guns.get(gun)
        if talk is None:
            return []
        match self.commands.take(command.id, command.expires_at, now.at):
            case Repeated(reply):
                if reply is not None:
                    self._voice.add(reply)
            case Late():
                talk.refuse_stop(command, Reason.EXPIRED, now, Outcome.EXPIRED)
            case _:
                waiting = talk.starting
                talk.stop(command, now)
                if waiting is not None and talk.starting is None:
                    self._caps.remove(waiting.command.id)
        return self._done(now)

    def power(self, command: PowerAllowance, now: Moment) -> list[Action]:
        """`P/power` for the link that holds the pile."""
        if self._is_fresh(command.id, command.expires_at, now):
            units = self._dialect.units_of(command.allowance_kw, self.config.rated_kw)
            if not self._caps.add(Cap(CapFor.POWER, command.id, units, command.expires_at)):
                self._reply(command.id, Outcome.REFUSED, now, reason=Reason.CAP_NOT_CONFIRMED)
        return self._done(now)

    def command(self, command: PileCommand, now: Moment) -> list[Action]:
        """`P/command` for the link that holds the pile. What this protocol's frames cannot do yet is refused."""
        if self._is_fresh(command.id, command.expires_at, now):
            match command.kind:
                case PileCommandKind.POLL:
                    guns = [command.gun] if command.gun is not None else list(self._guns)
                    known = [gun for gun in guns if gun in self._guns]
                    for gun in known:
                        self._guns[gun].poll(now)
                    if known:
                        self._asked.append(_Asked(command, now.mono + STOP_ANSWER_S))
                    else:
                        self._reply(command.id, Outcome.REFUSED, now, reason=Reason.PILE_REFUSED)
                case PileCommandKind.CLOCK:
                    self._set_clock(now)
                    self._asked.append(_Asked(command, now.mono + STOP_ANSWER_S))
                case _:
                    self._reply(command.id, Outcome.REFUSED, now, reason=Reason.PILE_REFUSED)
        return self._done(now)

    def _is_fresh(self, command_id: str, expires_at: Instant, now: Moment) -> bool:
        match self.commands.take(command_id, expires_at, now.at):
            case Repeated(reply):
                if reply is not None:
                    self._voice.add(reply)
                return False
            case Late():
                self._reply(command_id, Outcome.EXPIRED, now, reason=Reason.EXPIRED)
                return False
        return True

    def _polled(self, gun: int, raw: bytes, now: Moment) -> None:
        for asked in [one for one in self._asked if one.command.kind is PileCommandKind.POLL]:
            if asked.command.gun in (None, gun):
                self._asked.remove(asked)
                self._reply(asked.command.id, Outcome.ACCEPTED, now, frame_hex=raw.hex())

    def _asked_gone(self, reason: Reason, now: Moment) -> None:
        asked, self._asked = self._asked, []
        for one in asked:
            self._reply(one.command.id, Outcome.TIMED_OUT, now, reason=reason)

    def _reply(
        self,
        command_id: str,
        outcome: Outcome,
        now: Moment,
        *,
        reason: Reason | None = None,
        pile_code: int | None = None,
        allowance_kw: float | None = None,
        frame_hex: str = "",
    ) -> None:
        if self.commands.has_reply(command_id):
            return
        reply = PileReply(
            id=command_id,
            receipt=self._voice.receipt(PILE_REPLY),
            outcome=outcome,
            received_at=now.at,
            reason=reason,
            pile_code=pile_code,
            allowance_kw=allowance_kw,
            frame_hex=frame_hex,
        )
        self.commands.answered(command_id, self._voice.publish(PILE_REPLY, reply))

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
        overdue = self._caps.overdue(now.mono)
        if overdue is not None:
            self._cap_over(overdue, CapEnd.TIMED_OUT, 0, "", now)
        for asked in [one for one in self._asked if now.mono >= one.deadline]:
            self._asked.remove(asked)
            self._reply(asked.command.id, Outcome.TIMED_OUT, now, reason=Reason.TIMED_OUT)
        for talk in self._guns.values():
            talk.tick(now, is_online=is_online)
        if is_online:
            self._apply_lockouts(now)
            if now.mono >= self._clock_at:
                self._set_clock(now)
            if self._own_cap_at is not None and now.mono >= self._own_cap_at:
                self._own_cap(now)
        self._close_hour(now)
        return self._done(now)

    def _close_hour(self, now: Moment) -> None:
        hour_ms = hour_of(now.wall_ms)
        if hour_ms <= self._hour_ms:
            return
        before, self._hour_ms = self._hour_ms, hour_ms
        counts = self._voice.receipts.close_hour() if before else ()
        if counts:
            self._publish_event(PileEventKind.RECEIPTS_CLOSED, now, hour=from_ms(before), counts=counts)

    def _done(self, now: Moment) -> list[Action]:
        """After each input: whose turn it is for a cap, and whether the work permission still is as it must be."""
        if (
            self.login is not None
            and self._own_cap_at is None
            and self._caps.is_quiet
            and self._must_be_locked(now) != bool(self._is_told_locked)
        ):
            self._own_cap(now)
        self._next_cap(now)
        return self._voice.take()

    def due(self, now: Moment) -> float:
        """Monotonic time by which `tick` wants to be called."""
        times = [now.mono + LOOK_AT_LEAST_EVERY_S]
        times += [asked.deadline for asked in self._asked]
        if self._caps.deadline is not None:
            times.append(self._caps.deadline)
        if self._own_cap_at is not None:
            times.append(self._own_cap_at)
        times += [at for talk in self._guns.values() if (at := talk.due(now)) is not None]
        return min(times)
