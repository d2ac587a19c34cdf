"""The outgoing window keeps order, releases by PUBACK, sends again after every loss, and drops only what it may."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evcs.runtime.mqtt.messages import Dropped
from evcs.runtime.mqtt.outgoing import LAST_PACKET_ID, Outgoing


def add(outgoing: Outgoing, text: str, droppable: bool = False, retain: bool = False) -> "asyncio.Future[None]":
    return outgoing.add(b"t", text.encode(), retain, droppable)


def send(outgoing: Outgoing, levels_only: bool = False) -> list[tuple[str, int, bool]]:
    return [(e.payload.decode(), e.packet_id, again) for e, again in outgoing.to_send(levels_only)]


async def test_in_order_and_no_more_than_a_window() -> None:
    outgoing = Outgoing(2)
    done = [add(outgoing, text) for text in "abc"]
    assert send(outgoing) == [("a", 1, False), ("b", 2, False)]
    assert send(outgoing) == []
    outgoing.acknowledge(2)
    assert [each.done() for each in done] == [False, True, False]
    assert send(outgoing) == [("c", 3, False)]


async def test_after_a_loss_the_same_ids_again_in_order() -> None:
    outgoing = Outgoing(3)
    for text in "abcd":
        add(outgoing, text)
    send(outgoing)
    outgoing.acknowledge(2)
    outgoing.connection_lost()
    assert send(outgoing) == [("a", 1, True), ("c", 3, True), ("d", 4, False)]
    assert outgoing.sent_again == 2


async def test_a_late_or_repeated_puback_changes_nothing() -> None:
    outgoing = Outgoing(3)
    done = add(outgoing, "a")
    send(outgoing)
    outgoing.connection_lost()
    outgoing.acknowledge(1)
    assert not done.done()
    send(outgoing)
    outgoing.acknowledge(1)
    outgoing.acknowledge(1)
    assert done.done()
    assert outgoing.acknowledged == 1


async def test_oldest_droppable_goes_first_and_is_counted() -> None:
    outgoing = Outgoing(2, bound=4)
    kept = add(outgoing, "record")
    dropped = [add(outgoing, f"old{n}", droppable=True) for n in range(3)]
    add(outgoing, "new", droppable=True)
    add(outgoing, "record2")
    assert outgoing.dropped == 2
    assert isinstance(dropped[0].exception(), Dropped)
    assert isinstance(dropped[1].exception(), Dropped)
    assert [text for text, _, _ in send(outgoing)] == ["record", "old2"]
    assert not kept.done()


async def test_what_is_in_flight_or_may_not_be_dropped_stays() -> None:
    outgoing = Outgoing(2, bound=2)
    add(outgoing, "flying", droppable=True)
    send(outgoing)
    for n in range(5):
        add(outgoing, f"record{n}")
    assert outgoing.dropped == 0
    assert len(outgoing) == 6
    add(outgoing, "telemetry", droppable=True)
    assert outgoing.dropped == 1
    outgoing.acknowledge(1)
    assert len(outgoing) == 5


async def test_levels_pass_a_gate_and_the_rest_keeps_its_order() -> None:
    outgoing = Outgoing(10)
    add(outgoing, "a")
    add(outgoing, "level", retain=True)
    add(outgoing, "b")
    assert send(outgoing, levels_only=True) == [("level", 1, False)]
    outgoing.connection_lost()
    assert send(outgoing) == [("a", 2, False), ("level", 1, True), ("b", 3, False)]


async def test_room_comes_with_the_puback() -> None:
    outgoing = Outgoing(1)
    add(outgoing, "a")
    waiting = [asyncio.create_task(outgoing.room()) for _ in range(2)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    send(outgoing)
    outgoing.acknowledge(1)
    await asyncio.wait_for(waiting[0], 1)
    add(outgoing, "b")
    await asyncio.sleep(0)
    assert not waiting[1].done() or len(outgoing) <= 1
    send(outgoing)
    outgoing.acknowledge(2)
    await asyncio.wait_for(waiting[1], 1)
    await asyncio.wait_for(outgoing.empty(), 1)


async def test_abandoned_publishers_learn_it() -> None:
    outgoing = Outgoing(1)
    done = [add(outgoing, "a"), add(outgoing, "b")]
    send(outgoing)
    outgoing.abandon()
    assert [type(each.exception()) for each in done] == [ConnectionAbortedError] * 2


def test_a_window_needs_packet_ids() -> None:
    with pytest.raises(ValueError, match="window"):
        Outgoing(LAST_PACKET_ID)


@given(st.lists(st.sampled_from(["add", "drop", "level", "send", "gated", "ack", "lose"]), max_size=200))
def test_nothing_is_lost_but_what_was_counted(steps: list[str]) -> None:
    """Whatever happens: each message is held, acknowledged or counted as dropped, and ids in flight are distinct."""
    asyncio.run(_walk(steps))


async def _walk(steps: list[str]) -> None:
    outgoing = Outgoing(3, bound=5)
    flying: list[int] = []
    made: list[asyncio.Future[None]] = []
    must: list[asyncio.Future[None]] = []
    for n, step in enumerate(steps):
        match step:
            case "add" | "drop" | "level":
                made.append(add(outgoing, str(n), droppable=step == "drop", retain=step == "level"))
                if step != "drop":
                    must.append(made[-1])
            case "send" | "gated":
                sent = send(outgoing, levels_only=step == "gated")
                flying += [packet_id for _, packet_id, _ in sent]
                if step == "send":
                    serials = [int(text) for text, _, _ in sent]
                    assert serials == sorted(serials)
            case "ack" if flying:
                outgoing.acknowledge(flying.pop(0))
            case "lose":
                flying.clear()
                outgoing.connection_lost()
    assert len(set(flying)) == len(flying) == outgoing.in_flight <= 3
    assert outgoing.published == len(outgoing) + outgoing.acknowledged + outgoing.dropped
    assert not any(each.done() and each.exception() for each in must)
    while len(outgoing):
        for _, packet_id, _ in send(outgoing):
            flying.append(packet_id)
        outgoing.acknowledge(flying.pop())
    assert all(each.done() for each in made)
