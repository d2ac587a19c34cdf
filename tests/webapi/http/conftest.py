"""The app over real databases and a real telemetry store."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from evcs.store.open import open_store
from tests.webapi.http.world import World, make_world


@pytest.fixture
def world(engine: Engine, tmp_path: Path) -> Iterator[World]:
    """Two operators, on SQLite and on PostgreSQL."""
    telemetry = open_store(f"sqlite:///{tmp_path / 'telemetry.db'}")
    telemetry.write([])
    yield make_world(engine, telemetry)
    telemetry.close()
