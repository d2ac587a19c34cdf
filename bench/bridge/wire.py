"""The few MQTT 3.1.1 packets that the bare side and the null broker need, and the frames that the load sends."""

from bridge.protocols.ykc.framing import pack

FRAME_BYTES = 68
"""A 0x13."""
KWH_AT = 52
"""Where the energy of a 0x13 stands in the frame: the load writes its time there, ms."""


def remaining(length: int) -> bytes:
    """Remaining length, MQTT 3.1.1 §2.2.3."""
    out = bytearray()
    while True:
        length, digit = divmod(length, 128)
        out.append(digit | (0x80 if length else 0))
        if not length:
            return bytes(out)


def connect(client_id: str) -> bytes:
    """CONNECT with a clean session and 60 s keep-alive."""
    name = client_id.encode()
    body = b"\x00\x04MQTT\x04\x02\x00\x3c" + len(name).to_bytes(2, "big") + name
    return b"\x10" + remaining(len(body)) + body


class Packets:
    """Cuts a stream into (first byte, body)."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Every packet that is whole now."""
        data = self._held + data
        at, found, end = 0, [], len(data)
        while at + 2 <= end:
            length, shift, body = 0, 0, at + 1
            while body < end and data[body] & 0x80:
                length |= (data[body] & 0x7F) << shift
                shift += 7
                body += 1
            if body >= end:
                break
            length |= data[body] << shift
            body += 1
            if body + length > end:
                break
            found.append((data[at], data[body : body + length]))
            at = body + length
        self._held = data[at:]
        return found


def pile_number(n: int) -> str:
    """The n-th pile of the bench."""
    return f"{32010600000000 + n:014d}"


def login(pile: str) -> bytes:
    """0x01 of a DC pile with one gun."""
    body = bytes.fromhex(pile) + bytes((0, 1, 0x10)) + b"BENCH1.0" + bytes((0,)) + bytes(10) + bytes((4,))
    return pack(0x01, 0, body)


def charging(pile: str) -> bytes:
    """0x13 of a charging gun, 612.3 V, 98.0 A."""
    serial = bytes.fromhex(pile + "01" + "260501080000" + "0001")
    body = (
        serial
        + bytes.fromhex(pile)
        + bytes((1, 3, 0, 1))
        + (6123).to_bytes(2, "little")
        + (980).to_bytes(2, "little")
        + bytes((81,))
        + bytes(8)
        + bytes((41, 85))
        + (12).to_bytes(2, "little")
        + (33).to_bytes(2, "little")
        + (123456).to_bytes(4, "little")
        + (123456).to_bytes(4, "little")
        + (153425).to_bytes(4, "little")
        + bytes(2)
    )
    return pack(0x13, 1, body)
