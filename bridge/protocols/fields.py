"""Codecs for the fields of a frame, and the base class that turns a declaration into decode and encode."""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from enum import IntEnum
from typing import Any, ClassVar, Protocol, Self, dataclass_transform, get_type_hints, runtime_checkable

from bridge.protocols.base import FrameError

PILE_TIME = timezone(timedelta(hours=8), "UTC+8")
"""The clock on a pile's wall: China, no summer time (YKC V1.6, CP56Time2a)."""

_STRUCT_UINT = {1: "B", 2: "H", 4: "I", 8: "Q"}


@runtime_checkable
class Codec(Protocol):
    """One field on the wire: `format` is its single item in `struct` notation, little-endian."""

    @property
    def size(self) -> int: ...

    @property
    def format(self) -> str: ...

    def decode(self, raw: Any) -> Any:
        """Item as `struct` gives it → value. Never raises: what is not understood is kept as it stands."""

    def encode(self, value: Any) -> Any:
        """Value → item as `struct` takes it; FrameError where the value has no place in the field."""


def _uint_format(size: int) -> str:
    return _STRUCT_UINT.get(size, f"{size}s")


def _to_uint(raw: int | bytes) -> int:
    return raw if isinstance(raw, int) else int.from_bytes(raw, "little")


def _from_uint(value: int, size: int) -> int | bytes:
    if not 0 <= value < 1 << (8 * size):
        raise FrameError(f"{value} does not fit into {size} unsigned bytes")
    return value if size in _STRUCT_UINT else value.to_bytes(size, "little")


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise FrameError(f"{value!r} is not a whole number")
    return int(value)


@dataclass(frozen=True, slots=True)
class Uint:
    """Unsigned integer of any width, least significant byte first (BIN)."""

    size: int

    @property
    def format(self) -> str:
        return _uint_format(self.size)

    def decode(self, raw: Any) -> int:
        return _to_uint(raw)

    def encode(self, value: Any) -> int | bytes:
        return _from_uint(_whole(value), self.size)


@dataclass(frozen=True, slots=True)
class Offset:
    """Unsigned integer whose value is raw + `offset`, such as temperatures in ℃ = raw - 50."""

    size: int
    offset: int
    unit: str = ""

    @property
    def format(self) -> str:
        return _uint_format(self.size)

    def decode(self, raw: Any) -> int:
        return _to_uint(raw) + self.offset

    def encode(self, value: Any) -> int | bytes:
        return _from_uint(_whole(value) - self.offset, self.size)


@dataclass(frozen=True, slots=True)
class Scaled:
    """Exact decimal = raw × `step`; a value between two steps is refused, never rounded."""

    size: int
    step: str
    unit: str = ""
    one: Decimal = field(init=False, repr=False, compare=False)
    """`step` as a number, made once."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "one", Decimal(self.step))

    @property
    def format(self) -> str:
        return _uint_format(self.size)

    def decode(self, raw: Any) -> Decimal:
        return _to_uint(raw) * self.one

    def encode(self, value: Any) -> int | bytes:
        if not isinstance(value, Decimal | int):
            raise FrameError(f"{value!r} is not an exact decimal")
        steps = Decimal(value) / self.one
        if not steps.is_finite() or steps != steps.to_integral_value():
            raise FrameError(f"{value} is not a multiple of {self.step}{self.unit}")
        return _from_uint(int(steps), self.size)


@dataclass(frozen=True, slots=True)
class Bcd:
    """Two digits a byte, kept as text; padded with zeros on the left.

    Real peers put hex digits into BCD fields (tariff number `F002`, an ICCID with `c`): the nibbles are kept.
    """

    size: int

    @property
    def format(self) -> str:
        return f"{self.size}s"

    def decode(self, raw: Any) -> str:
        return bytes(raw).hex()

    def encode(self, value: Any) -> bytes:
        if not isinstance(value, str) or len(value) > 2 * self.size:
            raise FrameError(f"{value!r} is not a text of at most {2 * self.size} digits")
        try:
            return bytes.fromhex(value.zfill(2 * self.size)) if value.isalnum() or not value else _no_digits(value)
        except ValueError:
            return _no_digits(value)


def _no_digits(value: str) -> bytes:
    raise FrameError(f"{value!r} has characters that are no digits")


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes without a meaning of their own (card numbers, codes), as lower-case hex text of full length."""

    size: int

    @property
    def format(self) -> str:
        return f"{self.size}s"

    def decode(self, raw: Any) -> str:
        return bytes(raw).hex()

    def encode(self, value: Any) -> bytes:
        if not isinstance(value, str) or len(value) != 2 * self.size or (value and not value.isalnum()):
            raise FrameError(f"{value!r} is not a hex text of {2 * self.size} digits")
        try:
            return bytes.fromhex(value)
        except ValueError:
            return _no_digits(value)


@dataclass(frozen=True, slots=True)
class Ascii:
    """Text, left-aligned, padded with 0x00; bytes above 0x7F come through as Latin-1, so that nothing is lost."""

    size: int

    @property
    def format(self) -> str:
        return f"{self.size}s"

    def decode(self, raw: Any) -> str:
        return bytes(raw).rstrip(b"\0").decode("latin-1")

    def encode(self, value: Any) -> bytes:
        if not isinstance(value, str) or value.endswith("\0"):
            raise FrameError(f"{value!r} is not a text without trailing zeros")
        try:
            text = value.encode("latin-1")
        except UnicodeEncodeError as error:
            raise FrameError(f"{value!r} has characters of more than one byte") from error
        if len(text) > self.size:
            raise FrameError(f"{value!r} is longer than {self.size} characters")
        return text.ljust(self.size, b"\0")


@dataclass(frozen=True, slots=True)
class Cp56Time2a:
    """Seven bytes of local pile time with milliseconds; flag bits and the day of the week are masked on reading.

    Bytes that are no date (all zero where a pile knows no time) stay the seven bytes.
    """

    @property
    def size(self) -> int:
        return 7

    @property
    def format(self) -> str:
        return "7s"

    def decode(self, raw: Any) -> datetime | bytes:
        millis = raw[0] | raw[1] << 8
        second, milli = divmod(millis, 1000)
        try:
            return datetime(
                2000 + (raw[6] & 0x7F),
                raw[5] & 0x0F,
                raw[4] & 0x1F,
                raw[3] & 0x1F,
                raw[2] & 0x3F,
                second,
                milli * 1000,
                PILE_TIME,
            )
        except ValueError:
            return bytes(raw)

    def encode(self, value: Any) -> bytes:
        if isinstance(value, bytes):
            if len(value) != 7:
                raise FrameError(f"{value.hex()} is not seven bytes")
            return value
        if not isinstance(value, datetime) or value.tzinfo is None:
            raise FrameError(f"{value!r} is not a time with a zone")
        local = value.astimezone(PILE_TIME)
        if not 2000 <= local.year <= 2127:
            raise FrameError(f"{value} is outside the years 2000 to 2127")
        millis = local.second * 1000 + local.microsecond // 1000
        return bytes((millis & 0xFF, millis >> 8, local.minute, local.hour, local.day, local.month, local.year - 2000))


@dataclass(frozen=True, slots=True)
class Repeat:
    """`size` single bytes in a row, such as the 48 half-hour slots of a tariff."""

    size: int

    @property
    def format(self) -> str:
        return f"{self.size}s"

    def decode(self, raw: Any) -> tuple[int, ...]:
        return tuple(raw)

    def encode(self, value: Any) -> bytes:
        if not isinstance(value, tuple | list) or len(value) != self.size:
            raise FrameError(f"not {self.size} values: {value!r}")
        if not all(isinstance(item, int) and 0 <= item <= 0xFF for item in value):
            raise FrameError(f"not all are bytes: {value!r}")
        return bytes(value)


@dataclass(frozen=True, slots=True)
class Enum8:
    """One byte with named codes; a code that we do not know stays an int."""

    codes: type[IntEnum]

    @property
    def size(self) -> int:
        return 1

    @property
    def format(self) -> str:
        return "B"

    def decode(self, raw: Any) -> int:
        member = self.codes._value2member_map_.get(raw, raw)
        assert isinstance(member, int)
        return member

    def encode(self, value: Any) -> int | bytes:
        return _from_uint(_whole(value), 1)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a field stands in a body: for byte tables and for people."""

    name: str
    offset: int
    codec: Codec


@dataclass(frozen=True, slots=True)
class Plan:
    """A declaration, compiled once: one precompiled struct and the conversions that are not the identity."""

    struct: struct.Struct
    names: tuple[str, ...]
    decoders: tuple[tuple[int, Callable[[Any], Any]], ...]
    encoders: tuple[tuple[str, Callable[[Any], Any]], ...]
    places: tuple[Place, ...]


def compile_plan(cls: type) -> Plan:
    """Read the codecs that ride in the `Annotated` types of a dataclass; a field without one is not on the wire."""
    hints = get_type_hints(cls, include_extras=True)
    places: list[Place] = []
    offset = 0
    for each in fields(cls):
        codec = next((meta for meta in getattr(hints[each.name], "__metadata__", ()) if isinstance(meta, Codec)), None)
        if codec is None:
            continue
        places.append(Place(each.name, offset, codec))
        offset += codec.size
    return Plan(
        struct=struct.Struct("<" + "".join(place.codec.format for place in places)),
        names=tuple(place.name for place in places),
        # A plain integer needs no conversion; skipping it is half of the decode's speed.
        decoders=tuple(
            (index, place.codec.decode)
            for index, place in enumerate(places)
            if not (isinstance(place.codec, Uint) and place.codec.size in _STRUCT_UINT)
        ),
        encoders=tuple((place.name, place.codec.encode) for place in places),
        places=tuple(places),
    )


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Layout:
    """Base of declared messages: a subclass is its table, in the order of the wire.

    A subclass becomes a frozen dataclass in place. No slots: `slots=True` would make a second class and call
    `__init_subclass__` again without its arguments.
    """

    size: ClassVar[int]
    plan: ClassVar[Plan]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        dataclass(frozen=True, kw_only=True)(cls)
        cls.plan = compile_plan(cls)
        cls.size = cls.plan.struct.size

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Decode the declared part of `body`; FrameError when it is shorter than the table."""
        plan = cls.plan
        if len(body) < plan.struct.size:
            raise FrameError(f"{cls.__name__}: {len(body)} bytes, the table has {plan.struct.size}")
        values = list(plan.struct.unpack_from(body))
        for index, decode in plan.decoders:
            values[index] = decode(values[index])
        message = object.__new__(cls)
        message.__dict__.update(zip(plan.names, values, strict=True))
        return message

    def write(self) -> bytes:
        """Encode the declared fields; FrameError names the field whose value has no place on the wire."""
        plan = self.plan
        items = []
        for name, encode in plan.encoders:
            try:
                items.append(encode(getattr(self, name)))
            except FrameError as error:
                raise FrameError(f"{type(self).__name__}.{name}: {error}") from error
        return plan.struct.pack(*items)
