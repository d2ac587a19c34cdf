"""`python -m bridge.protocols.tables`: the byte tables of every declared frame, as the page docs/protocol/ykc.md."""

import inspect
import re
import sys

from bridge.protocols.fields import Ascii, Enum8, Offset, Repeat, Scaled
from bridge.protocols.layout import Place
from bridge.protocols.tails import CountedText, Groups
from bridge.protocols.ykc.faults import FAULT_BITS
from bridge.protocols.ykc.findings import GROUPS
from bridge.protocols.ykc.messages import ANSWERED_BY, REGISTRY, YkcMessage, is_from_pile
from bridge.protocols.ykc.messages.bms import PackedCell
from bridge.protocols.ykc.stop_reasons import STOP_REASONS
from bridge.protocols.ykc.words import Coded

HEAD = 6
"""Bytes before the body."""
COUNTED = 4
"""What the length byte counts besides the body."""
INTRODUCTION = """# YKC V1.5 / V1.6, byte by byte

Every frame that the bridge reads and writes, from its declarations in `bridge/protocols/ykc/messages`.
`evcs frame decode HEX` shows a frame with these names.

A frame: `68`, length byte (body + 4), sequence 2, encryption flag 1 (0 plain, 1 encrypted body), type 1, body, CRC 2.
CRC-16/MODBUS from the sequence to the end of the body; sent low byte first, taken in either order. Odd types come from
the pile, even ones from the platform. BIN is unsigned, low byte first; BCD is two digits a byte, kept as text; ASCII is
padded with 00 at its end. V1.6 is V1.5 and the frames A1 to A4. Bytes behind a table are kept, never refused.
Offsets count from 0: in the body, and in the whole frame.
"""


def _hex(code: int) -> str:
    return f"0x{code:02X}"


def _anchor(message: type[YkcMessage]) -> str:
    """Where the heading of a message can be linked to; two layouts of one type have two."""
    return f"{_hex(message.code)}-{message.__name__}".lower()


def _length(place: Place) -> str:
    match place.codec:
        case Groups(unit, count):
            return f"{unit} × `{count}`" if count else f"{unit} × n"
        case CountedText(count):
            return f"`{count}`"
        case codec:
            return str(codec.size)


def _rule(place: Place) -> str:
    """How the number on the wire becomes the value."""
    match place.codec:
        case Scaled() as codec:
            offset = "" if codec.offset == "0" else f" {codec.offset[0]} {codec.offset[1:]}"
            return f"raw × {codec.step}{offset} {codec.unit}".rstrip()
        case Offset() as codec:
            return f"raw {'-' if codec.offset < 0 else '+'} {abs(codec.offset)} {codec.unit}".rstrip()
        case PackedCell():
            return "bits 1-12 × 0.01 V, bits 13-16 group 0-15"
        case Repeat() as codec:
            return f"{codec.size} × one byte"
        case Ascii() as codec if codec.is_reversed:
            return "last character first"
    return place.named.unit


def _codes(codes: type[Coded]) -> str:
    return ", ".join(
        f"{int(member) if max(codes) < 0x10 else _hex(int(member))} {member.zh} {member.en}" for member in codes
    )


def _notes(place: Place) -> str:
    codes = place.codec.codes if isinstance(place.codec, Enum8) else place.named.codes
    named = _codes(codes) if codes is not None and issubclass(codes, Coded) else ""
    return "; ".join(part for part in (_rule(place), place.named.note, named) if part).replace("|", "\\|")


def _bits(message: type[YkcMessage]) -> list[str]:
    """The two-bit groups of a message."""
    groups = GROUPS.get(message)
    if groups is None:
        return []
    lines = ["", "Bits (1 is the lowest); 0 is normal, 2 not trustworthy where nothing else stands:", ""]
    lines += ["| field | bits | code | 含义 | meaning |", "| --- | --- | --- | --- | --- |"]
    for group in groups:
        zh, en = group.zh, group.en
        if group.two is not None:
            zh, en = f"1 {zh}，2 {group.two.zh}", f"1 {en}, 2 {group.two.en}"
        if group.normal:
            zh, en = f"0 {zh}，{group.normal} 正常", f"0 {en}, {group.normal} normal"
        lines.append(
            f"| `{group.field}` | {group.first}-{group.first + group.width - 1} | {group.code} | {zh} | {en} |"
        )
    return lines


def _answers(message: type[YkcMessage]) -> str:
    answer = ANSWERED_BY.get(message.code)
    asked = [request for request, code in ANSWERED_BY.items() if code == message.code]
    parts = [f"answered by {_hex(answer)}"] if answer is not None else []
    parts += [f"answers {', '.join(map(_hex, asked))}"] if asked else []
    return "; ".join(parts) or "no answer"


def _size(message: type[YkcMessage]) -> str:
    if message.plan.tail is not None:
        return f"body {message.size} bytes and more"
    return f"body {message.size} bytes, length byte {_hex(message.size + COUNTED)}, frame {message.size + HEAD + 2}"


def section(message: type[YkcMessage]) -> str:
    """One frame: where it goes, what it is, and its table."""
    way = "pile → platform" if is_from_pile(message.code) else "platform → pile"
    told = re.sub(r"\s+", " ", inspect.getdoc(message) or "")
    told = re.sub(r"^(Pile → platform|Platform → pile)[,:;.]? ?", "", told)  # said in the line before
    lines = [
        f'<a id="{_anchor(message)}"></a>',
        "",
        f"## {_hex(message.code)} {message.title} · {message.__name__}",
        "",
        f"{way}; {_size(message)}; {_answers(message)}. Source: {message.source}.",
        "",
        *([told[0].upper() + told[1:], ""] if told else []),
        "| body | frame | length | type | field | 名称 | name | value |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for place in message.plan.places:
        lines.append(
            f"| {place.offset} | {place.offset + HEAD} | {_length(place)} | {place.codec.kind} | `{place.name}` "
            f"| {place.named.zh} | {place.named.en} | {_notes(place)} |"
        )
    return "\n".join(lines + _bits(message)) + "\n"


def _overview(messages: list[type[YkcMessage]]) -> str:
    lines = ["| type | 名称 | frame | direction | body | answered by |", "| --- | --- | --- | --- | --- | --- |"]
    for message in messages:
        answer = ANSWERED_BY.get(message.code)
        lines.append(
            f"| {_hex(message.code)} | {message.title} | [{message.__name__}](#{_anchor(message)}) "
            f"| {'pile → platform' if is_from_pile(message.code) else 'platform → pile'} "
            f"| {message.size}{'+' if message.plan.tail else ''} | {'' if answer is None else _hex(answer)} |"
        )
    return "\n".join(lines) + "\n"


def _code_tables() -> str:
    stops = ["## Stop reasons (停止原因, `stop_reason` of 0x3B)", "", "| code | class | 含义 | meaning |"]
    stops.append("| --- | --- | --- | --- |")
    stops += [
        f"| {_hex(reason.code)} | {reason.kind.value} | {reason.zh} | {reason.en} |" for reason in STOP_REASONS.values()
    ]
    faults = ["", "## Hardware faults (硬件故障, `fault_bits` of 0x13)", ""]
    faults += ["Bit1 is mask 0x0001 or 0x0002, a setting of the pile's model.", ""]
    faults += ["| bit | 含义 | meaning |", "| --- | --- | --- |"]
    faults += [f"| Bit{number} | {words.zh} | {words.en} |" for number, words in enumerate(FAULT_BITS, 1)]
    return "\n".join(stops + faults) + "\n"


def page() -> str:
    """The whole page."""
    messages = sorted(REGISTRY, key=lambda message: (message.code, message.size))
    parts = [INTRODUCTION, _overview(messages), *(section(message) for message in messages), _code_tables()]
    return "\n".join(parts)


if __name__ == "__main__":
    sys.stdout.buffer.write(page().encode())
