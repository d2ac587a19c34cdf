"""A transformer's load out of the telemetry store: its meter's roll-ups or readings, or what its guns drew."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from evcs.contracts.measurements import GUN_15M, TRANSFORMER_1M, TRANSFORMER_15M, Rollup
from evcs.contracts.times import to_ms
from evcs.store.interface import CurvePoint, GunSeries, How, RollupSeries, TransformerSeries, Value
from webapi.http.call import Call
from webapi.piles.models import Pile
from webapi.transformers.load_figures import Window
from webapi.transformers.models import Transformer

METER_FIELDS = ("apparent_mean_kva", "apparent_max_kva", "active_mean_kw")
QUARTER_MINUTES = 15
MINUTE, QUARTER = timedelta(minutes=1), timedelta(minutes=QUARTER_MINUTES)
QUARTER_MS = QUARTER // timedelta(milliseconds=1)
GunKey = tuple[str, int]


def metered(call: Call, transformer: Transformer, begin: datetime, end: datetime) -> tuple[Window, ...]:
    """By its meter: minute by minute where those are still kept (2 years), else quarter by quarter.

    What no roll-up has yet is taken from the readings themselves, which are kept for 90 days.
    """
    windows = _known(_of_meter(point, 1) for point in _curve(call, TRANSFORMER_1M, transformer, begin, end))
    coarse = _known(
        _of_meter(point, QUARTER_MINUTES) for point in _curve(call, TRANSFORMER_15M, transformer, begin, end)
    )
    windows += _beside(windows, coarse)
    for since, until in _missing(windows, begin, end):
        windows += _beside(windows, _readings(call, transformer, since, until))
    return tuple(sorted(windows, key=lambda window: window.at))


def estimated(
    call: Call, transformer: Transformer, piles: Sequence[Pile], begin: datetime, end: datetime
) -> tuple[Window, ...]:
    """By its guns, as the rule estimates it: output ÷ efficiency, and the base load, ÷ power factor.

    A quarter in which no gun said anything is a gap. The peak is that of quarter means: highest readings of several
    guns need not have met.
    """
    guns = {(pile.number, gun.no): pile for pile in piles for gun in pile.guns}
    drawn: dict[tuple[GunKey, datetime], float] = {}
    for (number, gun), pile in guns.items():
        rolled = RollupSeries(GUN_15M, (pile.station_code, number, str(gun)))
        for point in call.reader_of(GUN_15M).curve(rolled, begin, end, ("power_mean_kw", "points")).points:
            drawn[(number, gun), point.at] = _number(point.values[0]) or 0.0
    has = [Window(at, QUARTER_MINUTES, 0, 0, None) for at in {at for _, at in drawn}]
    for since, until in _missing(has, begin, end):
        series = [GunSeries(pile.station_code, number, gun) for (number, gun), pile in guns.items()]
        for one in call.telemetry.aggregate(series, "power_kw", How.MEAN, since, until, QUARTER):
            assert isinstance(one.series, GunSeries)
            drawn.setdefault(((one.series.pile, one.series.gun), one.start), _number(one.value) or 0.0)
    sums: dict[datetime, float] = {}
    for (gun_key, at), kw in drawn.items():
        sums[at] = sums.get(at, 0.0) + kw / float(guns[gun_key].efficiency)
    base_kw, factor = float(transformer.base_load_kw), float(transformer.power_factor)
    return tuple(
        Window(at, QUARTER_MINUTES, (kw + base_kw) / factor, (kw + base_kw) / factor, kw + base_kw)
        for at, kw in sorted(sums.items())
    )


def _curve(
    call: Call, rollup: Rollup, transformer: Transformer, begin: datetime, end: datetime
) -> Sequence[CurvePoint]:
    series = RollupSeries(rollup, (transformer.station_code, transformer.code))
    return call.reader_of(rollup).curve(series, begin, end, METER_FIELDS).points


def _readings(call: Call, transformer: Transformer, begin: datetime, end: datetime) -> list[Window]:
    """Minutes out of single readings."""
    series = (TransformerSeries(transformer.station_code, transformer.code),)

    def by_minute(field: str, how: How) -> dict[datetime, float]:
        found = call.telemetry.aggregate(series, field, how, begin, end, MINUTE)
        return {one.start: number for one in found if (number := _number(one.value)) is not None}

    means, peaks = by_minute("apparent_kva", How.MEAN), by_minute("apparent_kva", How.MAX)
    powers = by_minute("active_kw", How.MEAN)
    return [Window(at, 1, mean, max(peaks.get(at, mean), mean), powers.get(at)) for at, mean in means.items()]


def _missing(windows: Collection[Window], begin: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """The one range from the first to the last quarter without a window; none where none is missing."""
    have = {_quarter(window.at) for window in windows}
    lacking = [number for number in range(_quarter(begin), -(-to_ms(end) // QUARTER_MS)) if number not in have]
    if not lacking:
        return []
    start = begin + QUARTER * (lacking[0] - _quarter(begin))
    return [(start, min(end, start + QUARTER * (lacking[-1] - lacking[0] + 1)))]


def _beside(windows: Iterable[Window], more: Iterable[Window]) -> list[Window]:
    """Those of quarters in which there is no window yet."""
    have = {_quarter(window.at) for window in windows}
    return [window for window in more if _quarter(window.at) not in have]


def _known(windows: Iterable[Window | None]) -> list[Window]:
    return [window for window in windows if window is not None]


def _of_meter(point: CurvePoint, minutes: int) -> Window | None:
    mean, peak, kw = (_number(value) for value in point.values)
    if mean is None:
        return None
    return Window(point.at, minutes, mean, mean if peak is None else max(peak, mean), kw)


def _number(value: Value | None) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def _quarter(at: datetime) -> int:
    return to_ms(at) // QUARTER_MS
