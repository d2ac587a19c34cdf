"""MQTT in, engine, acknowledged actions out.

Work session (persistent): G/request, G/reply, P/reply, G/event, P/event. View session: configuration, levels,
telemetry, meter readings. Writes G/session, G/verdict, G/start, G/stop, P/power, T/policy, T/queue, S/alarm and its own
service level.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from itertools import cycle
from typing import Any, cast

from evcs.contracts.alarm import Alarm
from evcs.contracts.bridge import ServiceStatus
from evcs.contracts.config import StationConfig
from evcs.contracts.envelope import ContractError, Payload
from evcs.contracts.gun import Verdict
from evcs.contracts.ids import owner_of, shard_of
from evcs.contracts.session import SessionLevel
from evcs.contracts.states import Band
from evcs.contracts.topics import (
    ALARM,
    BRIDGE_STATUS,
    CONFIG_FAULT_CODES,
    CONFIG_STATION,
    GUN_EVENT,
    GUN_REPLY,
    GUN_STATE,
    PILE_EVENT,
    PILE_REPLY,
    PILE_STATUS,
    POLICY,
    QUEUE,
    READING,
    REQUEST,
    SERVICE,
    SESSION,
    TELEMETRY,
    Topic,
)
from evcs.contracts.transformer import TransformerPolicy, TransformerQueue
from evcs.contracts.waits import LOOP_STALL_S
from evcs.runtime.clock import Clock
from evcs.runtime.health import Health, degraded, worst
from evcs.runtime.log import get_logger
from evcs.runtime.mqtt import AsyncSession, Delivery, LevelKeeper, view_session
from evcs.runtime.presence import Presence, repeatedly
from evcs.runtime.run import Fatal, spawn
from rules import meters
from rules.engine import Engine
from rules.errors import SplitDiffers
from rules.messages import Action, Began, Clear, Gone, Heard, Message, PictureComplete, PictureLost, Tick
from rules.settings import Settings

log = get_logger()

NAME = "rules"
TICK_S = 1.0
TICK_PARTS = 10
"""The stations are ticked in so many turns within a second."""
STOP_WITHIN_S = 10.0

WORK: tuple[Topic[Any], ...] = (REQUEST, GUN_REPLY, PILE_REPLY, GUN_EVENT, PILE_EVENT)
VIEW: tuple[Topic[Any], ...] = (
    SERVICE,
    BRIDGE_STATUS,
    CONFIG_STATION,
    CONFIG_FAULT_CODES,
    PILE_STATUS,
    GUN_STATE,
    TELEMETRY,
    READING,
    SESSION,
    POLICY,
    QUEUE,
    ALARM,
)
OWN: tuple[Topic[Any], ...] = (SESSION, POLICY, QUEUE, ALARM)


class Worker:
    """One owner n of m. A request is acknowledged when everything that follows from it is with the broker."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self.engine = Engine(settings.instance, on_failure=self._failed)
        self._presence = Presence(clock, NAME, settings.instance)
        self._inbox: deque[tuple[Topic[Any], Delivery]] = deque()
        self._effects: deque[tuple[list[Action], Delivery | None]] = deque()
        self._wake_inbox, self._wake_effects = asyncio.Event(), asyncio.Event()
        self._is_idle = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._acks: set[asyncio.Task[None]] = set()
        self._beat = clock.monotonic()
        self._bands: dict[str, Band] = {}
        self._others: dict[str, bool] = {}
        self._was_sure = False
        self._work = AsyncSession(
            settings,
            clock,
            client_id=f"{NAME}-{settings.instance}",
            will=self._presence.will,
            on_taken_over=lambda _: self._count_as_started("session taken over"),
        )
        self._view = view_session(settings, clock, client_id=f"{NAME}-{settings.instance}")
        self._keeper: LevelKeeper[asyncio.Future[None]] = LevelKeeper(self._work)
        for topic in WORK:
            for name in topic.subscriptions(settings.shard_owner, settings.shard_owners):
                self._work.subscribe(name, 1, partial(self._take_work, topic))
        for topic in VIEW:
            for name in topic.subscriptions(settings.shard_owner, settings.shard_owners):
                self._view.subscribe(name, 0, partial(self._take_view, topic))
        self._work.on_connected(self._on_connected)
        self._work.on_connected(lambda: repeatedly(lambda: self._presence.repeat(self._work)))
        self._view.on_picture(self._on_picture)
        self._view.on_disconnected(lambda: self._step(PictureLost()))

    # --- life

    async def start(self) -> None:
        """Return when subscribed and announced. Raises where another split of the shards is at work."""
        self._beat = self._clock.monotonic()
        self._step(Began(self._presence.since_ms))
        # Ticks from the first moment: a long wait for the broker is no standstill.
        self._tasks = [spawn(self._tick_for_ever(), "rules ticks")]
        await self._view.start()
        await self._view.picture()
        self._refuse_another_split()
        self._tasks.append(spawn(self._decide_for_ever(), "rules decides"))
        self._tasks.append(spawn(self._act_for_ever(), "rules acts"))
        await self._work.start()

    async def stop(self) -> None:
        """Take nothing new, finish what is decided, acknowledge, leave; the undecided comes again at the next start."""
        self._work.hold()
        self._inbox.clear()
        if len(self._tasks) > 1:
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_WITHIN_S):
                    while self._effects or not self._is_idle.is_set():
                        await self._is_idle.wait()
                    if self._acks:
                        await asyncio.wait(self._acks)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._work.stop()
        await self._view.stop(0)

    def health(self) -> Health:
        found = [self._work.health(), self._view.health()]
        if not self.engine.has_picture:
            found.append(degraded("the picture of the retained levels is not complete"))
        elif not self.engine.is_answered:
            found.append(degraded("the worker has not answered this start with its open orders; nothing is admitted"))
        return worst(*found)

    def stood_still(self, seconds: float) -> None:
        """The loop stood still: what is known is old, so it counts for nothing."""
        self._count_as_started(f"stood still for {seconds:.0f} s")

    def _refuse_another_split(self) -> None:
        own = self._settings.instance
        for instance, is_ready in self._others.items():
            if is_ready and instance.rpartition("-of-")[2] != own.rpartition("-of-")[2]:
                error = SplitDiffers(f"rules/{instance} is ready: {own} would serve some of its stations too")
                raise Fatal(str(error)) from error

    def _count_as_started(self, why: str) -> None:
        log.warning("counts_as_started", why=why)
        meters.RESTARTS.labels(why.partition(" for ")[0]).inc()
        self._beat = self._clock.monotonic()
        self._was_sure = False
        self._presence.renew()
        self._step(Began(self._presence.since_ms))
        # A fresh picture comes only with a new connection; its completeness wakes the inbox.
        spawn(self._renew(), "rules renews its view")

    async def _renew(self) -> None:
        await self._view.leave(0.0)
        if self._work.connected:
            await self._presence.announce(self._work)

    # --- in

    def _on_connected(self) -> None:
        self._keeper.publish_all()
        self._presence.announce(self._work)

    def _on_picture(self) -> None:
        self._step(PictureComplete())
        self._wake_inbox.set()

    def _take_work(self, topic: Topic[Any], delivery: Delivery) -> None:
        self._inbox.append((topic, delivery))
        self._wake_inbox.set()

    def _take_view(self, topic: Topic[Any], delivery: Delivery) -> None:
        if self._is_stalled():
            return
        if topic in OWN:
            self._keeper.seen(delivery.topic, self._version(topic, delivery))
        if not delivery.payload:
            address = topic.parse(delivery.topic)
            if address is not None:
                self._step(Gone(topic, address))
            return
        heard = self._read(topic, delivery)
        if heard is None:
            return
        if isinstance(heard.payload, ServiceStatus) and heard.payload.name == NAME:
            self._heard_of_rules(heard.payload)
        elif not isinstance(heard.payload, StationConfig) or self._owns(heard.payload.station):
            self._step(heard)

    def _heard_of_rules(self, status: ServiceStatus) -> None:
        if status.instance == self._settings.instance:
            if self._presence.is_outbid(status):
                spawn(self._work.leave(0.0), "rules outbids its former level")
        else:
            self._others[status.instance] = status.ready

    def _owns(self, station: str) -> bool:
        return owner_of(shard_of(station), self._settings.shard_owners) == self._settings.shard_owner

    @staticmethod
    def _version(topic: Topic[Any], delivery: Delivery) -> int:
        if not delivery.payload:
            return 0
        try:
            return int(cast(Any, topic.decode(delivery.payload)).version)
        except ContractError:
            return 0

    def _read(self, topic: Topic[Any], delivery: Delivery) -> Heard | None:
        address = topic.parse(delivery.topic)
        try:
            if address is None:
                raise ContractError(f"{delivery.topic} is not of {topic.leaf}")
            return Heard(topic, address, cast(Payload, topic.decode(delivery.payload)))
        except ContractError as error:
            meters.NOT_UNDERSTOOD.labels(topic.leaf).inc()
            log.warning("message_not_understood", topic=delivery.topic, reason=str(error))
            return None

    def _is_stalled(self) -> bool:
        """The first to run after a standstill may be a message that waited in the socket, before any timer."""
        stood_s = self._clock.monotonic() - self._beat
        if stood_s <= LOOP_STALL_S:
            return False
        self.stood_still(stood_s)
        return True

    async def _decide_for_ever(self) -> None:
        while True:
            while not self._inbox or not self.engine.has_picture:
                self._wake_inbox.clear()
                await self._wake_inbox.wait()
            if self._is_stalled():
                continue
            topic, delivery = self._inbox.popleft()
            heard = self._read(topic, delivery)
            if heard is None:
                delivery.ack()
                continue
            self._step(heard, delivery)
            # The view's messages, a stop among them, are not to wait behind a burst of requests.
            await asyncio.sleep(0)

    async def _tick_for_ever(self) -> None:
        for part in cycle(range(TICK_PARTS)):
            await asyncio.sleep(TICK_S / TICK_PARTS)
            if not self._is_stalled():
                self._beat = self._clock.monotonic()
                self._step(Tick(part, TICK_PARTS))

    def _step(self, message: Message, delivery: Delivery | None = None) -> None:
        actions = self.engine.step(message, self._clock.now())
        self._tell(actions)
        if actions or delivery is not None:
            self._is_idle.clear()
            self._effects.append((actions, delivery))
            self._wake_effects.set()

    @staticmethod
    def _failed(station: str, error: Exception) -> None:
        """One message or one station must not stop the rule for all; who asked hears nothing and releases the hold."""
        meters.FAILURES.labels(station).inc()
        log.error("decision_failed", station=station, exc_info=error)

    # --- out

    async def _act_for_ever(self) -> None:
        while True:
            while not self._effects:
                self._is_idle.set()
                self._wake_effects.clear()
                await self._wake_effects.wait()
            actions, delivery = self._effects.popleft()
            done: list[asyncio.Future[None]] = []
            must_stand: list[asyncio.Future[None]] = []
            for action in actions:
                is_first = not isinstance(action, Clear) and action.first
                if must_stand and not is_first:
                    await asyncio.gather(*must_stand)
                    must_stand = []
                published = self._publish(action)
                done.append(published)
                if is_first:
                    must_stand.append(published)
            if delivery is not None:
                self._acknowledge_after(done, delivery)

    def _publish(self, action: Action) -> asyncio.Future[None]:
        if isinstance(action, Clear):
            return self._keeper.clear(action.name)
        raw = action.topic.encode(action.payload)
        if isinstance(action.payload, SessionLevel | TransformerPolicy | TransformerQueue | Alarm):
            return self._keeper.set(action.name, action.payload.version, raw)
        return self._work.publish(action.name, raw)

    def _acknowledge_after(self, done: list[asyncio.Future[None]], delivery: Delivery) -> None:
        if not done:
            delivery.ack()
            return

        async def wait() -> None:
            # A session that stops before the PUBACK: not acknowledged, so it comes again.
            with suppress(ConnectionAbortedError):
                await asyncio.gather(*done)
                delivery.ack()

        task = asyncio.get_running_loop().create_task(wait())
        self._acks.add(task)
        task.add_done_callback(self._acks.discard)

    def _tell(self, actions: Iterable[Action]) -> None:
        for action in actions:
            if isinstance(action, Clear):
                continue
            match action.payload:
                case Verdict(kind=kind, reason=reason, serial=serial, request=request, cap_kw=cap_kw):
                    meters.VERDICTS.labels(kind, reason or "").inc()
                    log.info(
                        "verdict",
                        kind=kind,
                        reason=reason,
                        serial=serial,
                        request=request,
                        cap_kw=cap_kw,
                        topic=action.name,
                    )
                case TransformerPolicy(transformer=transformer, band=band, load_pct=load_pct, planned_pct=planned_pct):
                    if self._bands.get(action.name) is not band:
                        self._bands[action.name] = band
                        log.info("band", transformer=transformer, band=band, load_pct=load_pct, planned_pct=planned_pct)
        if self.engine.is_sure and not self._was_sure:
            self._was_sure = True
            log.info("sure", since_ms=self.engine.since_ms)
