"""A simulated pile on a real TCP connection, with back-off; tests can watch and lead it."""

import asyncio
from random import Random

from bridge.protocols.ykc.messages import LoginAnswer
from bridge.simulator.actions import Action, HangUp, Sent
from bridge.simulator.counts import Counts
from bridge.simulator.gun import Car
from bridge.simulator.journal import Direction, Journal
from bridge.simulator.line import Line
from bridge.simulator.memory import MemoryFile, PileMemory
from bridge.simulator.options import Card, PileOptions
from bridge.simulator.pile import Pile
from bridge.simulator.troubles import Trouble, Troubles
from bridge.simulator.wheel import Wheel
from bridge.simulator.wire import Wire
from evcs.runtime.clock import Clock, SystemClock
from evcs.runtime.log import get_logger

log = get_logger()

GHOST_S = 600.0
"""How long a connection that was given up without a word stays open behind the pile's back."""


class SimulatedPile(Journal):
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
        wheel: Wheel | None = None,
        counts: Counts | None = None,
    ) -> None:
        """`wheel` and `counts` are shared by the piles of a fleet."""
        self.host, self.port, self.number = host, port, number
        self.options = options or PileOptions()
        self.troubles = troubles or Troubles()
        self.clock: Clock = clock or SystemClock()
        self._file = memory_file
        if memory is None and memory_file is not None:
            memory = memory_file.load()
        super().__init__(Pile(number, guns, seed, self.options, memory=memory, troubles=self.troubles), keep)
        self.connections = 0
        self.wants_link = asyncio.Event()
        """Cleared while the link is held down by `drop_link(hold=True)`."""
        self.wants_link.set()
        self._wheel = wheel or Wheel()
        self._wake_up = self._tick
        self._counts = counts or Counts()
        self._dice = Random(f"{seed}/{number}/link")
        self._line = Line(self._put, self.troubles, self._dice)
        self._wire: Wire | None = None
        self._ghosts: set[asyncio.Transport] = set()
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
                wire = Wire(self, loop.create_future())
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
            self._wheel.cancel(self._wake_up)
            for ghost in tuple(self._ghosts):
                ghost.abort()
            if self._transport is not None:
                self._transport.abort()

    @property
    def is_online(self) -> bool:
        """Whether the platform has accepted the login of the present connection."""
        return self.pile.logged_in

    @property
    def _transport(self) -> asyncio.Transport | None:
        return self._wire.transport if self._wire is not None else None

    def opened(self, wire: "Wire") -> None:
        """The wire is up."""
        self._wire = wire
        self.connections += 1
        self._counts.connections += 1
        self._do(self.pile.connected(self._now_ms()))

    def arrived(self, data: bytes) -> None:
        """Bytes on the wire."""
        self._do(self.pile.received(data, self._now_ms()))

    def closed(self) -> None:
        """The wire is down."""
        self._wire = None
        self._line.forget()
        if self._is_on:
            self._do(self.pile.lost(self._now_ms()))

    def _now_ms(self) -> int:
        """The pile's own running clock: right at boot, then moved by 0x56 alone; a jump of ours charges no car."""
        return self._boot_ms + round((self.clock.monotonic() - self._boot_s) * 1000)

    def _wake(self) -> None:
        """Set the alarm for what the pile wants next."""
        now_ms = self._now_ms()
        self._wheel.set(self._wake_up, (self.pile.due_ms(now_ms) - now_ms) / 1000)

    def _tick(self) -> None:
        self._do(self.pile.tick(self._now_ms()))

    def _do(self, actions: list[Action]) -> None:
        """Carry out; what was said together leaves together, as a known pile sends 0x33, 0x15, 0x17, 0x13 in a row."""
        together: list[bytes] = []
        for action in actions:
            if isinstance(action, HangUp):
                self._flush(together)
                self._hang_up(action)
                continue
            direction: Direction = "sent" if isinstance(action, Sent) else "received"
            if isinstance(action, Sent):
                if self._wire is None:
                    continue
                together.append(action.raw)
                self._counts.sent += 1
            else:
                self._counts.received += 1
                if isinstance(action.message, LoginAnswer) and self.pile.logged_in:
                    self._logins += 1
                    self._counts.logins += 1
            self.note(self.clock.now_ms(), self.connections, direction, action.message, action.raw)
        self._flush(together)
        if actions:
            self._keep_memory()
            self.look()
        self._wake()

    def _flush(self, together: list[bytes]) -> None:
        if together:
            self._line.write(b"".join(together))
            together.clear()

    def _put(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def _hang_up(self, action: HangUp) -> None:
        log.warning("pile_hangs_up", pile=self.number, why=action.why)
        self._hang_up_wait_s = action.wait_s
        wire = self._wire
        if wire is None:
            return
        if not action.silent:
            wire.transport.abort()
            return
        # Mast or mains failed: the connection stays open, and nobody sits behind it any more.
        ghost = wire.transport
        ghost.pause_reading()
        self._ghosts.add(ghost)
        asyncio.get_running_loop().call_later(GHOST_S, ghost.abort)
        wire.abandon(lambda: self._ghosts.discard(ghost))
        self.closed()

    def _keep_memory(self) -> None:
        if self._file is not None:
            self._file.save(self.pile.memory(self._now_ms()))

    # — leading —————————————————————————————————————————————————————————————————————————————————————

    def plug(self, gun: int = 1, *, need_kwh: float | None = None, car: Car | None = None) -> None:
        """Plug a car in: one that lacks `need_kwh`, or this one, or one by the options."""
        self._do(self.pile.plug(gun, self._now_ms(), need_kwh=need_kwh, car=car))

    def unplug(self, gun: int = 1) -> None:
        """Pull the plug; a running session ends (0x6B)."""
        self._do(self.pile.unplug(gun, self._now_ms()))

    def swipe(self, card: Card, *guns: int) -> None:
        """Hold a card to the reader: for gun 1, for the gun given, or for two guns on one car."""
        self._do(self.pile.swipe(guns or (1,), card, self._now_ms()))

    def ask_by_vin(self, gun: int = 1) -> None:
        """The car asks for its start by itself."""
        self._do(self.pile.swipe((gun,), None, self._now_ms()))

    def befall(self, trouble: Trouble, gun: int = 1) -> None:
        """One of the troubles of a charge (`troubles.MID_CHARGE`), now."""
        self._do(self.pile.befall(trouble, gun, self._now_ms()))

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
