"""Telemetry and meter readings → batches → store → acknowledgement.

Reads G/telemetry, T/reading and its own service level; writes the telemetry store, the reject file and that level.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Protocol, TypeVar

from evcs.contracts.envelope import ContractError
from evcs.contracts.topics import SERVICE
from evcs.runtime.clock import Clock
from evcs.runtime.health import Health, degraded, worst
from evcs.runtime.log import get_logger
from evcs.runtime.mqtt import AsyncSession, Delivery, view_session
from evcs.runtime.presence import Presence, repeatedly
from evcs.runtime.run import spawn
from evcs.store.interface import Point, TelemetryStore
from ingest import meters
from ingest.batch import Batches, Held, Limits, Message
from ingest.errors import RejectReason, Unreadable
from ingest.live import Live
from ingest.points import SOURCES
from ingest.rejects import Reject, RejectFile, reject
from ingest.settings import Settings
from ingest.writer import Writer

log = get_logger()

REJECTS_HELD = 5_000
LATE_S = 30.0
"""Live data is not to be later than this; health says when it is."""
STOP_WITHIN_S = 10.0
PAUSE_AT, RESUME_AT = 0.6, 0.4
"""Of the messages that may be held: from here the broker waits, from there it goes on. Letting go is for a store that
does not answer: who let go of a broker because a store is slow would be given the same messages again."""
LOGGED_REJECTS = 20
"""Rejects told in the log where their file cannot be written, at most, per attempt."""

T = TypeVar("T")


class Rejects(Protocol):
    """Where messages are set aside."""

    def append(self, rejects: Sequence[Reject]) -> None: ...


class Worker:
    """Holds a message until its point is in the store, then acknowledges it; what never can be stored is set aside."""

    def __init__(self, settings: Settings, store: TelemetryStore, clock: Clock, rejects: Rejects | None = None) -> None:
        self._settings = settings
        self._clock = clock
        self._rejects = rejects or RejectFile(settings.var / "rejects")
        self._batches = Batches(
            Limits(points=settings.batch_points, wait_s=settings.batch_wait_s, held=settings.held_messages)
        )
        self._refused: list[tuple[Reject, Callable[[], None]]] = []
        self._filled = asyncio.Event()
        self._rejected = asyncio.Event()
        self._stopping = False
        self._full_on = 0
        """The connection of which nothing more is taken."""
        self._paused_on = 0
        """The connection that is read from no more until there is room again."""
        self._letting_go: asyncio.Task[None] | None = None
        self._emptied = asyncio.Event()
        self._lag_s = 0.0
        self._wrote_at = clock.monotonic()
        # A thread each: a store that hangs does not hold up the file of rejects.
        self._writer = Writer(
            store,
            clock,
            backoff_s=settings.store_backoff_s,
            patience_s=settings.store_patience_s,
            on_away=self._store_away,
        )
        self._reject_thread = ThreadPoolExecutor(1, "rejects")
        self._tasks: list[asyncio.Task[None]] = []
        self._presence = Presence(clock, "ingest", settings.ingest_instance)
        self._session = AsyncSession(
            settings,
            clock,
            client_id=f"ingest-{settings.ingest_instance}",
            will=self._presence.will,
        )
        # One subscription a leaf. NATS gives each a window of `max_ack_pending`, and the session no more than one of
        # them: what goes beyond it, of further subscriptions, is held back for `ack_wait` (5 s) and then sent again.
        for lane, source in enumerate(SOURCES):
            self._session.subscribe(source.topic.everywhere, 1, partial(self._take, source.point, lane))
        self._session.on_connected(self._connected)
        self._session.on_connected(lambda: repeatedly(lambda: self._presence.repeat(self._session)))
        # A view beside it: to hear what stands as our level, and to tell a second ingest from a broker's restart.
        self._view = view_session(settings, clock, client_id=f"ingest-{settings.ingest_instance}")
        self._view.subscribe(self._presence.topic, 0, self._heard_of_ingest)
        self._live = Live(settings, clock, f"ingest-{settings.ingest_instance}-live", self._filled.set)

    async def start(self) -> None:
        """Return once the persistent session exists and its subscriptions are granted, also while the store is away."""
        self._tasks = [
            spawn(self._write_for_ever(), "ingest writes"),
            spawn(self._set_aside_for_ever(), "ingest sets aside"),
        ]
        self._tasks[0].add_done_callback(lambda _: self._rejected.set())
        # First what stands as our level: our own word would replace it unheard, and might be below it.
        await self._view.start()
        await self._view.picture()
        await self._session.start()

    async def stop(self) -> None:
        """Take nothing new, write what is in hand, acknowledge, leave; what cannot be written stays with the broker."""
        self._session.hold()
        await self._live.stop()
        self._stopping = True
        self._filled.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=STOP_WITHIN_S)
            for task in late:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            if late:
                log.warning("left_unwritten", messages=len(self._batches), why=self._writer.away_why)
        await self._view.stop(0)
        await self._session.stop()
        await self._writer.close()
        self._reject_thread.shutdown(wait=False)

    def health(self) -> Health:
        found = [self._session.health(), self._writer.health()]
        if self._lag_s > LATE_S and self._clock.monotonic() - self._wrote_at < LATE_S:
            found.append(degraded(f"telemetry is stored {self._lag_s:.0f} s late"))
        return worst(*found)

    def _connected(self) -> None:
        self._presence.announce(self._session)
        if self._full_on == self._session.connection:
            # A persistent session's messages come before the grant of its subscriptions: there were too many already.
            self._hands_full(self._full_on)

    def _heard_of_ingest(self, delivery: Delivery) -> None:
        """A former run's level or will may stand above ours (its clock was ahead): then nobody heeds ours."""
        if not delivery.payload:
            return
        try:
            standing = SERVICE.decode(delivery.payload)
        except ContractError as error:
            log.warning("message_not_understood", topic=delivery.topic, reason=str(error))
            return
        if self._presence.is_outbid(standing):
            # Only a new connection has a will, and so a level, above that.
            spawn(self._session.leave(0.0), "ingest outbids its former level")

    # --- in

    def _take(self, read: Callable[[str, bytes], Point], lane: int, delivery: Delivery) -> None:
        if delivery.connection == self._full_on:
            return
        try:
            point = read(delivery.topic, delivery.payload)
        except Unreadable as error:
            self._set_aside(error.reason, str(error), delivery, delivery.ack)
            return
        if not self._batches.add(delivery, point, lane, self._clock.monotonic()):
            self._hands_full(delivery.connection)
            return
        is_much = len(self._batches) >= self._settings.held_messages * PAUSE_AT
        if not self._paused_on and self._session.connected and is_much:
            # Mosquitto gives its whole queue to a session that comes back, whatever its window. Not before the
            # subscriptions are granted: the grant comes behind such messages, and would not be read any more.
            self._paused_on = delivery.connection
            self._session.pause()
        if self._batches.waiting == 1 or self._batches.is_full:
            self._filled.set()

    def _set_aside(self, reason: RejectReason, detail: str, message: Message, ack: Callable[[], None]) -> None:
        if len(self._refused) >= REJECTS_HELD:
            self._hands_full(message.connection)
            return
        told = reject(self._clock.now(), reason, detail, message.topic, message.payload)
        self._refused.append((told, ack))
        self._rejected.set()

    # --- when it is too much

    def _hands_full(self, connection: int) -> None:
        """Take nothing more of this connection: what is not taken stays with the broker."""
        self._full_on = connection
        if self._letting_go is None or self._letting_go.done():
            self._letting_go = spawn(self._let_go(), "ingest lets go")

    async def _let_go(self) -> None:
        """Leave the broker, which gives what was not taken to a new connection only.

        First what is in hand is written, for its acknowledgements belong to this connection: who left at once would
        get the same messages again, and so for ever. A store that does not answer is waited for no longer than usual.
        """
        while self._session.connected and self._full_on == self._session.connection:
            self._emptied.clear()
            if len(self._batches):
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._settings.store_patience_s):
                        await self._emptied.wait()
            await self._leave("hands full", self._settings.batch_wait_s)

    async def _leave(self, why: str, backoff_s: float) -> None:
        if self._session.connected:
            meters.DEPARTURES.labels(why).inc()
            log.warning("broker_left", why=why, back_in_s=round(backoff_s, 1), held=len(self._batches))
        await self._session.leave(backoff_s)

    # --- out

    async def _write_for_ever(self) -> None:
        # Before anything comes: readers find a store with its tables, and health shows what is wrong with it.
        await self._write(())
        while not (self._stopping and self._batches.waiting == 0):
            now = self._clock.monotonic()
            due_s = self._batches.due_in(now)
            fresh_s = self._live.due_in(now, self._settings.batch_wait_s)
            is_due = due_s == 0 or (due_s is not None and self._stopping)
            if fresh_s is not None and (fresh_s == 0 or is_due):
                await self._write_fresh(self._live.take(self._settings.batch_points))
            if is_due:
                await self._write(self._batches.take())
            elif fresh_s != 0:
                self._filled.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(filter(None, (due_s, fresh_s)), default=None)):
                        await self._filled.wait()

    async def _write_fresh(self, points: Sequence[Point]) -> None:
        """Write what came beside the queue. What is refused is set aside when the queue brings it."""
        if points:
            await self._writer.put(points)
            self._live.written(points)
            meters.FRESH.inc(len(points))

    async def _write(self, batch: Sequence[Held]) -> None:
        """Write, for as long as it takes; then acknowledge."""
        refused = {id(one.point): one.reason for one in await self._writer.put([held.point for held in batch])}
        self._batches.done(batch)
        if self._paused_on and len(self._batches) <= self._settings.held_messages * RESUME_AT:
            if self._paused_on == self._session.connection:
                self._session.resume()
            self._paused_on = 0
        for held in batch:
            if (why := refused.get(id(held.point))) is None:
                held.ack()
            else:
                self._set_aside(RejectReason.REFUSED_BY_STORE, why, held.messages[0], held.ack)
        if not len(self._batches):
            self._emptied.set()
        if batch:
            self._count(batch, len(refused))

    def _count(self, batch: Sequence[Held], refused: int) -> None:
        times = [held.point.at for held in batch]
        now = self._clock.now()
        self._lag_s = (now - max(times)).total_seconds()
        self._wrote_at = self._clock.monotonic()
        meters.POINTS.inc(len(batch) - refused)
        meters.BATCHES.inc()
        meters.HELD.set(len(self._batches))
        meters.LAG.set(self._lag_s)
        if not self._stopping:
            self._live.judge((now - min(times)).total_seconds())

    async def _store_away(self, next_s: float) -> None:
        """It lasts: the broker is left, which keeps what comes, and gives it all again."""
        if self._stopping:
            return
        meters.HELD.set(len(self._batches))
        # What comes now is kept beside, so that it is not late when the store is back and the gap is filled.
        self._live.begin("store away")
        # Not back before the next attempt has told whether there is any use in it.
        await self._leave("store away", next_s + self._settings.batch_wait_s)

    async def _set_aside_for_ever(self) -> None:
        while True:
            # The store may still refuse points while the writer stops, so this one ends after it.
            if not self._refused and self._tasks[0].done():
                return
            if not self._refused:
                self._rejected.clear()
                await self._rejected.wait()
                continue
            some, self._refused = self._refused, []
            rejects = [one for one, _ in some]
            try:
                work = partial(self._rejects.append, rejects)
                await asyncio.get_running_loop().run_in_executor(self._reject_thread, work)
            except OSError as error:
                # No place to file them: the log is their record then, since keeping them would hold up what is good.
                log.error("rejects_not_filed", reason=str(error), count=len(rejects))
                for one in rejects[:LOGGED_REJECTS]:
                    log.error("reject", reason=one.reason, detail=one.detail, topic=one.topic, hex=one.payload_hex)
            for one, ack in some:
                meters.REJECTS.labels(one.reason).inc()
                ack()
            log.warning("messages_set_aside", count=len(some), reason=some[0][0].reason, topic=some[0][0].topic)
