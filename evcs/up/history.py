"""`evcs history`: a past for the demo, by the rooms' own commands one after the other, also while the platform runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from rich.console import Console

from evcs.contracts.history import MANIFEST
from evcs.contracts.times import civil_day
from evcs.runtime.clock import Clock
from evcs.up import platform
from evcs.up.place import PlaceError, prepare
from evcs.up.settings import ROOT, UpSettings


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a room; `into`: the file that gets what it prints."""

    what: str
    command: tuple[str, ...]
    into: Path | None = None


def steps(settings: UpSettings, folder: Path, first: date, end: date) -> tuple[Step, ...]:
    """From the town to the loads. What a former call has written to its end is not written again."""
    town, part = folder.with_suffix(".town.json"), folder.with_suffix(".part")
    days = ("--from", first.isoformat(), "--to", end.isoformat(), "--seed", str(settings.simulator_seed))
    writing = (
        Step("the demo's town", ("webapi.demo", "town"), into=town),
        Step("its past", ("bridge.simulator", "history", "--town", str(town), *days, "--out", str(part))),
    )
    return (
        Step("the demo's operator", ("webapi.demo", "seed")),
        *(() if (folder / MANIFEST).exists() else writing),
        Step("points into the store", ("ingest.load", str(folder))),
        Step("orders into the books", ("webapi.demo", "load", str(folder))),
    )


def history(settings: UpSettings, days: int, clock: Clock, console: Console, errors: Console) -> int:
    """Give the demo the last whole `days` (Beijing); 0 done, else what the step that failed returned."""
    end = civil_day(clock.now())
    first = end - timedelta(days=days)
    piles, guns = settings.simulator_piles, settings.simulator_guns
    name = f"{first:%Y%m%d}-{end:%Y%m%d}-{piles}x{guns}-{settings.simulator_first}-{settings.simulator_seed}"
    folder = settings.folder() / "history" / name
    try:
        prepare(settings.folder())
    except PlaceError as error:
        errors.print(f"evcs history: {error}", style="red", soft_wrap=True)
        return 1
    folder.parent.mkdir(exist_ok=True)
    part = folder.with_suffix(".part")
    environ = {**platform.environment(settings, os.environ), "EVCS_LOG_LEVEL": "warning"}
    for step in steps(settings, folder, first, end):
        console.print(f"{step.what} …")
        if step.command[:2] == ("bridge.simulator", "history"):
            shutil.rmtree(part, ignore_errors=True)  # of a call that was interrupted
        code = _run(step, environ)
        if code != 0:
            errors.print(f"evcs history: {' '.join(step.command[:2])} ended with {code}", style="red", soft_wrap=True)
            return code
        if step.command[:2] == ("bridge.simulator", "history"):
            part.rename(folder)
    console.print(f"{days} days until {end} stand in the demo; their files are in {folder}", soft_wrap=True)
    return 0


def _run(step: Step, environ: dict[str, str]) -> int:
    command: Sequence[str] = (sys.executable, "-m", *step.command)
    if step.into is None:
        return subprocess.run(command, cwd=ROOT, env=environ, check=False).returncode
    with step.into.open("wb") as file:
        return subprocess.run(command, cwd=ROOT, env=environ, stdout=file, check=False).returncode
