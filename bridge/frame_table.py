"""A frame as a table for people, Chinese and English: each field with place, value, meaning and bytes."""

import re
import sys
from datetime import datetime
from typing import TextIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bridge.protocols.base import UnknownFrame
from bridge.protocols.fields import Offset, Scaled
from bridge.protocols.layout import Place
from bridge.protocols.ykc.lines import FrameLine
from bridge.protocols.ykc.meaning import meaning
from bridge.protocols.ykc.messages import REGISTRY, CellMax, YkcMessage, is_from_pile
from bridge.protocols.ykc.plain import plain

HEAD = 6
"""Bytes before the body."""
PIPE_WIDTH = 160
"""Columns where there is no screen to ask."""
AROUND = 8
"""Bytes of a frame that are not its body (YKC V1.6 §2)."""
_CRC = {"low-first": "低字节在前", "high-first": "高字节在前", "invalid": "校验错误"}


def english_title(message: type[YkcMessage]) -> str:
    """RemoteStartAnswer → remote start answer."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", message.__name__).lower()


def _value(message: YkcMessage, place: Place) -> str:
    value = getattr(message, place.name)
    match value:
        case CellMax(cell_v, group):
            return f"{cell_v} V, {group}"
        case tuple():
            return f"{len(value)} ×"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}.{value.microsecond // 1000:03d} UTC+8"
    codec = place.codec
    unit = place.named.unit or (codec.unit if isinstance(codec, Scaled | Offset) else "")
    return f"{plain(value)} {unit}".rstrip()


def _head(line: FrameLine, message: YkcMessage | UnknownFrame | None, size: int) -> Text:
    code = int(str(line.frame_type), 16)
    title, english = "未知类型", "unknown type"
    # A frame that its table cannot read is still named: "too short" says little without "tariff model".
    known = type(message) if isinstance(message, YkcMessage) else REGISTRY.find(code, size - AROUND)
    if known is not None:
        title, english = known.title, english_title(known)
    way = "桩 → 平台 pile → platform" if is_from_pile(code) else "平台 → 桩 platform → pile"
    order = str(line.crc_order)
    return Text.assemble(
        (f"{line.frame_type} {title} {english}", "bold"),
        f"\n{way} · 序列号 seq {line.seq} · 加密 encrypt {line.encrypt} · ",
        (f"CRC {_CRC[order]} {order}", "red" if order == "invalid" else ""),
        f" · {size} 字节 bytes",
    )


def print_frame(line: FrameLine, message: YkcMessage | UnknownFrame | None, raw: bytes, out: TextIO) -> None:
    """Head, then a row for each field; a body without a table as hex; an error as it is."""
    console = Console(file=out, highlight=False, width=None if out.isatty() else PIPE_WIDTH)
    if line.frame_type is not None:
        console.print(_head(line, message, len(raw)))
    if line.error:
        console.print(Text(f"错误 error: {line.error}", style="red"))
    if isinstance(message, YkcMessage):
        console.print(_fields(message, raw))
    elif line.body is not None:
        console.print(Text(f"消息体 body: {line.body}"))
    if sys.stdout is out:
        out.flush()


def _fields(message: YkcMessage, raw: bytes) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("位置\noffset", justify="right", no_wrap=True)
    table.add_column("字段\nfield", no_wrap=True)
    table.add_column("名称\nname", overflow="fold")
    table.add_column("数值\nvalue", overflow="fold")
    table.add_column("含义\nmeaning", overflow="fold")
    table.add_column("字节\nbytes", overflow="fold")
    for place in message.plan.places:
        words = meaning(message, place)
        start = HEAD + place.offset
        size = place.codec.size or len(raw) - 2 - start - len(message.extra)
        table.add_row(
            str(start),
            place.name,
            f"{place.named.zh}\n{place.named.en}",
            Text(_value(message, place)),
            Text(f"{words.zh}\n{words.en}" if words.zh != words.en else words.zh),
            raw[start : start + size].hex(" "),
        )
    if message.extra:
        start = len(raw) - 2 - len(message.extra)
        table.add_row(str(start), "", "表外字节\nbytes behind the table", "", "", message.extra.hex(" "))
    return table
