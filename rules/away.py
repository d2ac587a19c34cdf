"""Which piles of one station are away, and for which of them one alarm stands together."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class Absence:
    """Of one station; `rules.absence` follows it."""

    since: dict[str, datetime] = field(default_factory=dict)
    """Pile → since when it is known to be away."""
    storm: set[str] = field(default_factory=set)
    """Piles for which the storm's alarm stands."""
    peak: int = 0
    """The most that the storm had."""
