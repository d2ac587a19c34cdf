"""PUBLISH and PUBACK are written as the standard says, and read whatever way the bytes arrive."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evcs.runtime.mqtt import packets


class Seen:
    def __init__(self) -> None:
        self.published: list[tuple[bytes, bytes, int, bool, int, bool]] = []
        self.acknowledged: list[int] = []
        self.others: list[tuple[int, bytes]] = []
        self.reader = packets.Reader(
            lambda *each: self.published.append(each),
            self.acknowledged.append,
            lambda head, body: self.others.append((head, body)),
        )


def test_publish_is_byte_for_byte_that_of_the_standard() -> None:
    """MQTT 3.1.1 §3.3, figure 3.11: topic a/b, packet id 10."""
    assert packets.publish(b"a/b", b"", 1, False, 10, False) == bytes.fromhex("320700 03612f62 000a".replace(" ", ""))
    assert packets.publish(b"a/b", b"x", 1, True, 10, True) == bytes.fromhex("3b0800 03612f62 000a 78".replace(" ", ""))
    assert packets.publish(b"a/b", b"x", 0, False, 10, True) == bytes.fromhex("300600 03612f62 78".replace(" ", ""))
    assert packets.puback(0x1234) == bytes.fromhex("40021234")


@pytest.mark.parametrize("size", [0, 1, 120, 121, 122, 123, 16_376, 16_377, 16_378, 16_379, 2_100_000])
def test_every_length_reads_back(size: int) -> None:
    seen = Seen()
    data = packets.publish(b"a/b", b"p" * size, 1, False, 7, False)
    assert seen.reader.read(data) == len(data)
    assert seen.published == [(b"a/b", b"p" * size, 1, False, 7, False)]


@given(
    st.lists(
        st.tuples(st.binary(max_size=200), st.sampled_from([0, 1]), st.booleans(), st.integers(1, 65535)), max_size=8
    ),
    st.lists(st.integers(1, 50), max_size=40),
)
def test_any_cut_of_the_stream_reads_the_same(messages: list[tuple[bytes, int, bool, int]], cuts: list[int]) -> None:
    stream = b"".join(
        packets.publish(b"t/1", payload, qos, retain, number, False) + packets.puback(number) + b"\xd0\x00"
        for payload, qos, retain, number in messages
    )
    seen = Seen()
    buffer = b""
    while stream or cuts:
        step = cuts.pop(0) if cuts else len(stream)
        buffer, stream = buffer + stream[:step], stream[step:]
        buffer = buffer[seen.reader.read(buffer) :]
    assert buffer == b""
    assert seen.published == [(b"t/1", p, q, r, n if q else 0, False) for p, q, r, n in messages]
    assert seen.acknowledged == [n for _, _, _, n in messages]
    assert seen.others == [(0xD0, b"")] * len(messages)


@given(st.binary(max_size=300))
def test_random_bytes_never_crash(data: bytes) -> None:
    used = Seen().reader.read(data)
    assert -1 <= used <= len(data)


def test_nonsense_is_said_to_be_no_mqtt() -> None:
    assert Seen().reader.read(b"\x30\xff\xff\xff\xff\x01") == -1
    assert Seen().reader.read(b"\x32\x03" + struct.pack("!H", 9) + b"a") == -1
    assert Seen().reader.read(b"\x36\x05\x00\x01a\x00\x01") == -1
