"""The encryption flag: what a body cipher sees, and what becomes of a frame that cannot be read."""

from itertools import cycle
from typing import Any

import pytest
from hypothesis import given

from bridge.protocols.base import Dropped, FrameError
from bridge.protocols.ykc.crc import crc16
from bridge.protocols.ykc.framing import YkcSplitter, pack
from bridge.protocols.ykc.messages import Heartbeat, YkcMessage
from bridge.protocols.ykc.protocol import Ykc
from tests.bridge.protocols.recordings import VECTORS, name_of
from tests.bridge.protocols.strategies import MESSAGES

HEARTBEAT = Heartbeat(pile_no="55031412000001", gun_no="01", gun_state=0)
PLAIN = Ykc().encode(HEARTBEAT, 1)


class Blocks:
    """A small cipher in the form of 3DES in CBC mode: blocks of eight, a vector before them, checked padding."""

    VECTOR = b"\x13\x57\x9b\xdf\x02\x46\x8a\xce"

    def __init__(self, key: bytes) -> None:
        self._key = key

    def encrypt(self, body: bytes) -> bytes:
        padding = 8 - len(body) % 8
        padded = body + bytes([padding]) * padding
        sent, last = self.VECTOR, self.VECTOR
        for at in range(0, len(padded), 8):
            last = self._turn(bytes(one ^ other for one, other in zip(padded[at : at + 8], last, strict=True)))
            sent += last
        return sent

    def decrypt(self, body: bytes) -> bytes:
        if len(body) < 16 or len(body) % 8:
            raise FrameError("not whole blocks")
        plain = b"".join(
            bytes(one ^ other for one, other in zip(self._turn(body[at : at + 8]), body[at - 8 : at], strict=True))
            for at in range(8, len(body), 8)
        )
        padding = plain[-1]
        if not 1 <= padding <= 8 or plain[-padding:] != bytes([padding]) * padding:
            raise FrameError("wrong padding: another key?")
        return plain[:-padding]

    def _turn(self, block: bytes) -> bytes:
        return bytes(byte ^ key for byte, key in zip(block, cycle(self._key)))


OURS, FOREIGN = Blocks(b"our key "), Blocks(b"not ours")


def test_the_flag_is_set_and_length_and_crc_count_what_is_sent() -> None:
    raw = Ykc(cipher=OURS).encode(HEARTBEAT, 3)
    body = OURS.encrypt(HEARTBEAT.encode())
    assert raw[4] == 1
    assert raw[1] == len(body) + 4 == 8 + 16 + 4
    assert raw[6:-2] == body
    assert int.from_bytes(raw[-2:], "little") == crc16(raw[2:-2])


@pytest.mark.parametrize("vector", [v for v in VECTORS if v["conforms"] and v["length"] <= 180], ids=name_of)
def test_every_recorded_frame_comes_through_a_cipher(vector: dict[str, Any]) -> None:
    (frame,) = YkcSplitter().feed(bytes.fromhex(vector["hex"]))
    sent = pack(frame.code, frame.seq, frame.body, cipher=OURS, crc_order=frame.crc_order)
    (heard,) = YkcSplitter(OURS).feed(sent)
    assert (heard.code, heard.seq, heard.body, heard.crc_order) == (frame.code, frame.seq, frame.body, frame.crc_order)
    assert heard.encrypted
    assert heard.raw == sent


@given(MESSAGES)
def test_a_message_comes_through_a_cipher_or_is_too_long_to_be_sent(message: YkcMessage) -> None:
    protocol = Ykc(cipher=OURS)
    try:
        raw = protocol.encode(message, 7)
    except FrameError:
        assert len(OURS.encrypt(message.encode())) > 196
        return
    (frame,) = protocol.splitter().feed(raw)
    assert protocol.decode(frame) == message


def test_without_a_cipher_an_encrypted_frame_is_dropped_and_counted_and_the_next_is_heard() -> None:
    raw = Ykc(cipher=OURS).encode(HEARTBEAT, 3)
    splitter = Ykc().splitter()
    assert [frame.raw for frame in splitter.feed(raw + PLAIN)] == [PLAIN]
    assert splitter.dropped_bytes == {Dropped.ENCRYPTED: len(raw)}
    assert splitter.dropped_pieces == {Dropped.ENCRYPTED: 1}


@pytest.mark.parametrize(
    "body", [FOREIGN.encrypt(HEARTBEAT.encode()), b"", OURS.encrypt(HEARTBEAT.encode())[:-1], bytes(24)]
)
def test_what_the_cipher_refuses_is_dropped_and_counted(body: bytes) -> None:
    inner = b"\0\0\x01\x03" + body
    raw = bytes((0x68, len(inner))) + inner + crc16(inner).to_bytes(2, "little")
    splitter = YkcSplitter(OURS)
    assert [frame.raw for frame in splitter.feed(raw + PLAIN)] == [PLAIN]
    assert splitter.dropped_bytes == {Dropped.ENCRYPTED: len(raw)}


def test_a_peer_with_a_cipher_may_still_send_plain_frames() -> None:
    protocol = Ykc(cipher=OURS)
    (frame,) = protocol.splitter().feed(PLAIN)
    assert not frame.encrypted
    assert protocol.decode(frame) == HEARTBEAT
