"""Who waits at a station for a band to open: in the order of arrival, also across a restart."""

from bisect import insort
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from evcs.contracts.gun import Figures, StartRequest
from evcs.contracts.reasons import Reason
from evcs.contracts.transformer import TransformerQueue


@dataclass(slots=True)
class Waiter:
    """A start that the gate would have refused over the load, and that waits instead."""

    request: StartRequest
    pile: str
    gun: int
    since: datetime
    until: datetime
    why: Reason | None = None
    """Why it could not start when it was last weighed; None: not weighed by this run yet."""
    figures: Figures = field(default_factory=Figures)
    away_since: datetime | None = None
    """Since when its pile has been away without a break."""


@dataclass(slots=True)
class Waiters:
    """The waiting starts of one station, the longest waiting first."""

    _in_order: list[Waiter] = field(default_factory=list)

    def __iter__(self) -> Iterator[Waiter]:
        """Over a copy: who is looked at may leave meanwhile."""
        return iter(tuple(self._in_order))

    def find(self, serial: str) -> Waiter | None:
        return next((waiter for waiter in self._in_order if waiter.request.serial == serial), None)

    def join(self, waiter: Waiter) -> None:
        """Take the place that its time gives it; a start that is here already keeps its own."""
        if self.find(waiter.request.serial) is None:
            insort(self._in_order, waiter, key=lambda one: one.since)

    def leave(self, waiter: Waiter) -> None:
        self._in_order.remove(waiter)

    def arrival(self, now: datetime) -> datetime:
        """`now`, but later than everybody's here: times of arrival tell the order, so no two are equal."""
        if not self._in_order:
            return now
        return max(now, self._in_order[-1].since + timedelta(microseconds=1))


@dataclass(slots=True)
class ToldQueue:
    """The queue of a transformer as its level stands, ours or the one found."""

    level: TransformerQueue | None = None
    at: datetime | None = None
    """When this run told it."""

    def take(self, found: TransformerQueue) -> None:
        """From the broker: what an earlier run told is brought up to date, or emptied, by this one."""
        if self.level is None or found.version > self.level.version:
            self.level = found
