"""The load band of a transformer: two thresholds, hysteresis and dwell, so that a limit does not flutter."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from evcs.contracts.config import TransformerConfig
from evcs.contracts.states import Band

TOLERANCE_PCT = 1e-6
"""Sums of floats: 80.0 % made of fifty starts must still be 80.0 %."""


def over(value_pct: float, limit_pct: float) -> bool:
    """Strictly greater: at exactly 50.0 and 80.0 % the lower level applies (requirement 3(1): 超过)."""
    return value_pct > limit_pct + TOLERANCE_PCT


@dataclass(slots=True)
class BandState:
    """Where a transformer stands; `settled` is what counts as soon as there is a figure."""

    settled: Band | None = None
    shown: Band = Band.UNKNOWN
    since: datetime | None = None
    below_limited_since: datetime | None = None
    """Since when the load has been below the release of `limited` without a break."""
    below_blocked_since: datetime | None = None

    def step(self, config: TransformerConfig, load_pct: float | None, now: datetime) -> bool:
        """Follow the load (% of rated kVA; None: no figure that may be trusted). Returns whether the band changed."""
        before = self.shown
        if load_pct is None:
            # Dwell means that the load was seen to be low; while nothing is seen no dwell passes.
            self.below_limited_since = self.below_blocked_since = None
            self.shown = Band.UNKNOWN
        else:
            self.below_limited_since = _since(load_pct < config.limited_release_pct, self.below_limited_since, now)
            self.below_blocked_since = _since(load_pct < config.blocked_release_pct, self.below_blocked_since, now)
            self.settled = self._next(config, load_pct, now)
            self.shown = self.settled
        if self.shown is not before or self.since is None:
            self.since = now
        return self.shown is not before

    def _next(self, config: TransformerConfig, load_pct: float, now: datetime) -> Band:
        band = self.settled or Band.NORMAL
        if over(load_pct, config.blocked_pct):
            return Band.BLOCKED
        if band is Band.BLOCKED:
            if not lasted(self.below_blocked_since, config.blocked_release_s, now):
                return Band.BLOCKED
            band = Band.LIMITED
        if over(load_pct, config.limited_pct):
            return Band.LIMITED
        if band is Band.LIMITED and not self.may_release(config, now):
            return Band.LIMITED
        return Band.NORMAL

    def may_release(self, config: TransformerConfig, now: datetime) -> bool:
        """Whether the load has been low for long enough that caps of running sessions may be lifted (domain A8)."""
        return lasted(self.below_limited_since, config.limited_release_s, now)


def _since(holds: bool, since: datetime | None, now: datetime) -> datetime | None:
    return (since or now) if holds else None


def lasted(since: datetime | None, seconds: float, now: datetime) -> bool:
    """Whether something that began at `since` (None: does not hold) has lasted."""
    return since is not None and now - since >= timedelta(seconds=seconds)
