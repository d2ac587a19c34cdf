"""What a pile protocol offers to the bridge: cutting a stream into frames, decoding, encoding, power control."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import msgspec

from bridge.errors import BridgeError
from evcs.contracts.power import PowerControl


class FrameError(BridgeError):
    """Bytes or values that do not fit the protocol's table: drop the frame, count it, go on."""


class CrcOrder(StrEnum):
    """In which order a peer puts the two CRC bytes on the wire; both are met in the field."""

    LOW_FIRST = "low-first"
    HIGH_FIRST = "high-first"


class Dropped(StrEnum):
    """Why bytes of a stream were thrown away."""

    NOISE = "noise"  # before a start byte
    LENGTH = "length"  # a start byte whose length cannot be a frame
    CRC = "crc"  # wrong in both byte orders
    ENCRYPTED = "encrypted"  # flagged as encrypted, and no cipher is configured (or it refused)
    ABANDONED = "abandoned"  # the beginning of a frame that never came to an end


class Frame(msgspec.Struct, frozen=True, gc=False):
    """One whole frame with a right CRC; `body` is plain text, `raw` what stood on the wire.

    `seq` keeps the two raw bytes, because peers disagree on their order and an answer repeats them as they came.
    """

    code: int
    seq: bytes
    body: bytes
    raw: bytes
    encrypted: bool = False
    crc_order: CrcOrder = CrcOrder.LOW_FIRST


class Cut(msgspec.Struct, frozen=True, gc=False):
    """One step of cutting: a frame, or bytes dropped with their reason, or (`used` = 0) read on."""

    used: int
    frame: Frame | None = None
    dropped: Dropped | None = None


@dataclass(frozen=True, slots=True)
class UnknownFrame:
    """A well-formed frame of a type that we do not know: count it, log it, go on."""

    code: int
    body: bytes


class Splitter(Protocol):
    """Collects the bytes of one connection and hands out its frames."""

    dropped_bytes: Counter[Dropped]
    dropped_pieces: Counter[Dropped]

    @property
    def pending(self) -> int:
        """Bytes of a frame that has begun and is not complete."""

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes as they come; return every frame that they complete, in order. Never raises."""

    def abandon(self) -> list[Frame]:
        """Give up a frame that does not come to an end; return what stood hidden behind its start byte."""


class PileProtocol(Protocol):
    """A protocol as the bridge holds it: cut by its splitter, decode, encode, and what power commands reach.

    Turning messages into the contracts' types is `translate` beside each protocol's messages.
    """

    name: str
    power_control: PowerControl

    def splitter(self) -> Splitter:
        """A fresh splitter for a new connection."""

    def decode(self, frame: Frame) -> object:
        """Frame → declared message or UnknownFrame; FrameError when its body is shorter than its table."""

    def encode(self, message: object, seq: bytes | int) -> bytes:
        """Message → bytes to send; FrameError when a value has no place in its field."""
