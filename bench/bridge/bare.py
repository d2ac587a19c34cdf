"""`python -m bench.bridge.bare broker_port qos`: the least that takes frames from TCP and publishes them.

No check, no decoding, no state: a frame is cut by its length byte and its bytes are the payload. QoS 1 numbers its
packets and reads the PUBACKs, keeps nothing and repeats nothing. Prints its port.
"""

import asyncio
import sys
from typing import cast

import uvloop

from bench.bridge.town import STATION
from bench.bridge.wire import connect
from bridge.protocols.ykc.framing import pack
from evcs.contracts.topics import TELEMETRY
from evcs.runtime.mqtt.packets import publish


class Out(asyncio.Protocol):
    """The broker's side; packets of one turn of the loop go out in one write."""

    def __init__(self) -> None:
        self.ready = asyncio.get_running_loop().create_future()
        self._out = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(connect("bare"))

    def data_received(self, data: bytes) -> None:
        if not self.ready.done():
            self.ready.set_result(None)

    def send(self, packet: bytes) -> None:
        if not self._out:
            asyncio.get_running_loop().call_soon(self._flush)
        self._out += packet

    def _flush(self) -> None:
        self._transport.write(bytes(self._out))
        self._out.clear()


class In(asyncio.Protocol):
    """A pile's side."""

    def __init__(self, out: Out, qos: int) -> None:
        self._out = out
        self._qos = qos
        self._held = b""
        self._topic = b""
        self._id = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        data = self._held + data
        at, end = 0, len(data)
        while at + 2 <= end and at + data[at + 1] + 4 <= end:
            frame = data[at : at + data[at + 1] + 4]
            at += len(frame)
            if frame[5] == 0x01:
                pile = frame[6:13].hex()
                self._topic = TELEMETRY.at(station=STATION, pile=pile, gun=1).encode()
                self._transport.write(pack(0x02, frame[2:4], frame[6:13] + b"\x00"))
            else:
                self._id = self._id % 65535 + 1
                self._out.send(publish(self._topic, frame, self._qos, False, self._id, False))
        self._held = data[at:]


async def main(broker_port: int, qos: int) -> None:
    loop = asyncio.get_running_loop()
    _, out = await loop.create_connection(Out, "127.0.0.1", broker_port)
    await out.ready
    server = await loop.create_server(lambda: In(out, qos), "127.0.0.1", 0, backlog=4096)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2])))
