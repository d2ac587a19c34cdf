"""Reading an InfluxDB, 1.x or 2.x, by InfluxQL: answers come in chunks, so that a long curve needs no long memory."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from evcs.contracts.times import from_ms, to_ms
from evcs.store import check, influxql
from evcs.store.influxql import Bucket, Row
from evcs.store.interface import Aggregate, Curve, CurvePoint, How, Latest, QueryError, Series, Value
from evcs.store.wire import Wire

WITHIN_S = 30.0
"""An answer must be whole within this."""
CHUNK_ROWS = 10_000
STATEMENTS = 100
"""In one question."""
LAST_MS = to_ms(check.LATEST)


class InfluxReader:
    """See `TelemetryReader`. Safe for several threads; opens nothing before the first call."""

    def __init__(self, wire: Wire, bucket: Bucket, within_s: float = WITHIN_S) -> None:
        self._wire = wire
        self._bucket = bucket
        self._within_s = within_s

    def curve(
        self, series: Series, start: datetime, end: datetime, fields: Sequence[str], max_points: int | None = None
    ) -> Curve:
        """See `TelemetryReader.curve`. InfluxQL has no last row of a window, so thinning happens here, row by row."""
        check.check_fields(series.measurement, fields)
        check.check_range(start, end)
        if max_points is not None and max_points < 1:
            raise QueryError("max_points begins at 1")
        lowest, highest = bounds(start, end)
        if highest <= lowest or not fields or not check.is_series(series.measurement, series.tags):
            return Curve(tuple(fields), ())
        # A field asked for twice would come back under another name, and once only where it is the only one.
        asked = tuple(dict.fromkeys(fields))
        places = [asked.index(field) for field in fields]
        typed = influxql.typed(series.measurement, asked)

        def point(row: Row) -> CurvePoint:
            values = typed(row[1:], self._wire.where)
            at = from_ms(influxql.at_ms(row[0], self._wire.where))
            return CurvePoint(at, tuple(values[place] for place in places))

        found = (row for _, row in self._ask([influxql.curve(self._bucket, series, asked, lowest, highest)]))
        if max_points is None:
            return Curve(tuple(fields), tuple(point(row) for row in found))
        width = -(-(highest - lowest) // max_points)
        few: list[Row] = []
        last_of: dict[int, Row] = {}
        for row in found:
            if len(few) <= max_points:
                few.append(row)
            last_of[(influxql.at_ms(row[0], self._wire.where) - lowest) // width] = row
        kept = few if len(few) <= max_points else list(last_of.values())
        return Curve(tuple(fields), tuple(point(row) for row in kept))

    def latest(self, series: Sequence[Series]) -> Mapping[Series, Latest]:
        """See `TelemetryReader.latest`."""
        asked = [one for one in series if check.is_series(one.measurement, one.tags)]
        found: dict[Series, Latest] = {}
        for number, row in self._ask([influxql.latest(self._bucket, one) for one in asked]):
            one = asked[number]
            names = one.measurement.field_names
            values = influxql.typed(one.measurement, names)(row[1:], self._wire.where)
            found[one] = Latest(from_ms(influxql.at_ms(row[0], self._wire.where)), names, values)
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
        lowest, highest = bounds(start, end)
        if highest <= lowest:
            return ()
        width = window // timedelta(milliseconds=1)
        shift = (offset // timedelta(milliseconds=1)) % width
        asked = [one for one in series if check.is_series(one.measurement, one.tags)]
        questions = [influxql.aggregate(self._bucket, one, field, how, lowest, highest, width, shift) for one in asked]
        found = []
        for number, row in self._ask(questions):
            value = self._figure(asked[number], field, how, row)
            if value is not None:
                at = from_ms(influxql.at_ms(row[0], self._wire.where))
                found.append(Aggregate(asked[number], at, value))
        return tuple(found)

    def _figure(self, series: Series, field: str, how: How, row: Row) -> Value | None:
        if how is How.MEAN:
            return influxql.Typed(("float",))(row[1:], self._wire.where)[0]
        return influxql.typed(series.measurement, (field,))(row[1:], self._wire.where)[0]

    def _ask(self, questions: Sequence[str]) -> Iterator[tuple[int, Row]]:
        """(number of the question, row), question by question. Raises StoreUnavailable."""
        fields = {
            "db": self._bucket.database,
            "epoch": "ms",
            "chunked": "true",
            "chunk_size": str(CHUNK_ROWS),
        }
        for start in range(0, len(questions), STATEMENTS):
            some = questions[start : start + STATEMENTS]
            lines = self._wire.lines("/query", fields, {"q": ";\n".join(some)}, self._within_s)
            for number, row in influxql.rows(lines, len(some), self._wire.where):
                yield start + number, row

    def close(self) -> None:
        """Close what is open; the next call would open anew."""
        self._wire.close()


def bounds(start: datetime, end: datetime) -> tuple[int, int]:
    """A half-open range in ms within what a store can hold; a bound within a millisecond takes it in or out whole."""
    return _up(start), _up(end)


def _up(instant: datetime) -> int:
    ms = to_ms(instant)
    if from_ms(ms) != instant:
        ms += 1
    return min(max(ms, 0), LAST_MS)
