"""The piles' port under load: who floods, does not read or comes in crowds disturbs nobody; back-pressure."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bridge.actions import CloseReason
from bridge.pile import Pile
from bridge.protocols.ykc.protocol import Ykc
from bridge.protocols.ykc.translate import YkcDialect
from bridge.server import Limits, Listener
from evcs.contracts.topics import PILE_STATUS, RECORD
from evcs.runtime.clock import SystemClock
from tests.bridge.kit import PILE, SERIAL, Desk, charging, heartbeat, leaf_of, login, pile_config, record

OTHER = "55031412000002"
ROOMY = Limits(connections=100, before_login_per_address=100)


class Port:
    """A listener over a desk's fleet."""

    def __init__(self, desk: Desk, limits: Limits) -> None:
        self.desk = desk
        self.listener = Listener(desk.fleet, desk, YkcDialect(), SystemClock(), limits)

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.listener.port)

    async def pile(self, number: str = PILE) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection that has logged in; what it was told at once is read."""
        reader, writer = await self.connect()
        writer.write(Ykc().encode(login(number), 0))
        await reader.readexactly(16 + 22 + 16 + 16)
        return reader, writer


@asynccontextmanager
async def port(limits: Limits = ROOMY) -> AsyncIterator[Port]:
    desk = Desk()
    desk.fleet.configured(pile_config(OTHER), desk.now)
    made = Port(desk, limits)
    await made.listener.open("127.0.0.1", 0)
    try:
        yield made
    finally:
        made.listener.close()


async def ended(reader: asyncio.StreamReader, within_s: float = 5) -> bool:
    async with asyncio.timeout(within_s):
        try:
            while await reader.read(65536):
                pass
        except ConnectionError:
            pass
    return True


async def answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: str = PILE) -> None:
    """A heartbeat is answered at once."""
    writer.write(Ykc().encode(heartbeat(number), 9))
    async with asyncio.timeout(1):
        frame = await reader.readexactly(17)
    assert frame[5] == 0x04


async def test_frames_cut_and_joined_by_tcp_are_the_same_frames() -> None:
    async with port() as at:
        reader, writer = await at.connect()
        stream = Ykc().encode(login(), 0) + Ykc().encode(heartbeat(), 1) * 3
        for byte in stream:
            writer.write(bytes((byte,)))
            await writer.drain()
            await asyncio.sleep(0)
        async with asyncio.timeout(5):
            await reader.readexactly(16 + 22 + 16 + 16 + 3 * 17)


async def test_one_that_floods_is_read_at_its_rate_and_delays_nobody() -> None:
    async with port(Limits(100, 100, rate_bytes_s=2000, burst_bytes=4000)) as at:
        calm = await at.pile(OTHER)
        _, flooding = await at.pile(PILE)
        flooding.write(Ykc().encode(heartbeat(), 1) * 20_000)
        for _ in range(5):
            await answered(*calm, OTHER)
        assert at.desk.tally.frames_in[0x03] < 1000


async def test_one_that_does_not_read_is_cut_off() -> None:
    limits = Limits(100, 100, rate_bytes_s=10**9, burst_bytes=10**9, unsent_bytes=8192)
    async with port(limits) as at:
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        raw.setblocking(False)
        await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", at.listener.port))
        calm = await at.pile(OTHER)
        frames = Ykc().encode(login(), 0) + Ykc().encode(heartbeat(), 1) * 40_000
        with pytest.raises(ConnectionError):
            await asyncio.wait_for(asyncio.get_running_loop().sock_sendall(raw, frames * 20), 20)
        raw.close()
        assert at.desk.tally.closed[CloseReason.SLOW_READER] == 1
        await answered(*calm, OTHER)
        assert not at.desk.last(PILE_STATUS).online


async def test_a_crowd_that_does_not_log_in_is_bounded_per_address() -> None:
    async with port(Limits(100, 3)) as at:
        logged_in = await at.pile()
        waiting = [await at.connect() for _ in range(3)]
        extra, _ = await at.connect()
        assert await ended(extra)
        assert at.desk.tally.closed[CloseReason.TOO_MANY_FROM_ADDRESS] == 1
        await answered(*logged_in)
        waiting[0][1].close()
        await ended(waiting[0][0])
        await at.pile(OTHER)  # there is room again


async def test_connections_are_bounded_in_total() -> None:
    async with port(Limits(2, 100)) as at:
        logged_in = await at.pile()
        await at.connect()
        extra, _ = await at.connect()
        assert await ended(extra)
        await answered(*logged_in)


async def test_bytes_without_a_login_are_bounded() -> None:
    async with port() as at:
        reader, writer = await at.connect()
        writer.write(b"\x00" * 3000)
        assert await ended(reader)
        assert at.desk.tally.closed[CloseReason.NOT_A_LOGIN] == 1


async def test_a_held_port_reads_nothing_and_goes_on_where_it_was() -> None:
    async with port() as at:
        reader, writer = await at.pile()
        at.listener.hold()
        writer.write(Ykc().encode(record(), 1) + Ykc().encode(heartbeat(), 2))
        late = await at.connect()
        late[1].write(Ykc().encode(login(OTHER), 0))
        await asyncio.sleep(0.3)
        assert at.desk.of(RECORD) == []
        assert OTHER not in at.desk.fleet.holders
        at.listener.release()
        async with asyncio.timeout(2):
            assert (await reader.readexactly(17))[5] == 0x04
            assert (await late[0].readexactly(16))[5] == 0x02
        assert [bill.serial for bill in at.desk.of(RECORD)] == [SERIAL]


async def test_a_mistake_of_ours_costs_one_pile_its_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    async with port() as at:
        reader, writer = await at.pile()
        other = await at.pile(OTHER)

        heard = Pile.heard

        def fail(pile: Pile, *said: Any) -> Any:
            if pile.number == PILE:
                raise RuntimeError("a mistake")
            return heard(pile, *said)

        monkeypatch.setattr(Pile, "heard", fail)
        writer.write(Ykc().encode(heartbeat(), 1))
        assert await ended(reader)
        assert at.desk.tally.closed[CloseReason.FAILED] == 1
        assert not at.desk.last(PILE_STATUS).online
        await answered(*other, OTHER)


async def test_closing_says_every_pile_offline() -> None:
    async with port() as at:
        reader, _ = await at.pile()
        at.listener.close()
        assert await ended(reader)
        last: dict[str, bool] = {}
        for status in at.desk.of(PILE_STATUS):
            last[status.pile] = status.online
        assert last == {PILE: False}


def test_only_telemetry_may_be_dropped() -> None:
    desk = Desk()
    desk.log_in()
    desk.wire.say(charging())
    desk.wire.say(record())
    desk.wire.cut()
    assert {leaf_of(message.topic) for message in desk.published if message.droppable} == {"telemetry"}
    assert {"record", "meter", "gun_state"} <= {leaf_of(message.topic) for message in desk.published}
