"""Ingest as a process on real brokers: killed, stopped, with the store away, and with messages that are none."""

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from evcs.store.interface import CurvePoint
from ingest.rejects import PAYLOAD_BYTES
from tests.ingest.messages import at, reading, sent, telemetry
from tests.ingest.process import Ingest, bus_on, until
from tests.servers import Broker

pytestmark = pytest.mark.flow

STATIONS = ("s1", "s2", "s3")
"""Of three shards, so that more than one subscription has something to do."""


@pytest.fixture
def ingest(broker: Broker, tmp_path: Path) -> Iterator[Ingest]:
    started = Ingest(tmp_path, broker.port, batch_wait_s=0.2, store_patience_s=0.5, store_backoff_s=0.5)
    yield started
    started.kill()


def stream(first: int, last: int) -> list[tuple[str, bytes]]:
    """Readings `first` … `last − 1` of one gun of each station."""
    return [sent(telemetry(n, power_kw=float(n % 90)), station) for n in range(first, last) for station in STATIONS]


def expected(last: int) -> tuple[CurvePoint, ...]:
    return tuple(CurvePoint(at(15 * n), (float(n % 90), n)) for n in range(last))


async def all_there(ingest: Ingest, last: int) -> None:
    """Every reading of every station is in the store, each once, with its values."""
    for station in STATIONS:
        await until(lambda s=station: len(ingest.points(station=s)) >= last, f"{last} points of {station}")
        assert ingest.points(station=station) == expected(last)


async def test_telemetry_and_meter_readings_reach_the_store(broker: Broker, ingest: Ingest) -> None:
    async with bus_on(broker.port) as bus:
        await ingest.start(bus)
        await bus.publish([*stream(0, 50), reading(0, active_kw=300.0)])
        await all_there(ingest, 50)
        with sqlite3.connect(ingest.database) as connection:
            query = "SELECT station, transformer, active_kw FROM transformer JOIN transformer_series ON id = series"
            await until(lambda: connection.execute(query).fetchall() == [("s1", "t1", 300.0)], "the meter's reading")
        connection.close()
        assert await ingest.stop() == 0
        await until(lambda: not bus.is_ready(), "its service level says that it is gone")


async def test_killed_in_the_middle_every_point_is_there_once(broker: Broker, ingest: Ingest) -> None:
    """The broker has what was not acknowledged, and a point written again overwrites itself."""
    async with bus_on(broker.port) as bus:
        await ingest.start(bus)
        publishing = asyncio.create_task(bus.publish(stream(0, 1_500)))
        await until(lambda: len(ingest.points()) >= 100, "some points are written")
        ingest.kill()
        await ingest.start(bus)
        await publishing
        await all_there(ingest, 1_500)
        assert bus.starts == 2


async def test_a_backlog_is_drained_over_a_restart_in_its_middle(broker: Broker, ingest: Ingest) -> None:
    async with bus_on(broker.port) as bus:
        await ingest.start(bus)
        assert await ingest.stop() == 0
        await bus.publish(stream(0, 2_000))
        assert ingest.points() == ()
        await ingest.start(bus)
        await until(lambda: len(ingest.points()) > 0, "the first of the backlog")
        assert await ingest.stop() == 0
        await ingest.start(bus)
        await all_there(ingest, 2_000)


async def test_a_lasting_outage_of_the_store_loses_and_doubles_nothing(broker: Broker, ingest: Ingest) -> None:
    """Somebody holds the database's lock until ingest has left the broker, which keeps what comes meanwhile."""
    async with bus_on(broker.port) as bus:
        await ingest.start(bus)
        await bus.publish(stream(0, 20))
        await all_there(ingest, 20)
        other = sqlite3.connect(ingest.database, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        await bus.publish(stream(20, 500))
        await until(lambda: len(ingest.events("broker_left")) > 0, "ingest leaves the broker")
        await bus.publish(stream(500, 510))
        assert len(ingest.points()) == 20
        other.execute("ROLLBACK")
        other.close()
        await bus.publish(stream(510, 520))
        await all_there(ingest, 520)
        assert len(ingest.events("store_away")) == 1
        await until(lambda: len(ingest.events("store_back")) == 1, "it says that the store is back")


async def test_a_malformed_message_is_set_aside_once_and_the_next_is_not_delayed(
    broker: Broker, ingest: Ingest
) -> None:
    topic, good = sent(telemetry(1))
    bad = {
        "not_the_contract": (topic, b"no json \xff"),
        "names_differ": (topic.replace("gun/1", "gun/2"), good),
        "refused_by_store": sent(telemetry(2, elapsed_min=2**63)),
    }
    async with bus_on(broker.port) as bus:
        await ingest.start(bus)
        await bus.publish([sent(telemetry(0)), *bad.values(), (topic, good)])
        await until(lambda: len(ingest.points()) == 2, "the good ones are stored")
        file = ingest.var / "rejects" / "rejects.jsonl"
        await until(lambda: file.exists() and len(file.read_text().splitlines()) == 3, "three lines of rejects")
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        kept = {reason: (topic, payload[:PAYLOAD_BYTES]) for reason, (topic, payload) in bad.items()}
        assert {line["reason"]: (line["topic"], bytes.fromhex(line["payload_hex"])) for line in lines} == kept
        # They were acknowledged: a new connection does not bring them again.
        assert await ingest.stop() == 0
        await ingest.start(bus)
        await bus.publish([sent(telemetry(3))])
        await until(lambda: len(ingest.points()) == 3, "what comes after the restart")
        assert len(file.read_text().splitlines()) == 3
