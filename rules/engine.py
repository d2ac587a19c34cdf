"""The engine: what is heard and the time that passes in, what to publish out. No I/O and no clock of its own.

The worker feeds it from MQTT, the replay from a file; both get the same decisions for the same messages.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from evcs.contracts.alarm import Alarm
from evcs.contracts.bridge import BridgeStatus, ServiceStatus
from evcs.contracts.config import FaultCodes, StationConfig
from evcs.contracts.envelope import Payload
from evcs.contracts.gun import (
    AskRequest,
    GunEvent,
    GunLevel,
    GunReply,
    LeaveQueue,
    LongerHold,
    Resume,
    StartRequest,
    Telemetry,
)
from evcs.contracts.pile import PileEvent, PileReply, PileStatus
from evcs.contracts.session import SessionLevel
from evcs.contracts.states import Band
from evcs.contracts.topics import CONFIG_STATION, POLICY, QUEUE, SESSION, Address
from evcs.contracts.transformer import TransformerPolicy, TransformerQueue, TransformerReading
from rules import alarms, alerts, faults, pile_alarms
from rules.admission import decide
from rules.charges import follow_level, on_gun_event, on_gun_reply, on_level, on_telemetry, repeat_start, tick_gun
from rules.hand import ask_again, follow_hands, tick_hands
from rules.known import Decide, Known, Place
from rules.levels import follow_band, publish_gun, publish_pile
from rules.load import reading_kva
from rules.load_alarms import follow_load_alarms
from rules.messages import Action, Began, Clear, Gone, Heard, Message, PictureComplete, PictureLost, Tick
from rules.overload import follow_excess
from rules.power import on_pile_reply, plan, release
from rules.protection import watch
from rules.queue_level import publish_queue
from rules.queueing import advance, end_of_unknown, leave
from rules.requests import on_longer_hold, on_resume
from rules.sessions import restored, take_allowance
from rules.sharing import share_load
from rules.starts import on_ask, on_start
from rules.station import Link, Pile, Station, Transformer
from rules.waiters import ToldQueue

OnFailure = Callable[[str, Exception], None]
WORKER = "worker"
VERDICTS_KEPT = timedelta(minutes=5)


class Engine:
    """Owner n of m of the transformer rule; `step` is the only way in, the returned actions are the only way out."""

    def __init__(self, instance: str = "1-of-1", decide: Decide = decide, on_failure: OnFailure | None = None) -> None:
        self.instance = instance
        self._known = Known(decide=decide)
        self._on_failure = on_failure
        """Told the station and the error, so that the others are served; None: the error is raised."""

    @property
    def since_ms(self) -> int:
        return self._known.since_ms

    @property
    def has_picture(self) -> bool:
        return self._known.has_picture

    @property
    def is_answered(self) -> bool:
        """Whether the worker has answered this start with its open orders."""
        return self._known.is_answered

    @property
    def is_sure(self) -> bool:
        return self._known.is_sure

    def stations(self) -> Iterator[Station]:
        """For health and tests; not to be changed."""
        return iter(self._known.stations.values())

    def step(self, message: Message, now: datetime) -> list[Action]:
        """Take one message at `now` (aware UTC); return what has to be published, in this order."""
        self._known.out = []
        try:
            self._take(message, now)
        except Exception as error:
            if self._on_failure is None:
                raise
            self._on_failure(message.address.station if isinstance(message, Heard) else "", error)
        # Also after a failure: what was decided before it is held to be told.
        return self._known.out

    def _take(self, message: Message, now: datetime) -> None:
        known = self._known
        match message:
            case Heard():
                self._heard(message.address, message.payload, now)
            case Gone():
                if message.topic is CONFIG_STATION:
                    alarms.station_gone(known, message.address.station, now)
            case Tick():
                self._tick(message, now)
            case Began():
                self._known = Known(since_ms=message.since_ms, decide=self._known.decide)
            case PictureComplete():
                known.has_picture = True
                alarms.settle(known, now)
                self._in_turn(self._settle_station, now)
                self._in_turn(lambda station, now: alerts.settle(known, station, now), now)
                self._check_sure(now)
            case PictureLost():
                known.has_picture = False

    def _check_sure(self, now: datetime) -> None:
        if self.is_answered or not self.has_picture or self._known.resumes_wanted is None:
            return
        if len(self._known.resumed) < self._known.resumes_wanted:
            return
        self._known.is_answered = True
        self._in_turn(self._be_sure_of, now)

    def _be_sure_of(self, station: Station, now: datetime) -> None:
        for pile in station.piles.values():
            for gun in pile.configured:
                # Also what stands as it should: from now on this run holds it, whatever the broker loses.
                gun.published = None
        self._write_missing(station, now)
        for pile in station.piles.values():
            plan(self._known, station, pile, now)

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
                    self._known.out.append(Clear(SESSION.at(station=station.code, pile=pile.number, gun=gun.number)))
            publish_pile(self._known, station, pile, now)
        for transformer in station.transformers.values():
            if transformer.config is None and transformer.policy is not None and station.config is not None:
                transformer.policy = None
                self._known.out.append(Clear(POLICY.at(station=station.code, transformer=transformer.code)))
            if transformer.config is None and transformer.queue.level is not None and station.config is not None:
                transformer.queue = ToldQueue()
                self._known.out.append(Clear(QUEUE.at(station=station.code, transformer=transformer.code)))

    def _heard(self, address: Address, payload: Payload, now: datetime) -> None:
        match payload:
            case ServiceStatus():
                self._on_service(payload, now)
            case BridgeStatus():
                self._on_bridge(payload, now)
            case StationConfig():
                self._on_config(payload, now)
            case PileStatus():
                station = self._known.station(address.station)
                self._on_pile_status(station, station.pile(address.pile), payload, now)
            case PileEvent():
                station = self._known.station(address.station)
                pile_alarms.on_event(self._known, station, station.pile(address.pile), payload, now)
            case FaultCodes():
                alerts.on_codes(self._known, payload, now)
            case PileReply():
                station = self._known.station(address.station)
                on_pile_reply(self._known, station, station.pile(address.pile), payload, now)
            case TransformerReading():
                station = self._known.station(address.station)
                self._on_reading(station, station.transformer(address.transformer), payload, now)
            case TransformerPolicy():
                self._on_own_policy(self._known.station(address.station).transformer(address.transformer), payload)
            case TransformerQueue():
                self._known.station(address.station).transformer(address.transformer).queue.take(payload)
            case Alarm():
                alarms.on_own_alarm(self._known, self._known.station(address.station), payload, now)
            case _:
                station = self._known.station(address.station)
                pile = station.pile(address.pile)
                self._heard_of_gun(Place(station, pile, pile.gun(address.gun)), payload, now)

    def _heard_of_gun(self, place: Place, payload: Payload, now: datetime) -> None:
        match payload:
            case Telemetry():
                on_telemetry(self._known, place, payload, now)
                watch.on_telemetry(self._known, place, payload, now)
            case GunLevel():
                on_level(self._known, place, payload, now)
                faults.follow_level(self._known, place, now)
            case SessionLevel():
                self._on_own_session(place, payload, now)
            case StartRequest():
                on_start(self._known, place, payload, now)
                self._check_sure(now)
            case AskRequest():
                on_ask(self._known, place, payload, now)
            case LongerHold():
                on_longer_hold(self._known, place, payload, now)
            case Resume():
                on_resume(self._known, place, payload, now)
                self._check_sure(now)
            case LeaveQueue():
                leave(self._known, place, payload, now)
            case GunReply():
                on_gun_reply(self._known, place, payload, now)
            case GunEvent():
                on_gun_event(self._known, place, payload, now)
                alerts.on_gun_event(self._known, place, payload, now)

    def _on_service(self, status: ServiceStatus, now: datetime) -> None:
        if status.name != WORKER:
            return
        for answer in status.answered:
            if answer.instance == self.instance and answer.since_ms == self.since_ms:
                self._known.resumes_wanted = answer.resumes
        self._check_sure(now)

    def _on_bridge(self, status: BridgeStatus, now: datetime) -> None:
        known = self._known.bridges.get(status.bridge)
        if known is not None and (status.started_ms, status.version) <= (known.started_ms, known.version):
            return
        self._known.bridges[status.bridge] = status
        for station in self._known.stations.values():
            for pile in station.piles.values():
                if pile.status is not None and pile.status.bridge == status.bridge:
                    self._join(station, pile, now)

    def _on_pile_status(self, station: Station, pile: Pile, status: PileStatus, now: datetime) -> None:
        if pile.status is not None and status.version <= pile.status.version:
            return
        pile.status = status
        self._join(station, pile, now)
        pile_alarms.follow_clock(self._known, station, pile, now)

    def _join(self, station: Station, pile: Pile, now: datetime) -> None:
        """A pile is online only while the bridge that says so is, with the same start."""
        status = pile.status
        assert status is not None
        bridge = self._known.bridges.get(status.bridge)
        pile.link = None
        if status.online and bridge is not None and bridge.online and bridge.started_ms == status.bridge_started_ms:
            pile.link = Link(status.bridge, status.link)
        if pile.link is None:
            return
        is_new = pile.link != pile.last_link
        if is_new and pile.last_link is not None and pile.limits is not None:
            pile.power.forget_link(pile.limits.rated_kw)
        pile.last_link = pile.link
        if not is_new or not self.has_picture:
            return
        plan(self._known, station, pile, now)
        for gun in pile.guns.values():
            # A command for the old link is void there; the wait for its answer goes on.
            if gun.session is not None and gun.session.start is not None:
                repeat_start(self._known, Place(station, pile, gun), gun.session, now)

    def _on_config(self, config: StationConfig, now: datetime) -> None:
        station = self._known.station(config.station)
        if station.config is not None and config.version <= station.config.version:
            return
        station.configure(config)
        if self.has_picture:
            self._write_missing(station, now)
            for pile in station.piles.values():
                ask_again(pile)
                follow_hands(self._known, station, pile, now)
                plan(self._known, station, pile, now)
            alerts.follow_station(self._known, station, now)

    def _on_reading(
        self, station: Station, transformer: Transformer, reading: TransformerReading, now: datetime
    ) -> None:
        if transformer.config is not None and reading_kva(reading, transformer.config) is None:
            return  # impossible: as good as none, so the last good one grows stale
        at = min(reading.received_at, now)
        if transformer.reading_at is not None and at <= transformer.reading_at:
            return
        transformer.reading, transformer.reading_at = reading, at
        # Before its configuration is known, or after it was taken away, there is nothing to measure a reading against.
        if self.has_picture and transformer.config is not None:
            follow_band(self._known, station, transformer, now)
            watch.on_reading(self._known, station, transformer, reading)

    def _on_own_policy(self, transformer: Transformer, policy: TransformerPolicy) -> None:
        if policy.version <= transformer.version:
            return
        transformer.version = policy.version
        if transformer.policy is None:
            transformer.policy = policy
            transformer.band.shown, transformer.band.since = policy.band, policy.since
            transformer.band.settled = None if policy.band is Band.UNKNOWN else policy.band
            transformer.excess.over_since = policy.over_since

    def _on_own_session(self, place: Place, level: SessionLevel, now: datetime) -> None:
        gun = place.gun
        if level.version <= gun.version:
            return
        gun.version = level.version
        if gun.is_known:
            # Newer than ours and not ours: an earlier run of this owner that was still on its way. Ours counts.
            gun.published = level
            if self.has_picture:
                publish_gun(self._known, place, now)
            return
        gun.published = level
        gun.is_known = True
        take_allowance(place.pile, level)
        if level.held is not None:
            gun.session = restored(level.held, gun, now)
            if self.has_picture:
                follow_level(self._known, place, now)

    def _tick(self, tick: Tick, now: datetime) -> None:
        if not self.has_picture:
            return
        stations = list(self._known.stations.values())[tick.part :: tick.parts]
        for turn in (self._tick_guns, self._tick_transformers, self._tick_alarms):
            self._in_turn(turn, now, stations)
        if tick.part > 0:
            return
        self._known.verdicts = {id: kept for id, kept in self._known.verdicts.items() if now - kept[1] < VERDICTS_KEPT}

    def _in_turn(
        self,
        take_turn: Callable[[Station, datetime], None],
        now: datetime,
        stations: Iterable[Station] | None = None,
    ) -> None:
        """Each station by itself: what goes wrong at one neither stops nor delays the others."""
        for station in list(self._known.stations.values()) if stations is None else stations:
            try:
                take_turn(station, now)
            except Exception as error:
                if self._on_failure is None:
                    raise
                self._on_failure(station.code, error)

    def _tick_guns(self, station: Station, now: datetime) -> None:
        for pile in station.piles.values():
            for gun in pile.guns.values():
                tick_gun(self._known, Place(station, pile, gun), now)
            if pile.power.sent:
                plan(self._known, station, pile, now)
            tick_hands(self._known, station, pile, now)

    def _tick_transformers(self, station: Station, now: datetime) -> None:
        """A turn of its own: a gun on which the rule trips must not keep its transformer from being watched."""
        for transformer in station.transformers.values():
            if transformer.config is not None:
                load = follow_band(self._known, station, transformer, now)
                follow_excess(self._known, station, transformer, load, now)
                follow_load_alarms(self._known, station, transformer, load, now)
                release(self._known, station, transformer, now)
                share_load(self._known, station, transformer, now)
                advance(self._known, station, transformer, now)
                publish_queue(self._known, station, transformer, now)
        end_of_unknown(self._known, station, now)

    def _tick_alarms(self, station: Station, now: datetime) -> None:
        alerts.tick(self._known, station, now)
        alarms.tick(self._known, station, now)

    def _settle_station(self, station: Station, now: datetime) -> None:
        for pile in station.piles.values():
            for gun in list(pile.guns.values()):
                follow_level(self._known, Place(station, pile, gun), now)
            follow_hands(self._known, station, pile, now)
            plan(self._known, station, pile, now)
        for transformer in station.transformers.values():
            if transformer.config is not None:
                follow_band(self._known, station, transformer, now)
