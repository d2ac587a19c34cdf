"""The files of a past: points by bucket and day, what happened line by line, and the manifest that is written last."""

import gzip
import hashlib
from datetime import date
from io import BytesIO
from pathlib import Path

import msgspec

from bridge.simulator.history.sink import Sink
from evcs.contracts.envelope import encode
from evcs.contracts.history import MANIFEST, ORDERS, POINTS, Manifest, PointsFile
from evcs.store.interface import Point
from evcs.store.lines import spelled

PACK_LEVEL = 1
"""Four fifths of the gain of the default in a third of its time."""


class NotEmpty(Exception):
    """The folder holds something already; nothing of it is overwritten."""


class HistoryFiles:
    """One folder. Raises NotEmpty where a past stands there already, OSError where it cannot be written."""

    def __init__(self, folder: Path, *, packed: bool) -> None:
        if folder.exists() and any(folder.iterdir()):
            raise NotEmpty(f"{folder} is not empty: name another folder, or empty this one")
        (folder / POINTS).mkdir(parents=True)
        self._folder, self._packed = folder, packed
        self._orders = (folder / ORDERS).open("wb")
        self._hash = hashlib.sha256()
        self._lines = 0
        self._files: list[PointsFile] = []

    def day(self, day: date, brought: Sink) -> None:
        """Write what a day brought."""
        for bucket, points in brought.points.items():
            if points:
                self._points(bucket, day, [*_spell(points)])
        for line in brought.lines:
            text = encode(line) + b"\n"
            self._hash.update(text)
            self._orders.write(text)
            self._lines += 1

    def _points(self, bucket: str, day: date, lines: list[str]) -> None:
        data = ("\n".join(lines) + "\n").encode()
        name = f"{bucket}-{day.isoformat()}.lines"
        if self._packed:
            buffer = BytesIO()
            with gzip.GzipFile("", "wb", PACK_LEVEL, buffer, mtime=0) as file:  # no name and time: same bytes
                file.write(data)
            data, name = buffer.getvalue(), f"{name}.gz"
        (self._folder / POINTS / name).write_bytes(data)
        told = PointsFile(name=name, bucket=bucket, lines=len(lines), sha256=hashlib.sha256(data).hexdigest())
        self._files.append(told)

    def close(self, seed: int, first_day: date, end_day: date) -> Manifest:
        """Everything is there: say so."""
        self._orders.close()
        manifest = Manifest(
            seed=seed,
            first_day=first_day,
            end_day=end_day,
            points=tuple(self._files),
            orders=self._lines,
            orders_sha256=self._hash.hexdigest(),
        )
        (self._folder / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=1))
        return manifest


def _spell(points: list[Point]) -> list[str]:
    _, lines, refused = spelled(points)
    if refused:
        raise ValueError(f"a point that no store may take: {refused[0].reason}")
    return lines
