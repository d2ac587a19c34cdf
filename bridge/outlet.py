"""Where messages leave: telemetry may give way, everything else is counted until its PUBACK, within a bound."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress

from bridge.actions import Publish
from evcs.runtime.log import get_logger
from evcs.runtime.mqtt import AsyncSession, LevelKeeper
from evcs.runtime.run import spawn

log = get_logger()

PACED_S = 0.5
"""A heartbeat must not wait longer for its answer than a pile bears: it is asked for every 10 s."""


class _Levels(LevelKeeper["asyncio.Future[None]"]):
    def forget(self, topic: str) -> None:
        """Hold a level no more and leave what stands at the broker: it is another bridge's now."""
        self._levels.pop(topic, None)


class MqttOutlet:
    """Publishes for all links and keeps the levels.

    Bounds: telemetry gives way inside the session (oldest first, counted), as it must while the broker is away. Of
    everything else `most` may be unacknowledged; then `on_full` is called, nobody reads from piles any more (TCP makes
    them wait, and they repeat their records), and `on_room` follows when half of it is through.

    A broker that is there sets the pace: once more waits than the window takes, nobody reads either until there is
    room, at most `PACED_S` at a time. Else one turn of the loop would read more from many piles than the window can
    carry in it, and the more came the less would arrive.
    """

    def __init__(self, session: AsyncSession, most: int, on_full: Callable[[], None], on_room: Callable[[], None]):
        self._session = session
        self._most = most
        self._on_full = on_full
        self._on_room = on_room
        self._levels = _Levels(self)
        self._pacing: asyncio.Task[None] | None = None
        self.unsent = 0
        """Messages that may not be lost and are not acknowledged yet."""
        self.is_full = False

    def send(self, message: Publish) -> None:
        """Hand a message to the session."""
        if message.retain:
            self._levels.set(message.topic, message.version, message.payload)
        else:
            self.publish(message.topic, message.payload, qos=message.qos, droppable=message.droppable)

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False, droppable: bool = False
    ) -> "asyncio.Future[None]":
        """Publish, counting what may not be lost."""
        session = self._session
        done = session.publish(topic, payload, qos=qos, retain=retain, droppable=droppable)
        if not droppable:
            self.unsent += 1
            done.add_done_callback(self._through)
            if self.unsent >= self._most and not self.is_full:
                self.is_full = True
                log.warning("reading_held", unsent=self.unsent)
                self._on_full()
        elif session.outgoing.waiting > session.outgoing.window and self._pacing is None and session.connected:
            self._on_full()
            self._pacing = spawn(self._await_room(), "bridge keeps the broker's pace")
        return done

    async def _await_room(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(PACED_S):
                await self._session.room()
        self._pacing = None
        if not self.is_full:
            self._on_room()

    def _through(self, done: "asyncio.Future[None]") -> None:
        done.cancelled() or done.exception()  # a session that was stopped ends its publishes: nobody waits for them
        self.unsent -= 1
        if self.is_full and self.unsent <= self._most // 2:
            self.is_full = False
            log.info("reading_goes_on", unsent=self.unsent)
            if self._pacing is None:
                self._on_room()

    def forget(self, topics: Iterable[str]) -> None:
        """Levels that are another bridge's now."""
        for topic in topics:
            self._levels.forget(topic)

    def clear(self, topics: Iterable[str]) -> None:
        """Levels of what is no more."""
        for topic in topics:
            self._levels.clear(topic)

    def publish_levels(self) -> None:
        """All levels again, as after each connection."""
        self._levels.publish_all()

    def seen(self, topic: str, version: int) -> bool:
        """Something stands on one of our own topics: an older one is put right. Returns whether it was older."""
        return self._levels.seen(topic, version)
