"""Pure: power caps of one pile on their way, one at a time, each confirmed, refused or timed out (YKC 0x52, 0x51)."""

from dataclasses import dataclass
from enum import StrEnum

from evcs.contracts.times import Instant
from evcs.contracts.waits import CAP_ANSWER_S

WAITING_AT_MOST = 32
LATE_ANSWERS = 8
"""How many unanswered sequence numbers are remembered, so that a late answer is not taken for that of the next cap."""


class CapFor(StrEnum):
    """Who asked for a cap."""

    START = "start"
    POWER = "power"
    OWN = "own"
    """The bridge itself: after a login, or when a lockout begins or ends."""


@dataclass(frozen=True, slots=True)
class Cap:
    """A cap to be set. `units` are the protocol's, of the whole pile."""

    wanted_by: CapFor
    id: str
    units: int
    expires_at: Instant | None = None
    gun: int = 0


class CapEnd(StrEnum):
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"


class Caps:
    """One outstanding cap per pile; what comes meanwhile waits its turn."""

    __slots__ = ("_seq", "_unanswered", "_waiting", "confirmed_units", "deadline", "outstanding")

    def __init__(self) -> None:
        self.outstanding: Cap | None = None
        self.confirmed_units: int | None = None
        """Of this link; None: nothing was confirmed on it."""
        self.deadline: float | None = None
        self._waiting: list[Cap] = []
        self._seq = b""
        self._unanswered: list[bytes] = []

    @property
    def is_quiet(self) -> bool:
        """Nothing outstanding and nobody waiting."""
        return self.outstanding is None and not self._waiting

    def add(self, cap: Cap) -> bool:
        """Put a cap in line; False where the line is full."""
        if len(self._waiting) >= WAITING_AT_MOST:
            return False
        self._waiting.append(cap)
        return True

    def remove(self, cap_id: str) -> None:
        """Take a cap out of the line (its start was called off); one that was written stays until it is answered."""
        self._waiting = [cap for cap in self._waiting if cap.id != cap_id]

    def next(self) -> Cap | None:
        """The cap whose turn it is; None while one is outstanding or nobody waits. `written` has to follow."""
        if self.outstanding is not None or not self._waiting:
            return None
        return self._waiting.pop(0)

    def written(self, cap: Cap, seq: bytes, mono: float) -> None:
        self.outstanding, self._seq, self.deadline = cap, seq, mono + CAP_ANSWER_S

    def answered(self, ok: bool, seq: bytes) -> tuple[Cap, CapEnd] | None:
        """0x51 came. None where it answers nothing outstanding.

        Answers repeat the sequence number, but not every pile does: it is only used to know a late answer by.
        """
        cap = self.outstanding
        if cap is None or (seq != self._seq and seq in self._unanswered):
            return None
        self.outstanding = self.deadline = None
        if ok:
            self.confirmed_units = cap.units
        return cap, CapEnd.CONFIRMED if ok else CapEnd.REFUSED

    def overdue(self, mono: float) -> Cap | None:
        """The outstanding cap, once its time is over."""
        if self.outstanding is None or self.deadline is None or mono < self.deadline:
            return None
        cap, self.outstanding, self.deadline = self.outstanding, None, None
        self._unanswered = [*self._unanswered, self._seq][-LATE_ANSWERS:]
        return cap

    def link_lost(self) -> list[Cap]:
        """Everything that was on its way, oldest first; nothing is confirmed on a new link."""
        gone = [cap for cap in (self.outstanding, *self._waiting) if cap is not None]
        self.outstanding = self.deadline = self.confirmed_units = None
        self._waiting.clear()
        self._unanswered.clear()
        return gone
