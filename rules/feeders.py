"""Feeders (馈线): what the piles behind one cable may draw together, below the transformer's own limits (F131)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from evcs.contracts.config import FeederConfig, TransformerConfig
from rules.load import Change, pile_load
from rules.station import Pile, Station, Transformer

ROUNDING_KW = 1e-6


@dataclass(frozen=True, slots=True)
class Full:
    """A feeder behind which a start or a rise has no room. Input power, kW."""

    feeder: str
    planned_kw: float
    """Before the change."""
    limit_kw: float


def above(config: TransformerConfig, feeder: str | None) -> Iterator[FeederConfig]:
    """A feeder and those above it, the lowest first; ends where the configuration names no further one."""
    named = {one.feeder: one for one in config.feeders}
    while feeder is not None:
        found = named.pop(feeder, None)  # each once: a configuration with a circle ends too
        if found is None:
            return
        yield found
        feeder = found.parent


def full(
    station: Station, transformer: Transformer, pile: Pile, allowance_kw: float | None, gun: int | None, now: datetime
) -> Full | None:
    """The first feeder above a pile that its change would overload: a start of `gun`, or a new allowance without one.

    Strictly greater, like every threshold. None: there is room, or no feeder.
    """
    config = transformer.config
    if config is None or not config.feeders or pile.limits is None:
        return None
    change = Change(pile.number, allowance_kw, gun)
    for feeder in above(config, pile.limits.feeder):
        before_kw = after_kw = 0.0
        for other in behind(station, transformer, feeder.feeder):
            assert other.limits is not None
            now_kw = then_kw = pile_load(other, config, None, now).planned_kw / other.limits.efficiency
            if other is pile:
                then_kw = pile_load(other, config, None, now, change).planned_kw / other.limits.efficiency
            before_kw += now_kw
            after_kw += then_kw
        if after_kw > feeder.limit_kw + ROUNDING_KW and after_kw > before_kw + ROUNDING_KW:
            return Full(feeder.feeder, before_kw, feeder.limit_kw)
    return None


def behind(station: Station, transformer: Transformer, feeder: str) -> Iterator[Pile]:
    """The piles behind a feeder, also those behind feeders below it."""
    config = transformer.config
    assert config is not None
    for pile in station.piles_of(transformer.code):
        if pile.limits is not None and any(one.feeder == feeder for one in above(config, pile.limits.feeder)):
            yield pile
