"""Databases for the tests of webapi: a fresh SQLite file and a fresh PostgreSQL database for each test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from tests.databases import PostgresForTests
from tests.webapi.books import Books
from webapi.database import open_database, sessions


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
