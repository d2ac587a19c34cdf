"""What comes now, while a gap is being filled: a clean session beside the persistent one, whose queue is in order.

Reads G/telemetry and T/reading at QoS 0. Nothing here is acknowledged or lost: the same messages stand in the queue
behind the gap, and a point that is written again overwrites itself.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from evcs.runtime.clock import Clock
from evcs.runtime.log import get_logger
from evcs.runtime.mqtt import AsyncSession, Delivery, view_session
from evcs.runtime.run import spawn
from evcs.runtime.settings import MqttSettings
from evcs.store.interface import Point
from ingest.errors import Unreadable
from ingest.points import SOURCES

log = get_logger()

BEHIND_S = 10.0
"""Points older than this say that the queue is behind; live data may be 30 s late (promise D5)."""
CAUGHT_UP_S = 4.0
NO_BACKLOG_S = 86_400.0
"""Older still is no queue, which holds minutes: it is a bridge with a wrong clock, or a test."""
HELD = 20_000
HELD_S = 30.0
"""The newest that are kept for a store that is away."""
REST_S = 600.0
"""Pause after it was of no use: what comes now is as old as what waits, so it is a clock that is wrong."""


class Live:
    """Fed by its own session; the writer takes from it first. Times are monotonic seconds."""

    def __init__(self, settings: MqttSettings, clock: Clock, client_id: str, filled: Callable[[], None]) -> None:
        """``filled`` is called when there is something to take again."""
        self._settings = settings
        self._clock = clock
        self._client_id = client_id
        self._filled = filled
        self._held: deque[tuple[float, Point]] = deque()
        self._session: AsyncSession | None = None
        self._moving: set[asyncio.Task[None]] = set()
        self._rests_until = 0.0
        self._since = 0.0

    @property
    def is_on(self) -> bool:
        return self._session is not None

    def __len__(self) -> int:
        return len(self._held)

    def begin(self, why: str) -> None:
        """Have what comes now beside the queue; no effect while it is on, or rests."""
        if self.is_on or self._clock.monotonic() < self._rests_until:
            return
        session = self._session = view_session(self._settings, self._clock, client_id=self._client_id)
        for source in SOURCES:
            session.subscribe(source.topic.everywhere, 0, partial(self._take, source.point))
        self._since = self._clock.monotonic()
        log.info("live_lane_begun", why=why)
        self._move(session.start(), "begins")

    def end(self, why: str) -> None:
        """The queue has caught up, or there is no use in it."""
        session, self._session = self._session, None
        if session is None:
            return
        self._held.clear()
        log.info("live_lane_ended", why=why, seconds=round(self._clock.monotonic() - self._since, 1))
        self._move(session.stop(0), "ends")

    async def stop(self) -> None:
        """End it and wait until it has."""
        self.end("stopped")
        if self._moving:
            await asyncio.wait(self._moving)

    def judge(self, oldest_s: float) -> None:
        """What a batch of the queue says: the age of its oldest point, s."""
        if BEHIND_S < oldest_s < NO_BACKLOG_S:
            self.begin(f"the queue is {oldest_s:.0f} s behind")
        elif oldest_s < CAUGHT_UP_S:
            self.end("caught up")

    def due_in(self, now: float, wait_s: float) -> float | None:
        """Seconds until there is something to write, 0 for now; None while nothing waits."""
        return max(0.0, self._held[0][0] + wait_s - now) if self._held else None

    def take(self, most: int) -> list[Point]:
        """The oldest held, as many at most; none twice."""
        now = self._clock.monotonic()
        while self._held and now - self._held[0][0] > HELD_S:
            self._held.popleft()
        return [self._held.popleft()[1] for _ in range(min(most, len(self._held)))]

    def written(self, points: Sequence[Point]) -> None:
        """See whether it was of use: even its newest point is late where a clock is wrong."""
        newest_s = (self._clock.now() - max(point.at for point in points)).total_seconds()
        if newest_s > HELD_S + BEHIND_S:
            self._rests_until = self._clock.monotonic() + REST_S
            self.end("of no use")

    def _take(self, read: Callable[[str, bytes], Point], delivery: Delivery) -> None:
        if self._session is None:
            return
        try:
            point = read(delivery.topic, delivery.payload)
        except Unreadable:
            return  # it is set aside when the queue brings it
        if len(self._held) >= HELD:
            self._held.popleft()
        self._held.append((self._clock.monotonic(), point))
        if len(self._held) == 1:
            self._filled()

    def _move(self, step: Coroutine[Any, Any, None], name: str) -> None:
        async def move() -> None:
            with suppress(ConnectionAbortedError):  # ended before it had begun
                await step

        task = spawn(move(), f"live lane {name}")
        self._moving.add(task)
        task.add_done_callback(self._moving.discard)
