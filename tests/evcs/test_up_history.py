"""`evcs history`: one command from the town to the books, which does nothing twice."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from datetime import date
from pathlib import Path

from evcs.contracts.history import MANIFEST
from evcs.up.history import steps
from evcs.up.settings import UpSettings

ROOT = Path(__file__).resolve().parents[2]


def test_a_past_that_is_written_is_not_written_again(tmp_path: Path) -> None:
    folder = tmp_path / "past"
    arguments = (UpSettings(var=tmp_path), folder, date(2026, 10, 1), date(2026, 10, 3))
    assert [step.command[:2] for step in steps(*arguments)] == [
        ("webapi.demo", "seed"),
        ("webapi.demo", "town"),
        ("bridge.simulator", "history"),
        ("ingest.load", str(folder)),
        ("webapi.demo", "load"),
    ]
    folder.mkdir()
    (folder / MANIFEST).write_text("{}")
    assert [step.command[:2] for step in steps(*arguments)] == [
        ("webapi.demo", "seed"),
        ("ingest.load", str(folder)),
        ("webapi.demo", "load"),
    ]


def figures(var: Path) -> tuple[int, int]:
    """Orders in the books, points in the store."""
    with sqlite3.connect(var / "evcs.db") as books, sqlite3.connect(var / "telemetry.db") as store:
        orders = books.execute("SELECT count(*) FROM charging_order").fetchone()[0]
        return orders, store.execute("SELECT count(*) FROM gun_15m").fetchone()[0]


def test_one_command_gives_a_past_and_again_changes_nothing(tmp_path: Path) -> None:
    own = {"EVCS_VAR": str(tmp_path), "EVCS_SIMULATOR_PILES": "2", "EVCS_SIMULATOR_GUNS": "1"}
    environ = {**{name: value for name, value in os.environ.items() if not name.startswith("EVCS_")}, **own}
    command = [sys.executable, "-m", "evcs", "history", "--days", "1"]
    said = [
        subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=110, check=False)
        for _ in range(2)
    ]
    assert [one.returncode for one in said] == [0, 0], said[0].stderr + said[1].stderr
    assert "the books are right" in said[0].stderr
    assert "0 orders, 0 recharges and 0 customers posted" in said[1].stderr
    orders, quarters = figures(tmp_path)
    assert orders > 3
    assert quarters == 2 * 96
