"""The newest live values of charging guns, from the telemetry store."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from evcs.runtime.log import get_logger
from evcs.store.interface import GunSeries, Latest, StoreError, TelemetryReader

log = get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveView:
    """The newest live values of a charging gun; what the pile does not have is none, never 0."""

    at: datetime
    age_s: float
    voltage_v: float | None
    current_a: float | None
    power_kw: float | None
    energy_kwh: float | None
    soc_pct: float | None
    cable_temp_c: float | None
    battery_temp_max_c: float | None
    elapsed_min: int | None
    remaining_min: int | None
    cost_fen: float | None


def newest_of(telemetry: TelemetryReader, series: Sequence[GunSeries]) -> dict[GunSeries, Latest] | None:
    """The newest point of each; None: the store is away, nothing is known."""
    if not series:
        return {}
    try:
        found = telemetry.latest(list(series))
    except StoreError as error:
        log.warning("live_values_missing", why=str(error))
        return None
    return {one: found[one] for one in series if one in found}


def live_of(point: Latest | None, serial: str | None, at: datetime) -> LiveView | None:
    """A point of this charge; one of an earlier charge says nothing about this one."""
    if point is None or point.value("serial") != serial:
        return None

    def figure(name: str) -> float | None:
        value = point.value(name)
        return None if value is None else float(value)

    def whole(name: str) -> int | None:
        value = figure(name)
        return None if value is None else int(value)

    return LiveView(
        at=point.at,
        age_s=max(0.0, (at - point.at).total_seconds()),
        voltage_v=figure("voltage_v"),
        current_a=figure("current_a"),
        power_kw=figure("power_kw"),
        energy_kwh=figure("energy_kwh"),
        soc_pct=figure("soc_pct"),
        cable_temp_c=figure("cable_temp_c"),
        battery_temp_max_c=figure("battery_temp_max_c"),
        elapsed_min=whole("elapsed_min"),
        remaining_min=whole("remaining_min"),
        cost_fen=figure("cost_fen"),
    )
