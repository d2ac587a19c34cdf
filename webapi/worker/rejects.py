"""Messages that cannot be handled: set aside in a file of bounded size, one JSON line each, with the reason."""

import os
import re
from datetime import datetime
from pathlib import Path

import msgspec

FILE_BYTES = 8 * 1024 * 1024
PAYLOAD_BYTES = 4096
"""Of the payload that are kept: the whole of a charge record."""


_SECRET = re.compile(rb'("password"\s*:\s*)"[^"]*"')
"""A card's password, on its way in a `card_request`."""


def without_secrets(payload: bytes) -> bytes:
    """The payload as it may be kept and logged, whether or not it can be understood."""
    return _SECRET.sub(rb'\1""', payload)


class Reject(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the file."""

    at: datetime
    reason: str
    detail: str
    topic: str
    payload_bytes: int
    payload_hex: str


class RejectFile:
    """`rejects/worker.jsonl`, and the one before it as `worker.1.jsonl`. One thread writes."""

    def __init__(self, folder: Path, *, file_bytes: int = FILE_BYTES) -> None:
        self.path = folder / "rejects" / "worker.jsonl"
        self._file_bytes = file_bytes

    def append(self, *, at: datetime, reason: str, detail: str, topic: str, payload: bytes) -> None:
        """Add a line, without secrets; it is on the disk (fsync) when this returns. Raises OSError."""
        line = Reject(
            at=at,
            reason=reason,
            detail=detail[:1000],
            topic=topic[:256],
            payload_bytes=len(payload),
            payload_hex=without_secrets(payload)[:PAYLOAD_BYTES].hex(),
        )
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists() and self.path.stat().st_size > self._file_bytes:
            self.path.replace(self.path.with_name("worker.1.jsonl"))
        with self.path.open("ab") as file:
            file.write(msgspec.json.encode(line) + b"\n")
            file.flush()
            os.fsync(file.fileno())
