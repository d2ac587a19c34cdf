"""For how long a transformer has carried more than it should, and what has been done about it so far."""

from dataclasses import dataclass
from datetime import datetime

from evcs.contracts.config import TransformerConfig
from rules.bands import lasted, over


@dataclass(slots=True)
class Excess:
    """Of one transformer; a load that nobody can read changes nothing here (S3: it is never taken as low)."""

    over_since: datetime | None = None
    """Since when the load has been above the overload threshold without a break."""
    within_since: datetime | None = None
    """Since when it has been at or below it without a break."""
    cut_at: datetime | None = None
    """When allowances were last reckoned anew."""
    at_floor_since: datetime | None = None
    """Since when, in this excess, nothing more could be taken from anybody."""
    stopped_at: datetime | None = None
    lifted_at: datetime | None = None

    def step(self, config: TransformerConfig, load_pct: float | None, now: datetime) -> None:
        """Follow the load, % of the rated apparent power; None: no figure."""
        if load_pct is None:
            self.within_since = None
        elif over(load_pct, config.overload_pct):
            self.over_since, self.within_since = self.over_since or now, None
        else:
            self.within_since = self.within_since or now
            self.over_since = self.cut_at = self.at_floor_since = self.stopped_at = None

    def may_cut(self, config: TransformerConfig, now: datetime) -> bool:
        """Whether running sessions are to be curtailed (domain A8: above 100 % for 60 s)."""
        return lasted(self.over_since, config.overload_s, now)

    def may_stop(self, config: TransformerConfig, now: datetime) -> bool:
        """Whether the newest session is to be stopped: nothing left to take for 5 min, one each 15 s (domain A8)."""
        return lasted(self.at_floor_since, config.overload_stop_after_s, now) and (
            self.stopped_at is None or lasted(self.stopped_at, config.overload_stop_apart_s, now)
        )
