"""Pure: when the energy of a running session is due as a `G/meter` mark, from which it is billed without a record."""

from dataclasses import dataclass
from decimal import Decimal

from bridge.moment import Moment
from evcs.contracts.gun import MarkReason
from evcs.contracts.times import SLOT, slot_start, to_ms
from evcs.contracts.waits import MARK_EVERY_S

_SLOT_MS = round(SLOT.total_seconds() * 1000)


@dataclass(frozen=True, slots=True)
class Mark:
    serial: str
    why: MarkReason
    energy_kwh: Decimal
    register_kwh: Decimal | None = None


class MeterMarks:
    """The marks of one gun's session, from its first charging reading to its end."""

    __slots__ = ("_energy", "_is_asked", "_last", "_next_slot_ms", "_serial")

    def __init__(self) -> None:
        self._serial: str | None = None
        self._energy = Decimal(0)
        self._next_slot_ms = 0
        self._is_asked = False
        self._last = 0.0

    @property
    def next_slot_ms(self) -> int | None:
        """Wall time of the next half hour at which a reading has to be asked for; None without a session."""
        return None if self._serial is None else self._next_slot_ms

    def begin(self, serial: str, energy_kwh: Decimal | None, now: Moment) -> Mark:
        """The first charging reading of a session (or the first that this bridge sees of it)."""
        self._serial, self._energy = serial, energy_kwh or Decimal(0)
        self._is_asked = False
        self._next_slot_ms = _next_slot(now)
        return self._mark(MarkReason.BEGIN, now)

    def read(self, energy_kwh: Decimal | None, now: Moment) -> Mark | None:
        """A charging reading of the session; the mark that it makes, if one is due."""
        if self._serial is None or energy_kwh is None:
            return None
        self._energy = energy_kwh
        if self._is_asked or now.wall_ms >= self._next_slot_ms:
            self._is_asked = False
            self._next_slot_ms = _next_slot(now)
            return self._mark(MarkReason.HALF_HOUR, now)
        if now.mono - self._last >= MARK_EVERY_S:
            return self._mark(MarkReason.PERIODIC, now)
        return None

    def is_poll_due(self, now: Moment) -> bool:
        """Whether a half hour has begun and a reading has to be asked for; True once for each."""
        if self._serial is None or now.wall_ms < self._next_slot_ms:
            return False
        self._is_asked = True
        self._next_slot_ms = _next_slot(now)
        return True

    def end(self, energy_kwh: Decimal | None, register_kwh: Decimal | None, now: Moment) -> Mark | None:
        """The session is over; with the record's figures where it is the record that says so."""
        if self._serial is None:
            return None
        if energy_kwh is not None:
            self._energy = energy_kwh
        mark = self._mark(MarkReason.END, now, register_kwh)
        self._serial = None
        return mark

    def link_lost(self, now: Moment) -> Mark | None:
        """The link is gone while the session runs: what is known of it so far."""
        return None if self._serial is None else self._mark(MarkReason.LINK_LOST, now)

    def _mark(self, why: MarkReason, now: Moment, register_kwh: Decimal | None = None) -> Mark:
        assert self._serial is not None
        self._last = now.mono
        return Mark(self._serial, why, self._energy, register_kwh)


def _next_slot(now: Moment) -> int:
    return to_ms(slot_start(now.at)) + _SLOT_MS
