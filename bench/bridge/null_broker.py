"""`python -m bench.bridge.null_broker piles`: a broker that gives the configuration, acknowledges and forgets.

Prints its port; then, for each line on standard input, how many PUBLISH of telemetry and of anything else came so far.
"""

import asyncio
import sys
from typing import cast

import uvloop

from bench.bridge.town import retained
from bench.bridge.wire import Packets
from evcs.runtime.mqtt.packets import publish


class Peer(asyncio.Protocol):
    """One client."""

    telemetry = 0
    other = 0
    levels: tuple[tuple[bytes, bytes], ...] = ()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._packets = Packets()

    def data_received(self, data: bytes) -> None:
        out = bytearray()
        for head, body in self._packets.feed(data):
            kind = head & 0xF0
            if kind == 0x30:
                length = int.from_bytes(body[:2], "big")
                if body.endswith(b"/telemetry", 2, 2 + length):
                    Peer.telemetry += 1
                else:
                    Peer.other += 1
                if head & 0x06:
                    out += b"\x40\x02" + body[2 + length : 4 + length]
            elif kind == 0x10:
                out += b"\x20\x02\x00\x00"
            elif kind == 0x80:
                out += self._granted(body)
            elif kind == 0xC0:
                out += b"\xd0\x00"
            elif kind == 0xE0:
                self._transport.close()
        if out:
            self._transport.write(bytes(out))

    def _granted(self, body: bytes) -> bytes:
        at, codes, wanted = 2, bytearray(), []
        while at < len(body):
            length = int.from_bytes(body[at : at + 2], "big")
            wanted.append(body[at + 2 : at + 2 + length].split(b"/"))
            codes.append(body[at + 2 + length])
            at += 3 + length
        out = bytearray(b"\x90" + bytes((2 + len(codes),)) + body[:2] + codes)
        for topic, payload in self.levels:
            levels = topic.split(b"/")
            if any(_matches(one, levels) for one in wanted):
                out += publish(topic, payload, 0, True, 0, False)
        return bytes(out)


def _matches(wanted: list[bytes], levels: list[bytes]) -> bool:
    return len(wanted) == len(levels) and all(one in (b"+", level) for one, level in zip(wanted, levels, strict=True))


async def main(piles: int) -> None:
    Peer.levels = tuple((topic.encode(), payload) for topic, payload in retained(piles))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Peer, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    while await loop.run_in_executor(None, sys.stdin.readline):
        sys.stdout.write(f"{Peer.telemetry} {Peer.other}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
