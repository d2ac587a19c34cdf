"""What is due, what is held, and who is acknowledged."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.batch import Batches, Limits
from ingest.points import gun_point
from tests.ingest.messages import sent, telemetry

LIMITS = Limits(points=5, wait_s=1.0, of_one_lane=3, held=8, held_bytes=10_000)


@dataclass
class Message:
    """A delivery without a broker: it counts its acknowledgements."""

    topic: str
    payload: bytes
    connection: int = 1
    acks: list[int] = field(default_factory=list)

    def ack(self) -> None:
        self.acks.append(self.connection)


def message(n: int, connection: int = 1) -> Message:
    return Message(*sent(telemetry(n)), connection)


def add(batches: Batches, one: Message, lane: int = 0, now: float = 0.0) -> bool:
    return batches.add(one, gun_point(one.topic, one.payload), lane, now)


@pytest.mark.parametrize(
    ("lanes", "now", "due_in"),
    [
        ([], 10.0, None),
        ([0], 0.0, 1.0),
        ([0], 0.75, 0.25),
        ([0], 1.0, 0.0),
        ([0], 60.0, 0.0),
        ([0, 0, 1, 1], 0.0, 1.0),
        ([0, 0, 0], 0.0, 0.0),
        ([0, 1, 2, 3, 4], 0.0, 0.0),
    ],
    ids=[
        "nothing",
        "the first waits",
        "for the rest of its second",
        "no longer",
        "late",
        "neither batch nor lane is full",
        "a full lane",
        "a full batch",
    ],
)
def test_due(lanes: list[int], now: float, due_in: float | None) -> None:
    batches = Batches(LIMITS)
    for n, lane in enumerate(lanes):
        assert add(batches, message(n), lane)
    assert batches.due_in(now) == due_in


def test_the_second_counts_from_the_oldest_that_still_waits() -> None:
    batches = Batches(LIMITS)
    add(batches, message(0), now=0.0)
    add(batches, message(1), now=0.5)
    batches.done(batches.take())
    assert batches.due_in(0.5) is None
    add(batches, message(2), now=0.75)
    assert batches.due_in(1.0) == 0.75


def test_the_oldest_go_first_and_a_full_lane_is_empty_after_it_was_taken() -> None:
    batches = Batches(LIMITS)
    sent_in = [message(n) for n in range(7)]
    for n, one in enumerate(sent_in):
        add(batches, one, lane=n % 2, now=float(n))
    first = batches.take()
    assert [held.messages for held in first] == [[one] for one in sent_in[:5]]
    assert (batches.waiting, len(batches), batches.is_full) == (2, 7, False)
    assert batches.due_in(5.0) == 1.0


def test_what_comes_again_on_a_new_connection_joins_and_only_the_new_delivery_is_acknowledged() -> None:
    batches = Batches(LIMITS)
    old, new = message(0), message(0, connection=2)
    add(batches, old)
    batch = batches.take()  # it is being written when the connection is lost
    add(batches, new)
    assert (len(batches), batches.waiting) == (1, 0)
    batches.done(batch)
    for held in batch:
        held.ack()
    assert (old.acks, new.acks) == ([], [2])


def test_what_was_published_twice_is_written_once_and_acknowledged_twice() -> None:
    batches = Batches(LIMITS)
    first, second = message(0), message(0)
    add(batches, first)
    add(batches, second)
    batch = batches.take()
    batches.done(batch)
    assert len(batch) == 1
    batch[0].ack()
    assert (first.acks, second.acks) == ([1], [1])


def test_the_bound_counts_what_is_being_written_and_ends_with_it() -> None:
    batches = Batches(LIMITS)
    assert all(add(batches, message(n)) for n in range(8))
    assert not add(batches, message(8))
    assert add(batches, message(3, connection=2)), "a repetition takes no room"
    batch = batches.take()
    assert not add(batches, message(8))
    batches.done(batch)
    assert add(batches, message(8))


def test_payloads_are_bounded_by_their_bytes_too() -> None:
    big = Limits(held=1_000_000, held_bytes=3 * len(message(0).payload))
    batches = Batches(big)
    assert [add(batches, message(n)) for n in range(5)] == [True, True, True, False, False]


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 3), st.booleans()), max_size=80))
def test_every_message_taken_in_is_acknowledged_once_and_nothing_stays_behind(
    steps: list[tuple[int, int, bool]],
) -> None:
    """Random messages (often the same again) and writings: at the end all is acknowledged, no bound broke."""
    batches = Batches(LIMITS)
    taken_in: list[Message] = []
    for n, lane, writes in steps:
        one = message(n)
        if add(batches, one, lane):
            taken_in.append(one)
        assert len(batches) <= LIMITS.held
        if writes:
            batch = batches.take()
            assert len(batch) <= LIMITS.points
            batches.done(batch)
            for held in batch:
                held.ack()
    while batches.waiting:
        batch = batches.take()
        batches.done(batch)
        for held in batch:
            held.ack()
    assert [one.acks for one in taken_in] == [[1]] * len(taken_in)
    assert (len(batches), batches.is_full, batches.due_in(0.0)) == (0, False, None)
