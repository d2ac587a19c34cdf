"""The relational database: one engine per process, the portable column types, and its schema brought up to date.

SQLite (WAL, `synchronous=FULL`, every transaction BEGIN IMMEDIATE) is embedded, PostgreSQL is for production. What is
stored reads back equal on both: times as aware UTC, energies as whole 0.0001 kWh, powers as whole watts, money as fen.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Engine,
    Integer,
    MetaData,
    String,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.sql.selectable import ForUpdateArg
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from alembic.config import Config

DEFAULT_URL = "sqlite:///var/evcs.sqlite3"
"""Where `make run` keeps the books, below the working directory; EVCS_DATABASE_URL says otherwise."""

BUSY_TIMEOUT_MS = 10_000
"""How long a SQLite writer waits for the other writer before it gives up."""

_MIGRATION_LOCK = 0x65766373
"""Key of the PostgreSQL advisory lock under which only one process migrates ("evcs" in ASCII)."""

Word = TypeVar("Word", bound=StrEnum)


class Base(DeclarativeBase):
    """Root of every model; constraints get their names by rule, so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class UtcTime(TypeDecorator[datetime]):
    """An instant: aware in Python, UTC at rest, microseconds. A naive time is refused, since nobody knows its zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn an aware time into UTC; SQLite keeps it as text without a zone, so that text sorts as time."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without zone cannot be stored: {value!r}")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the instant back as aware UTC, whatever the session's zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class _Steps(TypeDecorator[Decimal]):
    """An exact decimal kept as a whole number of its smallest step; a finer value is refused, never rounded."""

    impl = BigInteger
    cache_ok = True
    places: int

    def process_bind_param(self, value: Decimal | int | None, dialect: Dialect) -> int | None:
        """Count the steps of a value."""
        if value is None:
            return None
        steps = Decimal(value).scaleb(self.places)
        if steps != steps.to_integral_value():
            raise ValueError(f"{value} is finer than {self.places} decimals")
        return int(steps)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        """Give the decimal back with all its places; sums arrive as Decimal from PostgreSQL."""
        return None if value is None else Decimal(int(value)).scaleb(-self.places)


class EnergyKwh(_Steps):
    """Energy in kWh, kept as whole 0.0001 kWh (the resolution of every energy on the YKC wire)."""

    places = 4
    cache_ok = True


class PowerKw(_Steps):
    """Power in kW (or apparent power in kVA), kept as whole watts."""

    places = 3
    cache_ok = True


class Ratio(_Steps):
    """A ratio or percentage, kept as whole 0.0001."""

    places = 4
    cache_ok = True


class Wording(TypeDecorator[Word]):
    """A word out of a closed list, kept as text; pair it with `one_of`, which makes the database know the list."""

    impl = String(24)
    cache_ok = True

    def __init__(self, words: type[Word]) -> None:
        super().__init__()
        self.words = words

    def process_bind_param(self, value: Word | None, dialect: Dialect) -> str | None:
        """Check the word before it goes in, so that a bare string of another list is noticed here."""
        return None if value is None else self.words(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> Word | None:
        """Give the member back."""
        return None if value is None else self.words(value)


def one_of(column: str, words: type[StrEnum]) -> CheckConstraint:
    """Constraint that a column holds one of the words (or nothing, where it may be empty)."""
    listed = ", ".join(f"'{word.value}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


RowId = BigInteger().with_variant(Integer(), "sqlite")
"""Key type of rows without a name of their own; SQLite counts by itself only in an INTEGER column."""


ROW_LOCK = ForUpdateArg(key_share=True)
"""Lock of a row until the commit that lets others insert rows referring to it (PostgreSQL: FOR NO KEY UPDATE).

FOR UPDATE would stop them, and two that lock and insert crosswise would wait for each other.
"""


def open_database(url: str = DEFAULT_URL, *, pool_size: int = 16) -> Engine:
    """Open an engine for a URL (`sqlite:///path`, `postgresql+psycopg://…`); a SQLite file's folder is made.

    Bare `postgresql://` is taken as psycopg 3. Opens no connection yet. Errors name the statement without its values,
    which are phone numbers, hashes and cookies, and errors are logged.
    """
    parsed = make_url(url)
    if parsed.drivername in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(
            parsed, pool_size=pool_size, hide_parameters=True, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000}
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_immediate)
        return engine
    return create_engine(parsed, pool_size=pool_size, pool_pre_ping=True, hide_parameters=True)


def sessions(engine: Engine) -> sessionmaker[Session]:
    """Make sessions of an engine. The request or message handler commits, once; objects stay readable after it."""
    return sessionmaker(engine, expire_on_commit=False)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Set what SQLite forgets with every connection; the driver's own transaction control is switched off."""
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
        "foreign_keys=ON",
        "recursive_triggers=ON",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_immediate(connection: Connection) -> None:
    """Take the write lock at once: a transaction that reads first and writes later could not wait for it.

    A connection with the option `readonly` begins deferred and so never waits for a writer.
    """
    deferred = connection.get_execution_options().get("readonly", False)
    connection.exec_driver_sql("BEGIN" if deferred else "BEGIN IMMEDIATE")


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """Open a session that only reads: a snapshot on both databases, never in the way of a writer; rolled back."""
    options = {"readonly": True} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    with Session(engine.execution_options(**options), expire_on_commit=False) as session:
        yield session
        session.rollback()


def migrations_config(connection: Connection) -> "Config":
    """Make Alembic's configuration for an open connection; found beside this file, whatever the working directory."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.attributes["connection"] = connection
    return config


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the schema up to a revision in one transaction; several processes may call it at the same time.

    One migrates, the others wait (PostgreSQL: advisory lock; SQLite: the write lock that BEGIN IMMEDIATE takes)
    and then find nothing left to do.
    """
    from alembic import command  # a sixth of what the HTTP service, which never migrates, would import

    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        command.upgrade(migrations_config(connection), revision)


def main(arguments: list[str]) -> int:
    """Run `python -m webapi.database upgrade [revision]` on the database that EVCS_DATABASE_URL names."""
    import os

    if not arguments or arguments[0] != "upgrade" or len(arguments) > 2:
        sys.stderr.write("usage: python -m webapi.database upgrade [revision]\n")
        return 2
    engine = open_database(os.environ.get("EVCS_DATABASE_URL") or DEFAULT_URL)
    upgrade(engine, arguments[1] if len(arguments) == 2 else "head")
    engine.dispose()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
