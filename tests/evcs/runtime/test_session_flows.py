"""What sessions of both kinds keep, on both brokers, when the broker, the link or the process is lost."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from evcs.contracts.bridge import ServiceStatus
from evcs.contracts.topics import SERVICE
from evcs.runtime.clock import SystemClock
from evcs.runtime.mqtt import (
    AsyncSession,
    ConnectionRefused,
    Delivery,
    Dropped,
    LevelKeeper,
    Newest,
    SubscriptionRefused,
    SyncSession,
    Will,
    view_session,
)
from evcs.runtime.presence import Attendance, Presence
from tests.evcs.runtime.peers import Inbox, Peer, Peers, settings_for
from tests.servers import Broker, Brokers, Mosquitto

pytestmark = [pytest.mark.flow, pytest.mark.timeout(20)]

ACK_WAIT_S = 2
"""Where a test waits for NATS to deliver again: long enough that a busy machine acknowledges in time."""


def numbers(first: int, end: int) -> set[bytes]:
    return {b"%d" % n for n in range(first, end)}


def end(broker: Broker) -> None:
    """As hard as its store stands it: Mosquitto saves only on a graceful stop, NATS writes as it goes."""
    if isinstance(broker, Mosquitto):
        broker.stop()
    else:
        broker.kill()


async def publish(peer: Peer, topic: str, first: int, end: int) -> None:
    """Publish numbers with back-pressure and wait for every PUBACK."""
    sent = []
    for n in range(first, end):
        await peer.room()
        sent.append(asyncio.ensure_future(peer.publish(topic, b"%d" % n)))
    await asyncio.gather(*sent)


async def test_broker_gone_with_its_store_kept_loses_nothing(peers: Peers, brokers: Brokers) -> None:
    broker = brokers.make()
    inbox = Inbox()
    await peers.consumer(broker.port, "consumer", "t/+", inbox)
    publisher = await peers.publisher(broker.port, window=200)
    publishing = asyncio.create_task(publish(publisher, "t/1", 0, 2000))
    await inbox.until(lambda: len(inbox.deliveries) >= 500)
    await asyncio.to_thread(end, broker)
    assert not publishing.done()
    await asyncio.to_thread(broker.start)
    await publishing
    await inbox.has(numbers(0, 2000))


async def test_acknowledged_messages_wait_for_an_absent_consumer(peers: Peers, brokers: Brokers) -> None:
    broker = brokers.make()
    consumer = await peers.consumer(broker.port, "consumer", "t/+", Inbox())
    await consumer.stop()
    await publish(await peers.publisher(broker.port), "t/1", 0, 300)
    await asyncio.to_thread(end, broker)
    await asyncio.to_thread(broker.start)
    inbox = Inbox()
    await peers.consumer(broker.port, "consumer", "t/+", inbox)
    await inbox.has(numbers(0, 300))


async def test_store_rolled_back_loses_nothing_in_the_window_and_no_level(peers: Peers, brokers: Brokers) -> None:
    broker = brokers.make()
    inbox = Inbox()
    await peers.consumer(broker.port, "consumer", "t/+", inbox)
    publisher = peers.make(broker.port, "publisher")
    levels = LevelKeeper(publisher)
    publisher.session.on_connected(levels.publish_all)
    await publisher.start()
    reader = Reader(broker)
    await reader.start()
    await levels.set("level/1", 1, b"1")
    await publish(publisher, "t/1", 0, 100)
    snapshot = await asyncio.to_thread(broker.snapshot)
    await levels.set("level/1", 2, b"2")
    await publish(publisher, "t/1", 100, 200)
    await inbox.has(numbers(0, 200))
    await reader.inbox.has({b"2"})
    await asyncio.to_thread(broker.kill)
    publishing = asyncio.create_task(publish(publisher, "t/1", 200, 400))
    broker.roll_back(snapshot)
    await asyncio.to_thread(broker.start)
    await publishing
    await inbox.has(numbers(200, 400))
    await reader.view.picture()
    await reader.inbox.until(lambda: reader.inbox.deliveries[-1].payload == b"2")
    assert reader.acted == [1, 2]
    await reader.stop()
    assert await standing(broker, "level/1") == [b"2"]


async def test_store_lost_loses_nothing_in_the_window_and_no_level(peers: Peers, brokers: Brokers) -> None:
    """The asyncio publisher knows its readers by their service levels; the threaded one waits out their back-off."""
    broker = brokers.make()
    inbox = Inbox()
    consumer = peers.make(broker.port, "consumer")
    consumer.subscribe("t/+", inbox)
    presence = Presence(SystemClock(), "ingest", "1")
    consumer.session.on_connected(lambda: void(presence.announce(consumer)))
    reader = Reader(broker)
    await consumer.start()
    await reader.start()
    how: dict[str, Any] = {"gate": reader.attendance.gate(reader.view)} if peers.kind == "async" else {}
    publisher = peers.make(broker.port, "publisher", **how)
    levels = LevelKeeper(publisher)
    publisher.session.on_connected(levels.publish_all)
    await publisher.start()
    await levels.set("level/1", 1, b"1")
    await levels.set("level/1", 2, b"2")
    await publish(publisher, "t/1", 0, 100)
    await inbox.has(numbers(0, 100))
    await asyncio.to_thread(broker.kill)
    publishing = asyncio.create_task(publish(publisher, "t/1", 100, 300))
    broker.lose_store()
    await asyncio.to_thread(broker.start)
    await publishing
    await inbox.has(numbers(100, 300))
    assert reader.acted == [1, 2]
    await reader.stop()
    assert await standing(broker, "level/1") == [b"2"]


async def test_window_waits_for_a_slow_reader_after_a_lost_store(async_peers: Peers, brokers: Brokers) -> None:
    broker = brokers.make()
    reader = Reader(broker)
    await reader.start()
    publisher = async_peers.make(broker.port, "publisher", gate=reader.attendance.gate(reader.view))
    await publisher.start()
    events = publisher.publish("t/1", b"event")
    level = publisher.publish("level/1", b"1", retain=True)
    await level
    assert not asyncio.ensure_future(events).done()
    inbox = Inbox()
    consumer = async_peers.make(broker.port, "consumer")
    consumer.subscribe("t/+", inbox)
    presence = Presence(SystemClock(), "ingest", "1")
    consumer.session.on_connected(lambda: void(presence.announce(consumer)))
    await consumer.start()
    await events
    await inbox.has({b"event"})
    await reader.stop()


async def test_cut_links_lose_nothing(peers: Peers, brokers: Brokers) -> None:
    broker = brokers.make()
    link_in, link_out = brokers.cut(broker), brokers.cut(broker)
    inbox = Inbox()
    consumer = await peers.consumer(link_in.port, "consumer", "t/+", inbox)
    publisher = await peers.publisher(link_out.port, window=100)
    publishing = asyncio.create_task(publish(publisher, "t/1", 0, 1500))
    await inbox.until(lambda: len(inbox.deliveries) >= 200)
    await asyncio.to_thread(link_out.cut_once)
    await inbox.until(lambda: len(inbox.deliveries) >= 600)
    await asyncio.to_thread(link_in.cut_once)
    await publishing
    await inbox.has(numbers(0, 1500))
    await consumer.connections(2)
    await publisher.connections(2)


async def test_silent_link_is_given_up_after_two_keepalives(peers: Peers, brokers: Brokers) -> None:
    broker = brokers.make()
    link = brokers.cut(broker)
    inbox = Inbox()
    await peers.consumer(broker.port, "consumer", "t/+", inbox)
    publisher = await peers.publisher(link.port, keepalive=1)
    await asyncio.to_thread(link.hang)
    # More than sockets buffer: a close that waits for them to drain would never end.
    big = [asyncio.ensure_future(publisher.publish("t/1", b"x" * 200_000)) for _ in range(50)]
    await true(lambda: not publisher.session.connected)
    await asyncio.to_thread(link.cut_once)
    await publisher.connections(2)
    await asyncio.gather(*big)
    await inbox.until(lambda: len(inbox.deliveries) >= 50)


async def test_no_acknowledgement_crosses_connections(peers: Peers, brokers: Brokers) -> None:
    broker = brokers.make(ack_wait_s=ACK_WAIT_S)
    link = brokers.cut(broker)
    held = Inbox(acknowledges=False)
    consumer = await peers.consumer(link.port, "consumer", "t/+", held)
    publisher = await peers.publisher(broker.port)
    await publish(publisher, "t/1", 0, 50)
    await held.has(numbers(0, 50))
    old = list(held.deliveries)
    await asyncio.to_thread(link.cut_once)
    await consumer.connections(2)
    await held.until(lambda: len(held.deliveries) >= len(old) + 50)
    assert {delivery.connection for delivery in held.deliveries} == {1, 2}
    for delivery in old:
        delivery.ack()
    await publish(publisher, "t/1", 50, 60)
    await held.has(numbers(50, 60))
    await consumer.stop()
    inbox = Inbox()
    await peers.consumer(broker.port, "consumer", "t/+", inbox)
    await inbox.has(numbers(0, 60))


async def test_acknowledged_once_is_not_delivered_again(peers: Peers, brokers: Brokers) -> None:
    broker = brokers.make(ack_wait_s=ACK_WAIT_S)
    held = Inbox(acknowledges=False)
    consumer = await peers.consumer(broker.port, "consumer", "t/+", held)
    publisher = await peers.publisher(broker.port)
    await publish(publisher, "t/1", 0, 20)
    await held.has(numbers(0, 20))
    for delivery in held.deliveries[:15]:
        delivery.ack()
        delivery.ack()
    await consumer.leave(0.1)
    await consumer.connections(2)
    await held.until(lambda: len(held.deliveries) >= 25)
    await publish(publisher, "t/1", 20, 21)
    await held.has(numbers(20, 21))
    assert sorted(delivery.payload for delivery in held.deliveries[20:]) == sorted(numbers(15, 21))


async def test_consumer_killed_with_a_full_window_gets_all_again(peers: Peers, brokers: Brokers) -> None:
    broker = brokers.make(ack_wait_s=ACK_WAIT_S)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.evcs.runtime.holder", peers.kind, str(broker.port), "200", stdout=PIPE
    )
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"ready\n"
        await publish(await peers.publisher(broker.port), "t/1", 0, 400)
        assert await process.stdout.readline() == b"full\n"
    finally:
        process.kill()
        await process.wait()
    inbox = Inbox()
    await peers.consumer(broker.port, "holder", "t/+", inbox)
    await inbox.has(numbers(0, 400))


async def test_refused_subscription_fails_the_start_and_names_the_filter(peers: Peers, brokers: Brokers) -> None:
    broker = brokers.make(deny="secret")
    peer = peers.make(broker.port, "peer")
    peer.subscribe("open/+", Inbox())
    peer.subscribe("secret/+", Inbox())
    with pytest.raises(SubscriptionRefused, match="secret"):
        await peer.start()
    assert not peer.session.connected


async def test_subscription_refused_at_a_reconnect_is_tried_again(async_peers: Peers, brokers: Brokers) -> None:
    broker = brokers.make()
    inbox = Inbox()
    consumer = await async_peers.consumer(broker.port, "consumer", "secret/+", inbox)
    await asyncio.to_thread(end, broker)
    broker.deny = "secret"
    await asyncio.to_thread(broker.start)
    await true(lambda: "refused" in str(consumer.session.health().reasons))
    assert consumer.session.health().level == "down"
    await asyncio.to_thread(end, broker)
    broker.deny = None
    await asyncio.to_thread(broker.start)
    await consumer.connections(2)
    await publish(await async_peers.publisher(broker.port), "secret/1", 0, 1)
    await inbox.has({b"0"})


async def test_leaving_brings_the_unacknowledged_again(peers: Peers, brokers: Brokers) -> None:
    broker = brokers.make(ack_wait_s=ACK_WAIT_S)
    inbox = Inbox(acknowledges=False)
    consumer = await peers.consumer(broker.port, "consumer", "t/+", inbox)
    await publish(await peers.publisher(broker.port), "t/1", 0, 30)
    await inbox.has(numbers(0, 30))
    for _ in range(3):  # leaving must not look like a takeover either
        await consumer.leave(0.1)
        assert not consumer.session.connected
    inbox.acknowledges = True
    before = len(inbox.deliveries)
    await inbox.until(lambda: {d.payload for d in inbox.deliveries[before:]} >= numbers(0, 30))


async def test_will_says_that_it_was_lost_and_stop_says_it_too(peers: Peers, brokers: Brokers) -> None:
    broker = brokers.make()
    link = brokers.cut(broker)
    seen = Inbox()
    await peers.consumer(broker.port, "watcher", "status/+", seen)
    lost = await peers.publisher(link.port, client_id="lost", will=Will("status/lost", b"offline"))
    await lost.publish("status/lost", b"ready", retain=True)
    left = await peers.publisher(broker.port, client_id="left", will=Will("status/left", b"offline"))
    await left.publish("status/left", b"ready", retain=True)
    await asyncio.to_thread(link.cut)
    await seen.until(lambda: [d.payload for d in seen.deliveries if d.topic == "status/lost"][-1:] == [b"offline"])
    await left.stop(5.0)
    await seen.until(lambda: [d.payload for d in seen.deliveries if d.topic == "status/left"][-1:] == [b"offline"])
    assert await standing(broker, "status/left") == [b"offline"]


@pytest.mark.parametrize("qos", [0, 1])
async def test_picture_is_whole_when_it_says_so_and_after_each_reconnect(
    async_peers: Peers, brokers: Brokers, qos: int
) -> None:
    broker = brokers.make()
    link = brokers.cut(broker)
    publisher = await async_peers.publisher(broker.port, window=2000)
    await asyncio.gather(*[publisher.publish(f"level/{n}", b"%d" % n, retain=True) for n in range(3000)])
    view = AsyncSession(settings_for(link.port), SystemClock(), client_id="view", clean=True)
    inbox = Inbox()
    view.subscribe("level/+", qos, inbox)
    sizes: list[int] = []
    view.on_picture(lambda: sizes.append(len(inbox.deliveries)))
    down = asyncio.Event()
    view.on_disconnected(down.set)
    await view.start()
    assert not view.picture_complete
    await view.picture()
    assert set(inbox.payloads) == numbers(0, 3000)
    assert all(delivery.retained for delivery in inbox.deliveries)
    inbox.deliveries.clear()
    await asyncio.to_thread(link.cut_once)
    await down.wait()
    assert not view.picture_complete
    await view.picture()
    assert set(inbox.payloads) == numbers(0, 3000)
    assert sizes == [3000, 3000]
    await view.stop()


@pytest.mark.parametrize("brokers", ["nats"], indirect=True)  # Mosquitto never does
async def test_broker_that_repeats_on_one_connection_is_heard_once(async_peers: Peers, brokers: Brokers) -> None:
    """NATS repeats after its ack_wait under the same packet id; a second PUBACK could hit another message."""
    broker = brokers.make(ack_wait_s=ACK_WAIT_S)
    held = Inbox(acknowledges=False)
    consumer = await async_peers.consumer(broker.port, "consumer", "t/+", held)
    publisher = await async_peers.publisher(broker.port)
    await publish(publisher, "t/1", 0, 3)
    await held.has(numbers(0, 3))
    await asyncio.sleep(ACK_WAIT_S + 1)  # its ack_wait, and some: there is nothing to await for what must not come
    assert len(held.deliveries) == 3
    for delivery in held.deliveries:
        delivery.ack()
    await publish(publisher, "t/1", 3, 4)
    await held.has(numbers(3, 4))
    await consumer.leave(0.1)
    await consumer.connections(2)
    await held.until(lambda: len(held.deliveries) >= 5)
    assert held.payloads[4:] == [b"3"]


async def test_two_processes_with_one_client_id_end_one_another(peers: Peers, brokers: Brokers) -> None:
    broker = brokers.make()
    ended: list[BaseException] = []
    both = asyncio.Event()

    def on_failed(error: BaseException) -> None:
        ended.append(error)
        both.set()

    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: on_failed(context["exception"]))
    how: dict[str, Any] = (
        {} if peers.kind == "async" else {"on_failed": lambda error: loop.call_soon_threadsafe(on_failed, error)}
    )
    first = peers.make(broker.port, "same", **how)
    second = peers.make(broker.port, "same", **how)
    await first.start()
    await second.start()
    async with asyncio.timeout(15):
        await both.wait()
    assert "same" in str(ended[0])
    assert type(ended[0]).__name__ == "TakenOver"


async def test_start_waits_for_a_broker_that_is_not_there_yet(peers: Peers, brokers: Brokers) -> None:
    broker = brokers.make()
    broker.stop()
    peer = peers.make(broker.port, "early")
    starting = asyncio.create_task(peer.start())
    await true(lambda: "Refused" in str(peer.session.health().reasons))
    assert not starting.done()
    await asyncio.to_thread(broker.start)
    await starting
    assert peer.session.health().level == "ok"


async def test_stopping_ends_a_start_that_waits(peers: Peers, brokers: Brokers) -> None:
    broker = brokers.make()
    broker.stop()
    peer = peers.make(broker.port, "early")
    starting = asyncio.create_task(peer.start())
    await true(lambda: "Refused" in str(peer.session.health().reasons))
    await peer.stop()
    with pytest.raises(ConnectionAbortedError):
        await starting


async def test_wrong_password_fails_the_start(peers: Peers, brokers: Brokers) -> None:
    broker = brokers.make(password="right")
    right = peers.make(broker.port, "right", password="right")
    await right.start()
    wrong = peers.make(broker.port, "wrong", password="wrong")
    with pytest.raises(ConnectionRefused) as raised:
        await wrong.start()
    assert raised.value.is_lasting


async def test_telemetry_gives_way_while_the_broker_is_away_and_records_do_not(peers: Peers, brokers: Brokers) -> None:
    broker = brokers.make()
    inbox = Inbox()
    await peers.consumer(broker.port, "consumer", "t/+", inbox)
    publisher = peers.make(broker.port, "publisher", window=50, bound=100)
    down = asyncio.Event()
    loop = asyncio.get_running_loop()
    publisher.session.on_disconnected(lambda: void(loop.call_soon_threadsafe(down.set)))
    await publisher.start()
    await asyncio.to_thread(end, broker)
    await down.wait()
    telemetry = []
    records = []
    for n in range(500):
        telemetry.append(asyncio.ensure_future(publisher.publish("t/1", b"telemetry %d" % n, droppable=True)))
        if n % 10 == 0:
            records.append(asyncio.ensure_future(publisher.publish("t/1", b"record %d" % n)))
    await asyncio.to_thread(broker.start)
    await asyncio.gather(*records)
    results = await asyncio.gather(*telemetry, return_exceptions=True)
    kept = {b"telemetry %d" % n for n, result in enumerate(results) if result is None}
    assert kept == {b"telemetry %d" % n for n in range(450, 500)}
    assert all(isinstance(result, Dropped) for result in results if result is not None)
    assert publisher.session.dropped == 450
    await inbox.has(kept | {b"record %d" % n for n in range(0, 500, 10)})


async def test_threads_that_do_not_take_let_the_broker_wait(brokers: Brokers) -> None:
    broker = brokers.make()
    peers = Peers("sync")
    slow = SyncSession(settings_for(broker.port), SystemClock(), client_id="slow", inbound=100)
    slow.subscribe("t/+", 1)
    await asyncio.to_thread(slow.start)
    publisher = await peers.publisher(broker.port)
    publishing = [asyncio.ensure_future(publisher.publish("t/1", b"%4000d" % n)) for n in range(1000)]
    await asyncio.gather(*publishing)
    await true(lambda: slow.waiting >= 100)
    taken: set[int] = set()
    most = 0
    while len(taken) < 1000:
        most = max(most, slow.waiting)
        for delivery in await asyncio.to_thread(slow.take, 50, 10):
            taken.add(int(delivery.payload))
            delivery.ack()
    assert most < 250
    await asyncio.to_thread(slow.stop)
    await peers.stop()


async def test_a_restarting_broker_is_no_takeover(brokers: Brokers) -> None:
    """A service has two sessions, and both are closed; a second process would evict only the one with the fixed id."""
    broker = brokers.make()
    settings = settings_for(broker.port)
    view = view_session(settings, SystemClock(), client_id="work")
    ended: list[object] = []
    taken_over: list[int] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: ended.append(context))
    work = AsyncSession(settings, SystemClock(), client_id="work", on_taken_over=taken_over.append)

    def is_back(number: int) -> bool:
        return work.connected and work.connection == number and view.picture_complete

    await work.start()
    await view.start()
    for number in range(2, 5):
        await asyncio.to_thread(broker.kill)
        await asyncio.to_thread(broker.start)
        await true(partial(is_back, number))
    assert ended == []
    assert taken_over == []
    other = AsyncSession(settings_for(broker.port), SystemClock(), client_id="work")
    await other.start()
    await true(lambda: bool(ended))
    await other.stop(0)
    await work.stop(0)
    await view.stop(0)


class Reader:
    """A view on levels and on who is there, that acts only on what is newer."""

    def __init__(self, broker: Broker) -> None:
        self.view = view_session(settings_for(broker.port), SystemClock(), client_id="reader")
        self.inbox = Inbox()
        self.acted: list[int] = []
        self.attendance = Attendance(["ingest"])
        self._newest = Newest()
        self.view.subscribe("level/+", 0, self._see)
        self.view.subscribe(SERVICE.everywhere, 0, self._attend)
        self.view.on_disconnected(self.attendance.begin)

    def _see(self, delivery: Delivery) -> None:
        if self._newest.is_newer(delivery.topic, int(delivery.payload)):
            self.acted.append(int(delivery.payload))
        self.inbox(delivery)

    def _attend(self, delivery: Delivery) -> None:
        status = SERVICE.decoder(delivery.payload)
        assert isinstance(status, ServiceStatus)
        self.attendance.take(status)

    async def start(self) -> None:
        await self.view.start()
        await self.view.picture()

    async def stop(self) -> None:
        await self.view.stop()


async def standing(broker: Broker, topic: str) -> list[bytes]:
    """What a newcomer finds retained."""
    view = view_session(settings_for(broker.port), SystemClock(), client_id="newcomer")
    inbox = Inbox()
    view.subscribe(topic, 0, inbox)
    await view.start()
    await view.picture()
    await view.stop()
    return inbox.payloads


def void(_: object) -> None:
    """A callback's result that nobody waits for."""


async def true(claim: Callable[[], bool]) -> None:
    """Wait until a claim holds that nothing announces."""
    async with asyncio.timeout(15):
        while not claim():  # noqa: ASYNC110 - there is no event to await
            await asyncio.sleep(0.02)
