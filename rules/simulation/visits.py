"""Who comes when: visits by seed, with the curve of a day, and what became of each."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from math import exp
from random import Random

from evcs.contracts.reasons import Reason
from rules.simulation.cars import Car, draw_battery
from rules.simulation.site import DAY_S


@dataclass(frozen=True, slots=True)
class Visit:
    """A car arrives and its driver asks for a start."""

    at_s: float
    car: Car
    pile: str = ""
    """"": any free gun."""
    gun: int = 0
    may_queue: bool = False


class Fate(StrEnum):
    """How far a stay has come."""

    ASKED = "asked"
    QUEUED = "queued"
    ADMITTED = "admitted"
    REFUSED = "refused"
    FAILED = "failed"
    """Admitted, and no charge came of it."""
    NO_GUN = "no_gun"
    """No free gun: the rule was never asked."""


@dataclass(slots=True)
class Stay:
    """A visit at a gun."""

    request: str
    visit: Visit
    fate: Fate = Fate.ASKED
    reason: Reason | None = None
    cap_kw: float | None = None
    """Of its admission; None: without a cap."""
    begun_s: float | None = None
    ended_s: float | None = None
    stopped: Reason | None = None
    """The rule ended it."""
    queue_until_s: float | None = None

    @property
    def energy_kwh(self) -> float:
        return self.visit.car.taken_kwh if self.begun_s is not None else 0.0


def rush(seconds: float) -> float:
    """How many come at this time of the day, as a multiple: few at night, most at noon and in the evening."""
    hour = seconds / 3600 % 24
    return 0.5 + 1.0 * exp(-((hour - 12) ** 2) / 5) + 1.2 * exp(-((hour - 19) ** 2) / 6)


RUSH_MOST = 2.0


def arrivals(
    dice: Random, per_hour: float, *, cold_share: float = 0.0, pause_share: float = 0.0, until_s: float = DAY_S
) -> Iterator[Visit]:
    """Visits of one day; `per_hour` before the humps of the day."""
    at_s = 0.0
    while True:
        at_s += dice.expovariate(per_hour * RUSH_MOST / 3600)
        if at_s >= until_s:
            return
        if dice.random() < rush(at_s) / RUSH_MOST:
            yield Visit(at_s, draw_battery(dice, cold_share=cold_share, pause_share=pause_share))
