"""A reader's picture misses nothing that is published while it subscribes, and never goes back to something older."""

import asyncio
import random

import pytest

from evcs.runtime.clock import SystemClock
from evcs.runtime.mqtt import AsyncSession, Delivery, picture, view_session
from tests.evcs.runtime.peers import Inbox, settings_for
from tests.evcs.runtime.scripted import level, scripted, suback
from tests.servers import Brokers

LEVELS = 20
RECONNECTS = 15
SEED = 20261124


@pytest.mark.flow
@pytest.mark.timeout(60)
async def test_what_is_published_while_a_reader_subscribes_reaches_it(brokers: Brokers) -> None:
    """With a single look NATS 2.15.1 loses three levels at each of these reconnects (428 of 3960 in 150 of them)."""
    broker = brokers.make()
    publisher = AsyncSession(settings_for(broker.port), SystemClock(), client_id="publisher", clean=True)
    await publisher.start()
    newest: dict[str, int] = {}

    def take(delivery: Delivery) -> None:
        delivery.ack()
        newest[delivery.topic] = max(newest.get(delivery.topic, 0), int(delivery.payload))

    reader = AsyncSession(settings_for(broker.port), SystemClock(), client_id="reader", clean=True)
    for n in range(3):  # as a bridge: the broker makes a consumer for each, and only then comes to the levels
        reader.subscribe(f"config{n}/+", 1, take)
    reader.subscribe("level/+", 0, take)
    reader.on_disconnected(newest.clear)
    await reader.start()
    said: dict[str, int] = {}
    chance = random.Random(SEED)
    missed: dict[int, list[str]] = {}
    number = 0
    for _ in range(RECONNECTS):
        before = reader.connection
        leaving = asyncio.ensure_future(reader.leave(0.0))
        acknowledged = []
        while reader.connection == before or not reader.connected:
            await asyncio.sleep(chance.uniform(0, 0.008))
            for n in chance.sample(range(LEVELS), 3):
                number += 1
                said[f"level/{n}"] = number
                acknowledged.append(publisher.publish(f"level/{n}", b"%d" % number, retain=True))
        await asyncio.gather(leaving, *acknowledged)
        await reader.confirm()
        if topics := [topic for topic, last in said.items() if newest.get(topic) != last]:
            missed[reader.connection] = topics
    assert number > RECONNECTS * 3
    assert missed == {}
    await reader.stop(0)
    await publisher.stop(0)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The later looks come at once."""
    monkeypatch.setattr(picture, "LATER_LOOKS_S", (0.1, 0.2))


async def view_of(port: int, inbox: Inbox) -> AsyncSession:
    view = view_session(settings_for(port), SystemClock(), client_id="reader")
    view.subscribe("level/+", 0, inbox)
    await view.start()
    return view


async def test_the_second_look_belongs_to_the_picture_and_repeats_nothing() -> None:
    def answer(look: int, packet_id: bytes) -> bytes:
        missed = level("level/2", b"1", retained=True) if look == 2 else b""
        return suback(packet_id) + level("level/1", b"1", retained=True) + missed

    inbox = Inbox()
    async with scripted(answer) as port:
        view = await view_of(port, inbox)
        await view.picture()
        assert [(one.topic, one.payload) for one in inbox.deliveries] == [("level/1", b"1"), ("level/2", b"1")]
        await view.stop(0)


async def test_what_came_by_itself_is_not_followed_by_what_stood_before() -> None:
    """NATS loads what is retained first: a level that is published meanwhile overtakes its predecessor."""

    def answer(look: int, packet_id: bytes) -> bytes:
        by_itself = level("level/1", b"2", retained=False) if look == 2 else b""
        return by_itself + suback(packet_id) + level("level/1", b"1", retained=True)

    inbox = Inbox()
    async with scripted(answer) as port:
        view = await view_of(port, inbox)
        await view.picture()
        assert inbox.payloads == [b"1", b"2"]
        await view.stop(0)


async def test_a_later_look_brings_what_the_broker_kept_back(soon: None) -> None:
    def answer(look: int, packet_id: bytes) -> bytes:
        return suback(packet_id) + level("level/1", b"%d" % (1 if look < 4 else 2), retained=True)

    inbox = Inbox()
    async with scripted(answer) as port:
        view = await view_of(port, inbox)
        await inbox.has({b"1", b"2"})
        assert inbox.payloads == [b"1", b"2"]
        await view.stop(0)


async def test_a_subscription_taken_back_leads_to_a_new_connection() -> None:
    def answer(look: int, packet_id: bytes) -> bytes:
        return suback(packet_id, 0x80 if look == 2 else 0) + level("level/1", b"%d" % look, retained=True)

    inbox = Inbox()
    async with scripted(answer) as port:
        view = await view_of(port, inbox)
        await view.picture()
        assert view.connection == 2
        assert inbox.deliveries[-1].connection == 2
        await view.stop(0)
