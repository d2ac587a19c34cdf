"""The curves of an order's charge, from the telemetry store."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from evcs.contracts.states import OPEN_ORDER
from evcs.store.interface import GunSeries, TelemetryReader
from webapi.orders.models import Order

CURVE_FIELDS = (
    "voltage_v",
    "current_a",
    "power_kw",
    "energy_kwh",
    "soc_pct",
    "cable_temp_c",
    "battery_temp_max_c",
)
CURVE_MARGIN = timedelta(minutes=2)
"""Frames may come a little after the end was seen."""


@dataclass(frozen=True, slots=True)
class CurvePointView:
    """One reading; what the pile does not have is none."""

    at: datetime
    voltage_v: float | None
    current_a: float | None
    power_kw: float | None
    energy_kwh: float | None
    soc_pct: float | None
    cable_temp_c: float | None
    battery_temp_max_c: float | None


@dataclass(frozen=True, slots=True)
class CurveView:
    """An order's readings in order of time."""

    serial: str
    start: datetime
    end: datetime
    points: tuple[CurvePointView, ...]
    gaps: tuple["CurveGap", ...] = ()

    @property
    def has_data(self) -> bool:
        """Whether there is a single reading; where not, nothing may be drawn."""
        return bool(self.points)


@dataclass(frozen=True, slots=True)
class CurveGap:
    """A time of the charge in which no reading came: nothing is known of it, a line across would be made up."""

    start: datetime
    end: datetime


GAP = timedelta(seconds=90)
"""A gun that charges is read each 15 s (YKC V1.6 0x13): six missed in a row are a gap."""


def gaps_of(times: Sequence[datetime], begin: datetime | None, end: datetime, spacing: timedelta) -> Iterator[CurveGap]:
    """Times without a reading from the begin of the charge (none: of the readings) to its end.

    `spacing`: how far points lie apart already because they were thinned.
    """
    known = ([] if begin is None else [begin]) + list(times) + [end]
    for earlier, later in pairwise(sorted(known)):
        if later - earlier > GAP + spacing:
            yield CurveGap(earlier, later)


def order_curve(order: Order, telemetry: TelemetryReader, *, most: int, at: datetime) -> CurveView:
    """The readings of an order's charge; raises StoreUnavailable."""
    start = order.requested_at
    # What closed without an end that anybody saw did so when it entered its state: no need to look at what came since.
    closed = at if order.state in OPEN_ORDER else order.state_since
    end = (order.ended_at or order.end_observed_at or closed) + CURVE_MARGIN
    curve = telemetry.curve(series_of(order), start, max(end, start), ("serial", *CURVE_FIELDS), most)
    points = tuple(
        CurvePointView(point.at, *(None if value is None else float(value) for value in point.values[1:]))
        for point in curve.points
        if point.values[0] == order.serial
    )
    span = max(end, start) - start
    spacing = span / most if len(curve.points) * 2 > most else timedelta(0)
    charged_until = (order.ended_at or order.end_observed_at or closed) if order.started_at else start
    known = (
        ()
        if order.started_at is None and not points
        else gaps_of(
            [point.at for point in points],
            order.started_at,
            max(charged_until, points[-1].at if points else start),
            spacing,
        )
    )
    return CurveView(order.serial, start, end, points, tuple(known))


def series_of(order: Order) -> GunSeries:
    """Where the gun of an order has its readings."""
    return GunSeries(order.station_code, order.pile_number, order.gun_no)
