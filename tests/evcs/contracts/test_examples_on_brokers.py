"""Every example over real brokers: read back through the subscriptions of the table, at its QoS, retained or not."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from evcs.contracts.examples import EXAMPLES, Example
from evcs.contracts.examples.story import STATION
from evcs.contracts.ids import SHARDS, owner_of, shard_of
from evcs.contracts.topics import TABLE
from evcs.runtime.mqtt import Delivery
from tests.evcs.contracts.published import complaints
from tests.evcs.runtime.peers import Inbox, Peers
from tests.servers import Broker, broker, brokers

__all__ = ["broker", "brokers"]

OWNER = owner_of(shard_of(STATION), SHARDS)
OTHER = OWNER % SHARDS + 1


@pytest.fixture
async def peers() -> AsyncIterator[Peers]:
    made = Peers("async")
    yield made
    await made.stop()


def wire(example: Example[Any]) -> tuple[str, bytes]:
    return example.address, example.topic.encode(example.payload)


def seen(inbox: Inbox) -> set[tuple[str, bytes]]:
    return {(delivery.topic, delivery.payload) for delivery in inbox.deliveries}


async def publish_all(peers: Peers, broker: Broker) -> None:
    """Each example in its turn, with its topic's QoS and retention; QoS 1 is acknowledged by the broker."""
    publisher = peers.make(broker.port, "publisher")
    await publisher.start()
    await publisher.connections(1)
    for example in EXAMPLES:
        topic, payload = wire(example)
        await publisher.publish(topic, payload, qos=example.topic.qos, retain=example.topic.retained)


async def test_every_example_is_read_back_as_it_was_published(broker: Broker, peers: Peers) -> None:
    everywhere, owner, other = Inbox(), Inbox(), Inbox()
    for name, inbox, shared in (
        ("all", everywhere, (1, 1)),
        ("owner", owner, (OWNER, SHARDS)),
        ("other", other, (OTHER, SHARDS)),
    ):
        reader = peers.make(broker.port, name)
        for topic in TABLE:
            for one in topic.subscriptions(*shared):
                reader.subscribe(one, inbox, topic.qos)
        await reader.start()
        await reader.connections(1)
    await publish_all(peers, broker)

    wanted = {wire(example) for example in EXAMPLES}
    ours = {wire(example) for example in EXAMPLES if "{shard}" in example.topic.pattern}
    await everywhere.until(lambda: seen(everywhere) >= wanted)
    await owner.until(lambda: seen(owner) >= wanted)
    await other.until(lambda: seen(other) >= wanted - ours)
    assert seen(everywhere) == seen(owner) == wanted
    assert seen(other) == wanted - ours

    delivered: dict[tuple[str, bytes], Delivery] = {(one.topic, one.payload): one for one in everywhere.deliveries}
    for example in EXAMPLES:
        delivery = delivered[wire(example)]
        assert delivery.qos == example.topic.qos
        assert example.topic.parse(delivery.topic) is not None
        assert example.topic.decode(delivery.payload) == example.payload
        assert complaints(example.topic.leaf, delivery.payload) == []


async def test_a_late_reader_finds_the_retained_examples_and_no_other(broker: Broker, peers: Peers) -> None:
    await publish_all(peers, broker)
    late = Inbox()
    reader = peers.make(broker.port, "late", clean=True)
    for topic in TABLE:
        reader.subscribe(topic.everywhere, late, 0)
    await reader.start()
    levels = dict(wire(example) for example in EXAMPLES if example.topic.retained)
    await late.until(lambda: seen(late) >= set(levels.items()))
    async with asyncio.timeout(15):
        await reader.session.picture()
    assert seen(late) == set(levels.items())
    assert all(delivery.retained for delivery in late.deliveries)
