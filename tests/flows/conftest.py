"""The four platforms on which scenarios run: NATS and Mosquitto, SQLite and PostgreSQL."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.flows.town import Town, found_town
from tests.servers import BROKERS, Broker, Postgres, postgres_server
from webapi.database import open_database, upgrade

__all__ = ["postgres_server"]

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
        server: Postgres = request.getfixturevalue("postgres_server")
        url = server.database()
    else:
        url = f"sqlite:///{tmp_path / 'evcs.db'}"
    engine = open_database(url)
    upgrade(engine)
    engine.dispose()
    return url


@pytest.fixture
def found(database_url: str) -> Callable[..., Town]:
    """Seeds the database; takes what `found_town` takes besides the URL."""

    def seed(**what: int) -> Town:
        return found_town(database_url, **what)

    return seed
