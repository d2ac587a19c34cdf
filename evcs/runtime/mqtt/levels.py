"""Levels: retained topics with a version, of which a reader keeps the highest and an owner publishes the newest again.

A broker that came back may hold an older value than the newest that was published, and say that the session is there.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from evcs.runtime.clock import Clock

F = TypeVar("F")
F_co = TypeVar("F_co", covariant=True)


class Publisher(Protocol[F_co]):
    """What an owner needs of a session; the kind of future is the session's (asyncio's, or that of threads)."""

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False, droppable: bool = False
    ) -> F_co: ...


class Versions:
    """Versions that an owner gives: its wall time in ms, kept above the highest it has given or seen on that topic."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._highest: dict[str, int] = {}

    def next(self, topic: str) -> int:
        version = max(self._clock.now_ms(), self._highest.get(topic, 0) + 1)
        self._highest[topic] = version
        return version

    def seen(self, topic: str, version: int) -> None:
        if version > self._highest.get(topic, 0):
            self._highest[topic] = version

    def highest(self, topic: str) -> int:
        """0 where none was given or seen."""
        return self._highest.get(topic, 0)


ECHOES_KNOWN = 4
"""How many own earlier versions of a topic are recognised when they come back late over the owner's view."""


@dataclass(frozen=True, slots=True)
class _Level:
    version: int
    payload: bytes
    echoes: tuple[int, ...] = ()
    """Versions published before on this connection: seen now, they are echoes and not what stands."""


class LevelKeeper(Generic[F]):
    """The owner's side: what it holds retained under its topics, and how the broker is brought to hold the same.

    Give ``publish_all`` to the session's ``on_connected``; call ``seen`` for whatever arrives on own topics.
    """

    def __init__(self, session: Publisher[F]) -> None:
        self._session = session
        self._levels: dict[str, _Level] = {}
        self.corrected = 0
        """How often an older level was seen on an own topic and answered with the newest."""

    def set(self, topic: str, version: int, payload: bytes) -> F:
        """Hold and publish a level; the future ends at the PUBACK. A lower version than the one held is a mistake."""
        held = self._levels.get(topic)
        if held is not None and version < held.version:
            raise ValueError(f"{topic}: version {version} is older than {held.version}")
        echoes: tuple[int, ...] = () if held is None else held.echoes
        if held is not None and version > held.version:
            echoes = (held.version, *echoes)[:ECHOES_KNOWN]
        self._levels[topic] = _Level(version, payload, echoes)
        return self._session.publish(topic, payload, retain=True)

    def clear(self, topic: str) -> F:
        """Hold nothing there any more; an empty payload takes the retained message away."""
        self._levels.pop(topic, None)
        return self._session.publish(topic, b"", retain=True)

    def get(self, topic: str) -> bytes | None:
        held = self._levels.get(topic)
        return None if held is None else held.payload

    def topics(self) -> Iterable[str]:
        return self._levels.keys()

    def publish_all(self) -> None:
        """Publish every level again, as after each connection: what stands may be older, so nothing is an echo now."""
        for topic, level in self._levels.items():
            self._levels[topic] = _Level(level.version, level.payload)
            self._session.publish(topic, level.payload, retain=True)

    def seen(self, topic: str, version: int) -> bool:
        """Something stands on an own topic: when it is older than what is held, publish that again and return True.

        Pass version 0 for an empty payload (cleared by somebody, or by a rolled-back store). The echo of an own level
        that was replaced meanwhile is not answered: a slow view would double every quick change.
        """
        held = self._levels.get(topic)
        if held is None or version >= held.version or version in held.echoes:
            return False
        self.corrected += 1
        self._session.publish(topic, held.payload, retain=True)
        return True

    def strays(self, standing: Iterable[str]) -> list[str]:
        """Of the retained topics that stand under the owner's own, those that it does not hold: to be cleared."""
        return [topic for topic in standing if topic not in self._levels]


class Newest:
    """A reader's side: the highest version per topic, and what of a picture is still there.

    ``is_newer`` before acting; after each reconnect ``begin`` (on_connected), and ``gone`` at the complete picture.
    """

    def __init__(self, on_gone: Callable[[str], None] | None = None) -> None:
        self._highest: dict[str, int] = {}
        self._standing: set[str] = set()
        self._on_gone = on_gone

    def is_newer(self, topic: str, version: int) -> bool:
        """Whether to act on it: True for the first and every higher version. Equal ones are repetitions: False."""
        self._standing.add(topic)
        if version <= self._highest.get(topic, -1):
            return False
        self._highest[topic] = version
        return True

    def is_current(self, topic: str, version: int) -> bool:
        """Whether nothing newer than ``version`` was seen on the topic."""
        return version >= self._highest.get(topic, -1)

    def cleared(self, topic: str) -> None:
        """An empty payload came: the thing is no more. A later level of any version counts as new."""
        self._highest.pop(topic, None)
        self._standing.discard(topic)

    def begin(self) -> None:
        """A new picture begins to arrive."""
        self._standing.clear()

    def gone(self) -> list[str]:
        """Topics known from before that the complete picture does not have (then forgets them).

        Not to be taken for deleted at once: a broker that lost its store gets them again from their owners.
        """
        missing = [topic for topic in self._highest if topic not in self._standing]
        for topic in missing:
            del self._highest[topic]
            if self._on_gone is not None:
                self._on_gone(topic)
        return missing
