"""The time as every service sees it: wall time for records and deadlines, monotonic time for waiting."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, time_ns
from typing import Protocol

LOOK_EVERY_S = 0.1


class Clock(Protocol):
    """Injected wherever time is needed; nothing calls now() by itself."""

    def now(self) -> datetime:
        """Aware UTC, whole milliseconds (what a payload can carry, so that written and read times compare equal)."""

    def now_ms(self) -> int:
        """The same as whole milliseconds since 1970."""

    def monotonic(self) -> float:
        """Seconds that only grow and that no offset moves: for time-outs and for noticing a stall."""


class SystemClock:
    """The machine's time, shifted by the seconds that stand in an offset file.

    Tests of several processes move that file; it is looked at when it changed, at most every 100 ms. Only the
    time of day moves by it: waiting stays real.
    """

    def __init__(self, offset_file: Path | None = None) -> None:
        self._file = offset_file
        self._seen: tuple[int, int] | None = None
        self._looked_at = -LOOK_EVERY_S
        self._offset_ms = 0

    def now_ms(self) -> int:
        if self._file is not None:
            self._look(self._file)
        return time_ns() // 1_000_000 + self._offset_ms

    def now(self) -> datetime:
        return from_ms(self.now_ms())

    def monotonic(self) -> float:
        return monotonic()

    def _look(self, file: Path) -> None:
        at = monotonic()
        if at - self._looked_at < LOOK_EVERY_S:
            return
        self._looked_at = at
        try:
            stat = file.stat()
            seen = (stat.st_mtime_ns, stat.st_size)
            if seen == self._seen:
                return
            self._offset_ms = round(float(file.read_text().strip() or "0") * 1000)
            self._seen = seen
        except FileNotFoundError:
            self._seen, self._offset_ms = None, 0
        except ValueError:
            # Caught between truncation and writing: the next look reads it whole.
            self._seen = None


class ManualClock:
    """A clock that a test moves; both kinds of time move together."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now_ms = round(start.timestamp() * 1000)
        self._monotonic = 1000.0

    def now(self) -> datetime:
        return from_ms(self._now_ms)

    def now_ms(self) -> int:
        return self._now_ms

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass."""
        self._now_ms += round(seconds * 1000)
        self._monotonic += seconds

    def set(self, to: datetime) -> None:
        """Move the time of day only, as a corrected clock does."""
        self._now_ms = round(to.timestamp() * 1000)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def from_ms(milliseconds: int) -> datetime:
    """Aware UTC time of milliseconds since 1970, without the rounding of floats."""
    return _EPOCH + timedelta(milliseconds=milliseconds)
