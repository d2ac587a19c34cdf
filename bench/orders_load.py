"""A year of charging orders of three operators, written in bulk: 1 M in some minutes."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from sqlalchemy import Engine, insert, text
from sqlalchemy.orm import Session

import webapi.models  # noqa: F401 - rows of one folder refer to those of others
from evcs.contracts.ids import shard_of
from webapi.customers.models import Customer
from webapi.guns.models import Gun
from webapi.piles.models import Pile
from webapi.stations.models import Station
from webapi.tenants.models import Tenant
from webapi.transformers.models import Transformer

BEGIN = datetime(2025, 11, 25, tzinfo=UTC)
DAYS = 365
STATIONS = (50, 20, 5)
"""Of each operator."""
PILES_OF_A_STATION = 20
CUSTOMERS = 20_000
AT_ONCE = 20_000

COLUMNS = (
    "serial", "tenant_id", "station_code", "pile_number", "gun_no", "customer_id", "source", "created_by", "goal_kind",
    "may_queue", "state", "state_since", "version", "requested_at", "started_at", "ended_at", "settled_at",
    "energy_kwh", "electricity_fen", "service_fen", "occupancy_fen", "discount_fen", "total_fen", "provisional",
    "business_date", "vin", "card_number", "refusal_code", "stop_reason",
)  # fmt: skip

Row = tuple[object, ...]


def load(engine: Engine, count: int) -> None:
    """Fill an empty, migrated database."""
    with Session(engine) as session:
        places = _town(session)
        session.commit()
    if engine.dialect.name == "sqlite":
        _into_sqlite(engine, _orders(places, count))
    else:
        _into_postgresql(engine, _orders(places, count))


def _into_sqlite(engine: Engine, rows: Iterator[Row]) -> None:
    sql = f"INSERT INTO charging_order ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
    with engine.connect() as connection:
        raw = connection.connection
        for pragma in ("foreign_keys=OFF", "synchronous=OFF", "cache_size=-400000"):
            raw.execute(f"PRAGMA {pragma}")
        batch: list[Row] = []
        for row in rows:
            batch.append(row)
            if len(batch) == AT_ONCE:
                _commit(raw, sql, batch)
        _commit(raw, sql, batch)
    engine.dispose()


def _commit(raw: object, sql: str, batch: list[Row]) -> None:
    raw.execute("BEGIN")  # type: ignore[attr-defined]
    raw.executemany(sql, batch)  # type: ignore[attr-defined]
    raw.execute("COMMIT")  # type: ignore[attr-defined]
    batch.clear()


def _into_postgresql(engine: Engine, rows: Iterator[Row]) -> None:
    with engine.begin() as connection:
        cursor = connection.connection.cursor()
        with cursor.copy(f"COPY charging_order ({', '.join(COLUMNS)}) FROM STDIN") as copy:  # type: ignore[attr-defined]
            for row in rows:
                copy.write_row(row)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE charging_order"))


def _town(session: Session) -> list[tuple[int, str, str]]:
    """(operator, station, pile) of every pile."""
    places: list[tuple[int, str, str]] = []
    stations, transformers, piles, guns = [], [], [], []
    for tenant, count in enumerate(STATIONS, start=1):
        session.add(Tenant(id=tenant, code=f"t{tenant}", name=f"运营商 {tenant}", created_at=BEGIN))
        for n in range(count):
            code = f"s{tenant}-{n:03d}"
            stations.append(
                {"code": code, "shard": shard_of(code), "tenant_id": tenant, "name": f"站 {code}", "created_at": BEGIN}
            )
            transformers.append(
                {
                    "code": f"{code}-t",
                    "station_code": code,
                    "name": "T1",
                    "rated_kva": Decimal(630),
                    "created_at": BEGIN,
                }
            )
            for _ in range(PILES_OF_A_STATION):
                number = f"55031412{len(piles):06d}"
                piles.append(
                    {
                        "number": number,
                        "station_code": code,
                        "transformer_code": f"{code}-t",
                        "name": number[-4:],
                        "rated_kw": Decimal(120),
                        "source_networks": [],
                        "created_at": BEGIN,
                    }
                )
                guns += [{"pile_number": number, "no": no, "rated_kw": Decimal(60)} for no in (1, 2)]
                places.append((tenant, code, number))
    session.flush()
    for table, rows in ((Station, stations), (Transformer, transformers), (Pile, piles), (Gun, guns)):
        session.execute(insert(table), rows)
    session.execute(
        insert(Customer),
        [
            {
                "id": n,
                "tenant_id": 1 + n % 3,
                "name": f"用户 {n}",
                "phone": f"138{n:08d}",
                "opened_at": BEGIN,
            }
            for n in range(1, CUSTOMERS + 1)
        ],
    )
    return places


def _orders(places: Sequence[tuple[int, str, str]], count: int) -> Iterator[Row]:
    chance = Random(15)
    step = timedelta(days=DAYS) / count
    open_from = count - 60
    for n in range(count):
        at = BEGIN + step * n
        tenant, station, pile = chance.choice(places)
        gun = 1 + n % 2
        customer = 3 * chance.randrange(1, CUSTOMERS // 3) + tenant - 1
        luck = chance.random()
        refusal = None
        if n >= open_from:
            state = "charging"
        elif luck < 0.90:
            state = "settled"
        elif luck < 0.94:
            state, refusal = "refused", "no_headroom"
        elif luck < 0.96:
            state, refusal = "start_failed", "pile_refused"
        elif luck < 0.998:
            state = "cancelled"
        elif luck < 0.999:
            state = "exception"
        else:
            state = "review"
        settled = state == "settled"
        started = at + timedelta(seconds=20)
        ended = started + timedelta(seconds=chance.randrange(600, 5400))
        energy = chance.randrange(1_0000, 60_0000) if settled else None
        electricity = (energy or 0) * 70 // 10000
        service = (energy or 0) * 40 // 10000
        yield (
            f"{pile}{gun:02d}{at:%y%m%d%H%M%S}{n % 10000:04d}",
            tenant,
            station,
            pile,
            gun,
            customer,
            ("app", "app", "app", "card", "vin", "platform")[n % 6],
            "bench",
            "full",
            False,
            state,
            _spelt(at),
            1,
            _spelt(at),
            _spelt(started) if settled else None,
            _spelt(ended) if settled else None,
            _spelt(ended) if settled else None,
            energy,
            electricity,
            service,
            0,
            0,
            electricity + service,
            False,
            f"{ended:%Y-%m-%d}" if settled else None,
            f"LSV{n % 30000:014d}" if n % 6 == 4 else None,
            f"{n % 20000:016X}" if n % 6 == 3 else None,
            refusal,
            "goal_reached" if settled and n % 50 == 0 else None,
        )


def _spelt(at: datetime) -> str:
    """As SQLite keeps it; PostgreSQL, at UTC, reads it too."""
    return f"{at:%Y-%m-%d %H:%M:%S.%f}"
