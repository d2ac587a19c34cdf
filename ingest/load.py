"""`python -m ingest.load DIR`: the points and roll-ups of a past into the store, in bulk, also while ingest runs.

Reads what `bridge.simulator history` wrote, writes through the store interface: each point overwrites itself, so a
second load changes nothing. What the store refuses is set aside in `rejects/load/`.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_delay, wait_random_exponential

from evcs.contracts.history import PointsFile
from evcs.runtime import log
from evcs.runtime.clock import Clock, SystemClock
from evcs.runtime.progress import progress
from evcs.runtime.settings import read
from evcs.store.interface import Point, StoreRefused, StoreUnavailable, TelemetryStore
from evcs.store.lines import line as spell
from evcs.store.open import beside, open_store
from ingest.errors import RejectReason, Unreadable
from ingest.load_files import BadHistory, Done, check_file, lines_of, read_manifest
from ingest.load_lines import LineReader
from ingest.rejects import Reject, RejectFile, reject
from ingest.settings import Settings

PATIENCE_S = 600.0
"""A store that is away for longer ends the load; it goes on where it stopped when it is called again."""
RAW = "raw"


@dataclass(slots=True)
class Loaded:
    """What a load did."""

    points: int = 0
    refused: int = 0
    files: int = 0
    known: int = 0
    """Files that the store had already."""


class Loader:
    """Files of a past → stores by bucket."""

    def __init__(
        self,
        store_of: Callable[[str], TelemetryStore],
        rejects: RejectFile,
        clock: Clock,
        *,
        batch_points: int,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._store_of = store_of
        self._rejects = rejects
        self._clock = clock
        self._batch_points = batch_points
        self._retrying = Retrying(
            retry=retry_if_exception_type(StoreUnavailable),
            wait=wait_random_exponential(multiplier=0.1, max=10),
            stop=stop_after_delay(patience_s),
            before_sleep=_say_away,
            reraise=True,
        )
        self._reader = LineReader()

    def load(self, folder: Path, done: Done, *, again: bool = False) -> Loaded:
        """Write what is not there. Raises BadHistory, StoreUnavailable; what was written until then stays written."""
        manifest = read_manifest(folder)
        loaded = Loaded()
        there = frozenset() if again else done.names()
        with progress("points", sum(file.lines for file in manifest.points), "points") as moved:
            for told in manifest.points:
                if told.name in there:
                    loaded.known += 1
                    moved(told.lines, told.name)
                    continue
                path = check_file(folder, told)
                for batch in _batches(lines_of(path, told), self._batch_points):
                    self._write(told, batch, loaded)
                    moved(len(batch), told.name)
                done.add(told.name)
                loaded.files += 1
        return loaded

    def _write(self, told: PointsFile, lines: list[bytes], loaded: Loaded) -> None:
        points: list[Point] = []
        bad: list[Reject] = []
        for line in lines:
            try:
                points.append(self._reader.point(line.decode()))
            except (Unreadable, UnicodeDecodeError) as error:
                bad.append(self._reject(RejectReason.NOT_THE_CONTRACT, str(error), told, line))
        try:
            self._retrying(self._store_of(told.bucket).write, points)
        except StoreRefused as error:
            bad += [
                self._reject(RejectReason.REFUSED_BY_STORE, one.reason, told, spell(one.point).encode())
                for one in error.refused
            ]
        if bad:
            self._rejects.append(bad)
        loaded.refused += len(bad)
        loaded.points += len(lines) - len(bad)

    def _reject(self, reason: RejectReason, detail: str, told: PointsFile, line: bytes) -> Reject:
        return reject(self._clock.now(), reason, detail, told.name, line)


def _batches(lines: Iterator[bytes], size: int) -> Iterator[list[bytes]]:
    while batch := list(islice(lines, size)):
        yield batch


def _say_away(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome is not None else None
    if state.attempt_number in (1, 10):
        sys.stderr.write(f"the store is away, trying again: {error}\n")


class Stores:
    """A store for each bucket, opened when first needed."""

    def __init__(self, url: str, secret: str | None) -> None:
        self._url, self._secret = url, secret
        self._open: dict[str, TelemetryStore] = {}

    def of(self, bucket: str) -> TelemetryStore:
        """Raw points go where ingest writes, roll-ups beside."""
        url = self._url if bucket == RAW else beside(self._url, bucket)
        if url not in self._open:
            self._open[url] = open_store(url, self._secret)
        return self._open[url]

    def close(self) -> None:
        for store in self._open.values():
            store.close()


def main(arguments: list[str]) -> int:
    """0 all stored, 1 something was set aside or wrong, 2 for settings."""
    parser = argparse.ArgumentParser(prog="python -m ingest.load", description="Put a past's points into the store.")
    parser.add_argument("folder", type=Path, help="what `python -m bridge.simulator history` wrote")
    parser.add_argument("--again", action="store_true", help="also files that the store has already")
    given = parser.parse_args(arguments)
    settings = read(Settings)
    log.setup("ingest", "warning", settings.log_format)
    stores = Stores(settings.store_url, settings.store_secret)
    clock = SystemClock(settings.clock_offset_file)
    loader = Loader(stores.of, RejectFile(settings.var / "rejects" / "load"), clock, batch_points=settings.batch_points)
    try:
        done = Done(settings.var, read_manifest(given.folder), settings.store_url)
        loaded = loader.load(given.folder, done, again=given.again)
    except (BadHistory, StoreUnavailable, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        stores.close()
    sys.stderr.write(
        f"{loaded.points} points of {loaded.files} files stored, {loaded.known} files were there already"
        f"{f'; {loaded.refused} set aside, see rejects/load' if loaded.refused else ''}\n"
    )
    return 1 if loaded.refused else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
