"""What the codec costs by frame type, beside a bare `struct` that knows the same items and gives no names or units.

    .venv/bin/python -m bench.codec [--no-write]

Each figure is the least of many short rounds, and the rounds of both sides alternate: on a shared machine the longer
ones measure the neighbours. `whole frame` is what a link does: cut, CRC, decode; and encode, CRC, pack.
"""

import sys
from collections.abc import Callable
from time import perf_counter_ns

from bench import report
from bridge.protocols.base import Frame
from bridge.protocols.ykc.framing import YkcSplitter
from bridge.protocols.ykc.messages import REGISTRY, YkcMessage
from bridge.protocols.ykc.protocol import Ykc, decode

ROUNDS = 150
TIMES = 200
"""Calls in a round."""


def sample(kind: type[YkcMessage]) -> bytes:
    """A body with something in every field, so that no conversion has an easy zero."""
    body = bytearray((37 * place + 11) % 9 + 1 for place in range(kind.size))
    for place in kind.plan.places:
        if place.codec.kind == "CP56Time2a":
            body[place.offset : place.offset + 7] = bytes((0x98, 0xB7, 14, 17, 16, 3, 26))
        elif place.name in ("count", "prefix_len"):
            body[place.offset] = 3
    tail = kind.plan.tail
    unit = getattr(tail.codec, "unit", 0) if tail is not None else 0
    return bytes(body) + bytes(range(1, 1 + 3 * unit))


def least_us(sides: list[Callable[[], object]]) -> list[float]:
    """µs a call of each side, its quickest round; sides take turns."""
    best = [float("inf")] * len(sides)
    for _ in range(ROUNDS):
        for at, work in enumerate(sides):
            start = perf_counter_ns()
            for _ in range(TIMES):
                work()
            best[at] = min(best[at], (perf_counter_ns() - start) / TIMES / 1000)
    return best


def sides_of(kind: type[YkcMessage]) -> list[Callable[[], object]]:
    """Bare unpack, decode, bare pack, encode, whole frame in, whole frame out."""
    body = sample(kind)
    message, packed = kind.decode(body), kind.plan.struct
    items = packed.unpack_from(body)
    protocol = Ykc()
    raw = protocol.encode(message, 1)
    splitter = YkcSplitter()

    def whole() -> object:
        (frame,) = splitter.feed(raw)
        return decode(frame)

    frame = Frame(kind.code, b"\1\0", body, raw)
    return [
        lambda: packed.unpack_from(body),
        lambda: decode(frame),
        lambda: packed.pack(*items),
        lambda: message.encode(),
        whole,
        lambda: protocol.encode(message, 1),
    ]


def rows() -> list[str]:
    made = []
    for kind in sorted(REGISTRY, key=lambda kind: (kind.code, kind.size)):
        unpack, read, pack, write, heard, told = least_us(sides_of(kind))
        made.append(
            f"| 0x{kind.code:02X} {kind.__name__} | {len(kind.plan.places)} | {1e6 / read:,.0f} | {read:.2f} "
            f"| {read / unpack:.1f} | {1e6 / write:,.0f} | {write:.2f} | {write / pack:.1f} "
            f"| {1e6 / heard:,.0f} | {1e6 / told:,.0f} |"
        )
    return made


def main(arguments: list[str]) -> None:
    head = [
        "| frame | fields | decode/s | µs | × unpack | encode/s | µs | × pack | whole in/s | whole out/s |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    text = (
        "One core; the least of many short rounds, in turn with the bare `struct`. *Whole* is with cutting and CRC."
        "\n\n"
        + "\n".join(head + rows())
        + "\n\nBare `struct` gives numbers and bytes; the codec gives names, exact decimals, digits, codes and times. "
        "What bounds it: one call of C per field (about 45 ns) and one dictionary a message; encoding also checks that "
        "every decimal is a multiple of its step. A whole frame costs half a microsecond more for cutting; its CRC "
        "is computed in Rust (fastcrc), 0.1 µs where a table in Python took 1.9."
    )
    report.section(
        "codec",
        "Codec, frames per second by type (`python -m bench.codec`)",
        text,
        write="--no-write" not in arguments,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
