"""Pure: the questions of a reader as InfluxQL, and the rows of the answer. The same on InfluxDB 1.x and 2.x."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from evcs.contracts.measurements import Measurement
from evcs.store.interface import How, Series, StoreUnavailable, Value

Cell = int | float | str | bool | None
Row = list[Cell]

_NAME = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})
_TEXT = str.maketrans({"\\": "\\\\", "'": "\\'", "\n": "\\n"})


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where points stand: a bucket `db/rp` of 2.x is the retention policy `rp` of the database `db` of 1.x."""

    database: str
    policy: str

    @property
    def name(self) -> str:
        return f"{self.database}/{self.policy}"


def name(text: str) -> str:
    """An identifier, quoted."""
    return f'"{text.translate(_NAME)}"'


def text(value: str) -> str:
    """A string literal, quoted: what came from the wire stays a value."""
    return f"'{value.translate(_TEXT)}'"


def create_database(bucket: Bucket) -> str:
    return f"CREATE DATABASE {name(bucket.database)}"


def create_policy(bucket: Bucket, kept: timedelta | None) -> str:
    """``kept``: how long; None: for ever."""
    duration = "INF" if kept is None else f"{int(kept.total_seconds())}s"
    return f"CREATE RETENTION POLICY {name(bucket.policy)} ON {name(bucket.database)} DURATION {duration} REPLICATION 1"


def curve(bucket: Bucket, series: Series, fields: Sequence[str], lowest: int, highest: int) -> str:
    """Every point with one of the fields in [lowest, highest) ms, in order of time. Field names must be checked."""
    columns = ", ".join(name(field) for field in fields)
    return f"SELECT {columns} FROM {_source(bucket, series)} WHERE {_within(series, lowest, highest)} ORDER BY time"


def latest(bucket: Bucket, series: Series) -> str:
    """The newest point, whole."""
    columns = ", ".join(name(field) for field in series.measurement.field_names)
    return f"SELECT {columns} FROM {_source(bucket, series)} WHERE {_is(series)} ORDER BY time DESC LIMIT 1"


def aggregate(
    bucket: Bucket, series: Series, field: str, how: How, lowest: int, highest: int, width: int, shift: int
) -> str:
    """One figure a window of `width` ms, windows moved by `shift` ms."""
    return (
        f"SELECT {how.value}({name(field)}) FROM {_source(bucket, series)} WHERE {_within(series, lowest, highest)}"
        f" GROUP BY time({width}ms, {shift}ms) fill(none)"
    )


def _source(bucket: Bucket, series: Series) -> str:
    return f"{name(bucket.database)}.{name(bucket.policy)}.{name(series.measurement.name)}"


def _is(series: Series) -> str:
    pairs = zip(series.measurement.tags, series.tags, strict=True)
    return " AND ".join(f"{name(tag)} = {text(value)}" for tag, value in pairs)


def _within(series: Series, lowest: int, highest: int) -> str:
    return f"{_is(series)} AND time >= {lowest}ms AND time < {highest}ms"


# --- answers


class _Series(msgspec.Struct, frozen=True):
    values: list[Row] = []


class _Result(msgspec.Struct, frozen=True):
    statement_id: int = 0
    series: list[_Series] = []
    error: str | None = None
    partial: bool = False


class _Chunk(msgspec.Struct, frozen=True):
    results: list[_Result] = []
    error: str | None = None


_decoder = msgspec.json.Decoder(_Chunk)


def rows(lines: Iterable[bytes], statements: int, where: str) -> Iterator[tuple[int, Row]]:
    """(number of the statement, row) of a chunked answer. Raises StoreUnavailable where it is an error, or not whole.

    The server says 200 first and may fail later: each chunk can be an error.
    """
    answered: set[int] = set()
    is_open = False
    for line in lines:
        try:
            chunk = _decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise StoreUnavailable(f"{where} answers a query with what is no InfluxQL answer: {error}") from error
        if chunk.error is not None:
            raise StoreUnavailable(f"{where} cannot answer a query: {chunk.error}")
        for result in chunk.results:
            if result.error is not None:
                raise StoreUnavailable(f"{where} cannot answer a query: {result.error}")
            answered.add(result.statement_id)
            is_open = result.partial
            for series in result.series:
                for row in series.values:
                    yield result.statement_id, row
    if is_open or len(answered) < statements:
        raise StoreUnavailable(f"{where} answered {len(answered)} of {statements} questions")


def typed(measurement: Measurement, fields: Sequence[str]) -> "Typed":
    """Gives cells their declared types back: JSON writes the float 60.0 as 60."""
    kinds = {field.name: field.kind for field in measurement.fields}
    return Typed(tuple(kinds[field] for field in fields))


@dataclass(frozen=True, slots=True)
class Typed:
    """The kinds of a row's columns, without the time."""

    kinds: tuple[str, ...]

    def __call__(self, cells: Sequence[Cell], where: str) -> tuple[Value | None, ...]:
        """Raises StoreUnavailable for a row that is not what was asked for."""
        if len(cells) != len(self.kinds):
            raise StoreUnavailable(f"{where} answers with {len(cells)} columns for {len(self.kinds)}")
        return tuple(
            None if cell is None else _as(kind, cell, where) for kind, cell in zip(self.kinds, cells, strict=True)
        )


def _as(kind: str, cell: Cell, where: str) -> Value:
    if kind == "str" and isinstance(cell, str):
        return cell
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        if kind == "float":
            return float(cell)
        if kind == "int" and cell == int(cell):
            return int(cell)
    raise StoreUnavailable(f"{where} answers with {cell!r} where {kind} is stored")


def at_ms(cell: Cell, where: str) -> int:
    """The time of a row."""
    if not isinstance(cell, int) or isinstance(cell, bool):
        raise StoreUnavailable(f"{where} answers with {cell!r} for a time")
    return cell
