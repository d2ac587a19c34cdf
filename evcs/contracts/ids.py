"""Identifiers: their spelling, and the shard that a station's messages belong to."""

import re
import zlib
from typing import Annotated

import msgspec

SHARDS = 64
"""Number of shards; a shard is a topic level of two hex digits, 00–3f."""

LEVEL = r"^[A-Za-z0-9_-]{1,32}$"
"""What may stand as one level of a topic."""

Code = Annotated[str, msgspec.Meta(pattern=LEVEL)]
"""A platform-made code (station, transformer, bridge, tariff version …), unique over all tenants, never reused."""

PileNumber = Annotated[str, msgspec.Meta(pattern=LEVEL, description="桩编号: the number on the wire, unique")]
GunNumber = Annotated[int, msgspec.Meta(ge=1, le=99, description="枪号 1…n")]
Serial = Annotated[
    str, msgspec.Meta(pattern=r"^[0-9A-Fa-f]{32}$", description="交易流水号: 32 digits, key of an order")
]
CardUid = Annotated[
    str, msgspec.Meta(pattern=r"^[0-9A-F]{16}$", description="物理卡号: the 8 bytes of the wire in hex")
]
"""A card's chip number, opaque. A 4-byte one is padded with zeros on the left; some makers reverse the bytes."""
Vin = Annotated[str, msgspec.Meta(pattern=r"^[A-HJ-NPR-Z0-9]{17}$", description="车架号, ISO 3779")]
JointNumber = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{12}$", description="并充序号, yymmddHHMMSS")]
"""The number that the guns of one joint charge share."""
MessageId = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]

_LEVEL = re.compile(r"[A-Za-z0-9_-]{1,32}")

NO_SERIAL = "0" * 32
"""What a pile writes where no charging is under way."""


def is_level(text: str) -> bool:
    """Whether a text may stand as one topic level."""
    return _LEVEL.fullmatch(text) is not None


def shard_of(station: str) -> str:
    """The shard of a station: CRC-32 of its code, lowest six bits, two hex digits. The one place that computes it."""
    return f"{zlib.crc32(station.encode()) % SHARDS:02x}"


def owner_of(shard: str, owners: int) -> int:
    """Which of `owners` (1…m) serves a shard; the same arithmetic for rules and worker."""
    return int(shard, 16) % owners + 1


def serial_number(pile: str, gun: int, beijing_digits: str, counter: int) -> str:
    """A transaction serial: pile 14 + gun 2 + yymmddHHMMSS 12 + counter 4 digits (YKC V1.6 §3.4).

    Raises ValueError where the parts do not make 32 digits.
    """
    serial = f"{pile:0>14}{gun:02d}{beijing_digits}{counter % 10000:04d}"
    if len(serial) != 32 or not serial.isdigit():
        raise ValueError(f"not a serial of 32 digits: {serial!r}")
    return serial
