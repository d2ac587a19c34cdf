"""What runs when: deadlines of orders, repetitions, comparisons. The one place that touches APScheduler.

The scheduler only rings; every deadline stands in a row and is judged by the shared clock.
"""

from collections.abc import Callable
from datetime import timedelta
from threading import Lock
from typing import Any, Protocol

from apscheduler.schedulers.background import BackgroundScheduler
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, selectinload, sessionmaker

from evcs.contracts import topics, waits
from evcs.contracts.states import OrderState
from evcs.contracts.times import BEIJING
from evcs.runtime.clock import Clock
from evcs.runtime.log import get_logger
from webapi.orders import life, messages
from webapi.orders.adopt import unexpected_charges
from webapi.orders.advance import lock_order, observe
from webapi.orders.levels import look_at_level
from webapi.orders.models import Order
from webapi.stations.models import Station
from webapi.tariffs.models import TariffVersion
from webapi.worker.errors import is_away, is_to_be_retried
from webapi.worker.outbox import forget_old
from webapi.worker.shards import Shards
from webapi.worker.view import look_at_open_orders

log = get_logger()

DEADLINES_EVERY_S = 1.0
CONFIGURATION_EVERY_S = 1.0
CHARGES_EVERY_S = 10.0
QUEUED_AGAIN_S = 30.0
COMPARE_EVERY_S = 60.0
LOCK_EVERY_S = 2.0
DEADLINES_AT_ONCE = 500


class Bell:
    """Rings functions at intervals, each in turn with itself, late ones once; one thread for all."""

    def __init__(self) -> None:
        self._scheduler: Any = BackgroundScheduler(
            timezone=BEIJING,
            executors={"default": {"type": "threadpool", "max_workers": 1}},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def every(self, seconds: float, name: str, ring: Callable[[], None]) -> None:
        """Ring every so many seconds."""
        self._scheduler.add_job(ring, "interval", seconds=seconds, id=name)

    def nightly(self, hour: int, minute: int, name: str, ring: Callable[[], None]) -> None:
        """Ring once a night, Beijing time."""
        self._scheduler.add_job(ring, "cron", hour=hour, minute=minute, id=name)

    def start(self) -> None:
        self._scheduler.start()

    def stop(self) -> None:
        """Ring no more, and wait for what rings now."""
        self._scheduler.shutdown(wait=True)


class Knowledge(Protocol):
    """How much of what happened the worker knows."""

    def is_current(self) -> bool:
        """Whether backlog and picture of this connection were worked through: before that it decides nothing."""

    def start_over(self) -> None:
        """Count as just started: what is known may be old."""


class Connected(Protocol):
    """What is needed of the work session."""

    @property
    def connected(self) -> bool: ...

    def publish(self, topic: str, payload: bytes) -> object: ...


class Jobs:
    """The functions that ring."""

    def __init__(
        self,
        session: Connected,
        sessions: "sessionmaker[Session]",
        clock: Clock,
        shards: Shards,
        writing: Lock,
        knowledge: Knowledge,
        look_at_configuration: Callable[[], None],
        look_at_picture: Callable[[], None],
    ) -> None:
        self._session = session
        self._sessions = sessions
        self._clock = clock
        self._shards = shards
        self._writing = writing
        self._knowledge = knowledge
        self._rang_at = clock.monotonic()
        self._look_at_configuration = look_at_configuration
        self._look_at_picture = look_at_picture

    def ring_on(self, bell: Bell) -> None:
        """Hang all of them up."""
        bell.every(DEADLINES_EVERY_S, "deadlines", guarded("deadlines", self.deadlines))
        bell.every(waits.REPEAT_S, "requests", guarded("requests", self.repeat_requests))
        bell.every(QUEUED_AGAIN_S, "waiting", guarded("waiting", self.repeat_waiting))
        bell.every(CHARGES_EVERY_S, "charges", guarded("charges", self.look_for_unexpected_charges))
        bell.every(CONFIGURATION_EVERY_S, "configuration", self._look_at_configuration)
        bell.every(COMPARE_EVERY_S, "compare", guarded("compare", self.compare_orders))
        bell.nightly(3, 10, "forget", guarded("forget", self.forget))
        bell.nightly(3, 20, "picture", guarded("picture", self._look_at_picture))

    def deadlines(self) -> None:
        """Let every order whose deadline has come see it, each in a transaction of its own.

        Not before the worker knows what happened meanwhile; with the broker away only those that wait for the gate.
        """
        rang_at, self._rang_at = self._rang_at, self._clock.monotonic()
        if self._rang_at - rang_at > waits.LOOP_STALL_S:
            log.warning("worker_stood_still", seconds=round(self._rang_at - rang_at, 1))
            self._knowledge.start_over()
            return
        knows = self._knowledge.is_current()
        if not knows and self._session.connected:
            return
        now = self._clock.now()
        query = (
            select(Order.serial, Station.shard)
            .join(Station, Station.code == Order.station_code)
            .where(Order.deadline_at <= now, *(() if knows else (Order.state == OrderState.HOLDING,)))
            .order_by(Order.deadline_at)
            .limit(DEADLINES_AT_ONCE)
        )
        with self._sessions() as session:
            due = [serial for serial, shard in session.execute(query) if self._shards.owns(shard)]
        for serial in due:
            try:
                with self._writing, self._sessions.begin() as session:
                    order = lock_order(session, serial)
                    if order is not None:
                        observe(session, order, life.DeadlinePassed(), at=self._clock.now())
            except Exception as error:
                if is_away(error):
                    raise
                if not is_to_be_retried(error):
                    log.exception("deadline_failed", serial=serial)

    def repeat_requests(self) -> None:
        """Send unanswered requests again, under their id, until they expire: a broker is not a ledger."""
        if not self._session.connected:
            return
        now = self._clock.now()
        self._repeat(
            Order.state == OrderState.HOLDING,
            Order.requested_at <= now - timedelta(seconds=waits.REPEAT_S),
            Order.requested_at > now - timedelta(seconds=waits.REQUEST_S),
        )

    def repeat_waiting(self) -> None:
        """Tell the gate again who waits: it answers only where it knows otherwise, so no lost verdict holds money."""
        if self._session.connected and self._knowledge.is_current():
            self._repeat(
                Order.state == OrderState.QUEUED,
                Order.state_since <= self._clock.now() - timedelta(seconds=QUEUED_AGAIN_S),
            )

    def _repeat(self, *which: ColumnElement[bool]) -> None:
        query = (
            select(Order, Station.shard)
            .join(Station, Station.code == Order.station_code)
            .where(*which)
            .options(selectinload(Order.tariff_version).selectinload(TariffVersion.prices))
        )
        with self._sessions() as session:
            for order, shard in session.execute(query):
                if not self._shards.owns(shard):
                    continue
                topic = topics.REQUEST.at(station=order.station_code, pile=order.pile_number, gun=order.gun_no)
                self._session.publish(topic, topics.REQUEST.encode(messages.start_request(order)))
                log.info("request_repeated", serial=order.serial)

    def look_for_unexpected_charges(self) -> None:
        """Stop, again, what charges without an open order."""
        if not self._knowledge.is_current():
            return
        with self._writing, self._sessions.begin() as session:
            now = self._clock.now()
            for live in unexpected_charges(session, at=now):
                look_at_level(session, live, at=now)

    def compare_orders(self) -> None:
        """Open orders against links and levels as they stand."""
        if not self._knowledge.is_current():
            return
        look_at_open_orders(self._sessions, self._writing, self._clock, self._shards)

    def forget(self) -> None:
        """Clear away what was published and handled long ago."""
        with self._writing, self._sessions.begin() as session:
            forget_old(session, at=self._clock.now())


def guarded(name: str, job: Callable[[], None]) -> Callable[[], None]:
    """A job that survives: with the database away it is left for the next time, any other mistake is told."""

    def ring() -> None:
        try:
            job()
        except Exception as error:
            if is_away(error) or is_to_be_retried(error):
                log.warning("job_left_out", job=name, reason=f"{type(error).__name__}: {error}".partition("\n")[0])
            else:
                log.exception("job_failed", job=name)

    return ring
