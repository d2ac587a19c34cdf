"""What ingest costs by its steps: message → point, point → line, the embedded store against bare `executemany`.

    .venv/bin/python -m bench.ingest [points]           and the whole process: .venv/bin/python -m bench.ingest_whole

Both sides of the store write the same rows into tables of the same form, 5,000 in a transaction, on the same disk with
the same cache and `synchronous=FULL`. Rounds alternate and the median counts, since the machine may be shared: the
ratios are the result.
"""

import sqlite3
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from statistics import median
from time import process_time

from bench import report
from evcs.contracts.envelope import Receipt
from evcs.contracts.gun import Telemetry
from evcs.contracts.measurements import GUN
from evcs.contracts.states import GunState
from evcs.contracts.times import to_ms
from evcs.contracts.topics import TELEMETRY
from evcs.store.interface import Point
from evcs.store.lines import spelled
from evcs.store.sqlite import CACHE_KIB, SqliteStore
from ingest.points import gun_point

BATCH = 5_000
ROUNDS = 5
GUNS = 500
T0 = datetime(2026, 5, 1, tzinfo=UTC)


def messages(count: int) -> list[tuple[str, bytes]]:
    """Readings of 500 guns in turn, 15 s apart, as a bridge publishes them."""
    made = []
    for n in range(count):
        pile, gun = f"{32010200000000 + n % GUNS // 2}", n % 2 + 1
        told = Telemetry(
            receipt=Receipt(bridge="b1", started_ms=1_777_593_600_000, n=n),
            received_at=T0 + timedelta(seconds=15 * (n // GUNS), milliseconds=n % GUNS),
            pile=pile,
            gun=gun,
            state=GunState.CHARGING,
            serial=f"{n % GUNS:032d}",
            voltage_v=612.3,
            current_a=98.0,
            power_kw=60.0,
            energy_kwh=Decimal("12.3456"),
            soc_pct=41.0,
            cable_temp_c=31,
            battery_temp_max_c=35,
            elapsed_min=12,
            remaining_min=33,
            cost_fen=Decimal("1534.25"),
        )
        made.append((TELEMETRY.at(station=f"s{n % GUNS // 20}", pile=pile, gun=gun), TELEMETRY.encode(told)))
    return made


def through_the_store(folder: Path, points: list[Point]) -> None:
    store = SqliteStore(folder / "store.db", writable=True)
    for start in range(0, len(points), BATCH):
        store.write(points[start : start + BATCH])
    store.close()


def bare(folder: Path, points: list[Point]) -> None:
    """The least that stores the same: rows made in advance of nothing but position, one statement, no checks."""
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    columns = ", ".join(GUN.field_names)
    connection.execute(
        f"CREATE TABLE gun (series INTEGER, at_ms INTEGER, {columns}, PRIMARY KEY (series, at_ms)) WITHOUT ROWID"
    )
    marks = ", ".join("?" for _ in range(len(GUN.fields) + 2))
    numbers = {tags: number for number, tags in enumerate(dict.fromkeys(point.tags for point in points))}
    for start in range(0, len(points), BATCH):
        rows = [(numbers[point.tags], to_ms(point.at), *point.fields) for point in points[start : start + BATCH]]
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(f"INSERT OR REPLACE INTO gun VALUES ({marks})", rows)
        connection.execute("COMMIT")
    connection.close()


def cpu_us(work: Callable[[], object], count: int) -> float:
    """CPU µs per point."""
    start = process_time()
    work()
    return (process_time() - start) / count * 1e6


def main(count: int) -> None:
    sent = messages(count)
    points = [gun_point(topic, payload) for topic, payload in sent]
    figures: dict[str, list[float]] = {}

    def note(name: str, work: Callable[[], object]) -> None:
        figures.setdefault(name, []).append(cpu_us(work, count))

    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            note("message to point", lambda: [gun_point(topic, payload) for topic, payload in sent])
            note("point to line", lambda: spelled(points))
            note("bare executemany", partial(bare, Path(folder), points))
            note("embedded store", partial(through_the_store, Path(folder), points))
            note("embedded store, all again", partial(through_the_store, Path(folder), points))
    floor = median(figures["bare executemany"])
    text = f"`python -m bench.ingest`: {count:,} points, {BATCH:,} in a transaction;"
    text += f" median of {ROUNDS} alternating rounds. Waiting for the disk (one fsync a batch) is not in it.\n\n"
    text += "| step | CPU µs a point | × bare `executemany` |\n| --- | ---: | ---: |\n"
    for name, found in figures.items():
        cost = median(found)
        text += f"| {name} | {cost:.1f} | {cost / floor:.2f} |\n"
    report.section("ingest-steps", "Ingest by its steps", text)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
