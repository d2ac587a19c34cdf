"""The listener for piles: one protocol object per connection, its limits, its ticks; the only pile sockets."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from socket import SO_SNDBUF, SOL_SOCKET
from typing import cast

from bridge.actions import Action, Close, CloseReason, Note, Publish, Send, Took
from bridge.dialect import Dialect
from bridge.fleet import Fleet, Outlet, tell
from bridge.link import Link
from bridge.moment import Moment
from evcs.runtime.clock import Clock
from evcs.runtime.log import get_logger

log = get_logger()

BUFFER_BYTES = 8192
"""Read at once, into one buffer for all connections: what was read is cut into frames before the next read."""
BEFORE_LOGIN_BYTES = 2048
"""A login has 38 bytes."""
CLOSE_WITHIN_S = 5.0
TICK_S = 0.25


@dataclass(frozen=True, slots=True)
class Limits:
    """How many connections are let in, and how much one of them may take and leave."""

    connections: int
    before_login_per_address: int
    rate_bytes_s: int = 16 * 1024
    """A charging pile with two guns sends about 20 bytes a second; beyond this one it is read more slowly."""
    burst_bytes: int = 64 * 1024
    """Records that a pile kept while it was offline come in a burst."""
    unsent_bytes: int = 64 * 1024
    """In the bridge, and as much in the kernel. One that does not read is cut off."""


class PileConnection(asyncio.BufferedProtocol):
    """One pile's socket: bytes to its link, the link's actions to socket, broker and fleet."""

    link: Link

    def __init__(self, listener: "Listener") -> None:
        self._listener = listener
        self._transport: asyncio.Transport | None = None
        self._address = ""
        self._why: CloseReason | None = None
        self._held: set[str] = set()
        self._limits = listener.limits
        self._tokens = float(self._limits.burst_bytes)
        self._filled_at = 0.0
        self._unlogged_bytes = 0

    # --- asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = self._transport.get_extra_info("peername")
        self._address = str(peer[0]) if peer else ""
        now = self._listener.now()
        self._filled_at = now.mono
        self._transport.set_write_buffer_limits(high=self._limits.unsent_bytes)
        self._transport.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_SNDBUF, self._limits.unsent_bytes)
        self.link = self._listener.link(self._address, now)
        refused = self._listener.enter(self)
        if refused is not None:
            self.end(refused)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._listener.buffer

    def buffer_updated(self, nbytes: int) -> None:
        if self._why is not None:
            return
        now = self._listener.now()
        data = bytes(self._listener.buffer[:nbytes])
        was_logged_in = self.link.is_logged_in
        try:
            actions = self.link.received(data, now)
        except Exception:
            # A mistake of ours, met by one pile's bytes: it costs that pile its connection and nobody else anything.
            log.exception("link_failed", address=self._address, last=str(self.link.trace))
            self.end(CloseReason.FAILED)
            return
        self.act(actions)
        if self._why is not None:
            return
        if not was_logged_in and not self.link.is_logged_in:
            self._unlogged_bytes += nbytes
            if self._unlogged_bytes > BEFORE_LOGIN_BYTES:
                self.end(CloseReason.NOT_A_LOGIN)
                return
        self._spend(nbytes, now)

    def eof_received(self) -> None:
        """A pile that closes its side is gone."""

    def pause_writing(self) -> None:
        self.end(CloseReason.SLOW_READER)

    def connection_lost(self, exc: Exception | None) -> None:
        now = self._listener.now()
        why = str(self._why or CloseReason.PEER)
        if self.link.is_logged_in:
            log.info("connection_lost", address=self._address, why=why, last=str(self.link.trace))
        self._listener.fleet.gone(self, why, now)
        self._listener.leave(self)

    # --- what the fleet and the listener do with it

    @property
    def address(self) -> str:
        return self._address

    def act(self, actions: Iterable[Action]) -> None:
        """Carry out what the link or its pile wants done, in order; frames of one turn go out in one write."""
        frames: list[bytes] = []
        close: CloseReason | None = None
        for action in actions:
            match action:
                case Publish():
                    self._listener.outlet.send(action)
                case Send(frame):
                    frames.append(frame)
                case Took(pile):
                    self._listener.logged_in(self)
                    self._listener.fleet.took(pile, self)
                case Note():
                    tell(action)
                case Close(reason):
                    close = reason
        if frames and self._transport is not None and self._why is None:
            self._transport.write(b"".join(frames))
        if close is not None:
            self.end(close)

    def end(self, reason: CloseReason) -> None:
        """Close it: what was written before still goes out, unless nobody reads it."""
        if self._why is not None or self._transport is None:
            return
        self._why = reason
        self._listener.fleet.tally.closed[str(reason)] += 1
        log.debug("connection_closed", address=self._address, reason=str(reason), last=str(self.link.trace))
        if reason in (CloseReason.SLOW_READER, CloseReason.TOO_MANY, CloseReason.TOO_MANY_FROM_ADDRESS):
            self._transport.abort()
            return
        self._transport.close()
        asyncio.get_running_loop().call_later(CLOSE_WITHIN_S, self._transport.abort)

    def tick(self, now: Moment) -> None:
        """Let time pass for the link, where something is due."""
        if "outlet" in self._held:
            self.link.paused(now)
        if now.mono >= self.link.due:
            try:
                self.act(self.link.tick(now))
            except Exception:
                log.exception("link_failed", address=self._address, last=str(self.link.trace))
                self.end(CloseReason.FAILED)

    def hold(self, why: str) -> None:
        """Read nothing more; the pile's TCP makes it wait."""
        if self._transport is not None and not self._held and self._why is None:
            self._transport.pause_reading()
        self._held.add(why)

    def release(self, why: str) -> None:
        """Read on, unless something else still holds it."""
        self._held.discard(why)
        if self._transport is not None and not self._held and self._why is None:
            self._transport.resume_reading()

    def _spend(self, nbytes: int, now: Moment) -> None:
        """A bucket of bytes for each connection: one that floods is read at its rate and delays nobody."""
        rate, burst = self._limits.rate_bytes_s, self._limits.burst_bytes
        self._tokens = min(burst, self._tokens + (now.mono - self._filled_at) * rate) - nbytes
        self._filled_at = now.mono
        if self._tokens < 0:
            self.hold("rate")
            asyncio.get_running_loop().call_later(-self._tokens / rate, self.release, "rate")


class Listener:
    """Takes connections, and lets time pass for all of them."""

    def __init__(self, fleet: Fleet, outlet: Outlet, dialect: Dialect, clock: Clock, limits: Limits) -> None:
        self.fleet = fleet
        self.outlet = outlet
        self.buffer = memoryview(bytearray(BUFFER_BYTES))
        self._dialect = dialect
        self._clock = clock
        self.limits = limits
        self._connections: set[PileConnection] = set()
        self._unlogged: Counter[str] = Counter()
        self._is_unlogged: set[PileConnection] = set()
        self._server: asyncio.Server | None = None
        self._ticks: asyncio.TimerHandle | None = None
        self._is_held = False

    def __len__(self) -> int:
        return len(self._connections)

    def now(self) -> Moment:
        return Moment(self._clock.now_ms(), self._clock.monotonic())

    @property
    def port(self) -> int:
        """The port really taken."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def is_held(self) -> bool:
        return self._is_held

    async def open(self, host: str, port: int) -> None:
        """Take connections from now on; OSError where the port is not free."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: PileConnection(self), host, port, backlog=4096)
        self._ticks = loop.call_later(TICK_S, self._tick)
        log.info("piles_listening", address=f"{host}:{self.port}")

    def close(self) -> None:
        """Take no more, and end all: every pile is said to be offline."""
        if self._server is not None:
            self._server.close()
        if self._ticks is not None:
            self._ticks.cancel()
        now = self.now()
        for connection in list(self._connections):
            connection.act(connection.link.lost(str(CloseReason.SHUTDOWN), now))
            connection.end(CloseReason.SHUTDOWN)

    def hold(self) -> None:
        """Read from nobody: too much waits for the broker."""
        self._is_held = True
        for connection in self._connections:
            connection.hold("outlet")

    def release(self) -> None:
        """Read on."""
        self._is_held = False
        now = self.now()
        for connection in self._connections:
            connection.link.paused(now)
            connection.release("outlet")

    def link(self, address: str, now: Moment) -> Link:
        return Link(self._dialect, self.fleet.gate, address, self.fleet.tally, now)

    def enter(self, connection: PileConnection) -> CloseReason | None:
        """Let a connection in, or say why not."""
        self._connections.add(connection)
        self._unlogged[connection.address] += 1
        self._is_unlogged.add(connection)
        if len(self._connections) > self.limits.connections:
            return CloseReason.TOO_MANY
        if self._unlogged[connection.address] > self.limits.before_login_per_address:
            return CloseReason.TOO_MANY_FROM_ADDRESS
        if self._is_held:
            connection.hold("outlet")
        return None

    def logged_in(self, connection: PileConnection) -> None:
        if connection in self._is_unlogged:
            self._is_unlogged.discard(connection)
            self._unlogged[connection.address] -= 1
            if not self._unlogged[connection.address]:
                del self._unlogged[connection.address]

    def leave(self, connection: PileConnection) -> None:
        self.logged_in(connection)
        self._connections.discard(connection)

    def _tick(self) -> None:
        self._ticks = asyncio.get_running_loop().call_later(TICK_S, self._tick)
        now = self.now()
        for connection in list(self._connections):
            connection.tick(now)
        self.fleet.tick(now)
