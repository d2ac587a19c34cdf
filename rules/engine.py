"""The engine: what is heard and the time that passes in, what to publish out. No I/O and no clock of its own.

The worker feeds it from MQTT, the replay from a file; both get the same decisions for the same messages.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from evcs.contracts.bridge import BridgeStatus, ServiceStatus
from evcs.contracts.config import StationConfig
from evcs.contracts.envelope import Payload
from evcs.contracts.gun import (
    AskRequest,
    GunEvent,
    GunEventKind,
    GunLevel,
    GunReply,
    LeaveQueue,
    LongerHold,
    Resume,
    StartRequest,
    Stop,
    Telemetry,
    Verdict,
    VerdictKind,
)
from evcs.contracts.pile import Outcome, PileReply, PileStatus, PowerAllowance
from evcs.contracts.reasons import Reason, sentence
from evcs.contracts.session import SessionLevel
from evcs.contracts.states import RUNNING, Band, CapState, GunState
from evcs.contracts.times import to_ms
from evcs.contracts.topics import PILE_POWER, POLICY, SESSION, START, STOP, VERDICT, Address, Topic
from evcs.contracts.transformer import TransformerPolicy, TransformerReading
from evcs.contracts.waits import REPEAT_S, START_WRITTEN_S, STOP_ANSWER_S
from rules.admission import Admission, decide, refuse_before_load, wants_of
from rules.bands import lasted, over
from rules.caps import POWER_AGAIN_S, ROUNDING, Sent, Want, can_cap, planned_kw
from rules.goals import HOLD_LOW_AGAIN_S, hold_is_low, reached
from rules.load import HIGH_SOC_PCT, Change, is_possible, load_of, reading_kva
from rules.messages import Action, Began, Clear, Heard, Message, PictureComplete, PictureLost, Publish, Tick
from rules.policy import policy_due, policy_of
from rules.sessions import (
    admit,
    derived_id,
    is_over,
    level_of,
    never_began,
    restored,
    resumed,
    start_message,
    take_allowance,
)
from rules.station import (
    HIGH_WITHIN,
    Gun,
    Link,
    PendingStart,
    PendingStop,
    Pile,
    Reading,
    Session,
    Station,
    Transformer,
)

WORKER = "worker"
VERDICTS_KEPT = timedelta(minutes=5)
APPLIED_TOLERANCE = 1.02


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a message belongs."""

    station: Station
    pile: Pile
    gun: Gun

    def at(self, topic: Topic[Any]) -> str:
        """The string of one of the gun's topics."""
        return topic.at(station=self.station.code, pile=self.pile.number, gun=self.gun.number)


class Engine:
    """Owner n of m of the transformer rule; `step` is the only way in, the returned actions are the only way out."""

    def __init__(self, instance: str = "1-of-1") -> None:
        self.instance = instance
        self.since_ms = 0
        self.has_picture = False
        self.is_answered = False
        self._resumes_wanted: int | None = None
        self._resumed: set[str] = set()
        self._stations: dict[str, Station] = {}
        self._bridges: dict[str, BridgeStatus] = {}
        self._verdicts: dict[str, tuple[Verdict, datetime]] = {}
        self._out: list[Action] = []

    @property
    def is_sure(self) -> bool:
        """Whether every session that may exist is known: picture complete, the worker has answered with all resumes."""
        return self.has_picture and self.is_answered

    def stations(self) -> Iterator[Station]:
        """For health and tests; not to be changed."""
        return iter(self._stations.values())

    def step(self, message: Message, now: datetime) -> list[Action]:
        """Take one message at `now` (aware UTC); return what has to be published, in this order."""
        self._out = []
        match message:
            case Heard():
                self._heard(message.address, message.payload, now)
            case Tick():
                self._tick(now)
            case Began():
                self._begin(message.since_ms)
            case PictureComplete():
                self.has_picture = True
                self._settle_all(now)
                self._check_sure(now)
            case PictureLost():
                self.has_picture = False
        return self._out

    # --- beginning

    def _begin(self, since_ms: int) -> None:
        self.since_ms = since_ms
        self.has_picture = self.is_answered = False
        self._resumes_wanted = None
        self._resumed.clear()
        self._stations.clear()
        self._bridges.clear()
        self._verdicts.clear()

    def _check_sure(self, now: datetime) -> None:
        if self.is_answered or not self.has_picture or self._resumes_wanted is None:
            return
        if len(self._resumed) < self._resumes_wanted:
            return
        self.is_answered = True
        for station in self._stations.values():
            for pile in station.piles.values():
                for gun in pile.configured:
                    # Also what stands as it should: from now on this run holds it, whatever the broker loses.
                    gun.published = None
            self._write_missing(station, now)
            for pile in station.piles.values():
                self._plan(station, pile, now)

    def _write_missing(self, station: Station, now: datetime) -> None:
        """Hold a session, or none, for each configured gun; clear what nothing stands behind any more."""
        if not self.is_sure:
            return
        for pile in station.piles.values():
            for gun in pile.configured:
                gun.is_known = True
            for gun in pile.guns.values():
                if gun.config is None and gun.published is not None and gun.session is None:
                    gun.published, gun.is_known = None, False
                    self._out.append(Clear(SESSION.at(station=station.code, pile=pile.number, gun=gun.number)))
            self._publish_pile(station, pile, now)
        for transformer in station.transformers.values():
            if transformer.config is None and transformer.policy is not None and station.config is not None:
                transformer.policy = None
                self._out.append(Clear(POLICY.at(station=station.code, transformer=transformer.code)))

    # --- what is heard

    def _heard(self, address: Address, payload: Payload, now: datetime) -> None:
        match payload:
            case ServiceStatus():
                self._on_service(payload, now)
            case BridgeStatus():
                self._on_bridge(payload, now)
            case StationConfig():
                self._on_config(payload, now)
            case PileStatus():
                station = self._station(address)
                self._on_pile_status(station, station.pile(address.pile), payload, now)
            case PileReply():
                station = self._station(address)
                self._on_pile_reply(station, station.pile(address.pile), payload, now)
            case TransformerReading():
                station = self._station(address)
                self._on_reading(station, station.transformer(address.transformer), payload, now)
            case TransformerPolicy():
                self._on_own_policy(self._station(address).transformer(address.transformer), payload)
            case _:
                station = self._station(address)
                pile = station.pile(address.pile)
                self._heard_of_gun(_Place(station, pile, pile.gun(address.gun)), payload, now)

    def _heard_of_gun(self, place: _Place, payload: Payload, now: datetime) -> None:
        match payload:
            case Telemetry():
                self._on_telemetry(place, payload, now)
            case GunLevel():
                self._on_level(place, payload, now)
            case SessionLevel():
                self._on_own_session(place, payload, now)
            case StartRequest():
                self._on_start(place, payload, now)
            case AskRequest():
                self._on_ask(place, payload, now)
            case LongerHold():
                self._on_longer_hold(place, payload, now)
            case Resume():
                self._on_resume(place, payload, now)
            case LeaveQueue():
                pass  # nobody waits here yet
            case GunReply():
                self._on_gun_reply(place, payload, now)
            case GunEvent():
                self._on_gun_event(place, payload, now)

    def _station(self, address: Address) -> Station:
        return self._stations.setdefault(address.station, Station(address.station))

    def _on_service(self, status: ServiceStatus, now: datetime) -> None:
        if status.name != WORKER:
            return
        for answer in status.answered:
            if answer.instance == self.instance and answer.since_ms == self.since_ms:
                self._resumes_wanted = answer.resumes
        self._check_sure(now)

    def _on_bridge(self, status: BridgeStatus, now: datetime) -> None:
        known = self._bridges.get(status.bridge)
        if known is not None and (status.started_ms, status.version) <= (known.started_ms, known.version):
            return
        self._bridges[status.bridge] = status
        for station in self._stations.values():
            for pile in station.piles.values():
                if pile.status is not None and pile.status.bridge == status.bridge:
                    self._join(station, pile, now)

    def _on_pile_status(self, station: Station, pile: Pile, status: PileStatus, now: datetime) -> None:
        if pile.status is not None and status.version <= pile.status.version:
            return
        pile.status = status
        self._join(station, pile, now)

    def _join(self, station: Station, pile: Pile, now: datetime) -> None:
        """A pile is online only while the bridge that says so is, with the same start."""
        status = pile.status
        assert status is not None
        bridge = self._bridges.get(status.bridge)
        before = pile.link
        pile.link = None
        if status.online and bridge is not None and bridge.online and bridge.started_ms == status.bridge_started_ms:
            pile.link = Link(status.bridge, status.link)
        if pile.link is None or pile.link == before or not self.has_picture:
            return
        if pile.limits is not None:
            pile.power.forget_link(pile.limits.rated_kw)
            self._plan(station, pile, now)
        for gun in pile.guns.values():
            # A command for the old link is void there; the wait for its answer goes on.
            if gun.session is not None and gun.session.start is not None:
                self._repeat_start(_Place(station, pile, gun), gun.session, now)

    def _on_config(self, config: StationConfig, now: datetime) -> None:
        station = self._stations.setdefault(config.station, Station(config.station))
        if station.config is not None and config.version <= station.config.version:
            return
        station.configure(config)
        if self.has_picture:
            self._write_missing(station, now)
            for pile in station.piles.values():
                self._plan(station, pile, now)

    def _on_reading(
        self, station: Station, transformer: Transformer, reading: TransformerReading, now: datetime
    ) -> None:
        if transformer.config is not None and reading_kva(reading, transformer.config) is None:
            return  # impossible: as good as none, so the last good one grows stale
        at = min(reading.received_at, now)
        if transformer.reading_at is not None and at <= transformer.reading_at:
            return
        transformer.reading, transformer.reading_at = reading, at
        if self.has_picture:
            self._follow_band(station, transformer, now)

    def _on_own_policy(self, transformer: Transformer, policy: TransformerPolicy) -> None:
        if policy.version <= transformer.version:
            return
        transformer.version = policy.version
        if transformer.policy is None:
            transformer.policy = policy
            transformer.band.shown, transformer.band.since = policy.band, policy.since
            transformer.band.settled = None if policy.band is Band.UNKNOWN else policy.band

    def _on_own_session(self, place: _Place, level: SessionLevel, now: datetime) -> None:
        gun = place.gun
        if level.version <= gun.version:
            return
        gun.version = level.version
        if gun.is_known:
            # Newer than ours and not ours: an earlier run of this owner that was still on its way. Ours counts.
            gun.published = level
            if self.has_picture:
                self._publish_gun(place, now)
            return
        gun.published = level
        gun.is_known = True
        take_allowance(place.pile, level)
        if level.held is not None:
            gun.session = restored(level.held, gun, now)
            if self.has_picture:
                self._follow_level(place, now)

    # --- a gun's level and readings

    def _on_level(self, place: _Place, level: GunLevel, now: datetime) -> None:
        known = place.gun.level
        if known is not None and (level.login_ms, level.version) <= (known.login_ms, known.version):
            return
        place.gun.level = level
        if self.has_picture:
            self._follow_level(place, now)

    def _follow_level(self, place: _Place, now: datetime) -> None:
        """What the gun's level says about its session: begun, charging, over."""
        session, level = place.gun.session, place.gun.level
        if session is None or level is None:
            return
        over_now = is_over(session, level, now)
        if over_now is not None:
            if session.stop is not None and not session.stop.learnt:
                place.pile.latency.learn((over_now.at - session.stop.first_at).total_seconds())
            self._end(place, now)
            return
        if not place.gun.is_running(session.serial):
            return
        session.seen_running = True
        session.start = None
        if level.state in RUNNING and place.pile.power.confirm(session.start_id, None):
            # The bridge writes 0x34 only after 0x51: a gun that starts shows that the pile took the allowance.
            self._mark_caps(place.pile, CapState.CONFIRMED)
        if level.state is GunState.CHARGING and session.charging_since is None:
            session.charging_since = min(level.since, now)
            session.may_draw_since = session.may_draw_since or session.charging_since
        self._plan(place.station, place.pile, now)

    def _on_telemetry(self, place: _Place, telemetry: Telemetry, now: datetime) -> None:
        gun = place.gun
        at = min(telemetry.received_at, now)
        if telemetry.power_kw is not None and is_possible(telemetry.power_kw, gun):
            if gun.readings and at < gun.readings[-1].at:
                return
            gun.readings.append(Reading(at, telemetry.power_kw))
            while len(gun.readings) > 1 and at - gun.readings[0].at > HIGH_WITHIN:
                gun.readings.popleft()
        session = gun.session
        if session is None or telemetry.serial != session.serial:
            return
        self._learn_stop(place.pile, session, telemetry, at)
        if telemetry.state is not GunState.CHARGING:
            return
        session.charging_since = session.charging_since or at
        session.may_draw_since = session.may_draw_since or at
        if telemetry.max_power_kw:
            gun.max_power_kw = telemetry.max_power_kw
        if telemetry.soc_pct is not None:
            is_high = telemetry.soc_pct >= HIGH_SOC_PCT
            session.high_soc_since = (session.high_soc_since or at) if is_high else None
        power_kw = gun.readings[-1].kw if gun.readings else 0.0
        session.peak_kw = max(session.peak_kw, power_kw)
        if telemetry.energy_kwh is not None:
            session.watch.follow(at, telemetry.energy_kwh, power_kw, session.price_e5, session.charging_since)
        if session.cap_state is CapState.CONFIRMED and self._is_applied(place.pile, power_kw):
            session.cap_state = CapState.APPLIED
        if self.has_picture:
            self._watch_goal(place, session, now)
            self._publish_gun(place, now)

    @staticmethod
    def _is_applied(pile: Pile, power_kw: float) -> bool:
        confirmed_kw = pile.power.confirmed_kw
        return confirmed_kw is not None and 0 < power_kw <= confirmed_kw * APPLIED_TOLERANCE

    @staticmethod
    def _learn_stop(pile: Pile, session: Session, telemetry: Telemetry, at: datetime) -> None:
        stop = session.stop
        if stop is None or stop.learnt or stop.sent_at is None or at <= stop.first_at:
            return
        if telemetry.current_a == 0 or telemetry.power_kw == 0:
            stop.learnt = True
            pile.latency.learn((at - stop.first_at).total_seconds())

    # --- requests

    def _on_start(self, place: _Place, request: StartRequest, now: datetime) -> None:
        session = place.gun.session
        if session is not None and session.serial == request.serial:
            self._admitted_before(place, session, request, now)
            return
        if request.id in self._verdicts:
            self._say(place, self._verdicts[request.id][0])
            return
        if now >= request.expires_at:
            self._refuse(place, request, Admission(Reason.EXPIRED), now)
            return
        admission = self._weigh(place, now, request.tariff_version)
        if not admission.is_admitted:
            self._refuse(place, request, admission, now)
            return
        self._admit(place, request, admission, now)

    def _weigh(self, place: _Place, now: datetime, tariff_version: str | None = None) -> Admission:
        reason = refuse_before_load(
            place.station, place.pile, place.gun, now, is_sure=self.is_sure, tariff_version=tariff_version
        )
        if reason is not None:
            return Admission(reason)
        assert place.pile.limits is not None
        transformer = place.station.transformer(place.pile.limits.transformer)
        if transformer.config is None:
            return Admission(Reason.STATION_UNKNOWN)
        self._follow_band(place.station, transformer, now)
        return decide(place.station, transformer, place.pile, place.gun, now)

    def _admit(self, place: _Place, request: StartRequest, admission: Admission, now: datetime) -> None:
        """Reserve first: the level with the reservation is acknowledged by the broker before the start goes out."""
        pile, gun = place.pile, place.gun
        assert pile.link is not None
        session = admit(request, admission, now)
        gun.session = session
        gun.max_power_kw = None
        if admission.allowance_kw is not None:
            self._rise(pile, admission.allowance_kw, now)
            pile.power.send(Sent(session.start_id, admission.allowance_kw, now, session.serial))
        start = start_message(request, session, pile.link, admission.allowance_kw)
        session.start = PendingStart(start, now)
        verdict = Verdict(
            id=derived_id("verdict", request.id),
            request=request.id,
            serial=request.serial,
            kind=VerdictKind.ADMITTED,
            figures=admission.figures,
            cap_kw=admission.cap_kw,
            covered_kwh=request.covered_kwh,
            goal=request.goal.kind,
            decided_at=now,
        )
        self._verdicts[request.id] = (verdict, now)
        self._publish_pile(place.station, pile, now, first=True)
        self._say(place, verdict)
        self._publish_start(place, session, now)

    def _admitted_before(self, place: _Place, session: Session, request: StartRequest, now: datetime) -> None:
        """A repeated request: the same verdict, no second reservation; the start again while nothing answered it."""
        remembered = self._verdicts.get(request.id)
        verdict = (
            remembered[0]
            if remembered is not None
            else Verdict(
                id=derived_id("verdict", request.id),
                request=request.id,
                serial=request.serial,
                kind=VerdictKind.ADMITTED,
                cap_kw=place.gun.cap_kw(),
                covered_kwh=request.covered_kwh,
                goal=request.goal.kind,
                decided_at=session.admitted_at,
            )
        )
        self._publish_pile(place.station, place.pile, now, first=True)
        self._say(place, verdict)
        written_by = session.admitted_at + timedelta(seconds=START_WRITTEN_S)
        if session.start is None and not session.seen_running and request.id == session.request_id:
            # A restart between the reservation and the start: the request brings what the level does not hold.
            allowance_kw = place.pile.power.last_sent_kw if place.pile.power.sent else None
            if place.pile.link is not None and now < written_by:
                start = start_message(request, session, place.pile.link, allowance_kw)
                session.start = PendingStart(start, now)
                self._publish_start(place, session, now)
        elif session.start is not None:
            self._repeat_start(place, session, now)

    def _refuse(self, place: _Place, request: StartRequest, admission: Admission, now: datetime) -> None:
        verdict = Verdict(
            id=derived_id("verdict", request.id),
            request=request.id,
            serial=request.serial,
            kind=VerdictKind.REFUSED,
            reason=admission.reason,
            figures=admission.figures,
            goal=request.goal.kind,
            zh=admission.text.zh,
            en=admission.text.en,
            decided_at=now,
        )
        self._verdicts[request.id] = (verdict, now)
        self._say(place, verdict)

    def _on_ask(self, place: _Place, request: AskRequest, now: datetime) -> None:
        if now >= request.expires_at:
            return
        admission = self._weigh(place, now)
        verdict = Verdict(
            id=derived_id("verdict", request.id),
            request=request.id,
            kind=VerdictKind.ASK_ANSWER,
            would_admit=admission.is_admitted,
            reason=admission.reason,
            figures=admission.figures,
            cap_kw=admission.cap_kw,
            zh=admission.text.zh,
            en=admission.text.en,
            decided_at=now,
        )
        self._say(place, verdict)

    def _on_longer_hold(self, place: _Place, request: LongerHold, now: datetime) -> None:
        session = place.gun.session
        if session is None or session.serial != request.serial or request.covered_kwh <= session.covered_kwh:
            return
        session.covered_kwh = request.covered_kwh
        session.hold_low_at = None
        self._publish_gun(place, now)

    def _on_resume(self, place: _Place, message: Resume, now: datetime) -> None:
        if message.rules_since_ms != self.since_ms:
            return
        gun = place.gun
        if gun.session is not None and gun.session.serial == message.serial:
            # What stands retained is newer than the database's view of it, but for what only the worker lengthens.
            gun.session.covered_kwh = max(gun.session.covered_kwh, message.covered_kwh)
            since = (gun.session.charging_since, message.charging_since)
            gun.session.charging_since = min((at for at in since if at is not None), default=None)
        elif gun.session is None and self._may_run(gun, message):
            gun.session = resumed(message, now)
            gun.is_known = True
            if self.has_picture:
                self._follow_level(place, now)
                self._publish_gun(place, now)
        self._resumed.add(message.serial)
        self._check_sure(now)

    @staticmethod
    def _may_run(gun: Gun, message: Resume) -> bool:
        """An order may be open because its record is missing, long after its charge; such a one reserves nothing."""
        if gun.level is None or gun.is_running(message.serial):
            return True
        return message.charging_since is None and not gun.is_running() and gun.level.serial != message.serial

    # --- answers

    def _on_gun_reply(self, place: _Place, reply: GunReply, now: datetime) -> None:
        if reply.command != "start":
            return
        session, power = place.gun.session, place.pile.power
        is_accepted = reply.outcome is Outcome.ACCEPTED
        if (is_accepted or reply.allowance_kw is not None) and power.confirm(reply.id, reply.allowance_kw):
            self._mark_caps(place.pile, CapState.CONFIRMED)
        if session is None or session.start_id != reply.id:
            self._publish_pile(place.station, place.pile, now)
            return
        session.start = None
        if is_accepted or place.gun.is_running(session.serial):
            # The serial in the pile's readings outranks a lost or contradicting answer.
            self._publish_pile(place.station, place.pile, now)
            return
        self._end(place, now)

    def _on_gun_event(self, place: _Place, event: GunEvent, now: datetime) -> None:
        session = place.gun.session
        if event.kind is not GunEventKind.START_FAILED or session is None or event.serial != session.serial:
            return
        if not place.gun.is_running(session.serial):
            self._end(place, now)

    def _on_pile_reply(self, station: Station, pile: Pile, reply: PileReply, now: datetime) -> None:
        power = pile.power
        if reply.outcome is Outcome.ACCEPTED:
            if power.confirm(reply.id, reply.allowance_kw):
                self._mark_caps(pile, CapState.CONFIRMED)
        elif any(sent.id == reply.id for sent in power.sent):
            power.refused_at = now
            self._mark_caps(pile, CapState.FAILED)
        if self.has_picture:
            self._publish_pile(station, pile, now)
            self._plan(station, pile, now)

    @staticmethod
    def _mark_caps(pile: Pile, state: CapState) -> None:
        for gun in pile.guns.values():
            if gun.session is not None:
                gun.session.cap_state = CapState.NONE if gun.cap_kw() is None else state

    # --- ends

    def _end(self, place: _Place, now: datetime) -> None:
        """Let a session and its reservation go, and plan its pile anew."""
        pile, session = place.pile, place.gun.session
        assert session is not None
        place.gun.session = None
        pile.power.release_serial(session.serial)
        self._neighbours_gain(pile, place.gun, now)
        self._publish_gun(place, now)
        self._plan(place.station, pile, now)

    @staticmethod
    def _neighbours_gain(pile: Pile, gone: Gun, now: datetime) -> None:
        """Where guns shared what their pile could give, those that stay may now draw more than they have shown."""
        if pile.limits is None or gone.config is None:
            return
        staying = [gun for gun in pile.configured if gun.session is not None]
        could_kw = gone.config.rated_kw + sum(gun.config.rated_kw for gun in staying if gun.config is not None)
        if could_kw > pile.power.largest_kw(pile.limits.rated_kw) + ROUNDING:
            _may_draw_more(staying, now)

    def _rise(self, pile: Pile, allowance_kw: float, now: datetime) -> None:
        assert pile.limits is not None
        if allowance_kw > pile.power.largest_kw(pile.limits.rated_kw) + ROUNDING:
            _may_draw_more(pile.configured, now)

    # --- power

    def _plan(self, station: Station, pile: Pile, now: datetime) -> None:
        """Bring the pile down to what its guns stand for (end, failed start, new login), or make sure of it.

        What goes up goes up by a start or a release only, since both are weighed. Lowering needs no weighing.
        """
        power, link = pile.power, pile.link
        control = pile.status.power_control if pile.status is not None else None
        if not self.is_sure or link is None or pile.limits is None or control is None or not can_cap(control):
            return
        wants = wants_of(pile)
        if not wants or power.start_under_way:
            return
        waited_for = power.in_flight(now)
        if waited_for is not None and power.refused_at is None:
            if power.repeat_due(now):
                power.repeated_at = now
                self._publish_power(station, pile, link, waited_for)
            return
        if power.refused_at is not None and not lasted(power.refused_at, POWER_AGAIN_S, now):
            return
        rated_kw = pile.limits.rated_kw
        largest_kw, last_kw = power.largest_kw(rated_kw), power.last_sent_kw
        target_kw = planned_kw(control, rated_kw, wants)
        if last_kw is not None:
            # Making sure of a pile is no occasion to lift it: a charge that nobody admitted may be running there.
            target_kw = min(target_kw, last_kw)
        is_capped = any(want.cap_kw is not None for want in wants)
        if (target_kw < largest_kw - ROUNDING and is_capped) or (power.sent and target_kw <= largest_kw + ROUNDING):
            power.refused_at = None
            self._send_power(station, pile, link, target_kw, now)

    def _send_power(self, station: Station, pile: Pile, link: Link, allowance_kw: float, now: datetime) -> None:
        pile.power_tries += 1
        sent = Sent(f"power-{pile.number}-{to_ms(now)}-{pile.power_tries}", allowance_kw, now)
        pile.power.send(sent)
        for gun in pile.configured:
            if gun.session is not None and gun.cap_kw() is not None:
                gun.session.cap_state = CapState.SENT
        self._publish_pile(station, pile, now, first=True)
        self._publish_power(station, pile, link, sent)

    def _publish_power(self, station: Station, pile: Pile, link: Link, sent: Sent) -> None:
        allowance = PowerAllowance(
            id=sent.id,
            bridge=link.bridge,
            link=link.link,
            allowance_kw=sent.allowance_kw,
            expires_at=sent.at + timedelta(seconds=START_WRITTEN_S),
        )
        self._out.append(Publish(PILE_POWER, PILE_POWER.at(station=station.code, pile=pile.number), allowance))

    def _release(self, station: Station, transformer: Transformer, now: datetime) -> None:
        """Lift the oldest cap when the load has been low for long, one session at a time, weighed like a start."""
        config = transformer.config
        assert config is not None
        band = transformer.band
        if not self.is_sure or band.shown is not Band.NORMAL or not band.may_release(config, now):
            return
        if transformer.released_at is not None and not lasted(transformer.released_at, config.release_apart_s, now):
            return
        capped = [
            (gun.session.admitted_at, pile.number, gun.number)
            for pile in station.piles_of(transformer.code)
            if pile.link is not None and not pile.power.sent
            for gun in pile.configured
            if gun.session is not None and gun.session.rule_cap_kw is not None and gun.is_running(gun.session.serial)
        ]
        if not capped:
            return
        _, pile_number, gun_number = min(capped)
        pile = station.pile(pile_number)
        self._release_cap(_Place(station, pile, pile.gun(gun_number)), transformer, now)

    def _release_cap(self, place: _Place, transformer: Transformer, now: datetime) -> None:
        config, pile, gun = transformer.config, place.pile, place.gun
        session, link = gun.session, pile.link
        control = pile.status.power_control if pile.status is not None else None
        assert config is not None
        assert session is not None
        assert gun.config is not None
        assert pile.limits is not None
        if link is None or control is None or not can_cap(control):
            return
        rated_kw = pile.limits.rated_kw
        target_kw = planned_kw(
            control, rated_kw, [Want(gun.config.rated_kw, gun.config.hand_limit_kw), *wants_of(pile, gun.number)]
        )
        before = load_of(place.station, transformer, now).planned_pct
        after = load_of(place.station, transformer, now, Change(pile.number, target_kw)).planned_pct
        if before is None or after is None or over(before, config.limited_pct) or over(after, config.blocked_pct):
            return
        transformer.released_at = now
        session.rule_cap_kw = None
        session.cap_state = CapState.NONE if gun.cap_kw() is None else CapState.SENT
        if target_kw > pile.power.largest_kw(rated_kw) + ROUNDING:
            self._rise(pile, target_kw, now)
            self._send_power(place.station, pile, link, target_kw, now)
        else:
            self._publish_pile(place.station, pile, now)

    # --- time

    def _tick(self, now: datetime) -> None:
        if not self.has_picture:
            return
        for station in self._stations.values():
            for pile in station.piles.values():
                for gun in pile.guns.values():
                    self._tick_gun(_Place(station, pile, gun), now)
                if pile.power.sent:
                    self._plan(station, pile, now)
            for transformer in station.transformers.values():
                if transformer.config is not None:
                    self._follow_band(station, transformer, now)
                    self._release(station, transformer, now)
        self._verdicts = {id: kept for id, kept in self._verdicts.items() if now - kept[1] < VERDICTS_KEPT}

    def _tick_gun(self, place: _Place, now: datetime) -> None:
        session, gun = place.gun.session, place.gun
        if session is None:
            return
        if never_began(session, gun, now) or (gun.level is not None and is_over(session, gun.level, now) is not None):
            self._end(place, now)
            return
        if session.start is not None:
            if now >= session.start.message.expires_at:
                session.start = None
            elif lasted(session.start.sent_at, REPEAT_S, now):
                self._repeat_start(place, session, now)
        self._watch_goal(place, session, now)
        self._publish_gun(place, now)

    def _repeat_start(self, place: _Place, session: Session, now: datetime) -> None:
        """The same id to the newest link."""
        pending, link = session.start, place.pile.link
        if pending is None or link is None or now >= pending.message.expires_at:
            return
        pending.message = msgspec.structs.replace(pending.message, bridge=link.bridge, link=link.link)
        self._publish_start(place, session, now)

    def _publish_start(self, place: _Place, session: Session, now: datetime) -> None:
        assert session.start is not None
        session.start.sent_at = now
        self._out.append(Publish(START, place.at(START), session.start.message))

    def _watch_goal(self, place: _Place, session: Session, now: datetime) -> None:
        level = place.gun.level
        if level is None or level.state is not GunState.CHARGING or level.serial != session.serial:
            return
        if session.stop is None:
            why = reached(
                session.goal,
                session.covered_kwh,
                session.price_e5,
                session.watch,
                session.charging_since,
                place.pile.latency.expected_s,
                now,
            )
            if why is not None:
                session.stop = PendingStop(why, now)
                self._tell_goal(place, session, why, now)
            elif hold_is_low(session.goal, session.covered_kwh, session.watch):
                self._tell_hold_low(place, session, now)
        stop, link = session.stop, place.pile.link
        if stop is None or link is None:
            return
        if stop.sent_at is None or lasted(stop.sent_at, STOP_ANSWER_S, now):
            stop.sent_at = now
            message = Stop(
                id=f"{session.serial}-stop-{to_ms(now)}",
                bridge=link.bridge,
                link=link.link,
                serial=session.serial,
                why=stop.why,
                expires_at=now + timedelta(seconds=STOP_ANSWER_S),
            )
            self._out.append(Publish(STOP, place.at(STOP), message))

    def _tell_goal(self, place: _Place, session: Session, why: Reason, now: datetime) -> None:
        text = sentence(why)
        is_goal = why is Reason.GOAL_REACHED
        verdict = Verdict(
            id=f"{session.serial}-{why.value}",
            serial=session.serial,
            kind=VerdictKind.GOAL_REACHED if is_goal else VerdictKind.HOLD_LOW,
            reason=why,
            covered_kwh=session.covered_kwh,
            goal=session.goal.kind,
            zh=text.zh,
            en=text.en,
            decided_at=now,
        )
        self._say(place, verdict)

    def _tell_hold_low(self, place: _Place, session: Session, now: datetime) -> None:
        if session.hold_low_at is not None and not lasted(session.hold_low_at, HOLD_LOW_AGAIN_S, now):
            return
        session.hold_low_at = now
        verdict = Verdict(
            id=f"{session.serial}-hold-{to_ms(now)}",
            serial=session.serial,
            kind=VerdictKind.HOLD_LOW,
            covered_kwh=session.covered_kwh,
            goal=session.goal.kind,
            decided_at=now,
        )
        self._say(place, verdict)

    # --- levels

    def _settle_all(self, now: datetime) -> None:
        for station in self._stations.values():
            for pile in station.piles.values():
                for gun in list(pile.guns.values()):
                    self._follow_level(_Place(station, pile, gun), now)
            for transformer in station.transformers.values():
                if transformer.config is not None:
                    self._follow_band(station, transformer, now)

    def _follow_band(self, station: Station, transformer: Transformer, now: datetime) -> None:
        assert transformer.config is not None
        load = load_of(station, transformer, now)
        transformer.band.step(transformer.config, load.load_pct, now)
        if policy_due(transformer, load, now):
            policy = policy_of(transformer, load, now, to_ms(now))
            transformer.policy, transformer.policy_at, transformer.version = policy, now, policy.version
            name = POLICY.at(station=station.code, transformer=transformer.code)
            self._out.append(Publish(POLICY, name, policy))

    def _publish_pile(self, station: Station, pile: Pile, now: datetime, *, first: bool = False) -> None:
        for gun in pile.configured:
            self._publish_gun(_Place(station, pile, gun), now, first=first)

    def _publish_gun(self, place: _Place, now: datetime, *, first: bool = False) -> None:
        """Bring the gun's retained level to what is held; before a gun is known nothing is said about it."""
        pile, gun = place.pile, place.gun
        if gun.config is None or pile.limits is None or not gun.is_known:
            return
        config = place.station.transformer(pile.limits.transformer).config
        level = level_of(pile, gun, config, now, to_ms(now))
        if level is None:
            return
        gun.published, gun.version = level, level.version
        self._out.append(Publish(SESSION, place.at(SESSION), level, first=first))

    def _say(self, place: _Place, verdict: Verdict) -> None:
        self._out.append(Publish(VERDICT, place.at(VERDICT), verdict))


def _may_draw_more(guns: list[Gun], now: datetime) -> None:
    for gun in guns:
        if gun.session is not None and gun.session.may_draw_since is not None:
            gun.session.may_draw_since = now
            gun.session.was_shown = False
            gun.session.high_soc_since = None
