"""The owned outgoing window: what was published and not yet acknowledged, kept in order over every reconnect."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterator

from evcs.runtime.mqtt.messages import Dropped

LAST_PACKET_ID = 60_000
"""Packet ids above it are left to gmqtt for its SUBSCRIBE packets: both share one number space (§2.3.1)."""


class Entry:
    """One QoS 1 message on its way."""

    __slots__ = ("done", "droppable", "packet_id", "payload", "retain", "serial", "topic")

    def __init__(
        self, serial: int, topic: bytes, payload: bytes, retain: bool, droppable: bool, done: asyncio.Future[None]
    ) -> None:
        self.serial = serial
        self.topic = topic
        self.payload = payload
        self.retain = retain
        self.droppable = droppable
        self.done = done
        self.packet_id = 0
        """0 until it was sent for the first time; then it keeps its id, and is sent again under it (§4.4)."""


class Outgoing:
    """Holds entries from publish to PUBACK.

    At most ``window`` are in flight; beyond that they wait. Once ``bound`` are held, the oldest droppable one that is
    not in flight is given up for each new one, and counted. What is not droppable is never given up: its publishers
    wait for ``room``. Belongs to one event loop.
    """

    def __init__(self, window: int, bound: int | None = None) -> None:
        if not 1 <= window < LAST_PACKET_ID:
            raise ValueError(f"window must be 1…{LAST_PACKET_ID - 1}")
        self.window = window
        self.bound = max(window, bound if bound is not None else 2 * window)
        self.published = 0
        self.acknowledged = 0
        self.sent_again = 0
        self.dropped = 0
        self._serial = 0
        self._waiting: OrderedDict[int, Entry] = OrderedDict()
        self._levels: OrderedDict[int, Entry] = OrderedDict()
        """Those of ``_waiting`` that are retained."""
        self._droppable: deque[int] = deque()
        self._flight: dict[int, Entry] = {}
        self._ids_held: set[int] = set()
        self._last_id = 0
        self._room: deque[asyncio.Future[None]] = deque()
        self._empty: list[asyncio.Future[None]] = []

    def __len__(self) -> int:
        return len(self._waiting) + len(self._flight)

    @property
    def in_flight(self) -> int:
        return len(self._flight)

    @property
    def waiting(self) -> int:
        """Messages that have no place in the window yet."""
        return len(self._waiting)

    def has_room(self) -> bool:
        return len(self) < self.window

    async def room(self) -> None:
        """Wait until less than a window is held."""
        while not self.has_room():
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._room.append(waiter)
            await waiter

    async def empty(self) -> None:
        """Wait until everything was acknowledged (or given up)."""
        while len(self):
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._empty.append(waiter)
            await waiter

    def add(self, topic: bytes, payload: bytes, retain: bool, droppable: bool) -> asyncio.Future[None]:
        """Take a message in. The future ends at its PUBACK, or with Dropped when it was given up."""
        self.published += 1
        self._serial += 1
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = Entry(self._serial, topic, payload, retain, droppable, done)
        self._waiting[entry.serial] = entry
        if retain:
            self._levels[entry.serial] = entry
        elif droppable:
            self._droppable.append(self._serial)
        if len(self) > self.bound:
            self._drop_oldest()
        return done

    def to_send(self, levels_only: bool = False) -> Iterator[tuple[Entry, bool]]:
        """Move what fits into flight, oldest first, each with whether it was sent before on an earlier connection.

        ``levels_only``: only retained messages, the others keep their places.
        """
        waiting = self._levels if levels_only else self._waiting
        while waiting and len(self._flight) < self.window:
            serial, entry = waiting.popitem(last=False)
            if levels_only:
                del self._waiting[serial]
            else:
                self._levels.pop(serial, None)
                while self._droppable and self._droppable[0] <= serial:
                    self._droppable.popleft()
            again = entry.packet_id != 0
            if again:
                self.sent_again += 1
            else:
                entry.packet_id = self._free_id()
            self._flight[entry.packet_id] = entry
            yield entry, again

    def acknowledge(self, packet_id: int) -> None:
        """A PUBACK came. An id that is not in flight is ignored: it was answered twice."""
        entry = self._flight.pop(packet_id, None)
        if entry is None:
            return
        self.acknowledged += 1
        self._ids_held.discard(packet_id)
        if not entry.done.done():
            entry.done.set_result(None)
        self._wake()

    def connection_lost(self) -> None:
        """Whatever is in flight waits again, in front and in order: no acknowledgement can reach it any more."""
        # Sorted: levels may have overtaken what a gate held back.
        back = sorted([*self._flight.values(), *self._waiting.values()], key=lambda entry: entry.serial)
        self._flight.clear()
        self._waiting = OrderedDict((entry.serial, entry) for entry in back)
        self._levels = OrderedDict((entry.serial, entry) for entry in back if entry.retain)
        self._droppable = deque(entry.serial for entry in back if entry.droppable and not entry.retain)

    def abandon(self) -> None:
        """The session ends for good: whoever still waits for a PUBACK learns that there will be none."""
        for entry in [*self._flight.values(), *self._waiting.values()]:
            if not entry.done.done():
                entry.done.set_exception(ConnectionAbortedError("the session was stopped before the PUBACK"))
                entry.done.exception()  # nobody has to look

    def _drop_oldest(self) -> None:
        if self._droppable:
            entry = self._waiting.pop(self._droppable.popleft())
            self._ids_held.discard(entry.packet_id)
            self.dropped += 1
            if not entry.done.done():
                entry.done.set_exception(Dropped())
                entry.done.exception()  # nobody has to look: telemetry's publishers do not
            self._wake()

    def _free_id(self) -> int:
        while True:
            self._last_id = self._last_id % LAST_PACKET_ID + 1
            if self._last_id not in self._ids_held:
                self._ids_held.add(self._last_id)
                return self._last_id

    def _wake(self) -> None:
        held = len(self)
        if self._room:
            free = self.window - held
            while self._room and free > 0:
                waiter = self._room.popleft()
                if not waiter.done():
                    waiter.set_result(None)
                    free -= 1
        if not held and self._empty:
            waiters, self._empty = self._empty, []
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)
