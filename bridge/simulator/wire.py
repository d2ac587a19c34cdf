"""The socket's side of a simulated pile."""

import asyncio
from collections.abc import Callable
from typing import Protocol, cast


class Owner(Protocol):
    """Whoever sits at the wire."""

    def opened(self, wire: "Wire") -> None:
        """The wire is up."""

    def arrived(self, data: bytes) -> None:
        """Bytes on the wire."""

    def closed(self) -> None:
        """The wire is down."""


class Wire(asyncio.Protocol):
    """One TCP connection; `ended` is set when the pile has done with it."""

    transport: asyncio.Transport

    def __init__(self, owner: Owner, ended: "asyncio.Future[None]") -> None:
        self._owner: Owner | None = owner
        self._gone: Callable[[], object] | None = None
        self.ended = ended

    def itself(self) -> "Wire":
        """The protocol factory that asyncio wants."""
        return self

    def abandon(self, gone: Callable[[], object]) -> None:
        """The pile knows nothing of this connection from here; `gone` is called when it is closed in the end."""
        self._owner, self._gone = None, gone
        self._end()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one without being an instance
        if self._owner is not None:
            self._owner.opened(self)

    def data_received(self, data: bytes) -> None:
        if self._owner is not None:
            self._owner.arrived(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._gone is not None:
            self._gone()
        if self._owner is not None:
            self._owner.closed()
        self._end()

    def _end(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)
