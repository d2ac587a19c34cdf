"""Databases for the tests of webapi: a fresh SQLite file and a fresh PostgreSQL database for each test."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from tests.webapi.books import Books
from webapi.database import open_database, sessions, upgrade

POSTGRES_BIN = Path("/usr/lib/postgresql/15/bin")


class PostgresForTests:
    """A PostgreSQL of our own in a temporary folder on a free port; each database is cut from a migrated template."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._count = 0
        self._as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []

    def start(self) -> None:
        """Make the cluster and start it without durability (only tests read it); PostgreSQL refuses to run as root."""
        if self._as_user:
            shutil.chown(self.folder, "postgres")
        data = str(self.folder / "data")
        self._run("initdb", "-D", data, "-U", "evcs", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale", "C")
        options = f"-p {self.port} -k {self.folder} -h 127.0.0.1 -c fsync=off -c max_connections=60"
        self._run("pg_ctl", "-D", data, "-o", options, "-l", str(self.folder / "log"), "-w", "start")
        self._create("template_evcs", "template1")
        engine = open_database(self.url("template_evcs"))
        upgrade(engine)
        engine.dispose()

    def stop(self) -> None:
        """Stop it at once."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "-w", "stop")

    def url(self, name: str) -> str:
        """SQLAlchemy URL of a database."""
        return f"postgresql+psycopg://evcs@127.0.0.1:{self.port}/{name}"

    def fresh(self, template: str = "template_evcs") -> str:
        """URL of a new database; `template1` for an empty one."""
        self._count += 1
        name = f"test_{self._count}"
        self._create(name, template)
        return self.url(name)

    def _create(self, name: str, template: str) -> None:
        with psycopg.connect(host="127.0.0.1", port=self.port, user="evcs", dbname="postgres", autocommit=True) as c:
            c.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [*self._as_user, str(POSTGRES_BIN / program), *arguments],
            check=True,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            timeout=60,
        )


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresForTests]:
    """The PostgreSQL of this test process."""
    if not POSTGRES_BIN.exists():
        pytest.skip("PostgreSQL 15 is not installed")
    folder = Path(tempfile.mkdtemp(prefix="evcs-pg-"))
    server = PostgresForTests(folder)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


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
