"""One child's output: a file of bounded size that is rotated, and its last line, which tells why it died."""

from __future__ import annotations

import os
from pathlib import Path

MAX_BYTES = 5_000_000
KEEP = 3
LAST_LINE_CHARS = 300


class RotatedLog:
    """Appends to `path`; over `max_bytes` it becomes `path.1`, that one `path.2`, and so on up to `keep` old files."""

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES, keep: int = KEEP) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._keep = keep
        self._file = path.open("ab", buffering=0)
        self._size = os.fstat(self._file.fileno()).st_size
        self._tail = b""

    def write(self, data: bytes) -> None:
        """Append what the child printed, as it is."""
        if self._size + len(data) > self._max_bytes and self._size > 0:
            self._rotate()
        self._file.write(data)
        self._size += len(data)
        # Only the end is kept: one whole line at most, for last_line.
        self._tail = (self._tail + data)[-4 * LAST_LINE_CHARS :]

    def last_line(self) -> str:
        """The last line that is not empty, cut to a length that fits a message; empty when nothing was printed."""
        lines = [line.strip() for line in self._tail.decode("utf-8", "replace").splitlines()]
        spoken = [line for line in lines if line]
        return spoken[-1][:LAST_LINE_CHARS] if spoken else ""

    def forget(self) -> None:
        """Start a new life of the child: its last line is no longer that of the life before."""
        self._tail = b""

    def close(self) -> None:
        """Close the file; nothing is buffered."""
        self._file.close()

    def _rotate(self) -> None:
        self._file.close()
        for number in range(self._keep, 0, -1):
            older = self._path.with_name(f"{self._path.name}.{number}")
            newer = self._path if number == 1 else self._path.with_name(f"{self._path.name}.{number - 1}")
            if newer.exists():
                newer.replace(older)
        self._file = self._path.open("ab", buffering=0)
        self._size = 0
