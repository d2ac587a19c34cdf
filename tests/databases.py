"""Migrated databases to copy from: migrated once for a test process, not for each test."""

from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from tests.servers import Postgres
from webapi.database import open_database, upgrade


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
