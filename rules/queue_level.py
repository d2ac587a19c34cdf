"""`T/queue`: who waits at a transformer, and a rough guess for how long."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from evcs.contracts.config import TransformerConfig
from evcs.contracts.states import Band
from evcs.contracts.times import to_ms
from evcs.contracts.topics import QUEUE
from evcs.contracts.transformer import TransformerQueue, Waiting
from rules.goals import remaining_s
from rules.known import Known
from rules.load import load_of
from rules.messages import Publish
from rules.queueing import waiting_at
from rules.station import Station, Transformer
from rules.waiters import Waiter

CHANGED_APART = timedelta(seconds=2)
"""A queue that changes is told at most so often; who joins hears the place at once, by the verdict."""
GUESSED_EVERY = timedelta(seconds=15)
"""The guess is told anew as often as a charging pile reports."""


def publish_queue(known: Known, station: Station, transformer: Transformer, now: datetime) -> None:
    """Bring the retained level to who waits; it stays empty where nobody does."""
    told = transformer.queue
    if not known.is_sure:
        return
    waiters = tuple(waiting_at(station, transformer))
    if not waiters and (told.level is None or not told.level.waiting):
        return
    is_same = told.level is not None and _order(told.level) == tuple(waiter.request.serial for waiter in waiters)
    if told.at is not None and now - told.at < (GUESSED_EVERY if is_same else CHANGED_APART):
        return
    guesses = estimates_s(station, transformer, waiters, now)
    if is_same and told.level is not None and guesses == [one.estimate_s for one in told.level.waiting]:
        return
    level = TransformerQueue(
        version=max(to_ms(now), 0 if told.level is None else told.level.version + 1),
        transformer=transformer.code,
        waiting=tuple(
            Waiting(
                serial=waiter.request.serial,
                pile=waiter.pile,
                gun=waiter.gun,
                position=position,
                expires_at=waiter.until,
                since=waiter.since,
                estimate_s=guess,
            )
            for position, (waiter, guess) in enumerate(zip(waiters, guesses, strict=True), 1)
        ),
    )
    told.level, told.at = level, now
    known.out.append(Publish(QUEUE, QUEUE.at(station=station.code, transformer=transformer.code), level))


def _order(level: TransformerQueue) -> tuple[str, ...]:
    return tuple(one.serial for one in level.waiting)


def estimates_s(
    station: Station, transformer: Transformer, waiters: Sequence[Waiter], now: datetime
) -> list[int | None]:
    """Seconds until each may start, from the charges whose goal says when they end; None: no charge tells enough.

    A guess for people: cars that are full earlier, tapers and the base load are not foreseen. Nothing is decided by it.
    """
    config = transformer.config
    load = None if config is None else load_of(station, transformer, now)
    if config is None or load is None or load.planned_pct is None:
        return [None] * len(waiters)
    per_kw = 100 / config.power_factor / config.rated_kva
    ends = sorted(_ends(station, transformer, now))
    least_s = _dwell_s(config, transformer, now)
    found: list[int | None] = []
    wanted_pct = load.planned_pct - config.blocked_pct
    at_s, freed_pct = 0.0, 0.0
    for waiter in waiters:
        pile = station.pile(waiter.pile)
        gun = pile.gun(waiter.gun)
        assert pile.limits is not None
        rated_kw = gun.config.rated_kw if gun.config is not None else 0.0
        wanted_pct += config.cap_share * rated_kw / pile.limits.efficiency * per_kw
        while ends and freed_pct < wanted_pct:
            at_s, input_kw = ends.pop(0)
            freed_pct += input_kw * per_kw
        found.append(round(max(at_s, least_s)) if freed_pct >= wanted_pct else None)
    return found


def _dwell_s(config: TransformerConfig, transformer: Transformer, now: datetime) -> float:
    """How long the band stays closed at least."""
    if transformer.band.shown is not Band.BLOCKED:
        return 0.0
    since = transformer.band.below_blocked_since
    passed_s = 0.0 if since is None else (now - since).total_seconds()
    return max(0.0, config.blocked_release_s - passed_s)


def _ends(station: Station, transformer: Transformer, now: datetime) -> list[tuple[float, float]]:
    """When charges end by their goal (seconds from now), and the input power that each gives back, kW."""
    found = []
    for pile in station.piles_of(transformer.code):
        assert pile.limits is not None
        for gun in pile.configured:
            session = gun.session
            if session is None:
                continue
            left_s = remaining_s(session.goal, session.price_e5, session.watch, session.charging_since, now)
            if left_s is not None:
                found.append((left_s, session.watch.power_kw / pile.limits.efficiency))
    return found
