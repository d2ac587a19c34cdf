"""A request and the worker that wait for each other: one of them begins again, and nobody is told of it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from time import monotonic, sleep

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from evcs.contracts.reasons import Reason
from evcs.contracts.states import OrderState
from evcs.store.open import open_store
from tests.databases import PostgresForTests
from tests.webapi.http.world import NOW, World, make_world, order_body
from webapi.database import open_database, sessions
from webapi.ledger.invariants import check
from webapi.orders import life
from webapi.orders.advance import lock_order, observe
from webapi.orders.models import Order


def cancel(session: Session, serial: str) -> Order:
    """What the worker does to an order that ends: its row first, then the wallet of its hold."""
    order = lock_order(session, serial)
    assert order is not None
    return observe(session, order, life.StopWished(Reason.STOPPED_BY_PERSON), at=NOW)


def until_somebody_waits(engine: Engine) -> None:
    """Until a transaction stands behind another (PostgreSQL tells nobody, so it is asked)."""
    last = monotonic() + 10
    with engine.connect() as connection:
        while not connection.scalar(text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")):
            assert monotonic() < last
            connection.rollback()
            sleep(0.01)


def test_a_stop_that_crosses_the_worker_stops(postgres: PostgresForTests, tmp_path: Path) -> None:
    engine = open_database(postgres.fresh())
    telemetry = open_store(f"sqlite:///{tmp_path / 'telemetry.db'}")
    world: World = make_world(engine, telemetry)
    world.recharge(world.ours.customer, 50_000)
    first, second = (
        world.call("POST", "/orders", order_body(world.ours, gun), key=f"gun-{gun}").json["serial"] for gun in (1, 2)
    )
    with ThreadPoolExecutor(1) as pool:
        with sessions(engine).begin() as session:
            session.execute(text("SET LOCAL deadlock_timeout = '60s'"))  # so the request is the one to give way
            cancel(session, first)
            stopped = pool.submit(world.call, "POST", f"/orders/{second}/stop", None, key="stop")
            until_somebody_waits(engine)
            lock_order(session, second)
        answer = stopped.result(timedelta(seconds=20).total_seconds())
    assert (answer.status_code, answer.json["state"]) == (200, OrderState.CANCELLED)
    with sessions(engine)() as session:
        assert check(session) == []
    telemetry.close()
    engine.dispose()
