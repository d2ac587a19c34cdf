"""How bytes leave for the socket: as they are, cut into several TCP segments, or held to go out with the next ones."""

import asyncio
from collections import deque
from collections.abc import Callable
from itertools import pairwise
from random import Random

from bridge.simulator.troubles import Trouble, Troubles

PIECES = (2, 4)
APART_S = (0.02, 0.08)
HELD_S = (0.2, 0.8)


class Line:
    """Keeps the order of what is written, whatever happens to its segments."""

    def __init__(self, write: Callable[[bytes], None], troubles: Troubles, dice: Random) -> None:
        self._write = write
        self._troubles = troubles
        self._dice = dice
        self._pieces: deque[bytes] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def write(self, data: bytes) -> None:
        """Send it, now or soon."""
        if self._pieces:
            self._pieces[-1] += data
        elif len(data) > 1 and self._troubles.happens(Trouble.SPLIT):
            first, *rest = self._cut(data)
            self._write(first)
            self._pieces.extend(rest)
            self._later(self._dice.uniform(*APART_S))
        elif self._troubles.happens(Trouble.MERGE):
            self._pieces.append(data)
            self._later(self._dice.uniform(*HELD_S))
        else:
            self._write(data)

    def forget(self) -> None:
        """The connection is gone, and what was held with it."""
        self._pieces.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _cut(self, data: bytes) -> list[bytes]:
        wanted = min(self._dice.randint(*PIECES), len(data))
        places = [0, *sorted(self._dice.sample(range(1, len(data)), wanted - 1)), len(data)]
        return [data[begin:end] for begin, end in pairwise(places)]

    def _later(self, wait_s: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._next)

    def _next(self) -> None:
        self._timer = None
        if self._pieces:
            self._write(self._pieces.popleft())
        if self._pieces:
            self._later(self._dice.uniform(*APART_S))
