"""The comparison of docs/rules.md: means over the seeded days, one line a rule."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

from rules.simulation.days import Weather
from rules.simulation.measure import Day
from rules.simulation.variants import Variant

HEAD = (
    "| 电池 batteries | 规则 rule | 状态变化/天 band changes/day | 限值变化/天 caps changed/day "
    "| 允许 admitted | 拒绝 refused | 电量 energy kWh/day "
    "| 日峰值均值 mean daily peak | 最高 worst peak | >80 % min/day | >100 % min/day |\n"
    "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n"
)


@dataclass(frozen=True, slots=True)
class Row:
    """The days of one rule in one weather."""

    variant: Variant
    weather: Weather
    days: Sequence[Day]


def table(rows: Sequence[Row]) -> str:
    """Markdown, Chinese and English."""
    return HEAD + "".join(_line(row) for row in rows)


def _line(row: Row) -> str:
    days = row.days
    cells = (
        f"{row.weather.zh} {row.weather.en}",
        f"{row.variant.zh} {row.variant.en}",
        f"{mean(day.bands for day in days):.0f}",
        f"{mean(day.caps for day in days):.0f}",
        f"{mean(day.admitted for day in days):.0f}",
        f"{mean(day.refused for day in days):.0f}",
        f"{mean(day.energy_kwh for day in days):,.0f}",
        f"{mean(day.peak_pct for day in days):.0f} %",
        f"{max(day.peak_pct for day in days):.1f} %",
        f"{mean(day.over_80_min for day in days):.1f}",
        f"{mean(day.over_100_min for day in days):.2f}",
    )
    return "| " + " | ".join(cells) + " |\n"
