"""What every telemetry store offers: write points, read a curve, the newest values, sums and means by window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

import msgspec

from evcs.contracts.measurements import GUN, TRANSFORMER, Measurement, Rollup

Value = float | int | str


@dataclass(frozen=True, slots=True)
class GunSeries:
    """The points of one gun."""

    station: str
    pile: str
    gun: int

    @property
    def measurement(self) -> Measurement:
        return GUN

    @property
    def tags(self) -> tuple[str, ...]:
        """Values in the order of the measurement's tags."""
        return (self.station, self.pile, str(self.gun))


@dataclass(frozen=True, slots=True)
class TransformerSeries:
    """The points of one transformer's meter."""

    station: str
    transformer: str

    @property
    def measurement(self) -> Measurement:
        return TRANSFORMER

    @property
    def tags(self) -> tuple[str, ...]:
        """Values in the order of the measurement's tags."""
        return (self.station, self.transformer)


@dataclass(frozen=True, slots=True)
class RollupSeries:
    """The rows of one roll-up; its tags are those of its source."""

    rollup: Rollup
    tags: tuple[str, ...]

    @property
    def measurement(self) -> Measurement:
        return self.rollup.measurement


Series = GunSeries | TransformerSeries | RollupSeries


class Point(msgspec.Struct, frozen=True, gc=False):
    """One reading. Tags and fields stand in the order in which the measurement declares them; None: no such value.

    Identity is (measurement, tags, `at` in ms): a second point with the same one overwrites the fields that it has
    and leaves the others, as in InfluxDB. So writing is idempotent, and order between different instants is irrelevant.
    """

    measurement: Measurement
    tags: tuple[str, ...]
    fields: tuple[Value | None, ...]
    at: datetime
    """Aware; kept to the millisecond."""


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The asked fields at one instant, in the order in which they were asked; None where the reading had no value.

    An instant that has none of them is not part of the curve.
    """

    at: datetime
    values: tuple[Value | None, ...]


@dataclass(frozen=True, slots=True)
class Curve:
    """Points in order of time."""

    fields: tuple[str, ...]
    points: tuple[CurvePoint, ...]

    def of(self, field: str) -> tuple[tuple[datetime, Value], ...]:
        """One field's (time, value) pairs without the instants that lack it; ValueError for one not asked for."""
        column = self.fields.index(field)
        return tuple((point.at, value) for point in self.points if (value := point.values[column]) is not None)


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest point of a series, whole."""

    at: datetime
    fields: tuple[str, ...]
    values: tuple[Value | None, ...]

    def value(self, field: str) -> Value | None:
        """A field's value in this point; raises ValueError for a field that the measurement does not have."""
        return self.values[self.fields.index(field)]


class How(StrEnum):
    """How the points of a window become one figure."""

    MEAN = "mean"
    MAX = "max"
    MIN = "min"
    LAST = "last"
    SUM = "sum"


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One window of one series; windows without a value do not appear."""

    series: Series
    start: datetime
    """Start of the window, also where the asked time begins within it."""
    value: Value


@dataclass(frozen=True, slots=True)
class Refused:
    """A point that the store will never take, and why."""

    point: Point
    reason: str


class StoreError(Exception):
    """Base of what a store raises."""


class StoreUnavailable(StoreError):
    """Nothing is known to be stored; the same call may succeed later, so the caller keeps what it has."""

    def __init__(self, why: str, retry_after_s: float | None = None) -> None:
        super().__init__(why)
        self.retry_after_s = retry_after_s
        """How long the store asks to be left alone (Retry-After); None: it did not say."""


class StoreRefused(StoreError):
    """Some points will never be taken; all others of the call are stored."""

    def __init__(self, refused: Sequence[Refused]) -> None:
        super().__init__(f"{len(refused)} refused, first: {refused[0].reason}")
        self.refused = tuple(refused)


class QueryError(StoreError):
    """A question that no store can answer: an unknown field, a mean of texts, a window without length."""


class TelemetryReader(Protocol):
    """Reading: raises StoreUnavailable where the store cannot answer; times are aware, ranges half-open."""

    def curve(
        self, series: Series, start: datetime, end: datetime, fields: Sequence[str], max_points: int | None = None
    ) -> Curve:
        """The points of [start, end). Over `max_points` (≥ 1) as many equal windows give their last one each."""

    def latest(self, series: Sequence[Series]) -> Mapping[Series, Latest]:
        """The newest point of each; a series without points is left out."""

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
        """One figure per series and window over [start, end), ordered by series as asked, then time.

        Windows lie on multiples of `window` since 1970 UTC, moved by `offset` (−8 h: Beijing days).
        """

    def close(self) -> None:
        """Give back what is open."""


class TelemetryStore(TelemetryReader, Protocol):
    """Reading and writing; only `ingest` holds one."""

    def write(self, points: Sequence[Point]) -> None:
        """Store the points durably. Writing none only tells whether the store would take some.

        Raises StoreUnavailable (keep, try again) or StoreRefused (the named ones never; all others are stored).
        """
