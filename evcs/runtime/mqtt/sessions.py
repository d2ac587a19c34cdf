"""A session at the broker over all its connections: reconnects, subscriptions, outgoing window, picture, takeover."""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from inspect import isawaitable
from secrets import token_hex
from threading import Lock
from time import monotonic
from weakref import WeakSet

from evcs.runtime.clock import Clock
from evcs.runtime.health import OK, Health, degraded, down
from evcs.runtime.log import get_logger
from evcs.runtime.mqtt import packets
from evcs.runtime.mqtt.async_client import CLOSED, Link, Unanswered
from evcs.runtime.mqtt.messages import ConnectionRefused, Delivery, Handler, SubscriptionRefused, TakenOver, Will
from evcs.runtime.mqtt.outgoing import Outgoing
from evcs.runtime.mqtt.picture import REFUSED, Picture
from evcs.runtime.run import abort, spawn
from evcs.runtime.settings import MqttSettings

log = get_logger()

WAIT_AT_MOST_S = 5.0
GRACE_S = 7.0
"""Longer than the longest wait between two tries to connect: by then every reader has subscribed again."""
TAKEOVERS_WITHIN_S = 60.0
TOGETHER_WITHIN_S = 1.0
REMEMBERED_TOPICS = 100_000

Callback = Callable[[], Awaitable[None] | None]


class AsyncSession:
    """One MQTT session of an asyncio service.

    ``clean=False`` is a work session: the broker keeps what comes while it is away. ``clean=True`` begins anew with
    each connection (views; the bridge's commands). Everything here runs in the event loop that called ``start``.
    """

    def __init__(
        self,
        settings: MqttSettings,
        clock: Clock,
        *,
        client_id: str,
        clean: bool = False,
        will: Will | Callable[[], Will] | None = None,
        window: int = 1000,
        bound: int | None = None,
        gate: Callable[[], Awaitable[None]] | None = None,
        on_taken_over: Callable[[int], None] | None = None,
    ) -> None:
        """``window``: QoS 1 messages in flight at most; ``bound``: held at most before droppable ones are given up
        (default twice the window).

        A ``will`` that is a function is asked at each connection (its version must be above that of the level it ends).

        ``gate`` is awaited after each connection before anything but retained levels is sent: a broker that lost its
        store has no session yet of those who are to read it (see presence.Attendance). Without a gate a persistent
        session that finds its store lost waits GRACE_S.

        ``on_taken_over`` is told 1 at the first suspected takeover within a minute; at the second the service is ended.
        """
        self.client_id = client_id
        self.outgoing = Outgoing(window, bound)
        self.connection = 0
        """Number of the present or last connection, from 1."""
        self.last_error: str | None = None
        self.lost_qos0 = 0
        """Messages of QoS 0 that were published while there was no connection."""
        self._settings = settings
        self._clock = clock
        self._clean = clean
        self._will = will
        self._gate = gate
        self._is_gated = False
        self._farewell: Will | None = None
        self._on_taken_over = on_taken_over
        self._filters: list[tuple[str, int]] = []
        self._handlers: list[tuple[list[str], Handler]] = []
        self._handler_of: dict[str, Handler | None] = {}
        self._on_connected: list[Callback] = []
        self._on_disconnected: list[Callback] = []
        self._on_picture: list[Callback] = []
        self._link: Link | None = None
        self._is_ready = False
        self._takes = True
        self._started: asyncio.Future[None] | None = None
        self._supervisor: asyncio.Task[None] | None = None
        self._of_connection: list[asyncio.Task[None]] = []
        self._picture = asyncio.Event()
        self._looks: Picture | None = None
        self._away_until = 0.0
        self._stopping = False
        self._was_lost_at = 0.0
        self._closed_at = 0.0
        self._takeovers: deque[float] = deque()

    # --- before start

    def subscribe(self, filter: str, qos: int, handler: Handler) -> None:
        """Have ``handler`` called for each message under ``filter``. Filters do not overlap; only before ``start``."""
        if self._supervisor is not None:
            raise RuntimeError("subscriptions are static: subscribe before start()")
        self._filters.append((filter, qos))
        self._handlers.append((filter.split("/"), handler))

    def on_connected(self, callback: Callback) -> None:
        """Call it after every connection with all subscriptions granted (here owners publish their levels anew)."""
        self._on_connected.append(callback)

    def on_disconnected(self, callback: Callback) -> None:
        """Call it after every loss."""
        self._on_disconnected.append(callback)

    def on_picture(self, callback: Callback) -> None:
        """Call it whenever the retained picture has become complete."""
        self._on_picture.append(callback)

    # --- life

    async def start(self) -> None:
        """Return once connected with all subscriptions granted; a broker that is not there yet is waited for.

        Raises SubscriptionRefused, or ConnectionRefused where trying again cannot help. Handlers of a persistent
        session may be called before it returns.
        """
        self._started = asyncio.get_running_loop().create_future()
        self._supervisor = asyncio.get_running_loop().create_task(self._run(), name=f"mqtt {self.client_id}")
        self._supervisor.add_done_callback(self._supervisor_ended)
        with _sessions_lock:
            _sessions.add(self)
        try:
            await asyncio.shield(self._started)
        except (SubscriptionRefused, ConnectionRefused):
            await self.stop(0)
            raise

    def hold(self) -> None:
        """Take nothing new from here on: what still comes is not handed over, and stays with the broker."""
        self._takes = False

    async def leave(self, backoff_s: float) -> None:
        """Leave the broker and come back after ``backoff_s``; then it delivers again whatever was not acknowledged.

        For a service that cannot store: a broker redelivers only to a new connection. No will is sent.
        """
        self._away_until = monotonic() + backoff_s
        link = self._link
        if link is not None:
            await link.close()
            while self._link is link:  # noqa: ASYNC110 - the supervisor sees it in one of the next turns
                await asyncio.sleep(0)

    async def stop(self, drain_within_s: float = 5.0) -> None:
        """Leave for good: publish the last will as a farewell, wait for what is in the window, then disconnect."""
        self.hold()
        if self._started is not None and not self._started.done():
            self._started.set_exception(ConnectionAbortedError("stopped before it was connected"))
            self._started.exception()  # who waits in start() hears it; nobody has to
        if self._is_ready and drain_within_s > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(drain_within_s):
                    if self._farewell is not None:
                        self.publish(self._farewell.topic, self._farewell.payload, retain=self._farewell.retain)
                    await self.outgoing.empty()
        if len(self.outgoing):
            log.warning("mqtt_left_unsent", client_id=self.client_id, messages=len(self.outgoing))
        self._stopping = True
        if self._link is not None:
            await self._link.close()
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is not None:
            supervisor.cancel()
            await asyncio.wait({supervisor})
        if self._of_connection:
            for task in self._of_connection:
                task.cancel()
            await asyncio.wait(self._of_connection)
        self.outgoing.abandon()
        self._is_ready = False
        with _sessions_lock:
            _sessions.discard(self)

    # --- work

    @property
    def connected(self) -> bool:
        """Connected with all subscriptions granted."""
        return self._is_ready

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False, droppable: bool = False
    ) -> asyncio.Future[None]:
        """Publish; the future ends at the PUBACK, over however many connections, or with Dropped.

        QoS 0 leaves at once or is lost. Never blocks: publishers of what is not droppable await ``room`` first.
        """
        if qos == 0:
            done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            done.set_result(None)
            if self._link is not None and self._is_ready:
                self._link.send(packets.publish(topic.encode(), payload, 0, retain, 0, False))
            else:
                self.lost_qos0 += 1
            return done
        done = self.outgoing.add(topic.encode(), payload, retain, droppable)
        self._pump()
        return done

    @property
    def dropped(self) -> int:
        """Droppable messages that were given up."""
        return self.outgoing.dropped

    def has_room(self) -> bool:
        return self.outgoing.has_room()

    async def room(self) -> None:
        """Wait until less than a window is unacknowledged."""
        await self.outgoing.room()

    @property
    def picture_complete(self) -> bool:
        """Whether everything that stood retained when this connection subscribed has been handed over."""
        return self._picture.is_set()

    async def picture(self) -> None:
        """Wait for that. After each reconnect it is incomplete again. For subscriptions of QoS 0."""
        await self._picture.wait()

    async def confirm(self) -> None:
        """Return once a complete picture stands and its connection has just answered: it is no dead broker's."""
        while True:
            await self.picture()
            link = self._link
            if link is not None:
                with suppress(ConnectionError):
                    await link.ping()
                    return
            await asyncio.sleep(0)

    def pause(self) -> None:
        """Let the broker wait with what it sends on this connection (until ``resume`` or the next one)."""
        if self._link is not None:
            self._link.pause()

    def resume(self) -> None:
        if self._link is not None:
            self._link.resume()

    def health(self) -> Health:
        if not self._is_ready:
            return down(f"mqtt {self.client_id}: {self.last_error or 'not connected'}")
        if not self.outgoing.has_room():
            return degraded(f"mqtt {self.client_id}: {len(self.outgoing)} messages wait for the broker")
        return OK

    # --- within

    def _supervisor_ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():
            return
        error = task.exception()
        if isinstance(error, Exception):
            abort(error, task.get_loop())

    async def _run(self) -> None:
        wait_s = self._settings.mqtt_reconnect_s
        while not self._stopping:
            away_s = self._away_until - monotonic()
            if away_s > 0:
                await asyncio.sleep(away_s)
            why = await self._connect()
            link = self._link
            if why is None and link is not None:
                first_s = wait_s = self._settings.mqtt_reconnect_s
                why = await link.lost
                self._lost(why)
                log.info("mqtt_lost", client_id=self.client_id, connection=self.connection, why=why)
                if self._away_until <= monotonic():
                    await _nap(first_s)
                continue
            if why != self.last_error:
                log.warning("mqtt_not_connected", client_id=self.client_id, why=why)
            self.last_error = why
            if self._started is not None and self._started.done() and self._started.exception() is not None:
                return
            await _nap(wait_s)
            wait_s = min(wait_s * 1.5, WAIT_AT_MOST_S)

    async def _connect(self) -> str | None:
        """Connect and subscribe; None when all is granted, else why not."""
        assert self._started is not None
        link = Link(self.connection + 1, self._settings.mqtt_keepalive, self._dispatch, self._acknowledged)
        self._farewell = self._will() if callable(self._will) else self._will
        try:
            await link.open(self._settings, self.client_id, self._clean, self._farewell)
        except ConnectionRefused as error:
            if error.is_lasting and not self._started.done():
                self._started.set_exception(error)
            return str(error)
        except OSError as error:
            if not isinstance(error, Unanswered):
                self._was_lost_at = 0.0  # not reached: so it is the broker that is away
            return f"{type(error).__name__}: {error}"
        self.connection = link.number
        self._link = link
        self._looks = Picture(link, self._filters if self._clean else ())
        try:
            if self._filters:
                codes = await link.subscribe(self._filters)
                refused = [name for (name, _), code in zip(self._filters, codes, strict=True) if code == REFUSED]
                if refused:
                    raise SubscriptionRefused(refused)
        except SubscriptionRefused as error:
            if not self._started.done():
                self._started.set_exception(error)
            self._link = None
            await link.close()
            return str(error)
        except OSError as error:
            self._link = None
            return f"lost while subscribing: {error}"
        except asyncio.CancelledError:
            await link.close()
            raise
        self.last_error = None
        self._is_ready = True
        log.info(
            "mqtt_connected", client_id=self.client_id, connection=link.number, session_present=link.session_present
        )
        self._suspect_takeover()
        self._shut_gate(link)
        self._pump()
        self._call(self._on_connected)
        self._of_connection.append(asyncio.get_running_loop().create_task(self._watch_picture(link, self._looks)))
        if not self._started.done():
            self._started.set_result(None)
        return None

    def _lost(self, why: str) -> None:
        self._is_ready = False
        self._link = None
        self._picture.clear()
        self.last_error = why
        self._closed_at = monotonic()
        self._was_lost_at = self._closed_at if why == CLOSED else 0.0
        for task in self._of_connection:
            task.cancel()
        self._of_connection.clear()
        self.outgoing.connection_lost()
        self._call(self._on_disconnected)

    def _suspect_takeover(self) -> None:
        """MQTT 3.1.1 does not say why it closed. A takeover looks like this: the broker closed this session alone,
        was there all the time, and let it in again. (One that restarts closes all sessions of the process.)
        """
        lost_at, self._was_lost_at = self._was_lost_at, 0.0
        if not lost_at:
            return
        with _sessions_lock:
            others = [one for one in _sessions if one is not self and one._settings is self._settings]
        if any(not one._is_ready or abs(one._closed_at - lost_at) < TOGETHER_WITHIN_S for one in others):
            return
        now = monotonic()
        self._takeovers.append(now)
        while self._takeovers[0] < now - TAKEOVERS_WITHIN_S:
            self._takeovers.popleft()
        times = len(self._takeovers)
        log.warning("mqtt_taken_over", client_id=self.client_id, times=times)
        if times >= 2:
            raise TakenOver(f"another process uses the client id {self.client_id}: taken over twice within a minute")
        if self._on_taken_over is not None:
            self._on_taken_over(times)

    def _shut_gate(self, link: Link) -> None:
        """Hold the window back, levels excepted, until those who are to read it have their sessions again."""
        lost_store = link.number > 1 and not self._clean and not link.session_present
        if self._gate is None and not lost_store:
            self._is_gated = False
            return
        self._is_gated = True

        async def wait() -> None:
            if self._gate is not None:
                await self._gate()
            else:
                log.warning("mqtt_store_lost", client_id=self.client_id, waits_s=GRACE_S)
                await asyncio.sleep(GRACE_S)
            self._is_gated = False
            self._pump()

        self._of_connection.append(asyncio.get_running_loop().create_task(_finish(wait())))

    def _pump(self) -> None:
        link = self._link
        if link is None or not self._is_ready or not link.is_up:
            return
        for entry, again in self.outgoing.to_send(levels_only=self._is_gated):
            link.send(packets.publish(entry.topic, entry.payload, 1, entry.retain, entry.packet_id, again))

    def _acknowledged(self, packet_id: int) -> None:
        self.outgoing.acknowledge(packet_id)
        if self.outgoing.waiting:
            self._pump()

    def _dispatch(self, delivery: Delivery) -> None:
        if not self._takes:
            return
        if self._looks is not None and not self._looks.is_news(delivery):
            delivery.ack()
            return
        topic = delivery.topic
        try:
            handler = self._handler_of[topic]
        except KeyError:
            handler = self._find(topic)
        if handler is None:
            # Left over from a subscription of an earlier version: nobody here will ever want it.
            log.warning("mqtt_unexpected_topic", client_id=self.client_id, topic=topic)
            delivery.ack()
            return
        try:
            handler(delivery)
        except Exception:
            log.exception("mqtt_handler_failed", client_id=self.client_id, topic=topic)

    def _find(self, topic: str) -> Handler | None:
        levels = topic.split("/")
        found = next((handler for pattern, handler in self._handlers if matches(pattern, levels)), None)
        if len(self._handler_of) >= REMEMBERED_TOPICS:
            self._handler_of.clear()
        self._handler_of[topic] = found
        return found

    async def _watch_picture(self, link: Link, picture: Picture) -> None:
        with suppress(ConnectionError):
            try:
                await picture.complete()
                self._picture.set()
                self._call(self._on_picture)
                await picture.look_later()
            except SubscriptionRefused as error:
                # Granted before: the right was withdrawn, or the broker is at its end. A new connection tells which.
                log.warning("mqtt_subscription_withdrawn", client_id=self.client_id, filters=error.filters)
                spawn(link.close(), "leaves a broker that took a subscription back")

    def _call(self, callbacks: list[Callback]) -> None:
        for callback in callbacks:
            try:
                result = callback()
            except Exception as error:
                abort(error)
                continue
            if isawaitable(result):
                self._of_connection.append(asyncio.get_running_loop().create_task(_finish(result)))


_sessions: WeakSet[AsyncSession] = WeakSet()
_sessions_lock = Lock()
"""Threads have sessions too (SyncSession), each in a loop of its own."""


async def _nap(seconds: float) -> None:
    """Not all clients at the same instant."""
    await asyncio.sleep(seconds * random.uniform(1.0, 1.25))


async def _finish(work: Awaitable[None]) -> None:
    """Run an asynchronous callback; the next loss cancels it, a failure ends the service."""
    try:
        await work
    except Exception as error:
        abort(error)


def matches(pattern: list[str], levels: list[str]) -> bool:
    """Whether a filter fits a topic, both split at "/" (MQTT 3.1.1 §4.7)."""
    for at, part in enumerate(pattern):
        if part == "#":
            return True
        if at >= len(levels) or (part != "+" and part != levels[at]):
            return False
    return len(pattern) == len(levels)


def work_session(
    settings: MqttSettings, clock: Clock, *, client_id: str, will: Will | None = None, window: int = 1000
) -> AsyncSession:
    """Persistent, for what must not be lost: subscribe with QoS 1."""
    return AsyncSession(settings, clock, client_id=client_id, will=will, window=window)


def view_session(settings: MqttSettings, clock: Clock, *, client_id: str) -> AsyncSession:
    """Clean, for levels and live values: subscribe with QoS 0; begins with the retained picture.

    Its client id has a random end: only the work session is to be single, and a takeover that spares the view is what
    tells a second process from a broker's restart.
    """
    return AsyncSession(settings, clock, client_id=f"{client_id}-view-{token_hex(4)}", clean=True)
