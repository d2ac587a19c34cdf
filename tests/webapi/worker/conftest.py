"""A worker's world on each pair of broker and database."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import PostgresForTests
from tests.servers import BROKERS, Brokers
from tests.webapi.worker.scene import Scene
from webapi.database import open_database
from webapi.worker.settings import Settings

PAIRS = ("mosquitto-sqlite", "nats-postgresql")


@pytest.fixture(params=PAIRS)
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    """Broker, database, a peer for bridge and rules; the worker is not started yet."""
    kind, database = request.param.split("-")
    if database == "postgresql":
        server: PostgresForTests = request.getfixturevalue("postgres")
        url = server.fresh()
    else:
        path = tmp_path / "evcs.sqlite3"
        shutil.copyfile(request.getfixturevalue("migrated_sqlite"), path)
        url = f"sqlite:///{path}"
    brokers = Brokers(BROKERS[kind], tmp_path)
    broker = brokers.make()
    engine = open_database(url)
    settings = Settings(
        mqtt_port=broker.port, mqtt_reconnect_s=0.2, database_url=url, var=tmp_path / "var", database_backoff_s=0.2
    )
    scene = Scene(engine, url, settings, brokers, broker)
    yield scene
    scene.close()
    engine.dispose()
    brokers.remove()
