"""The outbox: rows → MQTT, in order, marked after their PUBACK.

A process that dies between commit and publishing leaves its rows to the next; one that dies between PUBACK and mark
publishes them twice, under the same ids.
"""

from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event, Lock
from typing import Any, Protocol

import psycopg
from sqlalchemy import Engine, delete, select, update
from sqlalchemy.orm import Session, sessionmaker

from evcs.runtime.clock import Clock
from evcs.runtime.log import get_logger
from webapi.database import reading
from webapi.worker.errors import is_away
from webapi.worker.models import HandledEvent, OutboxRow
from webapi.worker.shards import Shards

log = get_logger()

ROWS_AT_ONCE = 200
SQLITE_POLL_S = 0.02
LOOK_AT_LEAST_EVERY_S = 1.0
POSTGRES_LOOK_S = 0.2
POSTGRES_LOOKS = round(LOOK_AT_LEAST_EVERY_S / POSTGRES_LOOK_S)
PUBACK_LOOK_S = 0.5
KEPT = timedelta(days=2)
"""How long published rows and handled event ids stay, to explain what happened."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What of a row is published."""

    id: int
    topic: str
    payload: bytes
    retain: bool
    expires_at: datetime | None
    is_secret: bool


class Publisher(Protocol):
    """What the outbox needs of the work session."""

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> "Future[None]": ...


class Waker(Protocol):
    """Tells that there may be new rows."""

    def wait(self, stopping: Event) -> None:
        """Return soon after a commit that may have brought rows, and at least every second."""


class SqliteWaker:
    """Asks the file every 20 ms whether anybody else has committed (`PRAGMA data_version`: a few microseconds)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Any = None
        self._seen: int | None = None

    def wait(self, stopping: Event) -> None:
        if self._connection is None:
            self._connection = self._engine.raw_connection()
        for _ in range(round(LOOK_AT_LEAST_EVERY_S / SQLITE_POLL_S)):
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
            if version != self._seen:
                self._seen = version
                return
            if stopping.wait(SQLITE_POLL_S):
                return


class PostgresWaker:
    """LISTEN on a connection of its own; opened again when it is lost."""

    def __init__(self, engine: Engine) -> None:
        self._url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection: psycopg.Connection[Any] | None = None

    def wait(self, stopping: Event) -> None:
        try:
            if self._connection is None or self._connection.closed:
                self._connection = psycopg.connect(self._url, autocommit=True, connect_timeout=5)
                self._connection.execute("LISTEN evcs_outbox")
                return
            for _ in range(POSTGRES_LOOKS):
                if any(True for _ in self._connection.notifies(timeout=POSTGRES_LOOK_S, stop_after=1)):
                    return
                if stopping.is_set():
                    return
        except psycopg.Error:
            self._connection = None
            stopping.wait(LOOK_AT_LEAST_EVERY_S)


def waker(engine: Engine) -> Waker:
    """The one that fits the database."""
    return SqliteWaker(engine) if engine.dialect.name == "sqlite" else PostgresWaker(engine)


class Outbox:
    """Runs in a thread of its own."""

    def __init__(
        self,
        session: Publisher,
        engine: Engine,
        sessions: "sessionmaker[Session]",
        clock: Clock,
        shards: Shards,
        writing: Lock,
    ) -> None:
        self._session = session
        self._engine = engine
        self._sessions = sessions
        self._clock = clock
        self._shards = shards
        self._writing = writing
        self.away_why = ""

    def run(self, stopping: Event) -> None:
        """Until the worker stops."""
        bell = waker(self._engine)
        while not stopping.is_set():
            try:
                while self.publish_some(stopping):
                    pass
                self.away_why = ""
            except Exception as error:
                if not is_away(error):
                    raise
                self.away_why = f"{type(error).__name__}: {error}"
                stopping.wait(LOOK_AT_LEAST_EVERY_S)
            bell.wait(stopping)

    def publish_some(self, stopping: Event) -> bool:
        """Publish the next rows and mark them; whether there were any. What is expired is only marked."""
        if stopping.is_set():
            return False
        rows = self._pending()
        if not rows:
            return False
        now = self._clock.now()
        sent: list[Future[None]] = []
        for row in rows:
            if row.expires_at is not None and row.expires_at <= now:
                log.warning("outbox_expired", topic=row.topic, id=row.id)
                continue
            sent.append(self._session.publish(row.topic, row.payload, retain=row.retain))
        pending: set[Future[None]] = set(sent)
        while pending:
            _, pending = wait(pending, timeout=PUBACK_LOOK_S)
            if pending and stopping.is_set():
                return False
        if any(one.exception() is not None for one in sent):
            return False
        ids = [row.id for row in rows]
        with self._writing, self._sessions.begin() as session:
            if any(row.is_secret for row in rows):
                session.execute(delete(OutboxRow).where(OutboxRow.id.in_(ids), OutboxRow.is_secret.is_(True)))
            session.execute(update(OutboxRow).where(OutboxRow.id.in_(ids)).values(published_at=self._clock.now()))
        return True

    def _pending(self) -> list[Waiting]:
        query = (
            select(
                OutboxRow.id,
                OutboxRow.topic,
                OutboxRow.payload,
                OutboxRow.retain,
                OutboxRow.expires_at,
                OutboxRow.is_secret,
            )
            .where(OutboxRow.published_at.is_(None))
            .order_by(OutboxRow.id)
            .limit(ROWS_AT_ONCE)
        )
        if self._shards.owners > 1:
            query = query.where(OutboxRow.shard.in_(self._shards.owned))
        with reading(self._engine) as session:
            return [Waiting(*row) for row in session.execute(query)]


def forget_old(session: Session, *, at: datetime) -> None:
    """Delete what was published and handled long ago."""
    before = at - KEPT
    session.execute(delete(OutboxRow).where(OutboxRow.published_at < before))
    session.execute(delete(HandledEvent).where(HandledEvent.handled_at < before))
