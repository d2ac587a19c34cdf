"""The least that an MQTT client of Python can do with a backlog: take PUBLISH packets, acknowledge, count; no library.

    python -m bench.bare_mqtt PORT CLIENT_ID COUNT FILTER…

Subscribes and leaves with COUNT 0; else takes COUNT messages, says `done CPU_S` and ends.
"""

import socket
import struct
import sys
from time import process_time


def packet(head: int, body: bytes) -> bytes:
    length, size = bytearray(), len(body)
    while size > 127:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    length.append(size)
    return bytes((head, *length)) + body


def text(value: str) -> bytes:
    return struct.pack("!H", len(value)) + value.encode()


def main(port: int, client: str, count: int, filters: list[str]) -> None:
    link = socket.create_connection(("127.0.0.1", port))
    link.sendall(packet(0x10, text("MQTT") + b"\x04\x00\x00\x00" + text(client)))
    link.sendall(packet(0x82, b"\x00\x01" + b"".join(text(one) + b"\x01" for one in filters)))
    seen = granted = 0
    data = b""
    begun = 0.0
    while seen < count or not granted:
        more = link.recv(262_144)
        if not more:
            raise ConnectionError("closed by the broker")
        begun = begun or process_time()
        data += more
        at, acks = 0, bytearray()
        while len(data) - at >= 2:
            where, size, shift = at + 1, 0, 0
            while where < len(data):
                byte = data[where]
                where += 1
                size |= (byte & 0x7F) << shift
                shift += 7
                if not byte & 0x80:
                    break
            else:
                break
            if where + size > len(data):
                break
            if data[at] & 0xF0 == 0x30:
                after = where + 2 + (data[where] << 8 | data[where + 1])
                acks += b"\x40\x02" + data[after : after + 2]
                seen += 1
            elif data[at] == 0x90:
                granted = 1
            at = where + size
        data = data[at:]
        if acks:
            link.sendall(acks)
    sys.stdout.write(f"done {process_time() - begun:.3f}\n")
    link.sendall(b"\xe0\x00")
    link.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4:])
