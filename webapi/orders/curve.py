"""The curves of an order's charge, from the telemetry store."""

from dataclasses import dataclass
from datetime import datetime, timedelta

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
    return CurveView(order.serial, start, end, points)


def series_of(order: Order) -> GunSeries:
    """Where the gun of an order has its readings."""
    return GunSeries(order.station_code, order.pile_number, order.gun_no)
