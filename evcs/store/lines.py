"""Pure: points → InfluxDB line protocol, timestamps in ms (`precision=ms`)."""

from collections.abc import Iterable

from evcs.contracts.times import to_ms
from evcs.store.interface import Point, Value

_NAME = str.maketrans({",": "\\,", " ": "\\ "})
_KEY = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ "})
_TEXT = str.maketrans({'"': '\\"', "\\": "\\\\"})


def line(point: Point) -> str:
    """One line without its line end. The point must be fit (`check.fault`): an unfit one has no spelling here.

    The type of a field is the declared one, not the value's: a field that is once written as integer and once as
    float is refused by InfluxDB for ever after.
    """
    measurement = point.measurement
    parts = [measurement.name.translate(_NAME)]
    parts += [
        f"{name.translate(_KEY)}={tag.translate(_KEY)}" for name, tag in zip(measurement.tags, point.tags, strict=True)
    ]
    fields = [
        f"{field.name.translate(_KEY)}={_spelled(field.kind, value)}"
        for field, value in zip(measurement.fields, point.fields, strict=True)
        if value is not None
    ]
    return f"{','.join(parts)} {','.join(fields)} {to_ms(point.at)}"


def lines(points: Iterable[Point]) -> bytes:
    """The body of one write: a line each, in UTF-8."""
    return "\n".join(line(point) for point in points).encode()


def _spelled(kind: str, value: Value) -> str:
    if kind == "float":
        return repr(float(value))
    if kind == "int":
        return f"{value}i"
    return f'"{str(value).translate(_TEXT)}"'
