"""Pure: a line of a history file → a point; stricter than line protocol, since only our own writer spells these."""

from math import isfinite

from evcs.contracts.measurements import MEASUREMENTS, Measurement
from evcs.contracts.times import from_ms
from evcs.store.check import is_series
from evcs.store.interface import Point, Value
from ingest.errors import RejectReason, Unreadable

_END_MS = 9_000_000_000_000
REMEMBERED = 100_000


class LineReader:
    """Remembers the series that it has seen: their names come again and again."""

    def __init__(self) -> None:
        self._heads: dict[str, tuple[Measurement, tuple[str, ...], dict[str, tuple[int, str]]]] = {}

    def point(self, line: str) -> Point:
        """Raises Unreadable, with what is wrong."""
        parts = line.split(" ")
        if len(parts) != 3 or "\\" in line:
            raise _bad("a line has series, fields and time, and no escapes")
        head, body, time = parts
        measurement, tags, places = self._heads.get(head) or self._new(head)
        values: list[Value | None] = [None] * len(measurement.fields)
        for text in body.split(","):
            name, _, raw = text.partition("=")
            place = places.get(name)
            if place is None:
                raise _bad(f"{measurement.name} has no field {name[:40]!r}")
            at, kind = place
            if values[at] is not None:
                raise _bad(f"{name} stands twice")
            values[at] = _value(name, kind, raw)
        if not time.isascii() or not time.isdigit() or len(time) > 13 or int(time) >= _END_MS:
            raise _bad(f"{time[:40]!r} is no time in ms")
        return Point(measurement, tags, tuple(values), from_ms(int(time)))

    def _new(self, head: str) -> tuple[Measurement, tuple[str, ...], dict[str, tuple[int, str]]]:
        name, *pairs = head.split(",")
        measurement = MEASUREMENTS.get(name)
        if measurement is None:
            raise _bad(f"no measurement is called {name[:40]!r}")
        named = [pair.partition("=") for pair in pairs]
        tags = tuple(value for _, _, value in named)
        if tuple(key for key, _, _ in named) != measurement.tags or not is_series(measurement, tags):
            raise _bad(f"{name} has the tags {', '.join(measurement.tags)}")
        if len(self._heads) >= REMEMBERED:
            self._heads.clear()
        places = {field.name: (at, field.kind) for at, field in enumerate(measurement.fields)}
        found = self._heads[head] = (measurement, tags, places)
        return found


def _value(name: str, kind: str, raw: str) -> Value:
    try:
        if kind == "float":
            number = float(raw)
            if isfinite(number):
                return number
        elif kind == "int" and raw.endswith("i"):
            return int(raw[:-1])
        elif kind == "str" and len(raw) >= 2 and raw[0] == raw[-1] == '"' and '"' not in raw[1:-1]:
            return raw[1:-1]
    except ValueError:
        pass
    raise _bad(f"{name}: {raw[:40]!r} is no {kind}")


def _bad(why: str) -> Unreadable:
    return Unreadable(RejectReason.NOT_THE_CONTRACT, why)
