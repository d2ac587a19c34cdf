"""Databases for the tests of webapi: a fresh SQLite file and a fresh PostgreSQL database for each test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, make_url
from sqlalchemy.orm import Session

from tests.servers import Postgres, postgres_server
from tests.webapi.books import Books
from webapi.database import open_database, sessions, upgrade

__all__ = ["postgres_server"]


class PostgresForTests:
    """Databases of the session's PostgreSQL, the migrated ones cut from a template: faster than migrating each."""

    def __init__(self, server: Postgres) -> None:
        self._server = server
        self._template = server.database()
        self._count = 0
        engine = open_database(self._template)
        upgrade(engine)
        engine.dispose()

    def empty(self) -> str:
        """URL of a new database without a single table."""
        return self._server.database()

    def fresh(self) -> str:
        """URL of a new, migrated database."""
        self._count += 1
        template = make_url(self._template)
        name = f"{template.database}_{self._count}"
        with psycopg.connect(
            host="127.0.0.1", port=self._server.port, user="evcs", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template.database}"'.encode())
        return template.set(database=name).render_as_string()


@pytest.fixture(scope="session")
def postgres(postgres_server: Postgres) -> PostgresForTests:
    """The PostgreSQL of this test process."""
    return PostgresForTests(postgres_server)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy from."""
    path = tmp_path_factory.mktemp("template") / "evcs.sqlite3"
    engine = open_database(f"sqlite:///{path}")
    upgrade(engine)
    engine.dispose()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a fresh, migrated database: each test that asks for it runs on both."""
    if request.param == "postgresql":
        server: PostgresForTests = request.getfixturevalue("postgres")
        return server.fresh()
    path = tmp_path / "evcs.sqlite3"
    shutil.copyfile(request.getfixturevalue("migrated_sqlite"), path)
    return f"sqlite:///{path}"


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on the fresh database."""
    engine = open_database(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session on the fresh database; rolled back at the end unless the test commits."""
    with sessions(engine)() as session:
        yield session
        session.rollback()


@pytest.fixture
def books(session: Session) -> Books:
    """A tenant with a station, a pile and a tariff on the fresh database."""
    return Books(session).build()
