"""`python -m bench.bridge.load port piles`: piles that log in, then send 0x13 as told on standard input.

A line `rate seconds` sends that many frames a second, one a write, over all piles in turn; the answer is how many were
sent. With `timed` behind it each frame bears the time of its sending (ms, wall) as its energy.
"""

import asyncio
import sys
import time
from typing import cast

import uvloop

from bench.bridge.wire import KWH_AT, charging, login, pile_number
from bridge.protocols.ykc.crc import crc16

LOGINS_AT_ONCE = 200
SLICE_S = 0.005
UNSENT_BYTES = 4096


class Pile(asyncio.Protocol):
    """One connection; counts as logged in with the first answer."""

    def __init__(self, number: str) -> None:
        self._number = number
        self.answered = asyncio.get_running_loop().create_future()
        self.frame = bytearray(charging(number))
        self.flows = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(high=UNSENT_BYTES)
        self.transport.write(login(self._number))

    def data_received(self, data: bytes) -> None:
        if not self.answered.done():
            self.answered.set_result(data)

    def pause_writing(self) -> None:
        self.flows = False

    def resume_writing(self) -> None:
        self.flows = True

    def send(self, ms: int) -> bool:
        """One frame with this time (0: as it is), if the peer reads."""
        if not self.flows:
            return False
        frame = self.frame
        if not ms:
            self.transport.write(frame)
            return True
        frame[KWH_AT : KWH_AT + 4] = ms.to_bytes(4, "little")
        crc = crc16(bytes(frame[2:-2]))
        frame[-2], frame[-1] = crc & 0xFF, crc >> 8
        self.transport.write(bytes(frame))
        return True


async def connect(port: int, count: int) -> list[Pile]:
    """All piles, logged in."""
    loop = asyncio.get_running_loop()
    room = asyncio.Semaphore(LOGINS_AT_ONCE)

    async def one(n: int) -> Pile:
        async with room:
            _, pile = await loop.create_connection(lambda: Pile(pile_number(n)), "127.0.0.1", port)
            await pile.answered
            return pile

    return list(await asyncio.gather(*(one(n) for n in range(count))))


async def send(piles: list[Pile], rate: int, seconds: float, *, timed: bool) -> int:
    """Frames sent, in even slices; a pile whose peer does not read is passed over."""
    start = time.monotonic()
    sent, turn = 0, 0
    while (passed := time.monotonic() - start) < seconds:
        due = int(passed * rate) - sent
        ms = int(time.time() * 1000) & 0x7FFFFFFF if timed else 0
        tries = 0
        while due > 0 and tries < len(piles):
            sent_one = piles[turn].send(ms)
            turn = (turn + 1) % len(piles)
            tries = 0 if sent_one else tries + 1
            if sent_one:
                sent, due = sent + 1, due - 1
        await asyncio.sleep(SLICE_S)
    return sent


async def main(port: int, count: int) -> None:
    began = time.monotonic()
    piles = await connect(port, count)
    sys.stdout.write(f"{time.monotonic() - began:.2f}\n")
    sys.stdout.flush()
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        rate, seconds, *timed = line.split()
        sys.stdout.write(f"{await send(piles, int(rate), float(seconds), timed=bool(timed))}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2])))
