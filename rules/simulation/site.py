"""What stands at a simulated site, what goes wrong there, and the load of the building behind the same transformer."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import exp, sin

from evcs.contracts.config import GunConfig, PileLimits, TransformerConfig

STATION, TRANSFORMER = "s1", "t1"
BEGIN = datetime(2026, 3, 1, 16, 0, tzinfo=UTC)
"""Midnight in Beijing."""
DAY_S = 24 * 3600.0

Base = Callable[[float], float]
"""Seconds since the beginning → kW that the building draws."""


@dataclass(frozen=True, slots=True)
class Troubles:
    """What is slow or gets lost between the rule and the cars; shares of 1, seconds."""

    lost_readings: float = 0.0
    """Of the guns' readings."""
    lost_meter: float = 0.0
    """Of the meter's readings."""
    meter_lag_s: float = 30.0
    """From the moment that a reading is of until it is heard; it says of which moment it is."""
    meter_every_s: float = 15.0
    handshakes_s: tuple[float, ...] = (20.0,)
    """From the start command to the first current."""
    refused_starts: float = 0.0
    lost_start_replies: float = 0.0
    lost_power: float = 0.0
    """Power commands that never reach the pile."""
    lost_power_replies: float = 0.0
    """Replies to power commands that are lost though the pile has obeyed."""
    refused_power: float = 0.0
    """Replies that say refused though the pile has obeyed: the worst that a pile can say."""
    link_losses_per_hour: float = 0.0
    """Of each pile."""
    outages_s: tuple[float, ...] = (20.0, 100.0, 400.0)


@dataclass(frozen=True, slots=True)
class Site:
    """One transformer and the piles behind it."""

    transformer: TransformerConfig
    piles: tuple[PileLimits, ...]
    base: Base
    troubles: Troubles = Troubles()
    station: str = STATION
    begin: datetime = BEGIN

    def at(self, seconds: float) -> datetime:
        return self.begin + timedelta(seconds=seconds)

    @property
    def guns(self) -> list[tuple[str, int]]:
        return [(pile.pile, gun.gun) for pile in self.piles for gun in pile.guns]


def flat(kw: float) -> Base:
    """A building that always draws the same."""
    return lambda _: kw


def building(kw: float, midday_kw: float, evening_kw: float, noise_kw: float, phase: float) -> Base:
    """A building with a hump at 12:30 and one at 19:00 and a ripple of a quarter and of seven minutes, kW."""

    def draws(seconds: float) -> float:
        hour = seconds / 3600 % 24
        humps = midday_kw * exp(-((hour - 12.5) ** 2) / 4) + evening_kw * exp(-((hour - 19) ** 2) / 5)
        ripple = sin(seconds / 143 + phase) + sin(seconds / 67 + 2 * phase)
        return max(0.0, kw + humps + noise_kw * ripple / 2)

    return draws


def pile(
    number: str, guns_kw: tuple[float, ...], rated_kw: float | None = None, efficiency: float = 0.94
) -> PileLimits:
    """A DC pile behind the transformer; without `rated_kw` it can give its guns all that they may."""
    return PileLimits(
        pile=number,
        transformer=TRANSFORMER,
        rated_kw=sum(guns_kw) if rated_kw is None else rated_kw,
        efficiency=efficiency,
        guns=tuple(GunConfig(gun=n, rated_kw=kw) for n, kw in enumerate(guns_kw, 1)),
    )
