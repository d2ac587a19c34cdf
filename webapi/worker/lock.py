"""One worker per owner and database: a PostgreSQL advisory lock, beside SQLite a lock on a file."""

import fcntl
import os
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

LOCK_KEY = 0x776F726B
"""First half of the advisory lock's key ("work" in ASCII); the second is the owner's number."""


class OwnerLock(Protocol):
    """Held by the process until it ends, however it ends."""

    def acquire(self) -> bool:
        """Take it without waiting; False while another process has it. May raise DBAPIError."""

    def is_held(self) -> bool:
        """Whether it is still ours."""

    def release(self) -> None: ...


class FileLock:
    """`flock` on a file beside the SQLite file: gone with the process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def acquire(self) -> bool:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        self._file = file
        return True

    def is_held(self) -> bool:
        return self._file is not None

    def release(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


class AdvisoryLock:
    """A session-level advisory lock on a connection of its own; lost with that connection."""

    def __init__(self, engine: Engine, owner: int) -> None:
        self._engine = engine
        self._owner = owner
        self._connection: Connection | None = None

    def acquire(self) -> bool:
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            query = text("SELECT pg_try_advisory_lock(:key, :owner)")
            taken = connection.scalar(query, {"key": LOCK_KEY, "owner": self._owner})
        except DBAPIError:
            connection.close()
            raise
        if not taken:
            connection.close()
            return False
        # Never goes back to the pool: the lock lives as long as it does.
        connection.detach()
        self._connection = connection
        return True

    def is_held(self) -> bool:
        if self._connection is None:
            return False
        try:
            self._connection.execute(text("SELECT 1"))
        except DBAPIError:
            self.release()
            return False
        return True

    def release(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.close()
            except DBAPIError:
                connection.invalidate()


def owner_lock(engine: Engine, var: Path, owner: int) -> OwnerLock:
    """The lock that fits the database."""
    if engine.dialect.name != "sqlite":
        return AdvisoryLock(engine, owner)
    database = engine.url.database
    beside = Path(database) if database and database != ":memory:" else var / "worker"
    return FileLock(beside.with_name(f"{beside.name}.worker-{owner}.lock"))
