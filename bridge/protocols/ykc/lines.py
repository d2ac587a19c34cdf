"""One frame in hex ⇄ one JSON object, with the keys and field names of the protocol reference's vectors.

Lenient where the link is strict, since this is for reading recordings: a wrong CRC and a wrong length byte are
reported, not dropped.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from bridge.protocols.base import CrcOrder, Frame, FrameError, UnknownFrame
from bridge.protocols.ykc.crc import crc16
from bridge.protocols.ykc.framing import AROUND, ENCRYPTED, HEAD, PLAIN, START, pack
from bridge.protocols.ykc.messages import YkcMessage
from bridge.protocols.ykc.plain import message_of, plain_fields
from bridge.protocols.ykc.protocol import decode

INVALID = "invalid"
"""`crc_order` of a frame whose CRC is wrong in both orders."""
SHORTEST = HEAD + AROUND


class FrameLine(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One line. Either `fields`, or `body` in hex where the type is not declared or the body cannot be read."""

    frame_type: str | int | None = None
    """`0x0A`."""
    seq: int | None = None
    """The two sequence bytes, low byte first."""
    encrypt: int | None = None
    """The flag: 0 plain, 1 encrypted."""
    crc_order: str | None = None
    """low-first, high-first or invalid."""
    fields: dict[str, Any] | None = None
    extra_bytes: str = ""
    """Behind the table, in hex."""
    body: str | None = None
    error: str | None = None


_ENCODER = msgspec.json.Encoder(decimal_format="number")


_DECODER = msgspec.json.Decoder(FrameLine, float_hook=Decimal)
"""A number with a point is taken as it stands: a float would not be what was written."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What stands at the beginning of some bytes."""

    line: FrameLine
    used: int
    """Bytes it took; what is behind them is another frame's."""
    raw: bytes = b""
    message: YkcMessage | UnknownFrame | None = None


def dump(line: FrameLine) -> str:
    """As one line of JSON; exact decimals, nothing escaped that need not be."""
    return _ENCODER.encode(line).decode()


def load(text: str | bytes) -> FrameLine:
    """A line of JSON; FrameError says what is wrong with it. Keys that we do not know are passed over."""
    try:
        return _DECODER.decode(text)
    except (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError) as error:
        raise FrameError(f"not a frame object: {error}") from None


def _order(data: bytes) -> str:
    expected = crc16(data[2:-2])
    if int.from_bytes(data[-2:], "little") == expected:
        return CrcOrder.LOW_FIRST
    return CrcOrder.HIGH_FIRST if int.from_bytes(data[-2:], "big") == expected else INVALID


def look(data: bytes) -> Seen:
    """Read the frame at the beginning of `data`; never raises: what is no frame is told in `error`."""
    wrong = _no_frame(data)
    if wrong:
        return Seen(FrameLine(error=wrong), len(data))
    total = data[1] + AROUND
    if total > len(data):
        return Seen(FrameLine(error=f"cut off: the length byte says {total} bytes, here are {len(data)}"), len(data))
    mismatch = ""
    if len(data) == total + HEAD and _order(data) != INVALID:
        # Known peers count the body alone (protocol reference §7): then the CRC is right over all that is there.
        mismatch = f"the length byte says {total} bytes, the frame has {len(data)}"
        total = len(data)
    elif total < SHORTEST:
        return Seen(FrameLine(error=f"a length byte of {data[1]} is no frame's"), len(data))
    return _read(data[:total], mismatch)


def _no_frame(data: bytes) -> str:
    if not data:
        return "empty"
    if data[0] != START:
        return f"begins with 0x{data[0]:02X}, not with 0x68"
    if len(data) < SHORTEST:
        return f"cut off: {len(data)} bytes are no frame"
    return ""


def _read(raw: bytes, mismatch: str) -> Seen:
    order, flag = _order(raw), raw[4]
    line = FrameLine(
        frame_type=f"0x{raw[5]:02X}",
        seq=int.from_bytes(raw[2:4], "little"),
        encrypt=flag,
        crc_order=str(order),
        error=mismatch or None,
    )
    body = raw[6:-2]
    if flag != PLAIN:
        line.body, line.error = body.hex(), mismatch or "the body is encrypted"
        return Seen(line, len(raw), raw)
    try:
        message = decode(Frame(raw[5], raw[2:4], body, raw))
    except FrameError as error:
        line.body, line.error = body.hex(), mismatch or str(error)
        return Seen(line, len(raw), raw)
    if isinstance(message, YkcMessage):
        line.fields = plain_fields(message)
        line.extra_bytes = message.extra.hex()
    else:
        line.body = body.hex()
    return Seen(line, len(raw), raw, message)


def decode_line(data: bytes) -> FrameLine:
    """One frame → one object; bytes behind it are an error, since a line has one frame."""
    seen = look(data)
    if seen.used < len(data) and not seen.line.error:
        seen.line.error = f"{len(data) - seen.used} bytes behind the frame: {data[seen.used :].hex()[:40]}"
    return seen.line


def encode_line(line: FrameLine) -> bytes:
    """One object → one frame; FrameError says what is missing or has no place."""
    if line.error and line.frame_type is None:
        raise FrameError(line.error)  # what decode could not read comes back as it was
    code = _code(line.frame_type)
    seq = 0 if line.seq is None else line.seq
    if not 0 <= seq <= 0xFFFF:
        raise FrameError(f"seq {seq} is not two bytes")
    if line.encrypt not in (None, PLAIN):
        raise FrameError("encrypt 1: no cipher is configured" if line.encrypt == ENCRYPTED else "encrypt is 0 or 1")
    try:
        order = CrcOrder(line.crc_order or CrcOrder.LOW_FIRST)
    except ValueError:
        raise FrameError(f"crc_order {line.crc_order!r} is neither low-first nor high-first") from None
    return pack(code, seq, _body(code, line), crc_order=order)


def _code(frame_type: str | int | None) -> int:
    try:
        code = frame_type if isinstance(frame_type, int) else int(frame_type or "", 16)
    except ValueError:
        code = -1
    if not 0 <= code <= 0xFF:
        raise FrameError(f"frame_type {frame_type!r} is none such as 0x13")
    return code


def _body(code: int, line: FrameLine) -> bytes:
    extra = _hex("extra_bytes", line.extra_bytes)
    if line.fields is None:
        if line.body is None:
            raise FrameError("neither fields nor body")
        return _hex("body", line.body) + extra
    return message_of(code, line.fields, extra).encode()


def _hex(key: str, text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise FrameError(f"{key} {text[:40]!r} is not hex") from None
