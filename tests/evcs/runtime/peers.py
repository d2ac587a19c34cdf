"""Sessions of both kinds behind one interface for tests, and an inbox whose contents can be awaited."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from evcs.runtime.clock import SystemClock
from evcs.runtime.mqtt import AsyncSession, Delivery, Handler, SyncSession, Will
from evcs.runtime.settings import ServiceSettings

WITHIN_S = 15.0


def settings_for(port: int, keepalive: int = 10, password: str | None = None) -> ServiceSettings:
    user = None if password is None else "service"
    return ServiceSettings(
        mqtt_port=port, mqtt_reconnect_s=0.1, mqtt_keepalive=keepalive, mqtt_username=user, mqtt_password=password
    )


class Inbox:
    """Collects deliveries; acknowledges them at once, or holds them."""

    def __init__(self, acknowledges: bool = True) -> None:
        self.acknowledges = acknowledges
        self.deliveries: list[Delivery] = []
        self._changed = asyncio.Event()

    def __call__(self, delivery: Delivery) -> None:
        self.deliveries.append(delivery)
        if self.acknowledges:
            delivery.ack()
        self._changed.set()

    @property
    def payloads(self) -> list[bytes]:
        return [delivery.payload for delivery in self.deliveries]

    async def until(self, claim: Callable[[], bool], within_s: float = WITHIN_S) -> None:
        """Wait until the claim holds; it is tried at each delivery."""
        try:
            async with asyncio.timeout(within_s):
                while not claim():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"not so after {within_s} s; {len(self.deliveries)} deliveries") from None

    async def has(self, wanted: set[bytes], within_s: float = WITHIN_S) -> None:
        """Wait until every wanted payload has come."""
        missing = set(wanted)
        seen = 0

        def all_here() -> bool:
            nonlocal seen
            missing.difference_update(delivery.payload for delivery in self.deliveries[seen:])
            seen = len(self.deliveries)
            return not missing

        try:
            await self.until(all_here, within_s)
        except AssertionError as error:
            raise AssertionError(f"{len(missing)} missing, for instance {sorted(missing)[:5]}; {error}") from None


class Peer:
    """A session of one kind as a test sees it."""

    def __init__(self, session: AsyncSession | SyncSession) -> None:
        self.session = session
        self._loop = asyncio.get_running_loop()
        self._ups = 0
        self._up = asyncio.Event()
        self._handlers: list[tuple[list[str], Handler]] = []
        self._ended = threading.Event()
        self._taker: threading.Thread | None = None
        session.on_connected(self._connected)

    def _connected(self) -> None:
        self._loop.call_soon_threadsafe(self._count)

    def _count(self) -> None:
        self._ups += 1
        self._up.set()

    async def connections(self, number: int, within_s: float = WITHIN_S) -> None:
        """Wait until it has been connected so many times."""
        async with asyncio.timeout(within_s):
            while self._ups < number:
                self._up.clear()
                await self._up.wait()

    def subscribe(self, filter: str, handler: Handler, qos: int = 1) -> None:
        if isinstance(self.session, AsyncSession):
            self.session.subscribe(filter, qos, handler)
        else:
            self.session.subscribe(filter, qos)
            self._handlers.append((filter.split("/"), handler))

    async def start(self) -> None:
        if isinstance(self.session, AsyncSession):
            await self.session.start()
            return
        await asyncio.to_thread(self.session.start)
        if self._handlers:
            self._taker = threading.Thread(target=self._take, args=(self.session,), daemon=True)
            self._taker.start()

    def _take(self, session: SyncSession) -> None:
        from evcs.runtime.mqtt import matches

        while not self._ended.is_set():
            for delivery in session.take(200, 1.0):
                handler = next(h for pattern, h in self._handlers if matches(pattern, delivery.topic.split("/")))
                self._loop.call_soon_threadsafe(handler, delivery)

    def publish(self, topic: str, payload: bytes, **how: Any) -> Awaitable[None]:
        if isinstance(self.session, AsyncSession):
            return self.session.publish(topic, payload, **how)
        return asyncio.wrap_future(self.session.publish(topic, payload, **how))

    async def room(self) -> None:
        if isinstance(self.session, AsyncSession):
            await self.session.room()
        else:
            await asyncio.to_thread(self.session.room, WITHIN_S)

    async def leave(self, backoff_s: float) -> None:
        if isinstance(self.session, AsyncSession):
            await self.session.leave(backoff_s)
        else:
            await asyncio.to_thread(self.session.leave, backoff_s)

    async def stop(self, drain_within_s: float = 0.0) -> None:
        self._ended.set()
        if isinstance(self.session, AsyncSession):
            await self.session.stop(drain_within_s)
        else:
            await asyncio.to_thread(self.session.stop, drain_within_s)
            if self._taker is not None:
                await asyncio.to_thread(self._taker.join)


class Peers:
    """Makes sessions of one kind."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._made: list[Peer] = []

    def make(
        self,
        port: int,
        client_id: str,
        *,
        clean: bool = False,
        keepalive: int = 10,
        password: str | None = None,
        will: Will | None = None,
        **how: Any,
    ) -> Peer:
        make = AsyncSession if self.kind == "async" else SyncSession
        settings = settings_for(port, keepalive, password)
        session = make(settings, SystemClock(), client_id=client_id, clean=clean, will=will, **how)
        self._made.append(Peer(session))
        return self._made[-1]

    async def consumer(self, port: int, client_id: str, filter: str, inbox: Inbox) -> Peer:
        """A persistent session that hands what comes under ``filter`` to the inbox; started."""
        peer = self.make(port, client_id)
        peer.subscribe(filter, inbox)
        await peer.start()
        return peer

    async def publisher(self, port: int, client_id: str = "publisher", **how: Any) -> Peer:
        peer = self.make(port, client_id, **how)
        await peer.start()
        return peer

    async def stop(self) -> None:
        for peer in self._made:
            await peer.stop()
