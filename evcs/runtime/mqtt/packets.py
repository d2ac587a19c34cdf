"""The three MQTT 3.1.1 packets that pass by the thousand, written and read here; gmqtt does the rest."""

from collections.abc import Callable
from struct import Struct

PUBLISH = 0x30
PUBACK = 0x40
PINGRESP = 0xD0

_U16 = Struct("!H")
_PUBACK = Struct("!BBH")


def publish(topic: bytes, payload: bytes, qos: int, retain: bool, packet_id: int, again: bool) -> bytes:
    """A PUBLISH (§3.3); ``again`` sets DUP, ``packet_id`` counts only at QoS 1."""
    head = PUBLISH | (qos << 1) | (1 if retain else 0) | (8 if again and qos else 0)
    length = 2 + len(topic) + (2 if qos else 0) + len(payload)
    packet = bytearray((head,))
    while length > 127:
        packet.append(length & 0x7F | 0x80)
        length >>= 7
    packet.append(length)
    packet += _U16.pack(len(topic))
    packet += topic
    if qos:
        packet += _U16.pack(packet_id)
    packet += payload
    return bytes(packet)


def puback(packet_id: int) -> bytes:
    """A PUBACK (§3.4)."""
    return _PUBACK.pack(PUBACK, 2, packet_id)


class Reader:
    """Cuts a buffer into packets in one go; what it does not know itself goes to ``other`` as (head, body)."""

    def __init__(
        self,
        on_publish: Callable[[bytes, bytes, int, bool, int, bool], None],
        on_puback: Callable[[int], None],
        other: Callable[[int, bytes], None],
    ) -> None:
        """``on_publish`` takes topic, payload, QoS, retained, packet id (0 at QoS 0), again (DUP)."""
        self._on_publish = on_publish
        self._on_puback = on_puback
        self._other = other

    def read(self, data: bytes) -> int:
        """Handle every whole packet; return how many bytes they took, or -1 when this is no MQTT."""
        start, end = 0, len(data)
        while end - start >= 2:
            position, length, shift = start + 1, 0, 0
            while True:
                if position >= end:
                    return start
                byte = data[position]
                position += 1
                length |= (byte & 0x7F) << shift
                if not byte & 0x80:
                    break
                shift += 7
                if shift > 21:
                    return -1
            stop = position + length
            if stop > end:
                return start
            head = data[start]
            if head & 0xF0 == PUBLISH:
                if not self._publish(head, data, position, stop):
                    return -1
            elif not self.one(head, data[position:stop]):
                return -1
            start = stop
        return start

    def one(self, head: int, body: bytes) -> bool:
        """Handle one packet; False when it cannot be one."""
        kind = head & 0xF0
        if kind == PUBLISH:
            return self._publish(head, body, 0, len(body))
        if kind == PUBACK and len(body) >= 2:
            self._on_puback(_U16.unpack_from(body)[0])
        else:
            self._other(head, body)
        return True

    def _publish(self, head: int, data: bytes, start: int, stop: int) -> bool:
        """A PUBLISH whose body stands in data[start:stop]; it is not copied but for topic and payload."""
        qos = (head >> 1) & 3
        if stop - start < 2:
            return False
        after = start + 2 + (data[start] << 8 | data[start + 1])
        rest = after + 2 if qos else after
        if rest > stop or qos == 3:
            return False
        packet_id = data[after] << 8 | data[after + 1] if qos else 0
        self._on_publish(data[start + 2 : after], data[rest:stop], qos, bool(head & 1), packet_id, bool(head & 8))
        return True
