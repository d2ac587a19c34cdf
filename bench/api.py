"""What the HTTP API serves in a second, and how late: lists and order starts, beside a bare Flask route.

    .venv/bin/python -m bench.api [--seconds 5]

`python -m webapi` runs as everywhere, on SQLite and, where PostgreSQL is installed, on PostgreSQL, with 3,000 guns and
20,000 orders; the bare route runs under the same server with the same threads and answers the bytes of the guns' list.
Clients are eight connections of a process of their own. Orders are placed at a steady rate, each at a free gun, and
timed from the request to the answer that says it is committed.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from shutil import which
from threading import Lock
from time import monotonic, perf_counter, sleep
from uuid import uuid4

from flask import Flask, Response
from sqlalchemy import Engine, exists, select, update

from bench import report
from bench.ingest_load import Child, python, wait_for
from bench.orders_load import BEGIN, DAYS, load
from evcs.contracts.config import BandPrice
from evcs.contracts.states import OPEN_ORDER, TariffBand
from evcs.runtime.clock import SystemClock
from tests.servers import Postgres, free_port
from webapi.customers.open import NewCustomer, open_customer
from webapi.database import open_database, sessions, upgrade
from webapi.guns.models import Gun
from webapi.http.server import Server
from webapi.orders.models import Order
from webapi.piles.models import Pile
from webapi.recharges.place import RechargeOrder, place_recharge
from webapi.settings import Settings
from webapi.stations.models import Station
from webapi.tariffs.allocate import NewVersion, make_version
from webapi.tariffs.models import Tariff
from webapi.users.api_keys import issue_token
from webapi.users.models import Role, User

CONNECTIONS = 8
ORDERS_KEPT = 20_000
STARTS_A_S = {"sqlite": 50, "postgresql": 200}
"""SQLite has one writer, who waits for the disk at each commit."""
CUSTOMERS = 200
TENANT = 1
NOW = BEGIN + timedelta(days=DAYS)
UNBOUNDED = {f"EVCS_HTTP_{what}_PER_MIN": "0" for what in ("READS", "CHANGES", "STRANGERS")}


@dataclass(frozen=True)
class Seen:
    """Answers to one kind of request."""

    name: str
    per_s: float
    p50_ms: float
    p99_ms: float
    answer_bytes: int


def seed(engine: Engine) -> tuple[str, list[int], list[tuple[str, int]]]:
    """A town that can charge: its administrator's token, customers with money, guns of the first operator."""
    load(engine, ORDERS_KEPT)
    now = SystemClock().now()
    with sessions(engine)() as session:
        tariff = Tariff(tenant_id=TENANT, name="分时", created_at=now)
        session.add(tariff)
        session.flush()
        price = BandPrice(band=TariffBand.FLAT, energy_price_e5=70_000, service_price_e5=40_000)
        make_version(
            session, NewVersion("v1", tariff.id, (TariffBand.FLAT,) * 48, (price,), valid_from=NOW), at=now, by="bench"
        )
        session.execute(update(Pile).values(wanted_tariff_version_id="v1", confirmed_tariff_version_id="v1"))
        user = User(
            tenant_id=TENANT,
            username="bench",
            name="bench",
            password_hash="!",
            role=Role.TENANT_ADMIN,
            all_stations=True,
            created_at=now,
        )
        session.add(user)
        session.flush()
        customers = []
        for n in range(CUSTOMERS):
            customer = open_customer(session, NewCustomer(TENANT, f"司机 {n}", f"139{n:08d}", None), at=now)
            place_recharge(session, RechargeOrder(customer.id, 10_000_000, f"b{n}", "bench"), at=now, by="bench")
            customers.append(customer.id)
        guns = session.execute(
            select(Gun.pile_number, Gun.no)
            .join(Pile, Pile.number == Gun.pile_number)
            .join(Station, Station.code == Pile.station_code)
            .where(
                Station.tenant_id == TENANT,
                ~exists().where(
                    Order.pile_number == Gun.pile_number, Order.gun_no == Gun.no, Order.state.in_(OPEN_ORDER)
                ),
            )
        ).all()
        token = issue_token(session, user_id=user.id, at=now).token
        session.commit()
    return token, customers, [(pile, no) for pile, no in guns]


def ask(connection: HTTPConnection, method: str, path: str, headers: dict[str, str], body: bytes | None) -> bytes:
    """One answer on a kept connection."""
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    told = answer.read()
    if answer.status not in (200, 201):
        raise RuntimeError(f"{method} {path}: {answer.status} {told[:300]!r}")
    return told


def closed_loop(port: int, path: str, headers: dict[str, str], seconds: float) -> tuple[list[float], int, float]:
    """As many reads as eight connections get answered: their times in s, bytes of an answer, seconds taken."""
    times: list[float] = []
    lock, size = Lock(), 0

    def client(_: int) -> None:
        nonlocal size
        connection, mine = HTTPConnection("127.0.0.1", port), []
        size = len(ask(connection, "GET", path, headers, None))
        until = monotonic() + seconds
        while monotonic() < until:
            began = perf_counter()
            ask(connection, "GET", path, headers, None)
            mine.append(perf_counter() - began)
        connection.close()
        with lock:
            times.extend(mine)

    began = perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(client, range(CONNECTIONS)))
    return times, size, perf_counter() - began


def open_loop(
    port: int, requests: Iterator[tuple[str, bytes]], headers: dict[str, str], per_s: int, seconds: float
) -> list[float]:
    """Changes at a steady rate, each timed from when it was due: a queue that grows is seen."""
    times: list[float] = []
    lock, number, began = Lock(), count(), monotonic()

    def client(_: int) -> None:
        connection, mine = HTTPConnection("127.0.0.1", port), []
        while True:
            with lock:
                due, (path, body) = began + next(number) / per_s, next(requests)
            if due > began + seconds:
                break
            sleep(max(0.0, due - monotonic()))
            ask(connection, "POST", path, {**headers, "Idempotency-Key": uuid4().hex}, body)
            mine.append(monotonic() - due)
        connection.close()
        with lock:
            times.extend(mine)

    with ThreadPoolExecutor(4 * CONNECTIONS) as pool:
        list(pool.map(client, range(4 * CONNECTIONS)))
    return times


def seen(name: str, times: Sequence[float], taken_s: float, size: int) -> Seen:
    ordered = sorted(times)
    return Seen(
        name,
        len(ordered) / taken_s,
        1000 * ordered[len(ordered) // 2],
        1000 * ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)],
        size,
    )


def starts(customers: Sequence[int], guns: Sequence[tuple[str, int]]) -> Iterator[tuple[str, bytes]]:
    """Orders, each at another gun."""
    for n, (pile, gun) in enumerate(guns):
        body = {
            "customer_id": customers[n % len(customers)],
            "pile": pile,
            "gun": gun,
            "goal": {"kind": "amount", "amount_fen": 1500},
        }
        yield "/api/v1/orders", json.dumps(body).encode()


def bare(port: int, size: int) -> None:
    """In a process of its own: a route that answers so many bytes, and nothing else."""
    body = json.dumps({"items": "x" * max(0, size - 14)})

    def make() -> Flask:
        app = Flask("bare")

        @app.get("/bare")
        def route() -> Response:
            return Response(body, mimetype="application/json")

        return app

    Server(Settings(http_port=port, store_url="sqlite:///none"), make).run()


def measure(url: str, folder: Path, seconds: float) -> list[Seen]:
    """All kinds of requests on one database."""
    engine = open_database(url)
    upgrade(engine)
    token, customers, guns = seed(engine)
    engine.dispose()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    port = free_port()
    env = {
        "EVCS_DATABASE_URL": url,
        "EVCS_STORE_URL": f"sqlite:///{folder / 'telemetry.db'}",
        "EVCS_HTTP_PORT": str(port),
        "EVCS_VAR": str(folder),
        **UNBOUNDED,
    }
    child = Child(python("webapi"), env, folder / "webapi.log")
    found: list[Seen] = []
    try:
        wait_for(lambda: answers(port, "/healthz"), "the API answers")
        station = guns[0][0]
        for name, path in (
            ("20 guns of a pile's station", f"/api/v1/guns?pile={station}"),
            ("200 guns", "/api/v1/guns?limit=200"),
            ("20 newest orders", "/api/v1/orders"),
            ("20 newest orders of a station", "/api/v1/orders?station=s1-000"),
        ):
            times, size, taken = closed_loop(port, path, headers, seconds)
            found.append(seen(name, times, taken, size))
        rate = STARTS_A_S[url.partition(":")[0].partition("+")[0]]
        for_s = min(seconds, len(guns) / rate - 1)
        placed = open_loop(port, starts(customers, guns), headers, rate, for_s)
        found.append(seen(f"order start, {rate}/s offered", placed, for_s, 0))
    finally:
        child.end()
    return found


def measure_bare(folder: Path, size: int, seconds: float) -> Seen:
    """The least that an answer of this size costs."""
    port = free_port()
    child = Child(python("bench.api", "--bare", str(port), "--size", str(size)), {}, folder / "bare.log")
    try:
        wait_for(lambda: answers(port, "/bare"), "the bare route answers")
        times, size, taken = closed_loop(port, "/bare", {}, seconds)
    finally:
        child.end()
    return seen("bare", times, taken, size)


def answers(port: int, path: str) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 500
    except OSError:
        return False
    finally:
        connection.close()


def table(database: str, found: Sequence[Seen], bares: Callable[[int], Seen]) -> str:
    rows = [
        f"**{database}**",
        "",
        "| request | answers/s | median ms | 99 % ms | bare route of as many bytes, answers/s | ratio |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for one in found:
        least = bares(one.answer_bytes) if one.answer_bytes else None
        beside = ("", "") if least is None else (f"{least.per_s:,.0f}", f"{one.per_s / least.per_s:.2f}")
        rows.append(
            f"| {one.name} | {one.per_s:,.0f} | {one.p50_ms:.1f} | {one.p99_ms:.1f} | {beside[0]} | {beside[1]} |"
        )
    return "\n".join(rows)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--bare", type=int, metavar="PORT", help="serve the bare route instead")
    parser.add_argument("--size", type=int, default=0)
    parser.add_argument("--dry", action="store_true", help="leave bench/results.md alone")
    chosen = parser.parse_args()
    if chosen.bare:
        bare(chosen.bare, chosen.size)
        return 0
    parts = [f"{CONNECTIONS} connections; the aim is half of a bare route for lists, and 99 % of starts within 50 ms."]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        known: dict[int, Seen] = {}

        def bares(size: int) -> Seen:
            return known.setdefault(size, measure_bare(folder, size, chosen.seconds))

        parts.append(table("SQLite", measure(f"sqlite:///{folder / 'evcs.sqlite3'}", folder, chosen.seconds), bares))
        if Path("/usr/lib/postgresql").exists() or which("postgres"):
            server = Postgres()
            server.start()
            try:
                parts.append(table("PostgreSQL", measure(server.database(), folder, chosen.seconds), bares))
            finally:
                server.remove()
    report.section("api", "The HTTP API", "\n\n".join(parts), write=not chosen.dry)
    return 0


if __name__ == "__main__":
    sys.exit(main())
