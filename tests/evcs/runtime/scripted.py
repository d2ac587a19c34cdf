"""A broker that answers SUBSCRIBE as a test says: for orders of messages that real brokers bring by chance only."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from evcs.runtime.mqtt import packets

CONNACK = b"\x20\x02\x00\x00"


def level(topic: str, payload: bytes, *, retained: bool) -> bytes:
    """A PUBLISH of QoS 0, from the store or as it comes."""
    return packets.publish(topic.encode(), payload, 0, retained, 0, False)


def suback(packet_id: bytes, code: int = 0) -> bytes:
    return b"\x90\x03" + packet_id + bytes((code,))


@asynccontextmanager
async def scripted(answer: Callable[[int, bytes], bytes]) -> AsyncIterator[int]:
    """Its port. ``answer`` takes the number of the SUBSCRIBE (of one filter), from 1, and its packet id."""
    looks = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal looks
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head, length = await reader.readexactly(2)  # what this test's client sends is shorter than 128 bytes
                body = await reader.readexactly(length)
                match head & 0xF0:
                    case 0x10:  # CONNECT
                        writer.write(CONNACK)
                    case 0x80:  # SUBSCRIBE
                        looks += 1
                        writer.write(answer(looks, body[:2]))
                    case 0xC0:  # PINGREQ
                        writer.write(b"\xd0\x00")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
