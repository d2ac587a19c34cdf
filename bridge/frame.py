"""`python -m bridge.frame`: frames in hex, from arguments or standard input, as a table for people or as JSON lines."""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from enum import IntEnum
from typing import TextIO

from bridge.protocols.base import Frame, FrameError
from bridge.protocols.ykc.framing import YkcSplitter
from bridge.protocols.ykc.messages import YkcMessage, is_from_pile
from bridge.protocols.ykc.protocol import decode


def _plain(value: object) -> object:
    """A field's value as JSON has it: decimals as text (exact), times as RFC 3339, codes as numbers."""
    match value:
        case Decimal():
            return str(value)
        case datetime():
            return value.isoformat(timespec="milliseconds")
        case bytes():
            return value.hex()
        case IntEnum():
            return int(value)
        case _:
            return value


def describe(frame: Frame) -> dict[str, object]:
    """One frame, whatever its type: head, direction, and its fields by name where its type is declared."""
    shown: dict[str, object] = {
        "type": f"0x{frame.code:02X}",
        "from": "pile" if is_from_pile(frame.code) else "platform",
        "seq": frame.seq.hex(),
        "crc": frame.crc_order.value,
        "encrypted": frame.encrypted,
    }
    try:
        message = decode(frame)
    except FrameError as error:
        return shown | {"error": str(error), "body": frame.body.hex()}
    if not isinstance(message, YkcMessage):
        return shown | {"body": frame.body.hex()}
    fields = {place.name: _plain(getattr(message, place.name)) for place in message.plan.places}
    return (
        shown
        | {"message": type(message).__name__, "title": message.title, "fields": fields}
        | ({"extra": message.extra.hex()} if message.extra else {})
    )


def read_hex(lines: Iterable[str]) -> Iterator[dict[str, object]]:
    """Lines of hex (blanks allowed, a frame may run over several lines) → frames, and at the end what was dropped."""
    splitter = YkcSplitter()
    for line in lines:
        text = "".join(line.split())
        try:
            data = bytes.fromhex(text)
        except ValueError:
            yield {"error": f"not hex: {text[:40]}"}
            continue
        for frame in splitter.feed(data):
            yield describe(frame)
    while splitter.pending:
        for frame in splitter.abandon():
            yield describe(frame)
    if splitter.dropped_bytes:
        yield {"dropped": {reason.value: size for reason, size in splitter.dropped_bytes.items()}}


def _table(shown: dict[str, object], out: TextIO) -> None:
    fields = shown.get("fields")
    head = "  ".join(f"{name}={value}" for name, value in shown.items() if name != "fields")
    print(head, file=out)
    if isinstance(fields, dict):
        for name, value in fields.items():
            print(f"    {name:<20} {value}", file=out)


def main(arguments: list[str], source: TextIO, out: TextIO) -> int:
    """Decode; 1 when something was not a frame."""
    parser = argparse.ArgumentParser(prog="python -m bridge.frame", description=__doc__)
    parser.add_argument("hex", nargs="*", help="frames in hex; without any, lines are read from standard input")
    parser.add_argument("--json", action="store_true", help="one JSON object a frame instead of a table")
    options = parser.parse_args(arguments)
    code = 0
    for shown in read_hex(options.hex or source):
        if options.json:
            print(json.dumps(shown, ensure_ascii=False), file=out)
        else:
            _table(shown, out)
        if "error" in shown or "dropped" in shown:
            code = 1
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], sys.stdin, sys.stdout))
