"""The schema: migrations lead from nothing to exactly what the models declare, on both databases, also in parallel."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text

from tests.databases import PostgresForTests
from webapi.database import open_database, upgrade
from webapi.models import metadata


def test_migrations_make_what_the_models_declare(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def _checks(engine: Engine) -> set[tuple[str, str]]:
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT conrelid::regclass || '.' || conname, pg_get_constraintdef(oid) FROM pg_constraint "
                "WHERE connamespace = 'public'::regnamespace"
            )
        )
        return {(name, definition) for name, definition in rows if not name.startswith("alembic_version")}


def test_every_constraint_of_the_models_is_in_the_migrations(postgres: PostgresForTests) -> None:
    migrated, declared = open_database(postgres.fresh()), open_database(postgres.empty())
    metadata.create_all(declared)
    assert _checks(migrated) == _checks(declared)
    migrated.dispose()
    declared.dispose()


def test_many_processes_may_migrate_at_once(postgres: PostgresForTests, tmp_path: Path) -> None:
    for url in (postgres.empty(), f"sqlite:///{tmp_path / 'new' / 'evcs.sqlite3'}"):
        engines = [open_database(url) for _ in range(4)]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(upgrade, engines))
        with engines[0].connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM alembic_version")) == 1
        for engine in engines:
            engine.dispose()


def test_the_command_migrates_from_any_working_directory(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    run = subprocess.run(
        [sys.executable, "-m", "webapi.database", "upgrade"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root), "EVCS_DATABASE_URL": "sqlite:///deep/evcs.sqlite3"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    engine = open_database(f"sqlite:///{tmp_path}/deep/evcs.sqlite3")
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM wallet")) == 0
    engine.dispose()
