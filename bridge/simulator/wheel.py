"""One timer of the event loop for all piles of a process, each of which has at most one deadline."""

import asyncio
from collections.abc import Callable
from heapq import heappop, heappush
from math import ceil

GRID = 100
"""Deadlines stand on a grid of 10 ms, so that those of many piles fall together."""

Wake = Callable[[], None]


class Wheel:
    """Wakes each of many sleepers once; lives in one event loop."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Wake]] = []
        self._due: dict[Wake, int] = {}
        self._made = 0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0

    def set(self, wake: Wake, wait_s: float) -> None:
        """Call `wake` after so many seconds; what it was set to before is forgotten. Always give the same object."""
        loop = asyncio.get_running_loop()
        at = ceil((loop.time() + max(0.0, wait_s)) * GRID)
        if self._due.get(wake) == at:
            return
        self._due[wake] = at
        self._made += 1
        heappush(self._heap, (at, self._made, wake))
        if self._timer is None or at < self._timer_at:
            self._arm(loop, at)

    def cancel(self, wake: Wake) -> None:
        """It sleeps for good."""
        self._due.pop(wake, None)

    def _arm(self, loop: asyncio.AbstractEventLoop, at: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = at
        self._timer = loop.call_at(at / GRID, self._turn)

    def _turn(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        now = int(loop.time() * GRID + 0.001)
        heap = self._heap
        while heap and heap[0][0] <= now:
            at, _, wake = heappop(heap)
            if self._due.get(wake) == at:
                del self._due[wake]
                wake()
        while heap and self._due.get(heap[0][2]) != heap[0][0]:
            heappop(heap)
        if heap and (self._timer is None or heap[0][0] < self._timer_at):
            self._arm(loop, heap[0][0])
