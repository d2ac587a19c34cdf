"""A million mutated and random byte strings: nothing but the protocol's own error, no stall, no wrong CRC accepted.

`EVCS_FUZZ` sets another number of strings. Seeded: a failure names its string and comes again.
"""

import os
import random
from collections.abc import Callable

import pytest
from crccheck.crc import CrcModbus

from bridge.protocols.base import FrameError, UnknownFrame
from bridge.protocols.ykc.crc import crc16
from bridge.protocols.ykc.framing import YkcSplitter
from bridge.protocols.ykc.messages import REGISTRY, YkcMessage
from bridge.protocols.ykc.protocol import decode
from tests.bridge.protocols.recordings import VECTORS

STRINGS = int(os.environ.get("EVCS_FUZZ", "1000000"))
PARTS = 4
"""The work is cut so that test processes can share it."""
LONGEST_FRAME = 259
SEEDS = [bytes.fromhex(vector["hex"]) for vector in VECTORS]
CODES = sorted({message.code for message in REGISTRY})
SIZES = [message.size for message in REGISTRY]


def flipped(dice: random.Random) -> bytes:
    """Some bytes of a recorded frame are others."""
    raw = bytearray(dice.choice(SEEDS))
    for _ in range(dice.choice((1, 1, 1, 2, 5))):
        raw[int(dice.random() * len(raw))] = dice.getrandbits(8)
    return bytes(raw)


def torn(dice: random.Random) -> bytes:
    """A recorded frame without its beginning, its end, or a piece between, with the next one behind it."""
    raw, other = dice.choice(SEEDS), dice.choice(SEEDS)
    start = int(dice.random() * len(raw))
    end = start + int(dice.random() * (len(raw) - start + 1))
    return dice.choice((raw[:start], raw[start:], raw[:start] + raw[end:])) + other[: int(dice.random() * 40)]


def strange(dice: random.Random) -> bytes:
    """A right frame around a random body of any type, about as long as its table, in either CRC order."""
    at = int(dice.random() * len(CODES))
    code = CODES[at] if dice.random() < 0.9 else dice.getrandbits(8)
    size = min(247, max(0, dice.choice(SIZES) + dice.choice((0, 0, 0, -1, 1, 16))))
    inner = dice.randbytes(2) + bytes((dice.random() < 0.02, code)) + dice.randbytes(size)
    order: list[bytes] = [crc16(inner).to_bytes(2, "little"), crc16(inner).to_bytes(2, "big")]
    return bytes((0x68, len(inner))) + inner + order[dice.random() < 0.3]


def random_bytes(dice: random.Random) -> bytes:
    """Noise in which frames seem to begin."""
    raw = bytearray(dice.randbytes(int(dice.random() * 90)))
    if raw and dice.random() < 0.7:
        raw[0] = 0x68
    return bytes(raw)


KINDS: tuple[Callable[[random.Random], bytes], ...] = (flipped, flipped, torn, strange, random_bytes)


def check(data: bytes, cut_at: int) -> int:
    """Everything that must hold for one string; how many frames it held."""
    splitter = YkcSplitter()
    frames = splitter.feed(data[:cut_at])
    frames += splitter.feed(data[cut_at:])
    assert splitter.pending < LONGEST_FRAME
    rounds = 0
    while splitter.pending:
        frames += splitter.abandon()
        rounds += 1
        assert rounds <= len(data)
    assert sum(len(frame.raw) for frame in frames) + sum(splitter.dropped_bytes.values()) == len(data)
    for frame in frames:
        crc = CrcModbus.calc(frame.raw[2:-2])
        assert crc in (int.from_bytes(frame.raw[-2:], "little"), int.from_bytes(frame.raw[-2:], "big"))
        try:
            message = decode(frame)
        except FrameError:
            continue
        assert isinstance(message, YkcMessage | UnknownFrame)
    return len(frames)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", range(PARTS))
def test_no_string_of_bytes_breaks_the_protocol(part: int) -> None:
    dice = random.Random(part)
    accepted = 0
    for _ in range(STRINGS // PARTS):
        data = KINDS[int(dice.random() * len(KINDS))](dice)
        try:
            accepted += check(data, int(dice.random() * (len(data) + 1)))
        except BaseException as error:
            error.add_note(f"the string was {data.hex()}")
            raise
    assert accepted >= STRINGS // PARTS // 10


@pytest.mark.parametrize("part", range(PARTS))
def test_every_split_of_a_stream_gives_the_same_frames(part: int) -> None:
    """Damaged and whole frames in a row, cut anywhere, also into single bytes."""
    dice = random.Random(1000 + part)
    for _ in range(100):
        stream = b"".join(KINDS[int(dice.random() * len(KINDS))](dice) for _ in range(12))
        whole = YkcSplitter()
        expected = whole.feed(stream)
        for step in (1, 2, 7, 64, 1 + int(dice.random() * 300)):
            parts = YkcSplitter()
            got = [frame for at in range(0, len(stream), step) for frame in parts.feed(stream[at : at + step])]
            assert got == expected
            assert parts.dropped_bytes == whole.dropped_bytes
            assert parts.pending == whole.pending
