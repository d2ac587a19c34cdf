"""The app over real databases and a real telemetry store."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from evcs.store.open import open_store
from tests.webapi.http.world import World, make_world
from webapi.database import open_database


@pytest.fixture
def world(engine: Engine, tmp_path: Path) -> Iterator[World]:
    """Two operators, on SQLite and on PostgreSQL."""
    telemetry = open_store(f"sqlite:///{tmp_path / 'telemetry.db'}")
    telemetry.write([])
    yield make_world(engine, telemetry)
    telemetry.close()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def still(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The same for tests that change nothing: made once for a file."""
    folder = tmp_path_factory.mktemp("still")
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").fresh()
    else:
        url = f"sqlite:///{folder / 'evcs.sqlite3'}"
        shutil.copyfile(request.getfixturevalue("migrated_sqlite"), folder / "evcs.sqlite3")
    engine = open_database(url)
    telemetry = open_store(f"sqlite:///{folder / 'telemetry.db'}")
    telemetry.write([])
    yield make_world(engine, telemetry)
    telemetry.close()
    engine.dispose()
