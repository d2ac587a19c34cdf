"""Roll-ups summed while the past passes, reading by reading; what sums into what stands in the contracts.

A fold is the contract's definition word for word: a reading holds until the next one, also across a window's end.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from evcs.contracts.measurements import Rollup
from evcs.contracts.times import from_ms
from evcs.store.interface import Point, Value

KWH = 10_000
"""Steps of 0.0001 kWh in one."""


@dataclass(frozen=True, slots=True)
class GunReading:
    """What a roll-up needs of one reading; energy as steps of 0.0001 kWh since the reading before."""

    state: str
    serial: str | None
    power_w: int = 0
    volts_dv: int = 0
    amps_da: int = 0
    gain_steps: int = 0
    soc_pct: float | None = None
    cable_c: int | None = None
    battery_c: int | None = None


@dataclass(slots=True)
class GunFold:
    """Windows of one gun; the row's fields stand in the order of the contract's gun roll-ups."""

    rollup: Rollup
    tags: tuple[str, ...]
    begin_ms: int
    only_charging: bool
    _step_ms: int = 0
    _window_ms: int = 0
    _held_ms: int = 0
    _held_w: int = 0
    _state: str | None = None
    _serial: str | None = None
    _sum: int = 0
    _max: "list[int]" = field(default_factory=lambda: [0, 0, 0])
    _gain: int = 0
    _points: int = 0
    _charged: bool = False
    _soc: float | None = None
    _cable: int | None = None
    _battery: int | None = None

    def __post_init__(self) -> None:
        self._step_ms = int(self.rollup.step.total_seconds() * 1000)
        self._held_ms = self.begin_ms
        self._window_ms = self.begin_ms // self._step_ms * self._step_ms

    def read(self, at_ms: int, reading: GunReading) -> Sequence[Point]:
        """Take a reading; rows of the windows that it closes. Readings come in order."""
        rows = self.until(at_ms) if at_ms >= self._window_ms + self._step_ms else ()
        held_ms = at_ms - self._held_ms
        if held_ms > 0:
            self._sum += self._held_w * held_ms
            self._held_ms = at_ms
        self._held_w = reading.power_w
        self._state, self._serial = reading.state, reading.serial
        self._points += 1
        self._gain += reading.gain_steps
        most = self._max
        if reading.power_w > most[0]:
            most[0] = reading.power_w
        if reading.volts_dv > most[1]:
            most[1] = reading.volts_dv
        if reading.amps_da > most[2]:
            most[2] = reading.amps_da
        if reading.soc_pct is not None:
            self._charged = True
            self._soc = reading.soc_pct
            if reading.cable_c is not None:
                self._cable = reading.cable_c if self._cable is None else max(self._cable, reading.cable_c)
            if reading.battery_c is not None:
                self._battery = reading.battery_c if self._battery is None else max(self._battery, reading.battery_c)
        return rows

    def until(self, at_ms: int) -> Sequence[Point]:
        """Close the windows that end by then."""
        if self.only_charging and not self._charged and not self._held_w:
            # Hours of rest leave no row by the minute: go there at once.
            self._clear(at_ms // self._step_ms * self._step_ms)
            self._held_ms = max(self._held_ms, self._window_ms)
            return ()
        rows = []
        while (end_ms := self._window_ms + self._step_ms) <= at_ms:
            self._hold(end_ms)
            if self._charged or (self._points and not self.only_charging):
                rows.append(self._row())
            self._clear(end_ms)
        return rows

    def _clear(self, window_ms: int) -> None:
        self._window_ms = window_ms
        self._sum = self._gain = self._points = 0
        self._max = [0, 0, 0]
        self._charged = False
        self._soc = self._cable = self._battery = None

    def _hold(self, at_ms: int) -> None:
        if at_ms > self._held_ms:
            self._sum += self._held_w * (at_ms - self._held_ms)
            self._held_ms = at_ms

    def _row(self) -> Point:
        most = self._max
        fields: tuple[Value | None, ...] = (
            self._state,
            self._serial,
            round(self._sum / self._step_ms / 1000, 3),
            most[0] / 1000,
            most[1] / 10 if most[1] else None,
            most[2] / 10 if most[1] else None,
            self._gain / KWH,
            self._soc,
            None if self._cable is None else float(self._cable),
            None if self._battery is None else float(self._battery),
            self._points,
        )
        return Point(self.rollup.measurement, self.tags, fields, from_ms(self._window_ms))


@dataclass(slots=True)
class MeterFold:
    """Windows of one transformer's meter."""

    rollup: Rollup
    tags: tuple[str, ...]
    begin_ms: int
    _step_ms: int = 0
    _window_ms: int = 0
    _held_ms: int = 0
    _held: tuple[float, float] | None = None
    _kva: float = 0.0
    _kw: float = 0.0
    _max: tuple[float, float] = (0.0, 0.0)
    _covered_ms: int = 0
    _oil: float | None = None
    _points: int = 0

    def __post_init__(self) -> None:
        self._step_ms = int(self.rollup.step.total_seconds() * 1000)
        self._held_ms = self.begin_ms
        self._window_ms = self.begin_ms // self._step_ms * self._step_ms

    def read(self, at_ms: int, kva: float, kw: float, oil_c: float) -> Sequence[Point]:
        """Take a reading; rows of the windows that it closes."""
        rows = self.until(at_ms) if at_ms >= self._window_ms + self._step_ms else ()
        self._hold(at_ms)
        self._held = (kva, kw)
        self._max = (max(self._max[0], kva), max(self._max[1], kw))
        self._oil = oil_c if self._oil is None else max(self._oil, oil_c)
        self._points += 1
        return rows

    def until(self, at_ms: int) -> Sequence[Point]:
        """Close the windows that end by then."""
        rows = []
        while (end_ms := self._window_ms + self._step_ms) <= at_ms:
            self._hold(end_ms)
            if self._points:
                rows.append(self._row())
            self._window_ms = end_ms
            self._kva = self._kw = 0.0
            self._max = (0.0, 0.0)
            self._covered_ms = self._points = 0
            self._oil = None
        return rows

    def _hold(self, at_ms: int) -> None:
        span = at_ms - self._held_ms
        if span > 0:
            if self._held is not None:
                self._kva += self._held[0] * span
                self._kw += self._held[1] * span
                self._covered_ms += span
            self._held_ms = at_ms

    def _row(self) -> Point:
        covered = max(1, self._covered_ms)
        fields: tuple[Value | None, ...] = (
            round(self._kva / covered, 3),
            self._max[0],
            round(self._kw / covered, 3),
            self._max[1],
            self._oil,
            self._points,
        )
        return Point(self.rollup.measurement, self.tags, fields, from_ms(self._window_ms))
