"""Pure: what is held, what is due, and when there is too much of it."""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from evcs.store.interface import Point

MIB = 1024 * 1024


class Message(Protocol):
    """What is needed of a delivery: who it is, and the acknowledgement that belongs to its connection."""

    topic: str
    payload: bytes
    connection: int

    def ack(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """A batch is due at `points` points or `wait_s` seconds after its first, whichever comes first."""

    points: int = 5_000
    wait_s: float = 1.0
    of_one_lane: int = 100
    """Also due at so many of one subscription. NATS has a window of 200: waiting for more than half of it would be
    waiting for what cannot come. Where more comes than is written, batches grow by themselves."""
    held: int = 50_000
    """Messages in hand at most: Mosquitto may give its whole queue at once."""
    held_bytes: int = 64 * MIB
    """Payloads in hand at most."""


class Held:
    """A point in hand and the deliveries that wait for its writing."""

    __slots__ = ("key", "lane", "messages", "point", "since")

    def __init__(self, key: tuple[str, bytes], message: Message, point: Point, lane: int, since: float) -> None:
        self.key = key
        self.point = point
        self.lane = lane
        self.messages = [message]
        self.since = since

    def ack(self) -> None:
        """Acknowledge every delivery of it; those of a connection that is gone have no effect."""
        for message in self.messages:
            message.ack()


class Batches:
    """Messages between their arrival and the acknowledgement after their writing. Times are monotonic seconds.

    A message that comes again while it is in hand (after a reconnect) is not held twice: it joins the first.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._held: dict[tuple[str, bytes], Held] = {}
        self._waiting: deque[Held] = deque()
        self._lanes: Counter[int] = Counter()
        self._full_lanes = 0
        self._bytes = 0

    def __len__(self) -> int:
        """Points in hand, those being written included."""
        return len(self._held)

    @property
    def waiting(self) -> int:
        """Points in hand that nobody has taken for writing yet."""
        return len(self._waiting)

    @property
    def is_full(self) -> bool:
        """Whether what waits makes a batch, however short it has waited."""
        return self._full_lanes > 0 or len(self._waiting) >= self._limits.points

    def add(self, message: Message, point: Point, lane: int, now: float) -> bool:
        """Take a message of a subscription (its `lane`) in; False: there is no room, and it stays with the broker."""
        key = (message.topic, message.payload)
        held = self._held.get(key)
        if held is not None:
            if message.connection != held.messages[0].connection:
                held.messages.clear()  # their connection is gone, and their acknowledgements with it
            held.messages.append(message)
            return True
        size = len(message.payload)
        if len(self._held) >= self._limits.held or self._bytes + size > self._limits.held_bytes:
            return False
        held = self._held[key] = Held(key, message, point, lane, now)
        self._waiting.append(held)
        self._bytes += size
        self._lanes[lane] += 1
        if self._lanes[lane] == self._limits.of_one_lane:
            self._full_lanes += 1
        return True

    def due_in(self, now: float) -> float | None:
        """Seconds until there is something to write, 0 for now; None while nothing waits."""
        if not self._waiting:
            return None
        if self.is_full:
            return 0.0
        return max(0.0, self._waiting[0].since + self._limits.wait_s - now)

    def take(self) -> Sequence[Held]:
        """The oldest, a batch of them at most. They stay in hand until `done`."""
        batch = [self._waiting.popleft() for _ in range(min(self._limits.points, len(self._waiting)))]
        for held in batch:
            if self._lanes[held.lane] == self._limits.of_one_lane:
                self._full_lanes -= 1
            self._lanes[held.lane] -= 1
        return batch

    def done(self, batch: Sequence[Held]) -> None:
        """What was taken is in the store, or set aside: no longer in hand."""
        for held in batch:
            del self._held[held.key]
            self._bytes -= len(held.key[1])
