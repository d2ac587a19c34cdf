"""Reading a past's files: the manifest, and the lines of what happened, each with its number. Nothing is believed."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from evcs.contracts.history import FORMAT, MANIFEST, ORDERS, Manifest, Past

LINE_BYTES = 1_000_000
"""An order with its record has some kilobytes; a longer line is no order."""


class BadHistory(Exception):
    """The folder holds no past that can be loaded, or a line of it cannot be; where and why."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of `orders.jsonl`, counted from 1."""

    number: int
    said: Past


def read_manifest(folder: Path) -> Manifest:
    """What the folder says of itself, after a look at whether its orders are complete and unchanged."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise BadHistory(f"{folder / MANIFEST} is missing: the past was not written to its end") from None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadHistory(f"{folder / MANIFEST}: {error}") from error
    if manifest.format != FORMAT:
        raise BadHistory(f"{folder / MANIFEST}: format {manifest.format}, this program reads {FORMAT}")
    digest = hashlib.sha256()
    try:
        with (folder / ORDERS).open("rb") as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
    except OSError as error:
        raise BadHistory(f"{folder / ORDERS}: {error}") from error
    if digest.hexdigest() != manifest.orders_sha256:
        raise BadHistory(f"{folder / ORDERS} is not the file that {MANIFEST} tells of: cut off, or changed since")
    return manifest


def lines_of(folder: Path) -> Iterator[Line]:
    """Each line. Raises BadHistory at the first that is none, with its number."""
    decoder: msgspec.json.Decoder[Past] = msgspec.json.Decoder(Past)
    with (folder / ORDERS).open("rb") as file:
        number = 0
        while raw := file.readline(LINE_BYTES + 1):
            number += 1
            if len(raw) > LINE_BYTES or not raw.endswith(b"\n"):
                raise BadHistory(f"{ORDERS} line {number}: no line end within {LINE_BYTES} bytes")
            try:
                said = decoder.decode(raw)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise BadHistory(f"{ORDERS} line {number}: {error}") from error
            yield Line(number, said)
