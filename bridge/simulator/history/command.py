"""`python -m bridge.simulator history --town town.json --from DAY --to DAY --seed N --out DIR`: the past as files."""

import argparse
import gc
import sys
import time
from datetime import date
from pathlib import Path

import msgspec

from bridge.simulator.history.files import HistoryFiles, NotEmpty
from bridge.simulator.history.past import Plan, live
from bridge.simulator.settings import span
from evcs.contracts.history import FORMAT, Town
from evcs.runtime.progress import progress


class BadTown(Exception):
    """The file of `--town` is none."""


def read_town(path: Path, piles: int | None) -> Town:
    """The town, with its first `piles` piles only. Raises BadTown."""
    try:
        town = msgspec.json.decode(path.read_bytes(), type=Town)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadTown(f"{path}: {error}; write one: python -m webapi.demo town > town.json") from error
    if town.format != FORMAT:
        raise BadTown(f"{path}: format {town.format}, this program reads {FORMAT}")
    for station in town.stations:
        known = {one.transformer for one in station.transformers}
        if strangers := {pile.transformer for pile in station.piles} - known:
            raise BadTown(f"{path}: station {station.station} has no transformer {', '.join(sorted(strangers))}")
    if piles is None:
        return town
    stations, left = [], piles
    for station in town.stations:
        some = station.piles[:left]
        left -= len(some)
        stations.append(msgspec.structs.replace(station, piles=some))
    if left > 0:
        raise BadTown(f"{path}: {piles} piles wanted, the town has {piles - left}")
    return msgspec.structs.replace(town, stations=tuple(stations))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bridge.simulator history", description=__doc__)
    parser.add_argument("--town", type=Path, required=True, help="file of `python -m webapi.demo town`")
    parser.add_argument("--from", dest="first", type=date.fromisoformat, required=True, help="first day (Beijing)")
    parser.add_argument("--to", dest="end", type=date.fromisoformat, required=True, help="the day after the last")
    parser.add_argument("--out", type=Path, required=True, help="folder to make")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same bytes (default 1)")
    parser.add_argument("--piles", type=int, help="only the town's first piles (default all)")
    parser.add_argument("--visits", type=float, default=8.0, help="cars a day and gun (default 8)")
    parser.add_argument("--need-kwh", default="8:60", help="what a car lacks, low:high (default 8:60)")
    parser.add_argument("--raw-days", type=int, default=7, help="last days with raw points (default 7)")
    parser.add_argument("--plain", action="store_true", help="points not packed with gzip")
    return parser


def main(arguments: list[str]) -> int:
    """0 done, 2 for what was asked wrongly."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if not 0 < (given.end - given.first).days <= 3700:
        parser.error("--to is a day after --from, and at most ten years later")
    if not 0 < given.visits <= 100 or given.raw_days < 0 or given.seed < 0 or (given.piles or 1) < 1:
        parser.error("--visits is 0 to 100; --raw-days, --seed are not negative, --piles at least 1")
    try:
        need_kwh = span(given.need_kwh)
        if not 1 <= need_kwh[0] < need_kwh[1] <= 500:
            raise ValueError(f"--need-kwh {given.need_kwh}: 1 to 500, from low to high")
        town = read_town(given.town, given.piles)
        plan = Plan(town, given.first, given.end, given.seed, given.visits, need_kwh, given.raw_days)
        files = HistoryFiles(given.out, packed=not given.plain)
    except (BadTown, NotEmpty, ValueError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return _write(plan, files, given.out)


def _write(plan: Plan, files: HistoryFiles, out: Path) -> int:
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)  # millions of small things and no cycles among them
    begun = time.perf_counter()
    charged = refused = 0
    with progress("history", plan.days, "days") as moved:
        for done in live(plan):
            files.day(done.day, done.brought)
            charged, refused = done.charged, done.refused
            moved(1, f"{done.day} · {charged} charges, {refused} refused")
    manifest = files.close(plan.seed, plan.first_day, plan.end_day)
    seconds = time.perf_counter() - begun
    piles = sum(len(station.piles) for station in plan.town.stations)
    points = sum(file.lines for file in manifest.points)
    sys.stderr.write(
        f"{out}: {charged} charges, {refused} refused, {points} points, {manifest.orders} lines in {seconds:.1f} s"
        f" ({piles * plan.days / seconds:.1f} pile days a second)\n"
    )
    return 0
