"""Levels: the newest of each topic goes into its row; after each complete picture open orders are compared with it.

Reads bridge, pile, gun and session levels, policies, alarms, service levels and its own configuration; publishes
configuration, resumes and confirmations. While the database is away the newest level of each topic waits here.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from threading import Event, Lock
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from evcs.contracts import topics
from evcs.contracts.bridge import ServiceStatus
from evcs.contracts.envelope import ContractError
from evcs.contracts.states import OPEN_ORDER
from evcs.runtime.clock import Clock
from evcs.runtime.log import get_logger
from evcs.runtime.mqtt import Delivery
from webapi.guns.session_level import Sieve
from webapi.orders.confirm import unsent
from webapi.orders.models import Order
from webapi.piles.events import look_at_pile
from webapi.stations.models import Station
from webapi.worker.answers import Answer
from webapi.worker.errors import is_away
from webapi.worker.handlers import VIEW, clear, understand
from webapi.worker.handshake import Handshake, resumes
from webapi.worker.retained import OWN, Retained, filters
from webapi.worker.shards import Shards
from webapi.worker.transactions import in_transaction

log = get_logger()

TAKE_WITHIN_S = 0.2
EVERYTHING = 1_000_000
LEVELS_AT_ONCE = 200
FIRST_BACKOFF_S = 0.5
BACKOFF_AT_MOST_S = 10.0
ACKNOWLEDGED_LOOK_S = 0.01

Publish = Callable[[Sequence[Answer], Event], bool]
"""Publishes answers on the work session and awaits their PUBACKs."""


class ViewSession(Protocol):
    """What is needed of the view session."""

    def take(self, most: int, timeout_s: float) -> list[Delivery]: ...


class View:
    """Runs in a thread of its own; other threads only `poke` it."""

    def __init__(
        self,
        session: ViewSession,
        sessions: "sessionmaker[Session]",
        retained: Retained,
        clock: Clock,
        shards: Shards,
        writing: Lock,
        publish: Publish,
        announce: Callable[[Handshake], None],
        on_service: Callable[[ServiceStatus], None],
    ) -> None:
        self._session = session
        self._sessions = sessions
        self._retained = retained
        self._clock = clock
        self._shards = shards
        self._writing = writing
        self._publish = publish
        self._announce = announce
        self._on_service = on_service
        self._handshake = Handshake()
        self._pending: dict[str, bytes] = {}
        self._caps = Sieve()
        self._answers: list[Answer] = []
        self._picture = Event()
        self._began = Event()
        self._compared = Event()
        self._connected = Event()
        self._changed = Event()
        self._configured = Event()
        self._started = False
        self._backoff_s = FIRST_BACKOFF_S
        self.away_why = ""

    # --- told by other threads

    def picture_began(self) -> None:
        """The view was disconnected: a new picture will come."""
        self._picture.clear()
        self._compared.clear()
        self._began.set()

    def picture_complete(self) -> None:
        """Everything retained was handed over."""
        self._picture.set()

    @property
    def is_compared(self) -> bool:
        """Whether the open orders were compared with the whole picture of this connection."""
        return self._compared.is_set()

    @property
    def is_configured(self) -> bool:
        """Whether the broker has taken the whole configuration of this run."""
        return self._configured.is_set()

    def work_connected(self) -> None:
        """The work session is (again) with the broker: own levels are to be published anew."""
        self._connected.set()

    def configuration_may_have_changed(self) -> None:
        """Look at the revisions now."""
        self._changed.set()

    # --- the thread

    def run(self, stopping: Event) -> None:
        """Until the worker stops."""
        while not stopping.is_set():
            if self._began.is_set():
                self._began.clear()
                self._retained.forget_standing()
                self._caps = Sieve()
            # Asked before the queue is emptied: then the whole of the picture is among what is taken.
            complete = self._picture.is_set()
            for delivery in self._session.take(EVERYTHING, TAKE_WITHIN_S):
                self._sort(delivery)
            try:
                self._work(stopping, picture=complete)
                if self.away_why:
                    log.info("database_back_for_levels", levels=len(self._pending))
                self.away_why, self._backoff_s = "", FIRST_BACKOFF_S
            except Exception as error:
                if not is_away(error):
                    raise
                self.away_why = f"{type(error).__name__}: {error}"
                stopping.wait(self._backoff_s)
                self._backoff_s = min(self._backoff_s * 2, BACKOFF_AT_MOST_S)

    def _sort(self, delivery: Delivery) -> None:
        if any(topic.parse(delivery.topic) for topic in OWN):
            self._retained.seen(delivery.topic, delivery.payload)
            return
        if topics.SERVICE.parse(delivery.topic) is not None:
            self._service(delivery)
            return
        if topics.SESSION.parse(delivery.topic) is not None and not self._caps.is_news(
            delivery.topic, delivery.payload
        ):
            return
        self._pending[delivery.topic] = delivery.payload

    def _service(self, delivery: Delivery) -> None:
        if not delivery.payload:
            return
        try:
            status = topics.SERVICE.decode(delivery.payload)
        except ContractError as error:
            log.warning("level_not_understood", topic=delivery.topic, reason=str(error))
            return
        if status.name == "rules":
            self._handshake.seen(status)
        self._on_service(status)

    def _work(self, stopping: Event, *, picture: bool) -> None:
        if self._connected.is_set():
            self._connected.clear()
            self._retained.publish_all()
        self._store_levels()
        if self._changed.is_set() or not self._started:
            self._changed.clear()
            self._sync_configuration(stopping)
        if picture:
            self._compare()
            self._picture.clear()
            self._compared.set()
        if self._publish(self._answers, stopping):
            self._answers.clear()
        for status in self._handshake.due():
            self._shake(status, stopping)

    def _store_levels(self) -> None:
        """Bring the newest levels into their rows, bridges first, then piles, then guns."""
        waiting = sorted(self._pending, key=_rank)
        for start in range(0, len(waiting), LEVELS_AT_ONCE):
            some = waiting[start : start + LEVELS_AT_ONCE]
            try:
                self._store(some)
            except Exception as error:
                if is_away(error):
                    raise
                self._store_singly(some)
            for topic in some:
                del self._pending[topic]
            if any(topics.SESSION.parse(topic) is None for topic in some):
                self._changed.set()

    def _store_singly(self, some: Sequence[str]) -> None:
        """What cannot be stored is told and left: the next level of its topic comes by itself."""
        for topic in some:
            try:
                self._store([topic])
            except Exception as error:
                if is_away(error):
                    raise
                log.error("level_set_aside", topic=topic, reason=f"{type(error).__name__}: {error}")

    def _store(self, some: Sequence[str]) -> None:
        answers: list[Answer] = []
        with self._writing, self._sessions.begin() as session:
            at = self._clock.now()
            for topic in some:
                payload = self._pending[topic]
                if not payload:
                    clear(session, topic, at)
                    continue
                try:
                    message = understand(VIEW, topic, payload)
                except ContractError as error:
                    log.warning("level_not_understood", topic=topic, reason=str(error))
                    continue
                answers += message.handle(session, at)
        self._answers += answers

    def _sync_configuration(self, stopping: Event) -> None:
        """Bring `config/…` into agreement with the rows; the first time the worker is ready only after that.

        Bridges open their port to piles when the worker is ready: before that every pile would be unknown to them.
        """
        with self._sessions() as session:
            sent = self._retained.sync(session)
        if not self.is_configured and _all_done(sent, stopping):
            self._configured.set()
            self._announce(self._handshake)

    def _compare(self) -> None:
        """The picture is complete: own topics, open orders, and at the start what was never said to be written."""
        look_at_open_orders(self._sessions, self._writing, self._clock, self._shards)
        with self._writing, self._sessions.begin() as session:
            self._retained.compare(session)
            unwritten = () if self._started else unsent(session)
        self._answers += unwritten
        if not self._started:
            self._started = True
            log.info("picture_compared", confirmations=len(unwritten))

    def _shake(self, status: ServiceStatus, stopping: Event) -> None:
        """Tell a `rules` that just started everything it needs, then say so."""
        if not self._started:
            return
        if not _all_done(self._retained.publish_all(), stopping):
            return
        with self._sessions() as session:
            told = resumes(session, status, self._shards, self._clock.now())
        if not self._publish(told, stopping):
            return
        self._handshake.done(status, len(told))
        self._announce(self._handshake)
        log.info("rules_answered", instance=status.instance, since_ms=status.since_ms, resumes=len(told))


def look_at_open_orders(sessions: "sessionmaker[Session]", writing: Lock, clock: Clock, shards: Shards) -> None:
    """Let every open order of own stations see link and level as they stand; again and again without harm.

    A pile at a time: neither what else there is to write nor a person's stop waits for all of them.
    """
    with sessions() as session:
        open_piles = session.execute(
            select(Order.pile_number, Station.shard)
            .join(Station, Station.code == Order.station_code)
            .where(Order.state.in_(OPEN_ORDER))
            .distinct()
            .order_by(Order.pile_number)
        ).all()
    for pile, shard in open_piles:
        if shards.owns(shard):
            in_transaction(sessions, writing, partial(look_at_pile, pile=pile, at=clock.now()))


def _all_done(sent: Sequence[Future[None]], stopping: Event) -> bool:
    """Wait until the broker has taken everything; False when the worker stops before."""
    for future in sent:
        while not future.done():
            if stopping.wait(ACKNOWLEDGED_LOOK_S):
                return False
    return True


def _rank(topic: str) -> int:
    """Place of a level's topic in the table."""
    return next((number for number, route in enumerate(VIEW) if route.topic.parse(topic)), len(VIEW))


def subscriptions(shards: Shards) -> list[str]:
    """All filters of the view; they do not overlap."""
    wanted = [one for route in VIEW for one in route.topic.subscriptions(shards.owner, shards.owners)]
    return [*wanted, topics.SERVICE.everywhere, *filters()]
