"""The worker: MQTT ⇄ database, the only publisher of webapi.

Reads what bridges and `rules` say, stores it with its effect, publishes requests, stops, confirmations, order changes
and the configuration. Threads: listener (work messages), view (levels), outbox, and one for the jobs.
"""

from collections.abc import Callable, Mapping
from secrets import token_hex
from threading import Event, Lock, Thread

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from evcs.contracts.bridge import ServiceStatus
from evcs.runtime.clock import Clock
from evcs.runtime.health import Health, degraded, down, worst
from evcs.runtime.log import get_logger
from evcs.runtime.mqtt import SyncSession
from evcs.runtime.presence import Presence, repeatedly
from webapi.database import sessions, upgrade
from webapi.payments.gateway import Gateway
from webapi.worker.handlers import WORK
from webapi.worker.handshake import Handshake
from webapi.worker.jobs import LOCK_EVERY_S, Bell, Jobs
from webapi.worker.listener import Listener
from webapi.worker.lock import owner_lock
from webapi.worker.outbox import Outbox
from webapi.worker.pile_jobs import PileJobs
from webapi.worker.refund_jobs import RefundJobs
from webapi.worker.rejects import RejectFile
from webapi.worker.retained import Retained
from webapi.worker.settings import Settings
from webapi.worker.shards import Shards, of_instance
from webapi.worker.site_jobs import SiteJobs
from webapi.worker.view import View, subscriptions

log = get_logger()

LOCK_LOOK_S = 0.5
THREADS_END_WITHIN_S = 10.0


class Worker:
    """Owner n of m. `failed` is set when it cannot go on."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        clock: Clock,
        failed: Event,
        gateways: Mapping[str, Gateway] | None = None,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._failed = failed
        self._stopping = Event()
        self._writing = Lock()
        self._announcing = Lock()
        self._threads: list[Thread] = []
        self._starting_why = "waits for the database"
        self._is_started = False
        self._shards = Shards(settings.shard_owner, settings.shard_owners)
        self._lock = owner_lock(engine, settings.var, settings.shard_owner)
        self._presence = Presence(clock, "worker", self._shards.instance)
        client = f"worker-{self._shards.instance}"
        self._work = SyncSession(
            settings, clock, client_id=client, will=self._presence.will, on_failed=self._mqtt_failed
        )
        self._view_session = SyncSession(
            settings, clock, client_id=f"{client}-view-{token_hex(4)}", clean=True, on_failed=self._mqtt_failed
        )
        maker = sessions(engine)
        self._listener = Listener(
            self._work,
            maker,
            WORK,
            clock,
            RejectFile(settings.var),
            self._writing,
            batch=settings.batch_messages,
            backoff_s=settings.database_backoff_s,
        )
        self._view = View(
            self._view_session,
            maker,
            Retained(self._work, self._shards),
            clock,
            self._shards,
            self._writing,
            self._listener.publish,
            self._announce_answers,
            self._service_seen,
        )
        self._outbox = Outbox(self._work, engine, maker, clock, self._shards, self._writing)
        self._bell = Bell()
        jobs = Jobs(
            self._work,
            maker,
            clock,
            self._shards,
            self._writing,
            self,
            self._view.configuration_may_have_changed,
            self._look_at_picture,
        )
        jobs.ring_on(self._bell)
        PileJobs(maker, clock, self._shards, self._writing, self).ring_on(self._bell)
        SiteJobs(maker, clock, self._shards, self._writing, self).ring_on(self._bell)
        RefundJobs(maker, clock, self._shards, self._writing, gateways or {}).ring_on(self._bell)
        self._bell.every(LOCK_EVERY_S, "lock", self._look_at_lock)
        for route in WORK:
            for filter in route.topic.subscriptions(self._shards.owner, self._shards.owners):
                self._work.subscribe(filter, 1)
        for filter in subscriptions(self._shards):
            self._view_session.subscribe(filter, 0)
        self._work.on_connected(self._announce_again)
        self._work.on_connected(lambda: repeatedly(self._repeat))
        self._work.on_connected(self._view.work_connected)
        self._work.on_disconnected(self._listener.begin)
        self._view_session.on_disconnected(self._view.picture_began)
        self._view_session.on_picture(self._view.picture_complete)

    # --- life

    def start(self) -> None:
        """Return once it is the only owner, the schema is there and both sessions have their subscriptions."""
        if not self._become_owner():
            return
        self._starting_why = "waits for the broker"
        self._work.start()
        self._view_session.start()
        for name, run in (
            ("listener", self._listener.run),
            ("view", self._view.run),
            ("outbox", self._outbox.run),
        ):
            thread = Thread(target=self._run, args=(name, run), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()
        self._bell.start()
        self._is_started = True

    def stop(self) -> None:
        """Take nothing new, finish the batch in hand, acknowledge, leave."""
        self._work.hold()
        self._view_session.hold()
        self._stopping.set()
        if self._is_started:
            self._bell.stop()
        for thread in self._threads:
            thread.join(THREADS_END_WITHIN_S)
        self._view_session.stop()
        self._work.stop()
        self._lock.release()
        self._engine.dispose()

    def health(self) -> Health:
        """Down while it does not start or has no broker, degraded while the database is away."""
        if not self._is_started:
            return down(f"worker {self._shards.instance}: {self._starting_why}")
        why = self._listener.away_why or self._view.away_why or self._outbox.away_why
        found = [self._work.health(), self._view_session.health()]
        if why:
            found.append(degraded(f"database away: {why}"))
        return worst(*found)

    def is_current(self) -> bool:
        """Whether it knows what happened while it was not there, by messages and by levels."""
        return self._listener.is_caught_up and self._view.is_compared

    def start_over(self) -> None:
        """It stood still: what it knows may be old, so messages and picture come before any decision."""
        self._listener.begin()
        self._view.picture_began()
        self._look_at_picture()

    # --- within

    def _become_owner(self) -> bool:
        """Wait for the database and for the lock; False when stopped before."""
        told = ""
        while not self._stopping.is_set():
            try:
                if self._lock.acquire():
                    upgrade(self._engine)
                    return True
                why = f"another process is owner {self._shards.instance}"
            except DBAPIError as error:
                self._lock.release()
                why = f"database away: {type(error).__name__}"
            if why != told:
                log.warning("worker_waits", why=why)
                told = why
            self._starting_why = why
            self._stopping.wait(LOCK_LOOK_S)
        return False

    def _run(self, name: str, run: Callable[[Event], None]) -> None:
        try:
            run(self._stopping)
        except Exception:
            if not self._stopping.is_set():
                log.exception("thread_failed", thread=name)
                self._failed.set()

    def _mqtt_failed(self, error: Exception) -> None:
        self._failed.set()

    def _announce(self) -> None:
        with self._announcing:
            self._presence.announce(self._work)

    def _announce_again(self) -> None:
        """After a reconnect; the first time the view says when the configuration is out."""
        if self._view.is_configured:
            self._announce()

    def _repeat(self) -> None:
        if self._view.is_configured:
            with self._announcing:
                self._presence.repeat(self._work)

    def _announce_answers(self, handshake: Handshake) -> None:
        with self._announcing:
            self._presence.answer(handshake.answered)
        self._announce()

    def _service_seen(self, status: ServiceStatus) -> None:
        """Own levels of earlier runs are stayed above; a worker by another division must not be there."""
        if status.name != "worker":
            return
        if status.instance == self._shards.instance:
            with self._announcing:
                is_outbid = self._presence.is_outbid(status)
            if is_outbid:
                self._work.leave(0.0)
            return
        other = of_instance(status.instance)
        if status.ready and other is not None and other.owners != self._shards.owners:
            log.error("other_division", instance=status.instance, own=self._shards.instance)
            self._failed.set()

    def _look_at_picture(self) -> None:
        """Have the whole retained picture come anew: it is compared with what should stand, as after a reconnect."""
        self._view_session.leave(0.0)

    def _look_at_lock(self) -> None:
        """A lock that was lost with its connection is taken again; if somebody else has it, this process ends."""
        if self._lock.is_held():
            return
        try:
            if self._lock.acquire():
                log.warning("lock_taken_again")
                return
        except DBAPIError:
            return
        log.error("lock_lost", instance=self._shards.instance)
        self._failed.set()
