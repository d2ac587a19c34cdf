"""What the worker survives: death at the worst moment, a database that is away, a broker that lost everything."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import make_url, select, text

from evcs.contracts import topics
from evcs.contracts.states import GunState, OrderState
from tests.flows.processes import Service
from tests.servers import Cut
from tests.webapi.worker.scene import Scene, until
from webapi.database import sessions
from webapi.orders.models import ChargeRecord

SETTLED = (30_000 - 1523, 0, 0)


@contextmanager
def nobody_stores_a_record(scene: Scene) -> Iterator[None]:
    """The worker's transaction waits where it stores a record, and nothing else of the worker's does."""
    with sessions(scene.engine)() as session:
        session.execute(text("LOCK TABLE charge_record IN SHARE MODE"))
        yield
        session.rollback()


def is_stored(scene: Scene) -> bool:
    with sessions(scene.engine)() as session:
        return session.scalar(select(ChargeRecord.id)) is not None


def waits_to_store(scene: Scene) -> bool:
    """Whether the worker's transaction stands behind the test's (PostgreSQL tells)."""
    with scene.engine.connect() as connection:
        count = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
        return bool(connection.scalar(count))


@pytest.mark.parametrize("scene", ["nats-postgresql", "mosquitto-postgresql"], indirect=True)
def test_killed_between_commit_and_publishing_it_confirms_after_its_restart(scene: Scene, tmp_path: Path) -> None:
    cut = scene.brokers.cut(scene.broker)
    offset = tmp_path / "offset"
    offset.write_text(str((scene.clock.now() - datetime.now(UTC)).total_seconds()))
    environment = {
        "EVCS_MQTT_PORT": str(cut.port),
        "EVCS_DATABASE_URL": scene.url,
        "EVCS_VAR": str(tmp_path / "var"),
        "EVCS_CLOCK_OFFSET_FILE": str(offset),
    }
    worker = Service("webapi.worker", environment, tmp_path / "worker.log")
    worker.start()
    try:
        scene.peer.log_in()
        placed = scene.place()
        scene.charge(placed.serial)
        with nobody_stores_a_record(scene):
            scene.send_record(placed.serial)
            until(lambda: waits_to_store(scene), "the worker has the record in hand")
            cut.hang()
        until(lambda: is_stored(scene), "the record is committed")
        assert scene.observer.of(topics.CONFIRM) == []
        worker.kill()
        cut.cut_once()
        assert scene.order(placed.serial).state is OrderState.SETTLED
        assert scene.observer.of(topics.CONFIRM) == []
        worker.start()
        scene.observer.wait(topics.CONFIRM, lambda one: one.serial == placed.serial)
        assert scene.wallet(placed.customer) == SETTLED
    finally:
        worker.stop()


@pytest.mark.parametrize("scene", ["mosquitto-postgresql"], indirect=True)
def test_while_the_database_is_away_nothing_is_acknowledged_and_then_everything_is_settled(scene: Scene) -> None:
    url = make_url(scene.url)
    assert url.port is not None
    cut = Cut(url.port)
    cut.start()
    try:
        scene.start(url.set(port=cut.port).render_as_string(hide_password=False))
        scene.peer.log_in()
        placed = scene.place()
        scene.charge(placed.serial)
        cut.cut()
        scene.send_record(placed.serial)
        scene.peer.level(GunState.FINISHED, 4, placed.serial, 600)
        worker = scene.worker
        assert worker is not None
        until(lambda: "database away" in " ".join(worker.health().reasons), "it says so")
        assert not is_stored(scene)
        assert scene.observer.of(topics.CONFIRM) == []
        cut.mend()
        scene.observer.wait(topics.CONFIRM, lambda one: one.serial == placed.serial)
        assert scene.order(placed.serial).state is OrderState.SETTLED
        assert scene.wallet(placed.customer) == SETTLED
        until(lambda: worker.health().level == "ok", "it is well again")
        assert not scene.failed.is_set()
    finally:
        scene.stop()
        cut.stop()


def test_a_broker_that_lost_its_store_gets_configuration_and_level_back_and_the_charge_goes_on(scene: Scene) -> None:
    scene.start()
    scene.peer.log_in()
    placed = scene.place()
    scene.charge(placed.serial)
    after = scene.observer.count
    scene.broker.kill()
    scene.broker.lose_store()
    scene.broker.start()
    scene.observer.wait(topics.CONFIG_STATION, lambda one: True, after=after)
    scene.observer.wait(topics.CONFIG_PILE, lambda one: True, after=after)
    scene.observer.wait(topics.SERVICE, lambda one: one.name == "worker" and one.ready, after=after)
    scene.peer.log_in(version=2)
    scene.peer.level(GunState.CHARGING, 3, placed.serial, 5)
    scene.peer.level(GunState.FINISHED, 4, placed.serial, 600)
    scene.reaches(placed.serial, OrderState.ENDED)
    scene.send_record(placed.serial)
    scene.observer.wait(topics.CONFIRM, lambda one: one.serial == placed.serial)
    assert scene.wallet(placed.customer) == SETTLED
