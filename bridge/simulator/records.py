"""Charge records until their confirmation: when each is sent again. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from bridge.protocols.ykc.messages import ChargeRecord


@dataclass(slots=True)
class Outstanding:
    """A record without 0x40. `due_ms` None: not again before the next login."""

    record: ChargeRecord
    due_ms: int | None
    first_ms: int | None = None
    sent: int = 0
    held_until_ms: int = 0
    """Not before this, whatever logs in meanwhile."""


class RecordBook:
    """Unconfirmed records of one pile, oldest first, by transaction number.

    A record goes out at the given times after its first sending, then waits for the next login, where it begins
    anew (YKC V1.6: within 30 s after the end; again after 30 s, three times; once more 5 min after the first).
    """

    def __init__(self, resend_s: tuple[float, ...]) -> None:
        self._after_ms = [round(seconds * 1000) for seconds in resend_s]
        self._open: dict[str, Outstanding] = {}
        self.rejected: list[ChargeRecord] = []
        """Answered with result 1: final, kept for service staff."""

    def __iter__(self) -> Iterator[Outstanding]:
        return iter(self._open.values())

    def __len__(self) -> int:
        return len(self._open)

    def add(self, record: ChargeRecord, due_ms: int | None, *, held_until_ms: int = 0) -> None:
        """A new record, to be sent first at `due_ms` (None: at the next login), not before `held_until_ms`."""
        self._open[record.trade_no] = Outstanding(record, due_ms, held_until_ms=held_until_ms)

    def let_go(self, trade_no: str, due_ms: int) -> None:
        """What was held back may go at `due_ms`."""
        entry = self._open.get(trade_no)
        if entry is not None:
            entry.due_ms, entry.held_until_ms = due_ms, 0

    def next_ms(self) -> int | None:
        """When the next sending is due."""
        return min((entry.due_ms for entry in self if entry.due_ms is not None), default=None)

    def take_due(self, now_ms: int) -> list[ChargeRecord]:
        """Records to send now, in the order in which they fell due; each is put on for its next time."""
        due = [entry for entry in self if entry.due_ms is not None and entry.due_ms <= now_ms]
        due.sort(key=lambda entry: entry.due_ms or 0)
        for entry in due:
            entry.sent += 1
            if entry.first_ms is None:
                entry.first_ms = now_ms
            again = entry.sent < len(self._after_ms)
            entry.due_ms = entry.first_ms + self._after_ms[entry.sent] if again else None
        return [entry.record for entry in due]

    def logged_in(self, now_ms: int) -> None:
        """Everything unconfirmed is due anew."""
        for entry in self:
            entry.due_ms, entry.first_ms, entry.sent = max(now_ms, entry.held_until_ms), None, 0

    def confirmed(self, trade_no: str, *, stored: bool) -> ChargeRecord | None:
        """0x40 came: stored → deleted; illegal → set aside for good. What it was; None for an unknown number."""
        entry = self._open.pop(trade_no, None)
        if entry is None:
            return None
        if not stored:
            self.rejected.append(entry.record)
        return entry.record
