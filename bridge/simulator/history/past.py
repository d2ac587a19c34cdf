"""A whole past: days in order, stations side by side, what each day brought handed on."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bridge.simulator.history.drivers import Drivers
from bridge.simulator.history.prices import pile_tariff
from bridge.simulator.history.sink import Sink
from bridge.simulator.history.station import Nature, PastStation
from evcs.contracts.history import Town
from evcs.contracts.times import BEIJING, to_ms

RAW_STEP_MS, STEP_MS = 15_000, 30_000
CLOSING_MS = 120_000
"""So long before its end the past lets nothing start, and stops what runs."""
DRIVERS_A_GUN = 6


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be made. Days are Beijing's, half-open."""

    town: Town
    first_day: date
    end_day: date
    seed: int
    visits_a_day: float = 8.0
    need_kwh: tuple[float, float] = (8.0, 60.0)
    raw_days: int = 7
    """So many last days have raw points; roll-ups stand for all days."""

    @property
    def days(self) -> int:
        return (self.end_day - self.first_day).days

    @property
    def guns(self) -> int:
        return sum(len(pile.guns) for station in self.town.stations for pile in station.piles)


def day_start_ms(day: date) -> int:
    """Midnight in Beijing."""
    return to_ms(datetime(day.year, day.month, day.day, tzinfo=BEIJING))


@dataclass(frozen=True, slots=True)
class DayDone:
    """What a day brought, and the counts so far."""

    day: date
    brought: Sink
    charged: int
    refused: int


def live(plan: Plan) -> Iterator[DayDone]:
    """Let the days pass. ValueError for a tariff without a price."""
    label = f"{plan.seed}-{plan.first_day:%y%m%d}"
    drivers = Drivers(plan.town.drivers, plan.guns * DRIVERS_A_GUN, plan.seed, label)
    sink = Sink()
    nature = Nature(
        seed=plan.seed,
        begin_ms=day_start_ms(plan.first_day),
        visits_a_day=plan.visits_a_day,
        need_kwh=plan.need_kwh,
        tariff=pile_tariff(plan.town.tariff),
        tariff_version=plan.town.tariff.tariff_version,
    )
    stations = [PastStation(config, nature, drivers, sink) for config in plan.town.stations]
    end_ms = day_start_ms(plan.end_day)
    raw_from = plan.end_day - timedelta(days=plan.raw_days)
    for number in range(plan.days):
        day = plan.first_day + timedelta(days=number)
        begin, after = day_start_ms(day), day_start_ms(day + timedelta(days=1))
        raw = day >= raw_from
        span = RAW_STEP_MS if raw else STEP_MS
        for at_ms in range(begin, after, span):
            closing = at_ms >= end_ms - CLOSING_MS
            for station in stations:
                station.step(at_ms, span, raw=raw, closing=closing)
        for station in stations:
            station.day_over(after)
        counts = sum(one.charged for one in stations), sum(one.refused for one in stations)
        yield DayDone(day, sink.emptied(), *counts)
