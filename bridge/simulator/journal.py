"""What went over a simulated pile's wire, kept for tests that watch it and wait for it."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Self, TypeVar

from bridge.protocols.base import UnknownFrame
from bridge.protocols.ykc.messages import YkcMessage
from bridge.simulator.pile import Pile

M = TypeVar("M", bound=YkcMessage)
Direction = Literal["sent", "received"]


@dataclass(frozen=True, slots=True)
class Logged:
    """One frame that was sent to, or received from, the platform."""

    index: int
    """Counts all frames of the pile from 0, over all its connections."""
    at_ms: int
    connection: int
    """Counts the pile's TCP connections from 1."""
    direction: Direction
    message: YkcMessage | UnknownFrame
    raw: bytes


class Journal:
    """The last frames of a pile, and the waiting for more."""

    def __init__(self, pile: Pile, keep: int) -> None:
        self.pile = pile
        self.frames: deque[Logged] = deque(maxlen=keep)
        self.counted = 0
        self._watchers: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    def note(
        self, at_ms: int, connection: int, direction: Direction, message: YkcMessage | UnknownFrame, raw: bytes
    ) -> None:
        """A frame went by."""
        if self.frames.maxlen != 0:
            self.frames.append(Logged(self.counted, at_ms, connection, direction, message, raw))
        self.counted += 1

    def look(self) -> None:
        """Something changed: whoever waits looks again."""
        for holds, told in self._watchers:
            if not told.done() and holds():
                told.set_result(None)

    async def sent(
        self, kind: type[M], where: Callable[[M], bool] = lambda _: True, *, since: int = 0, within_s: float = 30
    ) -> M:
        """The first frame of this kind that was sent from index `since` on. TimeoutError after `within_s` s."""
        return await self._first("sent", kind, where, since, within_s)

    async def received(
        self, kind: type[M], where: Callable[[M], bool] = lambda _: True, *, since: int = 0, within_s: float = 30
    ) -> M:
        """The first frame of this kind that came from index `since` on. TimeoutError after `within_s` s."""
        return await self._first("received", kind, where, since, within_s)

    def all_of(self, kind: type[M], *, since: int = 0) -> list[M]:
        """Every kept frame of this kind from index `since` on (each kind goes in one direction only)."""
        return [entry.message for entry in self.frames if entry.index >= since and isinstance(entry.message, kind)]

    def entry_of(self, message: YkcMessage) -> Logged:
        """When and in which bytes a frame went over the wire."""
        return next(entry for entry in self.frames if entry.message is message)

    async def until(self, holds: Callable[[Self], bool], *, within_s: float = 30) -> None:
        """Wait until something holds; looked at now and after every frame. TimeoutError after `within_s` s."""
        if holds(self):
            return
        watcher = (lambda: holds(self), asyncio.get_running_loop().create_future())
        self._watchers.append(watcher)
        try:
            await asyncio.wait_for(watcher[1], within_s)
        finally:
            self._watchers.remove(watcher)

    async def online(self, *, within_s: float = 30) -> None:
        """Wait until the pile is logged in and has a tariff."""
        await self.until(lambda it: it.pile.logged_in and it.pile.model is not None, within_s=within_s)

    async def _first(
        self, direction: Direction, kind: type[M], where: Callable[[M], bool], since: int, within_s: float
    ) -> M:
        def find() -> M | None:
            for entry in self.frames:
                message = entry.message
                if entry.index < since or entry.direction != direction:
                    continue
                if isinstance(message, kind) and where(message):
                    return message
            return None

        try:
            await self.until(lambda _: find() is not None, within_s=within_s)
        except TimeoutError:
            last = [f"{entry.direction} {type(entry.message).__name__}" for entry in list(self.frames)[-12:]]
            raise TimeoutError(
                f"{self.pile.number}: no {kind.__name__} {direction} in {within_s} s; last: {last}"
            ) from None
        message = find()
        assert message is not None
        return message
