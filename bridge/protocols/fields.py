"""Codecs for the fields of a frame: width on the wire, and the way from there to a value and back."""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Context, Decimal, Inexact, InvalidOperation
from enum import IntEnum
from functools import partial
from operator import index
from typing import Any, ClassVar, Protocol, runtime_checkable

from bridge.protocols.base import FrameError

PILE_TIME = timezone(timedelta(hours=8), "UTC+8")
"""The clock on a pile's wall: China, no summer time (YKC V1.6, CP56Time2a)."""

Reader = Callable[[Any], Any]
Writer = Callable[[Any], Any]
REFUSALS = (FrameError, struct.error, TypeError, ValueError, LookupError, AttributeError, ArithmeticError)
"""What writers and `struct` raise about a value that has no place in its field; a layout turns it into FrameError."""

_STRUCT_UINT = {1: "B", 2: "H", 4: "I", 8: "Q"}
_HEX = [f"{byte:02x}" for byte in range(256)]
_BYTE_OF = {text: byte for byte, text in enumerate(_HEX)}
_EXACT = Context(prec=40, traps=[Inexact, InvalidOperation])


@runtime_checkable
class Codec(Protocol):
    """One field on the wire: `format` is its single item in `struct` notation, little-endian.

    Readers and writers are asked for once, when a message is declared, so that a frame costs no look-ups.
    """

    @property
    def size(self) -> int: ...

    @property
    def format(self) -> str: ...

    @property
    def kind(self) -> str:
        """What the document calls such a field."""

    def reader(self) -> Reader:
        """Item as `struct` gives it → value. Keeps what it does not understand."""

    def writer(self) -> Writer:
        """Value → item as `struct` takes it, or one of REFUSALS."""


def _uint_format(size: int) -> str:
    return _STRUCT_UINT.get(size, f"{size}s")


def _uint_reader(size: int) -> Reader:
    # `index` of an int is the int itself.
    return index if size in _STRUCT_UINT else partial(int.from_bytes, byteorder="little")


def _uint_writer(size: int) -> Writer:
    if size in _STRUCT_UINT:
        return index

    def write(value: int) -> bytes:
        return value.to_bytes(size, "little")

    return write


@dataclass(frozen=True, slots=True)
class Uint:
    """Unsigned integer of any width, least significant byte first (BIN)."""

    kind: ClassVar[str] = "BIN"
    size: int

    @property
    def format(self) -> str:
        return _uint_format(self.size)

    def reader(self) -> Reader:
        return _uint_reader(self.size)

    def writer(self) -> Writer:
        return _uint_writer(self.size)


@dataclass(frozen=True, slots=True)
class Offset:
    """One unsigned byte whose value is raw + `offset`, such as temperatures in ℃ = raw - 50."""

    kind: ClassVar[str] = "BIN"
    offset: int
    unit: str = ""

    @property
    def size(self) -> int:
        return 1

    @property
    def format(self) -> str:
        return "B"

    def reader(self) -> Reader:
        return [raw + self.offset for raw in range(256)].__getitem__

    def writer(self) -> Writer:
        return (-self.offset).__add__


class _Seen(dict[int, Decimal]):
    """Raw number of at most two bytes → its decimal, made when it is first seen: 65,536 at most."""

    def __init__(self, one: Decimal, offset: Decimal) -> None:
        self._one, self._offset = one, offset

    def __missing__(self, raw: int) -> Decimal:
        value = self[raw] = raw * self._one + self._offset
        return value


@dataclass(frozen=True, slots=True)
class Scaled:
    """Exact decimal = raw × `step` + `offset`; a value between two steps is refused, never rounded."""

    kind: ClassVar[str] = "BIN"
    size: int
    step: str
    unit: str = ""
    offset: str = "0"
    one: Decimal = field(init=False, repr=False, compare=False)
    """`step` as a number, made once."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "one", Decimal(self.step))

    @property
    def format(self) -> str:
        return _uint_format(self.size)

    def reader(self) -> Reader:
        one, offset = self.one, Decimal(self.offset)
        if self.size <= 2:
            return _Seen(one, offset).__getitem__
        if self.size in _STRUCT_UINT and not offset:
            return one.__mul__

        def read(raw: int | bytes) -> Decimal:
            number = int.from_bytes(raw, "little") if isinstance(raw, bytes) else raw
            return number * one + offset

        return read

    def writer(self) -> Writer:
        offset, to_item = Decimal(self.offset), _uint_writer(self.size)
        times, less, per_unit = _EXACT.multiply, _EXACT.subtract, _EXACT.divide(1, self.one)
        none, limit = Decimal(0), Decimal(1 << 8 * self.size)

        def write(value: Decimal | int) -> Any:
            steps = times(less(value, offset) if offset else value, per_unit)
            # Before it becomes an int: a decimal may have a billion digits.
            if not none <= steps < limit:
                raise FrameError(f"not between {offset} and {offset + (limit - 1) * self.one}{self.unit}")
            number = int(steps)
            if number != steps:
                raise FrameError(f"not a multiple of {self.step}{self.unit}")
            return to_item(number)

        return write


@dataclass(frozen=True, slots=True)
class Bcd:
    """Two digits a byte, kept as text; padded with zeros on the left.

    Real peers put hex digits into BCD fields (tariff number `F002`, an ICCID with `c`): the nibbles are kept.
    """

    kind: ClassVar[str] = "BCD"
    size: int

    @property
    def format(self) -> str:
        return "B" if self.size == 1 else f"{self.size}s"

    def reader(self) -> Reader:
        return _HEX.__getitem__ if self.size == 1 else bytes.hex

    def writer(self) -> Writer:
        digits = 2 * self.size
        if self.size == 1:
            return lambda value: _BYTE_OF[value.zfill(2).lower()]
        return lambda value: _from_hex(value.zfill(digits), digits)


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes without a meaning of their own (card numbers, codes), as lower-case hex text of full length."""

    kind: ClassVar[str] = "bytes"
    size: int

    @property
    def format(self) -> str:
        return f"{self.size}s"

    def reader(self) -> Reader:
        return bytes.hex

    def writer(self) -> Writer:
        return partial(_from_hex, digits=2 * self.size)


def _from_hex(text: str, digits: int) -> bytes:
    raw = bytes.fromhex(text)
    # fromhex skips blanks, so both lengths count.
    if len(text) != digits or 2 * len(raw) != digits:
        raise FrameError(f"not a text of {digits} digits")
    return raw


@dataclass(frozen=True, slots=True)
class Ascii:
    """Text padded with 0x00; bytes above 0x7F come through as Latin-1, so that nothing is lost.

    Written to the left, as the document has it; read without the zeros of both sides, since a peer pads on the left.
    """

    kind: ClassVar[str] = "ASCII"
    size: int
    is_reversed: bool = False
    """The last character comes first on the wire (VIN of 0x31 and 0xA1)."""

    @property
    def format(self) -> str:
        return f"{self.size}s"

    def reader(self) -> Reader:
        if self.is_reversed:
            return lambda raw: raw[::-1].strip(b"\0").decode("latin-1")
        return lambda raw: raw.strip(b"\0").decode("latin-1")

    def writer(self) -> Writer:
        def write(value: str) -> bytes:
            text = value.encode("latin-1")
            if len(text) > self.size or text.strip(b"\0") != text:
                raise FrameError(f"not a text of at most {self.size} characters without zeros around it")
            return (text[::-1] if self.is_reversed else text).ljust(self.size, b"\0")

        return write


@dataclass(frozen=True, slots=True)
class Cp56Time2a:
    """Seven bytes of local pile time with milliseconds; flag bits and the day of the week are masked on reading.

    Bytes that are no date (all zero where a pile knows no time) stay the seven bytes.
    """

    kind: ClassVar[str] = "CP56Time2a"

    @property
    def size(self) -> int:
        return 7

    @property
    def format(self) -> str:
        return "7s"

    def reader(self) -> Reader:
        return _read_time

    def writer(self) -> Writer:
        return _write_time


def _read_time(raw: bytes) -> datetime | bytes:
    second, milli = divmod(raw[0] | raw[1] << 8, 1000)
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
        return raw


def _write_time(value: datetime | bytes) -> bytes:
    if isinstance(value, bytes):
        if len(value) != 7:
            raise FrameError("not seven bytes")
        return value
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise FrameError("not a time with a zone")
    local = value.astimezone(PILE_TIME)
    if not 2000 <= local.year <= 2127:
        raise FrameError("outside the years 2000 to 2127")
    millis = local.second * 1000 + local.microsecond // 1000
    return bytes((millis & 0xFF, millis >> 8, local.minute, local.hour, local.day, local.month, local.year - 2000))


@dataclass(frozen=True, slots=True)
class Repeat:
    """`size` single bytes in a row, such as the 48 half-hour slots of a tariff."""

    kind: ClassVar[str] = "BIN"
    size: int

    @property
    def format(self) -> str:
        return f"{self.size}s"

    def reader(self) -> Reader:
        return tuple

    def writer(self) -> Writer:
        def write(value: tuple[int, ...]) -> bytes:
            if not isinstance(value, tuple | list) or len(value) != self.size:
                raise FrameError(f"not {self.size} values")
            return bytes(value)

        return write


@dataclass(frozen=True, slots=True)
class Enum8:
    """One byte with named codes; a code that we do not know stays an int."""

    kind: ClassVar[str] = "BIN"
    codes: type[IntEnum]

    @property
    def size(self) -> int:
        return 1

    @property
    def format(self) -> str:
        return "B"

    def reader(self) -> Reader:
        known: dict[int, int] = {int(member): member for member in self.codes}
        return [known.get(raw, raw) for raw in range(256)].__getitem__

    def writer(self) -> Writer:
        return index
