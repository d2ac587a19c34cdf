"""Runs a recorded crowd through the real engine under given figures, and tells the runs side by side."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from evcs.contracts.config import PileLimits, TransformerConfig
from evcs.contracts.gun import VerdictKind
from rules.engine import Engine
from rules.simulation.cars import Recorded
from rules.simulation.drive import Drive
from rules.simulation.measure import Seen
from rules.simulation.plant import Plant
from rules.simulation.site import Base, Site, Troubles
from rules.simulation.visits import Fate
from rules.whatif.demand import Crowd
from rules.whatif.recording import Recording

STEP_S = 15.0
TICK_S = 60.0
"""Bands follow every reading of the meter; a tick brings what time alone does: releases, which are 60 s apart."""
REPORT_S = 30.0
"""Half of what the service hears: the draw of a charge changes slowly."""
Curve = list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One column of the table."""

    asked: int
    admitted: int
    capped: int
    refused: int
    no_gun: int | None
    energy_kwh: float
    late_kwh: float | None
    """Later than it was taken in the recording."""
    lost_kwh: float | None
    """With the drivers who left."""
    peak_pct: float
    over_80_min: float
    over_100_min: float
    bands: int
    curve: Curve
    """(seconds since the beginning, %)."""


def base_of(recording: Recording) -> Base:
    """The recorded building."""
    times = [(at - recording.begin).total_seconds() for at, _ in recording.base]
    values = [kw for _, kw in recording.base]
    if not times:
        return lambda _: recording.transformer.base_load_kw
    return lambda seconds: values[max(0, bisect_right(times, seconds) - 1)]


def recorded(recording: Recording) -> Outcome:
    """What the lines themselves say."""
    rated_kva = recording.transformer.rated_kva
    curve = [((at - recording.begin).total_seconds(), kva / rated_kva * 100) for at, kva in recording.load]
    over = {80.0: 0.0, 100.0: 0.0}
    for (at_s, pct), (next_s, _) in pairwise(curve):
        for threshold in over:
            if pct > threshold:
                over[threshold] += min(60.0, next_s - at_s) / 60
    orders = recording.orders
    return Outcome(
        asked=len(orders),
        admitted=sum(order.verdict is VerdictKind.ADMITTED or bool(order.readings) for order in orders),
        capped=sum(order.cap_kw is not None for order in orders),
        refused=sum(order.verdict is VerdictKind.REFUSED for order in orders),
        no_gun=None,
        energy_kwh=sum(order.energy_kwh() for order in orders),
        late_kwh=None,
        lost_kwh=None,
        peak_pct=max((pct for _, pct in curve), default=0.0),
        over_80_min=over[80.0],
        over_100_min=over[100.0],
        bands=recording.bands,
        curve=curve,
    )


def run(
    crowd: Crowd,
    config: TransformerConfig,
    piles: tuple[PileLimits, ...],
    *,
    tick_s: float = TICK_S,
    report_s: float = REPORT_S,
    moved: Callable[[float], None] | None = None,
) -> Outcome:
    """The whole time of the recording; `moved` hears each simulated second that is done."""
    recording = crowd.recording
    site = Site(
        transformer=config,
        piles=piles,
        base=base_of(recording),
        troubles=Troubles(meter_lag_s=STEP_S, handshakes_s=(30.0,)),
        station=recording.station,
        begin=recording.begin,
    )
    plant = Plant(site, Random(1), crowd.come(), step_s=STEP_S, report_s=report_s)
    seen = Seen(plant)
    drive = Drive(plant, Engine(), tick_s, heed=seen.heed)
    drive.begin()
    ends_s = (recording.end - recording.begin).total_seconds()
    while plant.now_s < ends_s:
        drive.advance()
        seen.look()
        if moved is not None:
            moved(STEP_S)
    day = seen.day()
    stays = plant.stays
    left = [stay for stay in stays if stay.fate in (Fate.REFUSED, Fate.NO_GUN, Fate.FAILED)]
    late_kwh = sum(stay.visit.car.late_kwh for stay in stays if isinstance(stay.visit.car, Recorded))
    return Outcome(
        asked=day.asked,
        admitted=day.admitted,
        capped=day.capped,
        refused=day.refused,
        no_gun=day.no_gun,
        energy_kwh=day.energy_kwh,
        late_kwh=late_kwh,
        lost_kwh=sum(stay.visit.car.whole_kwh() for stay in left if isinstance(stay.visit.car, Recorded)),
        peak_pct=day.peak_pct,
        over_80_min=day.over_80_min,
        over_100_min=day.over_100_min,
        bands=day.bands,
        curve=seen.curve,
    )
