"""mosquitto/acl on a real Mosquitto: each service may do exactly what the table says, outsiders read their stations."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from evcs.contracts import acl, topics
from evcs.contracts.examples import EXAMPLES, Example
from evcs.contracts.examples.story import STATION, TRANSFORMER
from evcs.contracts.ids import is_level
from evcs.contracts.topics import TABLE, Topic
from evcs.runtime.clock import SystemClock
from evcs.runtime.mqtt import AsyncSession
from evcs.runtime.settings import ServiceSettings
from tests.evcs.runtime.peers import Inbox
from tests.guarded import PASSWORD, PORTAL, PUBLISHED, USERS, WATCHER, Guarded
from tests.servers import Mosquitto

END = "test/end"


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    server = Guarded(tmp_path, portal_stations=[STATION])
    server.start()
    yield server
    server.kill()


Connect = Callable[..., Awaitable[AsyncSession]]


@pytest.fixture
async def session(mosquitto: Mosquitto) -> AsyncIterator[Connect]:
    """Starts a session of a user that hands over whatever comes under a filter."""
    async with AsyncExitStack() as stack:

        async def connect(user: str, inbox: Inbox | None = None, filter: str = "#") -> AsyncSession:
            settings = ServiceSettings(mqtt_port=mosquitto.port, mqtt_username=user, mqtt_password=PASSWORD)
            made = AsyncSession(settings, SystemClock(), client_id=f"{user}-{os.urandom(4).hex()}", clean=True)
            if inbox is not None:
                made.subscribe(filter, 1, inbox)
            await made.start()
            stack.push_async_callback(made.stop, 0.0)
            await made.confirm()
            return made

        yield connect


def may_write(role: str, example: Example) -> bool:
    """By the table, and on `service` only in its own name."""
    if example.topic is topics.SERVICE:
        return role in example.topic.by and example.payload.name == acl.SERVICE_NAMES.get(role, role)
    return role in example.topic.by


def may_read(role: str, topic: Topic) -> bool:
    return role in topic.to or role in topic.by


def test_published_list_is_the_one_that_the_table_gives() -> None:
    assert PUBLISHED.read_text() == acl.acl_file()


@pytest.mark.parametrize("role", USERS)
async def test_role_publishes_what_the_table_lets_it_and_nothing_else(session: Connect, role: str) -> None:
    seen = Inbox()
    watcher = await session(WATCHER, seen)
    service = await session(USERS[role])
    for example in EXAMPLES:
        await service.publish(example.address, example.topic.encode(example.payload), qos=1)
    await watcher.publish(END, b"end")
    await seen.until(lambda: any(delivery.topic == END for delivery in seen.deliveries))
    passed = {delivery.topic for delivery in seen.deliveries} - {END}
    assert passed == {example.address for example in EXAMPLES if may_write(role, example)}


@pytest.mark.parametrize("role", USERS)
async def test_role_reads_what_the_table_lets_it_and_nothing_else(session: Connect, role: str) -> None:
    seen = Inbox()
    await session(USERS[role], seen)
    watcher = await session(WATCHER)
    for example in EXAMPLES:
        await watcher.publish(example.address, example.topic.encode(example.payload), qos=1)
    # Everybody may read one of these two: what comes behind them is not on its way any more.
    last = {
        topics.BRIDGE_STATUS.at(bridge="last"),
        topics.READING.at(station=STATION, transformer=f"{TRANSFORMER}-last"),
    }
    for topic in last:
        await watcher.publish(topic, b"{}")
    mine = {topic for topic in last for row in TABLE if may_read(role, row) and row.parse(topic)}
    await seen.until(lambda: mine <= {delivery.topic for delivery in seen.deliveries})
    read = {delivery.topic for delivery in seen.deliveries} - last
    assert read == {example.address for example in EXAMPLES if may_read(role, example.topic)}


async def test_outside_system_reads_its_own_stations_alone(session: Connect) -> None:
    seen = Inbox()
    await session(PORTAL, seen)
    watcher = await session(WATCHER)
    own, foreign = (topics.TELEMETRY.at(station=station, pile="1", gun=1) for station in (STATION, "SZ-002"))
    for topic in (foreign, own):
        await watcher.publish(topic, b"{}")
    await seen.until(lambda: bool(seen.deliveries))
    assert [delivery.topic for delivery in seen.deliveries] == [own]


@pytest.mark.parametrize(
    ("user", "station"), [("a\ntopic readwrite #", "S1"), ("portal", "+"), ("portal", "S1\nx"), ("", "S1")]
)
def test_name_that_says_more_than_it_should_is_refused(user: str, station: str) -> None:
    with pytest.raises(acl.AclError):
        acl.integrator(user, [station])


def test_no_station_or_pile_can_have_the_name_of_a_service() -> None:
    assert not any(is_level(acl.USER.format(role=role)) for role in acl.SERVICES)
    assert {role for topic in TABLE for role in (*topic.by, *topic.to)} == {*acl.SERVICES, "integrators"}
