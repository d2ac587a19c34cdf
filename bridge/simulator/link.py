"""A simulated pile on a real TCP connection, with back-off; tests can watch and lead it."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal, TypeVar, cast

from bridge.protocols.base import UnknownFrame
from bridge.protocols.ykc.messages import LoginAnswer, YkcMessage
from bridge.simulator.actions import Action, HangUp, Sent
from bridge.simulator.gun import Car
from bridge.simulator.memory import MemoryFile, PileMemory
from bridge.simulator.options import PileOptions, Troubles
from bridge.simulator.pile import Pile
from evcs.runtime.clock import Clock, SystemClock
from evcs.runtime.log import get_logger

log = get_logger()

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


class SimulatedPile:
    """One pile over TCP. `await pile.run()` until cancelled; everything else may be called from the same loop.

    What it sent and received stands in `frames` (the last `keep`); `await pile.sent(TransactionRecord)` and
    `await pile.received(RemoteStart)` return the first such frame from `since` on, waiting for it if needed.
    """

    def __init__(
        self,
        host: str,
        port: int,
        number: str,
        guns: int = 1,
        seed: int = 0,
        *,
        options: PileOptions | None = None,
        troubles: Troubles | None = None,
        clock: Clock | None = None,
        memory: PileMemory | None = None,
        memory_file: MemoryFile | None = None,
        keep: int = 10_000,
    ) -> None:
        self.host, self.port, self.number = host, port, number
        self.options = options or PileOptions()
        self.troubles = troubles or Troubles()
        self.clock: Clock = clock or SystemClock()
        self._file = memory_file
        if memory is None and memory_file is not None:
            memory = memory_file.load()
        self.pile = Pile(number, guns, seed, self.options, memory=memory, troubles=self.troubles)
        self.frames: deque[Logged] = deque(maxlen=keep)
        self.counted = 0
        self.connections = 0
        self.wants_link = asyncio.Event()
        """Cleared while the link is held down by `drop_link(hold=True)`."""
        self.wants_link.set()
        self._dice = Random(f"{seed}/{number}/link")
        self._watchers: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._hang_up_wait_s = 0.0
        self._logins = 0
        self._is_on = False
        self._boot_ms = self.clock.now_ms()
        self._boot_s = self.clock.monotonic()

    # — running —————————————————————————————————————————————————————————————————————————————————————

    async def run(self) -> None:
        """Hold the connection for ever: connect, talk, connect again; the first wait doubles until a login works."""
        loop = asyncio.get_running_loop()
        self._is_on = True
        self.pile.begin(self._now_ms())
        self._wake()
        first_s, longest_s = self.options.reconnect_s
        wait_s = first_s
        try:
            while True:
                await self.wants_link.wait()
                wire = _Wire(self, loop.create_future())
                self._hang_up_wait_s = 0.0
                logins = self._logins
                try:
                    await loop.create_connection(wire.itself, self.host, self.port)
                except OSError:
                    pass  # nobody listens yet: the usual case while the platform starts
                else:
                    await wire.ended
                wait_s = first_s if self._logins > logins else min(wait_s * 2, longest_s)
                await asyncio.sleep(max(self._hang_up_wait_s, wait_s * self._dice.uniform(0.7, 1.0)))
        finally:
            # Power off: nothing flows and nothing is said from here, also not by the closing of the wire.
            self._keep_memory()
            self._is_on = False
            if self._timer is not None:
                self._timer.cancel()
            if self._transport is not None:
                self._transport.abort()

    @property
    def is_online(self) -> bool:
        """Whether the platform has accepted the login of the present connection."""
        return self.pile.logged_in

    def opened(self, transport: asyncio.Transport) -> None:
        """The wire is up."""
        self._transport = transport
        self.connections += 1
        self._do(self.pile.connected(self._now_ms()))

    def arrived(self, data: bytes) -> None:
        """Bytes on the wire."""
        self._do(self.pile.received(data, self._now_ms()))

    def closed(self) -> None:
        """The wire is down."""
        self._transport = None
        if self._is_on:
            self._do(self.pile.lost(self._now_ms()))

    def _now_ms(self) -> int:
        """The pile's own running clock: right at boot, then moved by 0x56 alone; a jump of ours charges no car."""
        return self._boot_ms + round((self.clock.monotonic() - self._boot_s) * 1000)

    def _wake(self) -> None:
        """Set the alarm for what the pile wants next."""
        if self._timer is not None:
            self._timer.cancel()
        now_ms = self._now_ms()
        wait_s = max(0.0, (self.pile.due_ms(now_ms) - now_ms) / 1000)
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._tick)

    def _tick(self) -> None:
        self._do(self.pile.tick(self._now_ms()))

    def _do(self, actions: list[Action]) -> None:
        for action in actions:
            if isinstance(action, HangUp):
                log.warning("pile_hangs_up", pile=self.number, why=action.why)
                self._hang_up_wait_s = action.wait_s
                if self._transport is not None:
                    self._transport.abort()
                continue
            direction: Direction = "sent" if isinstance(action, Sent) else "received"
            if isinstance(action, Sent):
                if self._transport is None:
                    continue
                self._transport.write(action.raw)
            elif isinstance(action.message, LoginAnswer) and self.pile.logged_in:
                self._logins += 1
            self.frames.append(
                Logged(self.counted, self.clock.now_ms(), self.connections, direction, action.message, action.raw)
            )
            self.counted += 1
        if actions:
            self._keep_memory()
            for holds, told in self._watchers:
                if not told.done() and holds():
                    told.set_result(None)
        self._wake()

    def _keep_memory(self) -> None:
        if self._file is not None:
            self._file.save(self.pile.memory(self._now_ms()))

    # — watching ————————————————————————————————————————————————————————————————————————————————————

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

    async def until(self, holds: Callable[["SimulatedPile"], bool], *, within_s: float = 30) -> None:
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
            raise TimeoutError(f"{self.number}: no {kind.__name__} {direction} in {within_s} s; last: {last}") from None
        message = find()
        assert message is not None
        return message

    # — leading —————————————————————————————————————————————————————————————————————————————————————

    def plug(self, gun: int = 1, *, need_kwh: float | None = None, car: Car | None = None) -> None:
        """Plug a car in: one that lacks `need_kwh`, or this one, or one by the options."""
        self._do(self.pile.plug(gun, self._now_ms(), need_kwh=need_kwh, car=car))

    def unplug(self, gun: int = 1) -> None:
        """Pull the plug; a running session ends (0x6B)."""
        self._do(self.pile.unplug(gun, self._now_ms()))

    def press_stop(self, gun: int = 1) -> None:
        """Stop at the pile (0x45)."""
        self._do(self.pile.press_stop(gun, self._now_ms()))

    def fail(self, gun: int = 1, bits: int = 0x0001) -> None:
        """Raise hardware fault bits; a running session ends (0x72)."""
        self._do(self.pile.fail(gun, bits, self._now_ms()))

    def repair(self, gun: int = 1) -> None:
        """Clear the fault."""
        self._do(self.pile.repair(gun, self._now_ms()))

    def drop_link(self, *, hold: bool = False) -> None:
        """Cut the TCP connection (reset). `hold=True`: stay away until `restore_link`."""
        if hold:
            self.wants_link.clear()
        if self._transport is not None:
            self._transport.abort()

    def restore_link(self) -> None:
        """Connect again after `drop_link(hold=True)`."""
        self.wants_link.set()

    def send_raw(self, data: bytes) -> None:
        """Write bytes of one's own: noise, damaged or foreign frames."""
        if self._transport is not None:
            self._transport.write(data)


class _Wire(asyncio.Protocol):
    """The socket's side of a pile."""

    def __init__(self, owner: SimulatedPile, ended: "asyncio.Future[None]") -> None:
        self._owner = owner
        self.ended = ended

    def itself(self) -> "_Wire":
        """The protocol factory that asyncio wants."""
        return self

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._owner.opened(cast(asyncio.Transport, transport))  # uvloop's is one without being an instance

    def data_received(self, data: bytes) -> None:
        self._owner.arrived(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._owner.closed()
        if not self.ended.done():
            self.ended.set_result(None)
