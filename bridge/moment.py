"""One reading of both clocks: wall time for records and expiries, monotonic time for waits."""

from dataclasses import dataclass
from datetime import datetime

from evcs.contracts.times import from_ms


@dataclass(frozen=True, slots=True)
class Moment:
    """When something came in; pure code is told it and never asks a clock."""

    wall_ms: int
    mono: float

    @property
    def at(self) -> datetime:
        """The wall time, aware UTC."""
        return from_ms(self.wall_ms)
