"""The embedded telemetry store: one SQLite file in WAL, written by `ingest`, read by others meanwhile."""

import os
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from evcs.contracts.measurements import Measurement
from evcs.contracts.times import from_ms, to_ms
from evcs.store import check, tables
from evcs.store.interface import (
    Aggregate,
    Curve,
    CurvePoint,
    How,
    Latest,
    Point,
    QueryError,
    Refused,
    Series,
    StoreRefused,
    StoreUnavailable,
)

BUSY_S = 2.0
"""How long a call waits for somebody else's lock before it says that the store is away; the caller tries again."""
CACHE_KIB = 16_384

Key = tuple[str, tuple[str, ...]]


class SqliteStore:
    """Safe for several threads: one connection writes under a lock, each reading thread has its own.

    Nothing is opened before the first call, and what broke is opened anew at the next.
    """

    def __init__(self, path: Path, *, writable: bool, busy_s: float = BUSY_S) -> None:
        self._path = path
        self._writable = writable
        self._busy_s = busy_s
        self._lock = threading.Lock()
        self._writer: sqlite3.Connection | None = None
        self._inode = 0
        self._ids: dict[Key, int] = {}
        """The number of each series, as the file has it; emptied with the connection."""
        self._local = threading.local()
        self._readers: list[sqlite3.Connection] = []

    # --- writing

    def write(self, points: Sequence[Point]) -> None:
        """See `TelemetryStore.write`; one transaction, on the disk (fsync) when it returns."""
        if not self._writable:
            raise StoreUnavailable(f"{self._path} was opened for reading")
        fit: list[Point] = []
        refused: list[Refused] = []
        for point in points:
            why = check.fault(point)
            if why is None:
                fit.append(point)
            else:
                refused.append(Refused(point, why))
        with self._lock:
            try:
                self._write(fit)
            except (sqlite3.Error, OSError) as error:
                # Whatever it was (locked, full, unreadable, damaged), the next call begins with a new connection.
                self._drop_writer()
                raise StoreUnavailable(f"{self._path}: {error}") from error
        if refused:
            raise StoreRefused(refused)

    def _write(self, points: Sequence[Point]) -> None:
        connection = self._writing()
        connection.execute("BEGIN IMMEDIATE")
        rows: dict[str, list[tuple[object, ...]]] = {}
        ids = self._ids
        for point in points:
            key = (point.measurement.name, point.tags)
            number = ids.get(key)
            if number is None:
                number = ids[key] = self._number(connection, point.measurement, point.tags)
            rows.setdefault(key[0], []).append((number, to_ms(point.at), *point.fields))
        for name, some in rows.items():
            connection.executemany(tables.UPSERT[name], some)
        connection.execute("COMMIT")

    @staticmethod
    def _number(connection: sqlite3.Connection, measurement: Measurement, tags: tuple[str, ...]) -> int:
        connection.execute(tables.ADD_SERIES[measurement.name], tags)
        row: tuple[int] = connection.execute(tables.FIND_SERIES[measurement.name], tags).fetchone()
        return row[0]

    def _writing(self) -> sqlite3.Connection:
        if self._writer is not None and self._path_inode() != self._inode:
            # Somebody moved or deleted the file: what we wrote into the old one nobody would ever read.
            self._drop_writer()
        if self._writer is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(
                self._path, timeout=self._busy_s, isolation_level=None, check_same_thread=False
            )
            self._writer = connection
            connection.execute("PRAGMA journal_mode = WAL")
            # FULL: an acknowledged point survives a power cut; one fsync a batch is cheap.
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            connection.execute(f"PRAGMA journal_size_limit = {64 * 1024 * 1024}")
            tables.create(connection)
            self._inode = self._path_inode()
        return self._writer

    def _path_inode(self) -> int:
        try:
            return os.stat(self._path).st_ino
        except FileNotFoundError:
            return -1

    def _drop_writer(self) -> None:
        self._ids.clear()
        if self._writer is not None:
            # Closing rolls back what was not committed.
            self._writer.close()
            self._writer = None

    # --- reading

    def curve(
        self, series: Series, start: datetime, end: datetime, fields: Sequence[str], max_points: int | None = None
    ) -> Curve:
        """See `TelemetryReader.curve`."""
        check.check_fields(series.measurement, fields)
        check.check_range(start, end)
        if max_points is not None and max_points < 1:
            raise QueryError("max_points begins at 1")
        lowest, highest = _bounds(start, end)
        if highest <= lowest:
            return Curve(tuple(fields), ())
        with self._reading() as connection:
            number = self._find(connection, series)
            if number is None:
                return Curve(tuple(fields), ())
            arguments = (number, lowest, highest)
            table = series.measurement.name
            width: int | None = None
            if max_points is not None:
                count = connection.execute(tables.count(table, fields), arguments).fetchone()[0]
                width = -(-(highest - lowest) // max_points) if count > max_points else None
            if width is None:
                rows = connection.execute(tables.curve(table, fields), arguments)
            else:
                rows = connection.execute(tables.thin_curve(table, fields), (*arguments, lowest, width))
            return Curve(tuple(fields), tuple(CurvePoint(from_ms(at), tuple(values)) for at, *values in rows))

    def latest(self, series: Sequence[Series]) -> Mapping[Series, Latest]:
        """See `TelemetryReader.latest`."""
        found: dict[Series, Latest] = {}
        with self._reading() as connection:
            for one in series:
                number = self._find(connection, one)
                if number is None:
                    continue
                row = connection.execute(tables.LATEST[one.measurement.name], (number,)).fetchone()
                if row is not None:
                    found[one] = Latest(from_ms(row[0]), one.measurement.field_names, tuple(row[1:]))
        return found

    def aggregate(
        self,
        series: Sequence[Series],
        field: str,
        how: How,
        start: datetime,
        end: datetime,
        window: timedelta,
        offset: timedelta = timedelta(0),
    ) -> tuple[Aggregate, ...]:
        """See `TelemetryReader.aggregate`."""
        check.check_range(start, end)
        for one in series:
            check.check_aggregate(one.measurement, field, how, window)
        lowest, highest = _bounds(start, end)
        width = window // timedelta(milliseconds=1)
        shift = (offset // timedelta(milliseconds=1)) % width
        found: list[Aggregate] = []
        with self._reading() as connection:
            for one in series:
                number = self._find(connection, one)
                if number is None:
                    continue
                query = tables.aggregate(one.measurement.name, field, how)
                rows = connection.execute(query, (shift, width, number, lowest, highest))
                found += [Aggregate(one, from_ms(index * width + shift), value) for index, value in rows]
        return tuple(found)

    @staticmethod
    def _find(connection: sqlite3.Connection, series: Series) -> int | None:
        row = connection.execute(tables.FIND_SERIES[series.measurement.name], series.tags).fetchone()
        return None if row is None else int(row[0])

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """This thread's read-only connection, in one transaction, so that one answer shows one moment."""
        try:
            connection = self._reader()
            connection.execute("BEGIN")
            yield connection
            connection.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            # As in writing: the next call begins with a new connection, so no half-read transaction stays behind.
            self._drop_reader()
            raise StoreUnavailable(f"{self._path}: {error}") from error

    def _reader(self) -> sqlite3.Connection:
        inode = self._path_inode()
        if inode == -1:
            raise StoreUnavailable(f"{self._path} does not exist yet: ingest makes it when it starts")
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is not None and self._local.inode != inode:
            self._drop_reader()
            connection = None
        if connection is None:
            uri = f"{self._path.absolute().as_uri()}?mode=ro"
            # Closed by whichever thread calls close(), hence the switched-off check.
            connection = sqlite3.connect(
                uri, uri=True, timeout=self._busy_s, isolation_level=None, check_same_thread=False
            )
            self._local.connection = connection
            self._local.inode = inode
            with self._lock:
                self._readers.append(connection)
        return connection

    def _drop_reader(self) -> None:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is not None:
            self._local.connection = None
            with self._lock:
                if connection in self._readers:
                    self._readers.remove(connection)
            connection.close()

    def close(self) -> None:
        """Close every connection; the next call would open anew."""
        with self._lock:
            self._drop_writer()
            for connection in self._readers:
                connection.close()
            self._readers.clear()
        self._local = threading.local()


def _bounds(start: datetime, end: datetime) -> tuple[int, int]:
    """A half-open range in ms: a bound within a millisecond takes that millisecond's points in or out as a whole."""
    return _up(start), _up(end)


def _up(instant: datetime) -> int:
    ms = to_ms(instant)
    return ms if from_ms(ms) == instant else ms + 1
