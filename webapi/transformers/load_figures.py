"""Pure: what a transformer carried in a month, out of windows of its load; minutes without data stay without."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from evcs.contracts.times import BEIJING, civil_day

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Window:
    """The load of some minutes. `kw`: active power, where it is known."""

    at: datetime
    minutes: int
    mean_kva: float
    peak_kva: float
    kw: float | None


@dataclass(frozen=True, slots=True)
class Over:
    """For how long the load was strictly above a share of the rated apparent power."""

    pct: float
    minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """What some time says; no figure where no minute of it has data, never 0."""

    minutes: int
    """As long as the time was."""
    covered_minutes: int
    coverage_pct: float
    peak_pct: float | None
    peak_kva: float | None
    peak_at: datetime | None
    mean_pct: float | None
    energy_kwh: float | None
    over: tuple[Over, ...]


@dataclass(frozen=True, slots=True)
class DaySpan:
    """One Beijing day."""

    day: date
    span: Span


@dataclass(slots=True)
class _Sum:
    covered: int = 0
    kva_minutes: float = 0.0
    energy_kwh: float = 0.0
    energy_minutes: int = 0
    peak: Window | None = None
    over: dict[float, int] = field(default_factory=dict)

    def add(self, window: Window, thresholds: Sequence[float], rated_kva: float) -> None:
        self.covered += window.minutes
        self.kva_minutes += window.mean_kva * window.minutes
        if window.kw is not None:
            self.energy_kwh += window.kw * window.minutes / 60
            self.energy_minutes += window.minutes
        if self.peak is None or window.peak_kva > self.peak.peak_kva:
            self.peak = window
        for pct in thresholds:
            if window.mean_kva / rated_kva * 100 > pct:
                self.over[pct] = self.over.get(pct, 0) + window.minutes

    def span(self, minutes: int, thresholds: Sequence[float], rated_kva: float) -> Span:
        peak = self.peak
        return Span(
            minutes=minutes,
            covered_minutes=self.covered,
            coverage_pct=round(min(self.covered / minutes, 1.0) * 100, 2) if minutes else 0.0,
            peak_pct=None if peak is None else round(peak.peak_kva / rated_kva * 100, 1),
            peak_kva=None if peak is None else round(peak.peak_kva, 1),
            peak_at=None if peak is None else peak.at,
            mean_pct=None if not self.covered else round(self.kva_minutes / self.covered / rated_kva * 100, 1),
            energy_kwh=None if not self.energy_minutes else round(self.energy_kwh, 1),
            over=tuple(Over(pct, self.over.get(pct, 0)) for pct in thresholds) if self.covered else (),
        )


def figures(
    windows: Sequence[Window], begin: datetime, end: datetime, thresholds: Sequence[float], rated_kva: float
) -> tuple[Span, tuple[DaySpan, ...]]:
    """The figures of [begin, end) and of each of its Beijing days, in order; also of days without data."""
    whole = _Sum()
    by_day: dict[date, _Sum] = {}
    for window in windows:
        whole.add(window, thresholds, rated_kva)
        by_day.setdefault(civil_day(window.at), _Sum()).add(window, thresholds, rated_kva)
    days = []
    at = begin
    while at < end:
        day = civil_day(at)
        next_day = datetime(day.year, day.month, day.day, tzinfo=BEIJING) + timedelta(days=1)
        until = min(end, next_day)
        days.append(DaySpan(day, by_day.get(day, _Sum()).span(_minutes(at, until), thresholds, rated_kva)))
        at = until
    return whole.span(_minutes(begin, end), thresholds, rated_kva), tuple(days)


def month_of(text: str) -> tuple[datetime, datetime]:
    """Begin and end of a Beijing month "2026-11"."""
    year, month = (int(part) for part in text.split("-"))
    begin = datetime(year, month, 1, tzinfo=BEIJING)
    end = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=BEIJING)
    return begin.astimezone(UTC), end.astimezone(UTC)


def _minutes(begin: datetime, end: datetime) -> int:
    return max((end - begin) // MINUTE, 0)
