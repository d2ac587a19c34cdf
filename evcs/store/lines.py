"""Pure: points → InfluxDB line protocol, timestamps in ms (`precision=ms`)."""

from collections.abc import Iterable, Sequence
from typing import Any

from evcs.contracts.measurements import MEASUREMENTS, Measurement
from evcs.contracts.times import to_ms
from evcs.store import check
from evcs.store.interface import Point, Refused, Value

_NAME = str.maketrans({",": "\\,", " ": "\\ "})
_KEY = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ "})
_TEXT = str.maketrans({'"': '\\"', "\\": "\\\\"})

REMEMBERED_SERIES = 100_000


def line(point: Point) -> str:
    """One line without its line end. The point must be fit (`check.fault`): an unfit one has no spelling here.

    The type of a field is the declared one, not the value's: a field that is once written as integer and once as
    float is refused by InfluxDB for ever after.
    """
    fields = [
        f"{field.name.translate(_KEY)}={_spelled(field.kind, value)}"
        for field, value in zip(point.measurement.fields, point.fields, strict=True)
        if value is not None
    ]
    return f"{_head(point.measurement, point.tags)} {','.join(fields)} {to_ms(point.at)}"


def lines(points: Iterable[Point]) -> bytes:
    """The body of one write: a line each, in UTF-8."""
    return "\n".join(line(point) for point in points).encode()


def _head(measurement: Measurement, tags: Sequence[str]) -> str:
    parts = [measurement.name.translate(_NAME)]
    parts += [f"{name.translate(_KEY)}={tag.translate(_KEY)}" for name, tag in zip(measurement.tags, tags, strict=True)]
    return ",".join(parts)


def _spelled(kind: str, value: Value) -> str:
    if kind == "float":
        return repr(float(value))
    if kind == "int":
        return f"{value}i"
    return f'"{str(value).translate(_TEXT)}"'


# --- by the thousand


class _Speller:
    """Checks and spells the points of one measurement in one pass: the lines of `line`, at a fraction of its cost."""

    def __init__(self, measurement: Measurement) -> None:
        self._measurement = measurement
        self._fields = tuple((f"{field.name.translate(_KEY)}=", field.kind) for field in measurement.fields)
        self._heads: dict[tuple[str, ...], str] = {}
        """Of series seen: their tags are fit."""
        self._texts: set[str] = set()
        """Texts seen that need no escape: states are few, a serial comes all through its charge."""

    def spell(self, point: Point) -> str | None:
        """The line; None for a point out of the ordinary, which may be fit or not."""
        head = self._heads.get(point.tags) or self._new_head(point.tags)
        if head is None or len(point.fields) != len(self._fields):
            return None
        found = []
        texts = self._texts
        value: Any
        for value, (key, kind) in zip(point.fields, self._fields, strict=True):
            if value is None:
                continue
            of = type(value)
            if kind == "float":
                if of is int:
                    value = float(value)
                elif of is not float or value - value != 0.0:  # an infinity or no number
                    return None
                found.append(f"{key}{value!r}")
            elif kind == "int":
                if of is not int or not _LEAST <= value <= _MOST:
                    return None
                found.append(f"{key}{value}i")
            else:
                if of is not str:
                    return None
                if value not in texts:
                    if not value.isascii() or not value.replace("_", "").isalnum():
                        return None
                    if len(texts) >= REMEMBERED_SERIES:
                        texts.clear()
                    texts.add(value)
                found.append(f'{key}"{value}"')
        if not found or point.at.tzinfo is None or not 0 <= (at_ms := to_ms(point.at)) < _END_MS:
            return None
        return f"{head} {','.join(found)} {at_ms}"

    def _new_head(self, tags: tuple[str, ...]) -> str | None:
        if len(tags) != len(self._measurement.tags) or not check.is_series(self._measurement, tags):
            return None
        if len(self._heads) >= REMEMBERED_SERIES:
            self._heads.clear()
        head = self._heads[tags] = _head(self._measurement, tags)
        return head


_END_MS = to_ms(check.LATEST)
_LEAST, _MOST = -(2**63), 2**63 - 1
_SPELLERS = {name: _Speller(measurement) for name, measurement in MEASUREMENTS.items()}


def spelled(points: Iterable[Point]) -> tuple[list[Point], list[str], list[Refused]]:
    """The fit points, a line for each of them, and those that no store may take."""
    fit: list[Point] = []
    found: list[str] = []
    refused: list[Refused] = []
    for point in points:
        speller = _SPELLERS.get(point.measurement.name)
        text = speller.spell(point) if speller is not None else None
        if text is None:
            if (why := check.fault(point)) is not None:
                refused.append(Refused(point, why))
                continue
            text = line(point)
        fit.append(point)
        found.append(text)
    return fit, found, refused
