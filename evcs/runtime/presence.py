"""Who is there: a service's own retained level, and the attendance of those whom it publishes for."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from evcs.contracts.bridge import Answered, ServiceStatus
from evcs.contracts.envelope import encode
from evcs.contracts.topics import SERVICE
from evcs.runtime.clock import Clock
from evcs.runtime.log import get_logger
from evcs.runtime.mqtt.levels import F, Publisher, Versions
from evcs.runtime.mqtt.messages import Will
from evcs.runtime.mqtt.sessions import AsyncSession

log = get_logger()

WAIT_AT_MOST_S = 60.0
REPEATED_AFTER_S = (2.0, 10.0, 30.0)
STEPS_OF_A_CONNECTION = 1000
"""Versions reserved at each connection for its ready level and later changes of it: its will lies just above."""


class Presence:
    """This service's ``service/…`` level: ready once its subscriptions are granted, offline by its will.

    Pass ``will`` to the work session; ``announce`` in its ``on_connected``, and ``repeatedly`` ``repeat`` there.
    """

    def __init__(self, clock: Clock, name: str, instance: str, software: str = "") -> None:
        self.name = name
        self.instance = instance
        self.topic = SERVICE.at(name=name, instance=instance)
        self.since_ms = clock.now_ms()
        self._software = software
        self._clock = clock
        self._versions = Versions(clock)
        self._version = 0
        self._answered: tuple[Answered, ...] = ()

    def will(self) -> Will:
        """The level of a connection that was lost; asked anew at each connection."""
        self._version = self._versions.next(self.topic)
        above = self._version + STEPS_OF_A_CONNECTION
        self._versions.seen(self.topic, above)
        return Will(self.topic, self._level(above, ready=False))

    def announce(self, session: Publisher[F]) -> F:
        """Publish the ready level (also when something in it has changed)."""
        self._version += 1
        return session.publish(self.topic, self._level(self._version, ready=True), retain=True)

    def repeat(self, session: Publisher[F]) -> F:
        """Publish what was announced last once more, unchanged (see ``repeatedly``)."""
        return session.publish(self.topic, self._level(self._version, ready=True), retain=True)

    def renew(self) -> None:
        """Count as just started (after a stalled loop, or a takeover): announce it afterwards."""
        self.since_ms = max(self._clock.now_ms(), self.since_ms + 1)

    def is_outbid(self, standing: ServiceStatus) -> bool:
        """Whether an earlier run's level stands above ours: readers then heed neither our level nor our will.

        Leave the broker where it is so: only a new connection has a will, and so a level, above that.
        """
        self._versions.seen(self.topic, standing.version)
        return standing.since_ms != self.since_ms and standing.version > self._version

    def answer(self, answered: tuple[Answered, ...]) -> None:
        """The worker's word on whom it has answered; announce it afterwards."""
        self._answered = answered

    def _level(self, version: int, ready: bool) -> bytes:
        return encode(
            ServiceStatus(
                version=version,
                name=self.name,
                instance=self.instance,
                ready=ready,
                since_ms=self.since_ms,
                software=self._software,
                answered=self._answered,
            )
        )


async def repeatedly(repeat: Callable[[], object]) -> None:
    """Repeat a level some times in its connection's first minute (as ``on_connected``; the next loss ends it).

    A reader that subscribed at the very moment may have missed it, or be given its predecessor for two minutes
    (NATS, see mqtt/picture.py): a bridge holds records back until it knows its readers.
    """
    waited_s = 0.0
    for after_s in REPEATED_AFTER_S:
        await asyncio.sleep(after_s - waited_s)
        waited_s = after_s
        repeat()


class Attendance:
    """Which services are ready, from their levels as a view brings them; complete once every shard is there.

    Feed ``take`` from the view's handler of ``SERVICE.everywhere`` and ``begin`` from its ``on_disconnected``.
    """

    def __init__(self, needed: Sequence[str]) -> None:
        """``needed``: names of services of which at least one must be ready, and all n of m where they are sharded."""
        self._needed = tuple(needed)
        self._levels: dict[tuple[str, str], ServiceStatus] = {}
        self._changed = asyncio.Event()

    def take(self, status: ServiceStatus) -> None:
        held = self._levels.get((status.name, status.instance))
        if held is None or status.version >= held.version:
            self._levels[status.name, status.instance] = status
            self._changed.set()

    def begin(self) -> None:
        """A new picture comes: what is known says nothing about a broker that may have lost its store."""
        self._levels.clear()

    def missing(self) -> list[str]:
        """Who is not there, for a person."""
        return [name for name in self._needed if not self._is_there(name)]

    def _is_there(self, name: str) -> bool:
        ready = [level.instance for level in self._levels.values() if level.name == name and level.ready]
        sharded = {instance for instance in ready if "-of-" in instance}
        if not sharded:
            return bool(ready)
        most = max((int(instance.rpartition("-of-")[2]) for instance in sharded), default=1)
        return all(f"{n}-of-{most}" in sharded for n in range(1, most + 1))

    async def complete(self, within_s: float = WAIT_AT_MOST_S) -> bool:
        """Wait for everybody; False, with a warning, when somebody is still missing."""
        missing = self.missing()
        if not missing:
            return True
        log.info("readers_awaited", missing=missing, within_s=within_s)
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(within_s):
                while self.missing():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            log.warning("readers_missing", missing=self.missing(), waited_s=within_s)
            return False
        log.info("readers_there", waited_s=round(loop.time() - began, 3))
        return True

    def gate(self, view: AsyncSession, within_s: float = WAIT_AT_MOST_S) -> Callable[[], Awaitable[None]]:
        """A session's ``gate``: a window is sent on once its readers' sessions exist (again)."""

        async def wait() -> None:
            try:
                async with asyncio.timeout(within_s):
                    await view.confirm()
                    await self.complete(within_s)
            except TimeoutError:
                log.warning("readers_unknown", waited_s=within_s)

        return wait
