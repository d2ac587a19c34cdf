"""Where messages leave: telemetry may give way, everything else is counted until its PUBACK, within a bound."""

import asyncio
from collections.abc import Callable, Iterable

from bridge.actions import Publish
from evcs.runtime.mqtt import AsyncSession, LevelKeeper


class _Levels(LevelKeeper["asyncio.Future[None]"]):
    def forget(self, topic: str) -> None:
        """Hold a level no more and leave what stands at the broker: it is another bridge's now."""
        self._levels.pop(topic, None)


class MqttOutlet:
    """Publishes for all links and keeps the levels.

    Bounds: telemetry gives way inside the session (oldest first, counted). Of everything else `most` may be
    unacknowledged; then `on_full` is called, nobody reads from piles any more (TCP makes them wait, and they repeat
    their records), and `on_room` follows when half of it is through.
    """

    def __init__(self, session: AsyncSession, most: int, on_full: Callable[[], None], on_room: Callable[[], None]):
        self._session = session
        self._most = most
        self._on_full = on_full
        self._on_room = on_room
        self._levels = _Levels(self)
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
        done = self._session.publish(topic, payload, qos=qos, retain=retain, droppable=droppable)
        if not droppable:
            self.unsent += 1
            done.add_done_callback(self._through)
            if self.unsent >= self._most and not self.is_full:
                self.is_full = True
                self._on_full()
        return done

    def _through(self, done: "asyncio.Future[None]") -> None:
        done.cancelled() or done.exception()  # a session that was stopped ends its publishes: nobody waits for them
        self.unsent -= 1
        if self.is_full and self.unsent <= self._most // 2:
            self.is_full = False
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
