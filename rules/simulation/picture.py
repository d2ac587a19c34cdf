"""A picture of the load of a day as SVG: curves over 24 hours, thresholds, marks for what was admitted and refused."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from math import ceil

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 960, 260, 52, 14, 46, 34
INK, GRID, PAPER = "#222222", "#dddddd", "#ffffff"
BLUE, RED, GREY, GREEN = "#1f5fa8", "#c0392b", "#9a9a9a", "#2e7d32"
FONT = "font-family='Noto Sans CJK SC, Noto Sans SC, Microsoft YaHei, PingFang SC, sans-serif'"


@dataclass(frozen=True, slots=True)
class Line:
    """A curve: (seconds since midnight, % of the rated apparent power)."""

    name: str
    points: Sequence[tuple[float, float]]
    colour: str = BLUE
    is_thin: bool = False


@dataclass(frozen=True, slots=True)
class Ticks:
    """Marks under the curves: what happened, and when."""

    name: str
    seconds: Sequence[float]
    colour: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One diagram; several stand below one another."""

    title: str
    lines: Sequence[Line]
    ticks: Sequence[Ticks] = ()
    thresholds: Sequence[float] = (50.0, 80.0, 100.0)
    note: str = ""
    begin_s: float = 0.0
    """Seconds since midnight at the left end."""
    hours: float = 24.0


@dataclass(slots=True)
class _Canvas:
    parts: list[str] = field(default_factory=list)

    def text(self, x: float, y: float, text: str, *, size: int = 12, anchor: str = "start", colour: str = INK) -> None:
        place = f"x='{x:.0f}' y='{y:.0f}' text-anchor='{anchor}'"
        self.parts.append(f"<text {place} font-size='{size}' fill='{colour}'>{escape(text)}</text>")

    def line(self, x1: float, y1: float, x2: float, y2: float, colour: str, style: str = "") -> None:
        self.parts.append(f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{colour}' {style}/>")

    def path(self, points: Sequence[tuple[float, float]], colour: str, width: float) -> None:
        if not points:
            return
        steps = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        self.parts.append(f"<path d='M{steps}' fill='none' stroke='{colour}' stroke-width='{width}'/>")


def svg(panels: Sequence[Panel]) -> str:
    """The whole picture; every text is Chinese and English by the caller."""
    top_pct = max(
        [110.0, *(pct for panel in panels for line in panel.lines for _, pct in line.points)],
    )
    top_pct = (top_pct // 20 + 1) * 20
    canvas = _Canvas()
    for place, panel in enumerate(panels):
        _draw(canvas, panel, place * HEIGHT, top_pct)
    height = HEIGHT * len(panels)
    head = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {WIDTH} {height}' width='{WIDTH}' {FONT}>"
    return "\n".join([head, f"<rect width='{WIDTH}' height='{height}' fill='{PAPER}'/>", *canvas.parts, "</svg>\n"])


def _draw(canvas: _Canvas, panel: Panel, offset: float, top_pct: float) -> None:
    left, right, top, bottom = LEFT, WIDTH - RIGHT, offset + TOP, offset + HEIGHT - BOTTOM

    def x(seconds: float) -> float:
        return left + (right - left) * max(0.0, min(1.0, (seconds - panel.begin_s) / 3600 / panel.hours))

    def y(pct: float) -> float:
        return bottom - (bottom - top) * pct / top_pct

    canvas.text(left, offset + 18, panel.title, size=14)
    canvas.text(left, offset + 35, panel.note, size=11, colour="#666666")
    every = max(1, round(panel.hours / 8))
    legend: float = right
    for hour in range(ceil(panel.begin_s / 3600), int(panel.begin_s / 3600 + panel.hours) + 1):
        if hour % every == 0:
            canvas.line(x(hour * 3600), top, x(hour * 3600), bottom, GRID)
            canvas.text(x(hour * 3600), bottom + 14, f"{hour % 24:02d}:00", size=10, anchor="middle")
    for grid in range(0, int(top_pct) + 1, 20):
        canvas.text(left - 6, y(grid) + 4, f"{grid} %", size=10, anchor="end")
        canvas.line(left, y(grid), right, y(grid), GRID)
    for threshold in panel.thresholds:
        canvas.line(left, y(threshold), right, y(threshold), RED, "stroke-dasharray='5 4' stroke-width='1'")
    for line in panel.lines:
        canvas.path([(x(at), y(pct)) for at, pct in line.points], line.colour, 0.8 if line.is_thin else 1.3)
    for row, ticks in enumerate(panel.ticks):
        at_y = bottom + 18 + row * 6
        for seconds in ticks.seconds:
            canvas.line(x(seconds), at_y, x(seconds), at_y + 5, ticks.colour, "stroke-width='1.2'")
    for name, colour in reversed(
        [(line.name, line.colour) for line in panel.lines] + [(ticks.name, ticks.colour) for ticks in panel.ticks]
    ):
        canvas.text(legend, offset + 18, f"■ {name}", size=11, anchor="end", colour=colour)
        legend -= 7 * sum(1.9 if ord(letter) > 255 else 1.0 for letter in name) + 26
