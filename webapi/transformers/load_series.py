"""A transformer's load out of the telemetry store: its meter's roll-ups, or what its guns drew."""

from collections.abc import Sequence
from datetime import datetime

from evcs.contracts.measurements import GUN_15M, TRANSFORMER_1M, TRANSFORMER_15M, Rollup
from evcs.contracts.times import to_ms
from evcs.store.interface import CurvePoint, RollupSeries
from webapi.http.call import Call
from webapi.piles.models import Pile
from webapi.transformers.load_figures import Window
from webapi.transformers.models import Transformer

METER_FIELDS = ("apparent_mean_kva", "apparent_max_kva", "active_mean_kw")
QUARTER_MS = 900_000
QUARTER_MINUTES = 15


def metered(call: Call, transformer: Transformer, begin: datetime, end: datetime) -> tuple[Window, ...]:
    """By its meter: minute by minute where those are still kept (2 years), else quarter by quarter."""
    fine = [_of_meter(point, 1) for point in _curve(call, TRANSFORMER_1M, transformer, begin, end)]
    coarse = [_of_meter(point, QUARTER_MINUTES) for point in _curve(call, TRANSFORMER_15M, transformer, begin, end)]
    windows = [window for window in fine if window is not None]
    known = {_quarter(window.at) for window in windows}
    windows += [window for window in coarse if window is not None and _quarter(window.at) not in known]
    return tuple(sorted(windows, key=lambda window: window.at))


def estimated(
    call: Call, transformer: Transformer, piles: Sequence[Pile], begin: datetime, end: datetime
) -> tuple[Window, ...]:
    """By its guns, as the rule estimates it: output ÷ efficiency, and the base load, ÷ power factor.

    A quarter in which no gun said anything is a gap. The peak is that of quarter means: highest readings of several
    guns need not have met.
    """
    drawn: dict[datetime, float] = {}
    for pile in piles:
        efficiency = float(pile.efficiency)
        for gun in pile.guns:
            series = RollupSeries(GUN_15M, (pile.station_code, pile.number, str(gun.no)))
            for point in call.reader_of(GUN_15M).curve(series, begin, end, ("power_mean_kw", "points")).points:
                power = point.values[0]
                kw = float(power) / efficiency if isinstance(power, (int, float)) else 0.0
                drawn[point.at] = drawn.get(point.at, 0.0) + kw
    base_kw, factor = float(transformer.base_load_kw), float(transformer.power_factor)
    return tuple(
        Window(at, QUARTER_MINUTES, (kw + base_kw) / factor, (kw + base_kw) / factor, kw + base_kw)
        for at, kw in sorted(drawn.items())
    )


def _curve(
    call: Call, rollup: Rollup, transformer: Transformer, begin: datetime, end: datetime
) -> Sequence[CurvePoint]:
    series = RollupSeries(rollup, (transformer.station_code, transformer.code))
    return call.reader_of(rollup).curve(series, begin, end, METER_FIELDS).points


def _of_meter(point: CurvePoint, minutes: int) -> Window | None:
    mean, peak, kw = (float(value) if isinstance(value, (int, float)) else None for value in point.values)
    if mean is None:
        return None
    return Window(point.at, minutes, mean, mean if peak is None else max(peak, mean), kw)


def _quarter(at: datetime) -> int:
    return to_ms(at) // QUARTER_MS
