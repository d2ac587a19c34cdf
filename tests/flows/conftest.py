"""The four platforms on which scenarios run: NATS and Mosquitto, SQLite and PostgreSQL."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.databases import PostgresForTests
from tests.flows.town import Town, found_town
from tests.servers import BROKERS, Broker

ALL = ["nats-sqlite", "nats-postgresql", "mosquitto-sqlite", "mosquitto-postgresql"]
BOTH = ["nats-sqlite", "mosquitto-postgresql"]
"""Each broker and each database once."""


@pytest.fixture(params=BOTH)
def kind(request: pytest.FixtureRequest) -> str:
    """Which broker and database; a test parametrises it indirectly to run on others."""
    return str(request.param)


@pytest.fixture
def broker(kind: str, tmp_path: Path) -> Iterator[Broker]:
    broker = BROKERS[kind.split("-")[0]](tmp_path / "broker")
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def database_url(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """A fresh, migrated, empty database."""
    if kind.endswith("postgresql"):
        server: PostgresForTests = request.getfixturevalue("postgres")
        return server.fresh()
    path = tmp_path / "evcs.db"
    shutil.copyfile(request.getfixturevalue("migrated_sqlite"), path)
    return f"sqlite:///{path}"


@pytest.fixture
def found(database_url: str) -> Callable[..., Town]:
    """Seeds the database; takes what `found_town` takes besides the URL."""

    def seed(**what: int) -> Town:
        return found_town(database_url, **what)

    return seed
