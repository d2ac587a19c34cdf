"""Work messages: a batch → one transaction → answers published → acknowledged.

A message that cannot be understood or handled is set aside and acknowledged, those beside it are not delayed. While the
database is away nothing is acknowledged: the worker leaves the broker and comes back to get it all again.
"""

from collections.abc import Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from threading import Event, Lock
from typing import Protocol

from sqlalchemy.orm import Session, sessionmaker

from evcs.contracts import topics
from evcs.contracts.envelope import ContractError
from evcs.runtime import metrics
from evcs.runtime.clock import Clock
from evcs.runtime.log import get_logger
from evcs.runtime.mqtt import Delivery
from webapi.orders.confirm import mark_published
from webapi.worker.answers import Answer, Answers
from webapi.worker.errors import is_away, is_to_be_retried
from webapi.worker.handlers import Message, Route, understand
from webapi.worker.rejects import RejectFile, without_secrets
from webapi.worker.transactions import in_transaction

log = get_logger()

TAKE_WITHIN_S = 0.5
PUBACK_LOOK_S = 0.5
BACKOFF_AT_MOST_S = 15.0

HANDLED = metrics.counter("worker", "messages_handled", "work messages whose effect was committed")
REJECTED = metrics.counter("worker", "messages_set_aside", "work messages that could not be handled")


class Publisher(Protocol):
    """What the listener needs of the work session."""

    def take(self, most: int, timeout_s: float) -> list[Delivery]: ...

    def publish(self, topic: str, payload: bytes) -> "Future[None]": ...

    def leave(self, backoff_s: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Handled:
    """A message with the answers that its transaction left."""

    delivery: Delivery
    answers: Answers


class Listener:
    """Runs in a thread of its own; `writing` keeps it and the worker's other writers apart."""

    def __init__(
        self,
        session: Publisher,
        sessions: "sessionmaker[Session]",
        routes: Sequence[Route],
        clock: Clock,
        rejects: RejectFile,
        writing: Lock,
        *,
        batch: int,
        backoff_s: float,
    ) -> None:
        self._session = session
        self._sessions = sessions
        self._routes = routes
        self._clock = clock
        self._rejects = rejects
        self._writing = writing
        self._batch = batch
        self._first_backoff_s = backoff_s
        self._backoff_s = backoff_s
        self._caught_up = Event()
        self._connections = 0
        self.away_why = ""
        """Why the database cannot be reached; empty while it can."""

    def run(self, stopping: Event) -> None:
        """Until the worker stops."""
        while not stopping.is_set():
            connected_before = self._connections
            batch = self._session.take(self._batch, TAKE_WITHIN_S)
            if batch:
                self.work(batch, stopping)
            if len(batch) < self._batch and not self.away_why and connected_before == self._connections:
                self._caught_up.set()

    @property
    def is_caught_up(self) -> bool:
        """Whether what waited at the broker when this connection began has been handled."""
        return self._caught_up.is_set()

    def begin(self) -> None:
        """The connection is lost, or what it brought is not trusted: what waits at the broker is unknown again."""
        self._connections += 1
        self._caught_up.clear()

    def work(self, batch: Sequence[Delivery], stopping: Event) -> None:
        """Handle a batch to the acknowledgement of its last message, or leave the broker with it."""
        try:
            handled = self._handle(batch)
        except Exception as error:
            if not is_away(error):
                raise
            self._leave(error)
            return
        if self.away_why:
            log.info("database_back")
            self.away_why, self._backoff_s = "", self._first_backoff_s
        answers = [answer for one in handled for answer in one.answers]
        if self.publish(answers, stopping):
            for one in handled:
                one.delivery.ack()
            HANDLED.inc(len(handled))

    def publish(self, answers: Sequence[Answer], stopping: Event) -> bool:
        """Publish answers and await their PUBACKs; False when the worker stops before that."""
        sent = [self._session.publish(answer.topic, answer.payload) for answer in answers]
        pending: set[Future[None]] = set(sent)
        while pending:
            _, pending = wait(pending, timeout=PUBACK_LOOK_S)
            if pending and stopping.is_set():
                return False
        if any(one.exception() is not None for one in sent):
            return False
        confirmed = [answer.confirms for answer in answers if answer.confirms is not None]
        if confirmed:
            self._mark(confirmed)
        return True

    def _mark(self, record_ids: list[int]) -> None:
        """When the database is away just now, the confirmation merely goes out once more later."""
        try:
            with self._writing, self._sessions.begin() as session:
                mark_published(session, record_ids, at=self._clock.now())
        except Exception as error:
            if not (is_away(error) or is_to_be_retried(error)):
                raise
            log.warning("confirmation_not_marked", records=len(record_ids), reason=str(error))

    def _handle(self, batch: Sequence[Delivery]) -> list[Handled]:
        understood: list[tuple[Delivery, Message]] = []
        for delivery in batch:
            if not delivery.payload and topics.ALARM.parse(delivery.topic) is not None:
                delivery.ack()  # its topic is emptied behind its end: the view's matter
                continue
            try:
                understood.append((delivery, understand(self._routes, delivery.topic, delivery.payload)))
            except ContractError as error:
                self._set_aside(delivery, "not_understood", error)
        try:
            return self._together(understood)
        except Exception as error:
            if is_away(error):
                raise
            log.warning("batch_split", messages=len(understood), reason=f"{type(error).__name__}: {error}")
        return self._singly(understood)

    def _together(self, messages: Sequence[tuple[Delivery, Message]]) -> list[Handled]:
        if not messages:
            return []

        def work(session: Session) -> list[Handled]:
            at = self._clock.now()
            return [Handled(delivery, message.handle(session, at)) for delivery, message in messages]

        return in_transaction(self._sessions, self._writing, work)

    def _singly(self, messages: Sequence[tuple[Delivery, Message]]) -> list[Handled]:
        """Each by itself: what fails now fails for a reason of its own. Away in the middle: the rest comes again."""
        handled: list[Handled] = []
        for delivery, message in messages:
            try:
                handled += self._together([(delivery, message)])
            except Exception as error:
                if is_away(error):
                    self._leave(error)
                    return handled
                self._set_aside(delivery, "not_handled", error)
        return handled

    def _set_aside(self, delivery: Delivery, reason: str, error: Exception) -> None:
        detail = f"{type(error).__name__}: {error}"
        log.error("message_set_aside", topic=delivery.topic, reason=reason, detail=detail)
        REJECTED.inc()
        try:
            self._rejects.append(
                at=self._clock.now(), reason=reason, detail=detail, topic=delivery.topic, payload=delivery.payload
            )
        except OSError as no_file:
            # No place to file it: the log is its record then, since keeping it would hold up what is good.
            kept = without_secrets(delivery.payload).hex()
            log.error("reject_not_filed", reason=str(no_file), topic=delivery.topic, hex=kept)
        delivery.ack()

    def _leave(self, error: Exception) -> None:
        """The database is away: let go of everything, come back later and get it again."""
        if not self.away_why:
            log.warning("database_away", reason=str(error), back_in_s=self._backoff_s)
        self.away_why = f"{type(error).__name__}: {error}"
        self._session.leave(self._backoff_s)
        self._backoff_s = min(self._backoff_s * 2, BACKOFF_AT_MOST_S)
