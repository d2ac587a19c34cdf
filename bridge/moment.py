"""One reading of both clocks: wall time for records and expiries, monotonic time for waits."""

from datetime import datetime

import msgspec

from evcs.contracts.times import from_ms


class Moment(msgspec.Struct, frozen=True, gc=False):
    """When something came in; pure code is told it and never asks a clock."""

    wall_ms: int
    mono: float

    @property
    def at(self) -> datetime:
        """The wall time, aware UTC."""
        return from_ms(self.wall_ms)
