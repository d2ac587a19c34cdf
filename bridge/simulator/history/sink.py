"""Where the past goes while it passes: points by bucket, lines of what happened. In memory until a day is over."""

from dataclasses import dataclass, field

from evcs.contracts.history import Past
from evcs.store.interface import Point

RAW = "raw"


@dataclass(slots=True)
class Sink:
    """What a day has brought so far."""

    points: dict[str, list[Point]] = field(default_factory=lambda: {RAW: [], "rollup_1m": [], "rollup_15m": []})
    lines: list[Past] = field(default_factory=list)

    def emptied(self) -> "Sink":
        """What there is, leaving nothing."""
        full = Sink(self.points, self.lines)
        self.points = {bucket: [] for bucket in self.points}
        self.lines = []
        return full
