"""When cars come: morning and evening humps, week-ends, seasons. Pure."""

from datetime import timedelta
from math import exp
from random import Random

from evcs.contracts.times import from_ms

LOCAL = timedelta(hours=8)
DAY_MS = 86_400_000
_HUMPS = ((8.0, 1.6, 0.8), (12.5, 1.8, 1.0), (19.0, 2.6, 1.7))
"""Hour, width in hours, height: before work, at noon, and after work."""
_WEEKEND_HUMPS = ((11.0, 3.0, 1.1), (16.5, 3.2, 1.3))
_NIGHT = 0.18
_WEEKEND = 1.15
_SEASON = (1.14, 1.10, 1.0, 0.94, 0.92, 0.98, 1.08, 1.10, 1.0, 0.97, 1.0, 1.10)
"""By month: heating and cooling cost range, so cars come more often."""
_COLD = (0.25, 0.20, 0.08, 0.02, 0.0, 0.0, 0.0, 0.0, 0.0, 0.02, 0.08, 0.20)
"""Share of cold batteries by month."""


def _shape(hour: float, weekend: bool) -> float:
    humps = _WEEKEND_HUMPS if weekend else _HUMPS
    return _NIGHT + sum(high * exp(-(((hour - at) / width) ** 2)) for at, width, high in humps)


_QUARTERS = tuple(tuple(_shape(q / 4, weekend) for q in range(96)) for weekend in (False, True))
_MEANS = tuple(sum(row) / 96 for row in _QUARTERS)
_MOST = max(max(row) / mean for row, mean in zip(_QUARTERS, _MEANS, strict=True)) * _WEEKEND * max(_SEASON)


def arrivals(at_ms: int) -> float:
    """Arrivals at a moment, as a multiple of the mean of an ordinary day."""
    local = from_ms(at_ms) + LOCAL
    weekend = local.weekday() >= 5
    share = _QUARTERS[weekend][local.hour * 4 + local.minute // 15] / _MEANS[weekend]
    return share * _SEASON[local.month - 1] * (_WEEKEND if weekend else 1.0)


def cold_share(at_ms: int) -> float:
    """Share of cars that must heat their battery first."""
    return _COLD[(from_ms(at_ms) + LOCAL).month - 1]


def next_arrival(dice: Random, after_ms: int, visits_a_day: float) -> int:
    """When the next car comes to a free gun, ms; drawn by thinning from the busiest moment's rate."""
    mean_ms = DAY_MS / (visits_a_day * _MOST)
    at = float(after_ms)
    while True:
        at += dice.expovariate(1 / mean_ms)
        if dice.random() * _MOST <= arrivals(int(at)):
            return int(at)
