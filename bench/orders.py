"""How long a page of the order list takes with a million orders, by filter; and what an export of 100,000 costs.

    .venv/bin/python -m bench.orders [--count 1000000] [--url postgresql://…] [--plans] [--export 100000] [--dry]

Without --url a SQLite file in a temporary folder is filled (some minutes). With it that database is filled, or measured
as it is where it has orders; 10 M on PostgreSQL: --count 10000000 --url …. --plans writes the query plans of the lists
into docs/order-list.md. --export 0 leaves the export out.
The aim is 15 ms for 99 of 100 pages, and none over 300 ms.
"""

import argparse
import gc
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from random import Random
from time import perf_counter, process_time
from typing import Any

from sqlalchemy import Engine, event, insert, text

from bench import report
from bench.orders_load import BEGIN, DAYS, load
from evcs.contracts.states import OrderState, StartSource
from webapi.access import ConsoleUser, Visible
from webapi.database import open_database, reading, upgrade
from webapi.exports.models import Export, ExportState
from webapi.http.paging import TimeKey, page_of
from webapi.orders.filter import OrderFilter, Sort, Tab
from webapi.orders.queries import list_orders, order_totals
from webapi.users.models import Role, User

ROUNDS = 100
WARM_UP = 2
"""Pages before: the first of its kind has its statement compiled, once in the life of the process."""
DOC = Path(__file__).parents[1] / "docs" / "order-list.md"
NOW = BEGIN + timedelta(days=DAYS)

ADMIN = ConsoleUser(1, "admin", "", Role.TENANT_ADMIN, 1, None)
LIMITED = ConsoleUser(1, "some", "", Role.OPERATOR, 1, frozenset(f"s1-{n:03d}" for n in range(0, 20, 2)))
PLATFORM = ConsoleUser(1, "all", "", Role.PLATFORM_ADMIN, None, None)
DAY = (NOW - timedelta(days=90)).date()
MONTH = {"since": NOW - timedelta(days=60), "until": NOW - timedelta(days=30)}


@dataclass(frozen=True)
class Case:
    """A list that is asked for; `deep`: its pages are also begun somewhere in the year."""

    name: str
    asker: ConsoleUser
    wish: OrderFilter
    deep: bool = True


def _case(name: str, asker: ConsoleUser = ADMIN, *, deep: bool = True, **wish: Any) -> Case:
    return Case(name, asker, OrderFilter(**wish), deep)


CASES = (
    _case("all of an operator"),
    _case("all of ten stations of a user", LIMITED),
    _case("all of the platform", PLATFORM),
    _case("one station", station=["s1-007"]),
    _case("thirty stations", station=[f"s1-{n:03d}" for n in range(30)]),
    _case("one pile", pile="55031412000011"),
    _case("one customer", customer=1),
    _case("a phone", phone="13800000300", deep=False),
    _case("a VIN", vin=f"LSV{10:014d}", deep=False),
    _case("a card", card=f"{9:016X}", deep=False),
    _case("a serial's beginning", number="5503141200001101", deep=False),
    _case("充电中", tab=Tab.CHARGING, deep=False),
    _case("异常", tab=Tab.EXCEPTION),
    _case("待核", tab=Tab.REVIEW),
    _case("启动失败", tab=Tab.FAILED),
    _case("启动失败, ten stations", LIMITED, tab=Tab.FAILED),
    _case("settled, thirty stations", station=[f"s1-{n:03d}" for n in range(30)], state=[OrderState.SETTLED]),
    _case("a failure's code", failure="pile_refused"),
    _case("a month", **MONTH, deep=False),
    _case("settled in a month", settled_since=MONTH["since"], settled_until=MONTH["until"], deep=False),
    _case(
        "a business day",
        day_since=(NOW - timedelta(days=90)).date(),
        day_until=(NOW - timedelta(days=90)).date(),
        deep=False,
    ),
    _case("cards only", source=[StartSource.CARD]),
    _case("over 60 yuan", amount_least_fen=6000),
    _case("by the end", sort=Sort.ENDED, deep=False),
    _case("by the amount", sort=Sort.AMOUNT, deep=False),
    _case("by the amount, ten stations", LIMITED, sort=Sort.AMOUNT, deep=False),
)


def measure(engine: Engine, case: Case) -> list[float]:
    """Milliseconds of pages, the first and such as begin anywhere in the year."""
    # SQLite works in this very process: its processor time does not count what others do on the machine meanwhile.
    clock = process_time if engine.dialect.name == "sqlite" else perf_counter
    chance = Random(1)
    found = []
    for n in range(ROUNDS + WARM_UP):
        wish = case.wish
        if case.deep and n % 2:
            at = BEGIN + timedelta(days=DAYS * chance.random())
            wish = replace(wish, cursor=page_of((at, at), 1, lambda one: TimeKey(one, "9" * 32)).next)
        begun = clock()
        with reading(engine) as session:
            list_orders(session, Visible(case.asker), wish)
        found.append((clock() - begun) * 1000)
    return found[WARM_UP:]


def plan(engine: Engine, case: Case) -> str:
    """How the database walks a page."""
    said: list[tuple[str, Any]] = []

    def note(_c: Any, _cur: Any, statement: str, parameters: Any, _x: Any, _many: bool) -> None:
        if "charging_order" in statement and "LIMIT" in statement:
            said.append((statement, parameters))

    with reading(engine) as session:
        event.listen(engine, "before_cursor_execute", note)
        list_orders(session, Visible(case.asker), case.wish)
        event.remove(engine, "before_cursor_execute", note)
        statement, parameters = said[0]
        prefix = "EXPLAIN QUERY PLAN " if engine.dialect.name == "sqlite" else "EXPLAIN (COSTS OFF) "
        rows = session.connection().exec_driver_sql(prefix + statement, parameters).all()
    lines = [str(row[-1]) for row in rows]
    kept = [line for n, line in enumerate(lines) if lines.index(line) == n]  # the same way for each station, once
    return "\n".join(kept)


def lists(engine: Engine, count: int) -> str:
    """The table of pages."""
    rows = []
    worst = 0.0
    unit = "processor time" if engine.dialect.name == "sqlite" else "time"
    for case in CASES:
        times = sorted(measure(engine, case))
        worst = max(worst, *times)
        rows.append(
            f"| {case.name} | {times[ROUNDS // 2]:.1f} | {times[ROUNDS * 99 // 100 - 1]:.1f} | {times[-1]:.1f} |"
        )
        sys.stderr.write(rows[-1] + "\n")
    sums = []
    for name, wish in (("a month of an operator", OrderFilter(**MONTH)), ("everything of an operator", OrderFilter())):
        begun = perf_counter()
        with reading(engine) as session:
            totals = order_totals(session, Visible(ADMIN), wish)
        sums.append(
            f"| {name} | {totals.count:,}{'' if totals.complete else ' and more'} | {perf_counter() - begun:.2f} |"
        )
    return (
        f"{engine.dialect.name}, {count:,} orders in a year, {ROUNDS} pages of 20 for each filter, half of them "
        f"beginning anywhere in the year ({unit} of query, rows and view):\n\n"
        "| filter | ms, median | ms, 99 % | ms, most |\n| --- | ---: | ---: | ---: |\n"
        + "\n".join(rows)
        + f"\n\nThe slowest page took {worst:.0f} ms (aims: 99 % within 15 ms, none over 300 ms).\n\n"
        "| totals | orders | s |\n| --- | ---: | ---: |\n" + "\n".join(sums)
    )


def export(engine: Engine, url: str, folder: Path, rows: int) -> str:
    """An export of so many orders by its own process, with the most memory that it had."""
    with engine.begin() as connection:
        connection.execute(
            insert(User).values(
                id=1, tenant_id=None, username="bench", password_hash="x", role=Role.PLATFORM_ADMIN, created_at=NOW
            )
        )
        serial = connection.scalar(
            text("SELECT requested_at FROM charging_order ORDER BY requested_at DESC LIMIT 1 OFFSET :n"),
            {"n": rows - 1},
        )
        since = str(serial).replace(" ", "T").split("+")[0] + "Z"
        connection.execute(
            insert(Export).values(
                id="0" * 32,
                user_id=1,
                kind="orders",
                filter_json=f'{{"since":"{since}"}}',
                language="zh",
                state=ExportState.WAITING,
                requested_at=NOW,
            )
        )
    code = (
        # Not getrusage: that begins with the memory of the process which started it.
        "import re, sys; sys.argv = ['x', '0' * 32]; from webapi.exports.__main__ import main; main(); "
        "print(int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]) // 1024)"
    )
    begun = perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={
            **os.environ,
            "EVCS_DATABASE_URL": url,
            "EVCS_VAR": str(folder),
            "EVCS_STORE_URL": f"sqlite:///{folder}/t.db",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    took = perf_counter() - begun
    with engine.connect() as connection:
        state, written = connection.execute(text("SELECT state, rows_done FROM export")).one()
    assert state == "done", done.stderr
    size = (folder / "exports" / f"{'0' * 32}.xlsx").stat().st_size
    return (
        f"Export of {written:,} orders as a workbook: {took:.0f} s, {size / 1e6:.1f} MB, at most "
        f"{done.stdout.split()[-1]} MB of memory (aim: under 200 MB)."
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--url")
    parser.add_argument("--plans", action="store_true")
    parser.add_argument("--export", type=int, default=100_000)
    parser.add_argument("--dry", action="store_true")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        url = asked.url or f"sqlite:///{folder}/orders.sqlite3"
        engine = open_database(url)
        upgrade(engine)
        begun = perf_counter()
        if _count(engine) == 0:
            load(engine, asked.count)
        asked.count = _count(engine)
        sys.stderr.write(f"{asked.count:,} orders in {perf_counter() - begun:.0f} s\n")
        if asked.plans:
            write_plans(engine, write=not asked.dry)
        gc.collect()
        gc.freeze()  # as `python -m webapi` does
        text_of = lists(engine, asked.count)
        if asked.export:
            text_of += "\n\n" + export(engine, url, Path(folder), min(asked.export, asked.count))
        key = "orders" if engine.dialect.name == "sqlite" else "orders-postgresql"
        title = f"Orders: pages of the list, and their export ({engine.dialect.name})"
        report.section(key, title, text_of, write=not asked.dry)
        engine.dispose()


def _count(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM charging_order")) or 0)


def write_plans(engine: Engine, *, write: bool = True) -> None:
    """Put the plans of every list into their place in docs/order-list.md."""
    name = engine.dialect.name
    parts = "\n\n".join(f"{case.name}:\n\n```\n{plan(engine, case)}\n```" for case in CASES)
    begin, end = f"<!-- plans:{name} -->", f"<!-- /plans:{name} -->"
    whole = f"{begin}\n{parts}\n{end}"
    if not write:
        sys.stdout.write(whole + "\n")
        return
    old = DOC.read_text(encoding="utf-8")
    before, _, rest = old.partition(begin)
    DOC.write_text(before + whole + rest.partition(end)[2], encoding="utf-8")


if __name__ == "__main__":
    main()
