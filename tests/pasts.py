"""A small demo past for the tests of the rooms that write and read one."""

from datetime import date
from pathlib import Path

import pytest

from bridge.simulator.history.command import main
from evcs.contracts.envelope import encode
from evcs.contracts.history import Town
from webapi.demo.seed import Fleet
from webapi.demo.town_file import town_of

FLEET = Fleet(4, 2)
FIRST, END = date(2026, 10, 1), date(2026, 10, 3)
RAW_DAYS = 1
SEED = 7


def town() -> Town:
    """Two stations, two piles each, two guns a pile; the second station's transformer has a meter."""
    return town_of(FLEET)


def write(folder: Path, *more: str, seed: int = SEED) -> Path:
    """Two days; the second has raw points."""
    file = folder.parent / f"{folder.name}-town.json"
    file.write_bytes(encode(town()))
    days = ("--from", FIRST.isoformat(), "--to", END.isoformat(), "--raw-days", str(RAW_DAYS))
    assert main(["--town", str(file), *days, "--seed", str(seed), "--out", str(folder), *more]) == 0
    return folder


_WRITTEN: dict[Path, Path] = {}


@pytest.fixture(scope="session")
def past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that nobody changes; one for all modules that import this fixture, which is another in each."""
    session = tmp_path_factory.getbasetemp()
    if session not in _WRITTEN:
        _WRITTEN[session] = write(tmp_path_factory.mktemp("past") / "past")
    return _WRITTEN[session]
