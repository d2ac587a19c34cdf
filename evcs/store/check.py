"""Pure: what a point or a question must be, alike for every store, so that none takes what another refuses."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import isfinite

from evcs.contracts.measurements import MEASUREMENTS, Measurement
from evcs.store.interface import How, Point, QueryError, Value

MAX_TEXT_BYTES = 16_384
"""Of a text field; InfluxDB takes 64 KB, ours are state names and order serials."""
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2262, 1, 1, tzinfo=UTC)
"""InfluxDB counts nanoseconds in 64 bits: they end in April 2262."""


def fault(point: Point) -> str | None:
    """Why no store may take this point; None: it is fit."""
    measurement = point.measurement
    if MEASUREMENTS.get(measurement.name) is not measurement:
        return f"no such measurement: {measurement.name}"
    if len(point.tags) != len(measurement.tags) or len(point.fields) != len(measurement.fields):
        return f"{measurement.name}: {len(point.tags)} tags and {len(point.fields)} fields"
    if (why := tags_fault(measurement, point.tags)) is not None:
        return why
    if point.at.tzinfo is None:
        return "a time without zone"
    if not EARLIEST <= point.at < LATEST:
        return f"time {point.at.isoformat()} is out of range"
    some = False
    for field, value in zip(measurement.fields, point.fields, strict=True):
        if value is None:
            continue
        some = True
        if (why := _unfit(field.kind, value)) is not None:
            return f"field {field.name}: {why}"
    return None if some else "no field has a value"


def tags_fault(measurement: Measurement, tags: Sequence[str]) -> str | None:
    """Why no series can have these tags; None: one can."""
    for name, tag in zip(measurement.tags, tags, strict=True):
        # A backslash at a tag's end would escape the comma behind it: line protocol has no spelling for it.
        if not tag or not tag.isprintable() or "\\" in tag:
            return f"tag {name}: {tag!r} cannot be a tag"
    return None


def is_series(measurement: Measurement, tags: Sequence[str]) -> bool:
    """Whether a store can have points of a series with these tags: only such tags reach a query."""
    return tags_fault(measurement, tags) is None


def _unfit(kind: str, value: Value) -> str | None:
    if kind == "float":
        if type(value) is float or type(value) is int:
            return None if isfinite(value) else f"{value} is not a number"
    elif kind == "int":
        if type(value) is int:
            return None if -(2**63) <= value < 2**63 else f"{value} is over 64 bits"
    elif isinstance(value, str):
        try:
            size = len(value.encode())
        except UnicodeEncodeError:
            return "not UTF-8"
        if "\0" in value:
            return "a text with a NUL"
        return None if size <= MAX_TEXT_BYTES else f"a text of {size} bytes"
    return f"{type(value).__name__} where {kind} belongs"


def check_fields(measurement: Measurement, fields: Sequence[str]) -> None:
    """Raise QueryError for a field that the measurement does not have; names never reach a query unchecked."""
    for field in fields:
        if field not in measurement.field_names:
            raise QueryError(f"{measurement.name} has no field {field!r}")


def check_aggregate(measurement: Measurement, field: str, how: How, window: timedelta) -> None:
    """Raise QueryError for what has no answer."""
    check_fields(measurement, (field,))
    kind = next(declared.kind for declared in measurement.fields if declared.name == field)
    if kind == "str" and how is not How.LAST:
        raise QueryError(f"{field} is a text: only its last value can be asked for")
    if window < timedelta(milliseconds=1):
        raise QueryError("a window needs a length")


def check_range(start: datetime, end: datetime) -> None:
    """Raise QueryError where a bound has no zone."""
    if start.tzinfo is None or end.tzinfo is None:
        raise QueryError("a time without zone")
