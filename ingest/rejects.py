"""Messages set aside: one JSON line each in a file of bounded size, with the reason and the first bytes."""

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from ingest.errors import RejectReason

PAYLOAD_BYTES = 512
"""Of the payload that are kept: enough to see what it was."""
TOPIC_CHARACTERS = 256
DETAIL_CHARACTERS = 512
FILE_BYTES = 8 * 1024 * 1024
FILES = 5
"""The present file and four before it: 40 MiB at most, and the newest are kept."""


class Reject(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the file. `payload_hex` is cut, `payload_bytes` says how long the payload was."""

    at: datetime
    reason: RejectReason
    detail: str
    topic: str
    payload_bytes: int
    payload_hex: str


def reject(at: datetime, reason: RejectReason, detail: str, topic: str, payload: bytes) -> Reject:
    """What is kept of a message."""
    return Reject(
        at=at,
        reason=reason,
        detail=detail[:DETAIL_CHARACTERS],
        topic=topic[:TOPIC_CHARACTERS],
        payload_bytes=len(payload),
        payload_hex=payload[:PAYLOAD_BYTES].hex(),
    )


class RejectFile:
    """`rejects/rejects.jsonl` and what was before it, `rejects.1.jsonl` the newest. One process, one thread writes."""

    def __init__(self, folder: Path, *, file_bytes: int = FILE_BYTES, files: int = FILES) -> None:
        self.path = folder / "rejects.jsonl"
        self._file_bytes = file_bytes
        self._files = files

    def append(self, rejects: Sequence[Reject]) -> None:
        """Add lines; they are on the disk (fsync) when it returns. Raises OSError."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lines = b"".join(msgspec.json.encode(each) + b"\n" for each in rejects)
        if self._size() + len(lines) > self._file_bytes:
            self._rotate()
        with self.path.open("ab") as file:
            if self._ends_within_a_line():
                file.write(b"\n")  # killed while it wrote: the next line must not become part of that torso
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())

    def _size(self) -> int:
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def _ends_within_a_line(self) -> bool:
        if self._size() == 0:
            return False
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) != b"\n"

    def _rotate(self) -> None:
        for age in range(self._files - 1, 0, -1):
            older = self._aged(age)
            newer = self._aged(age - 1)
            if newer.exists():
                newer.replace(older)

    def _aged(self, age: int) -> Path:
        return self.path if age == 0 else self.path.with_name(f"rejects.{age}.jsonl")
