"""`python -m bridge.frame` (`evcs frame`): frames in hex ⇄ a table for people or JSON lines for scripts."""

import argparse
import os
import re
import sys
from collections.abc import Iterable, Iterator
from typing import BinaryIO, TextIO

from bridge.frame_table import print_frame
from bridge.protocols.base import FrameError
from bridge.protocols.ykc.lines import FrameLine, decode_line, dump, encode_line, load, look

LONGEST_LINE = 64 * 1024
"""Bytes of a line that are read; a frame needs at most a few hundred digits, its object a few thousand letters."""
_BETWEEN = re.compile(rb"0[xX]|[\s:,;-]+")
"""What may stand around and between the bytes, as loggers print them."""


def lines_of(source: BinaryIO) -> Iterator[bytes | None]:
    """Line by line with bounded memory; None for a line that is too long, whose rest is read and thrown away."""
    while line := source.readline(LONGEST_LINE):
        if len(line) < LONGEST_LINE or line.endswith(b"\n"):
            yield line.strip()
            continue
        while line and not line.endswith(b"\n"):
            line = source.readline(LONGEST_LINE)
        yield None


def hex_bytes(text: bytes) -> bytes:
    """Hex digits with anything that loggers put between them → bytes; FrameError where they are none."""
    digits = _BETWEEN.sub(b"", text)
    try:
        return bytes.fromhex(digits.decode("ascii"))
    except ValueError:
        shown = text[:40].decode("ascii", "replace")
        raise FrameError(f"not hex: {shown}" if len(digits) % 2 == 0 else f"an odd number of digits: {shown}") from None


def decoded(text: bytes | None) -> FrameLine:
    """One line of hex → its object, whatever it holds."""
    if text is None:
        return FrameLine(error=f"a line of more than {LONGEST_LINE} bytes")
    try:
        return decode_line(hex_bytes(text))
    except FrameError as error:
        return FrameLine(error=str(error))


def encoded(text: bytes | None) -> str:
    """One line of JSON → hex, or an object with its error."""
    try:
        if text is None:
            raise FrameError(f"a line of more than {LONGEST_LINE} bytes")
        return encode_line(load(text)).hex()
    except FrameError as error:
        return dump(FrameLine(error=str(error)))


def pieces(texts: list[str]) -> list[bytes]:
    """Arguments → what to decode: single bytes given apart are one piece, whole frames one each."""
    given = [text.encode() for text in texts]
    short = any(len(_BETWEEN.sub(b"", text)) < 16 for text in given)
    return [b"".join(given)] if short else given


def tables(texts: Iterable[bytes | None], out: TextIO) -> int:
    """Every frame of every text as a table, also several in one segment; 1 where something was none."""
    code = 0
    for text in texts:
        try:
            if text is None:
                raise FrameError(f"a line of more than {LONGEST_LINE} bytes")
            data = hex_bytes(text)
        except FrameError as error:
            print_frame(FrameLine(error=str(error)), None, b"", out)
            code = 1
            continue
        while True:
            seen = look(data)
            print_frame(seen.line, seen.message, seen.raw, out)
            code = 1 if seen.line.error or seen.line.crc_order == "invalid" else code
            data = data[seen.used :]
            if not data:
                break
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="evcs frame", description="Reads and makes frames of the pile protocol.")
    kinds = parser.add_subparsers(dest="what", required=True)
    reads = kinds.add_parser("decode", help="hex → a table (报文解析), or JSON lines with --jsonl")
    reads.add_argument("given", nargs="*", metavar="HEX", help="frames in hex; without any: standard input, one a line")
    writes = kinds.add_parser("encode", help="JSON objects, as decode --jsonl gives them → hex (报文生成)")
    writes.add_argument("given", nargs="*", metavar="JSON", help="objects; without any: standard input, one a line")
    for each in (reads, writes):
        each.add_argument(
            "--jsonl",
            action="store_true",
            help="one line out for each line in, errors as objects; the exit code is then 0",
        )
    return parser


def main(arguments: list[str], source: BinaryIO, out: TextIO) -> int:
    """0, or 1 when something was no frame and no --jsonl asked for errors as lines."""
    options = _parser().parse_args(arguments)
    given: list[str] = options.given
    if options.what == "decode" and not options.jsonl:
        return tables(pieces(given) if given else lines_of(source), out)
    code = 0
    for text in [each.encode() for each in given] if given else lines_of(source):
        line = dump(decoded(text)) if options.what == "decode" else encoded(text)
        code = 1 if line.startswith('{"error"') and not options.jsonl else code
        print(line, file=out, flush=True)  # a script may wait for the answer to its line
    return code


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    try:
        code = main(sys.argv[1:], sys.stdin.buffer, sys.stdout)
        sys.stdout.flush()
    except BrokenPipeError:
        # Who read us has gone (`| head`): Python must not complain when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)
