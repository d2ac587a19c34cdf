"""The points of a past as files: complete and unchanged or not read at all; which of them a store has already."""

import gzip
import hashlib
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from evcs.contracts.history import FORMAT, MANIFEST, POINTS, Manifest, PointsFile
from ingest.errors import IngestError

LINE_BYTES = 4_096
"""Ours have some hundred."""


class BadHistory(IngestError):
    """The folder holds no past that can be loaded; where and why."""


def read_manifest(folder: Path) -> Manifest:
    """What the folder says of itself."""
    path = folder / MANIFEST
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError:
        raise BadHistory(f"{path} is missing: the past was not written to its end") from None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadHistory(f"{path}: {error}") from error
    if manifest.format != FORMAT:
        raise BadHistory(f"{path}: format {manifest.format}, this program reads {FORMAT}")
    return manifest


def check_file(folder: Path, told: PointsFile) -> Path:
    """The file's path, if its bytes are those of the manifest. Raises BadHistory."""
    path = folder / POINTS / told.name
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
    except OSError as error:
        raise BadHistory(f"{path}: {error}") from error
    if digest.hexdigest() != told.sha256:
        raise BadHistory(f"{path} is not the file that {MANIFEST} tells of: cut off, or changed since")
    return path


def lines_of(path: Path, told: PointsFile) -> Iterator[bytes]:
    """Its lines, as many as the manifest tells. Raises BadHistory where they are more, fewer or too long."""
    count = 0
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            while line := file.readline(LINE_BYTES):
                count += 1
                if count > told.lines or not line.endswith(b"\n"):
                    raise BadHistory(f"{path} line {count}: more than {MANIFEST} tells of, or no end of line")
                yield line[:-1]
    except (OSError, EOFError, zlib.error) as error:
        raise BadHistory(f"{path}: {error}") from error
    if count != told.lines:
        raise BadHistory(f"{path} has {count} lines, {MANIFEST} tells of {told.lines}")


class Done:
    """Which files of a past a store has: a line each in a file of its own, so that a load goes on where it stopped."""

    def __init__(self, var: Path, manifest: Manifest, store_url: str) -> None:
        key = hashlib.sha256(msgspec.json.encode(manifest) + store_url.encode()).hexdigest()[:16]
        self._path = var / "loads" / f"{key}.txt"

    def names(self) -> frozenset[str]:
        """Files that are in the store."""
        try:
            text = self._path.read_text(encoding="ascii", errors="replace")
        except FileNotFoundError:
            return frozenset()
        return frozenset(line for line in text.split("\n")[:-1] if line)  # a torn last line does not count

    def add(self, name: str) -> None:
        """The store has the whole file; on the disk when it returns."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="ascii") as file:
            file.write(f"{name}\n")
            file.flush()
            os.fsync(file.fileno())
