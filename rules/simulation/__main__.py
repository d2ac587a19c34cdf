"""`python -m rules.simulation`: seeded days of the reference site under this rule and three other readings of it.

Prints the table; `--docs` writes it between its marks into docs/rules.md and the picture beside it. `--record` writes
one day as JSON lines for `python -m rules.replay` and `python -m rules.whatif`.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from evcs.runtime.progress import progress
from rules.simulation.days import COOL, PER_HOUR, WEATHERS, Weather, run_day
from rules.simulation.measure import Day
from rules.simulation.picture import BLUE, GREEN, RED, Line, Panel, Ticks, svg
from rules.simulation.record import record_day
from rules.simulation.table import Row, table
from rules.simulation.variants import LITERAL, RULE, VARIANTS, Variant

BEGIN, END = "<!-- simulation -->", "<!-- /simulation -->"
PICTURE = "rules-day.svg"


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _asked(arguments)
    if asked.record is not None:
        lines = record_day(asked.record, asked.seed, asked.guns, asked.per_hour)
        sys.stderr.write(f"{asked.record}: {lines} lines\n")
        return 0
    weathers = [weather for weather in WEATHERS if weather.code in asked.weather]
    rows = compare(asked.days, weathers, asked.per_hour, asked.processes)
    text = table(rows)
    sys.stdout.write(text)
    if asked.docs is not None:
        return write(asked.docs, text, asked)
    return 0


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m rules.simulation", description=__doc__)
    parser.add_argument("--days", type=int, default=30, help="seeded days of each rule (default 30)")
    parser.add_argument(
        "--weather",
        nargs="+",
        choices=[weather.code for weather in WEATHERS],
        default=[weather.code for weather in WEATHERS],
        help="mild: no cold batteries, cool: half of them, frost: all (default: all three)",
    )
    parser.add_argument("--per-hour", type=float, default=PER_HOUR, help="arrivals per hour before the day's humps")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="how many days at once")
    parser.add_argument("--docs", type=Path, help="folder whose rules.md and picture are written anew")
    parser.add_argument(
        "--record", type=Path, help="write one day of this rule as JSON lines to this file, nothing else"
    )
    parser.add_argument("--seed", type=int, default=1, help="of the recorded day and of the picture (default 1)")
    parser.add_argument("--guns", type=int, default=12, help="of the recorded site (default 12)")
    asked = parser.parse_args(arguments)
    if asked.days < 1 or asked.processes < 1 or asked.guns < 1 or asked.per_hour <= 0:
        parser.error("--days, --processes, --guns and --per-hour are greater than 0")
    if asked.docs is not None and not (asked.docs / "rules.md").is_file():
        parser.error(f"{asked.docs}/rules.md is not there")
    return asked


def day_of(seed: int, variant: Variant, weather: Weather, per_hour: float) -> Day:
    return run_day(seed, variant, weather, per_hour=per_hour)[0]


def compare(days: int, weathers: Sequence[Weather], per_hour: float, processes: int) -> list[Row]:
    """All days of all rules, each seed with the same cars under every rule."""
    found: dict[tuple[str, str], dict[int, Day]] = {}
    jobs = [(seed, variant, weather) for weather in weathers for variant in VARIANTS for seed in range(1, days + 1)]
    with (
        progress("simulated days", len(jobs), "days") as moved,
        ProcessPoolExecutor(processes) as pool,
    ):
        running = {pool.submit(day_of, *job, per_hour): job for job in jobs}
        for done in as_completed(running):
            seed, variant, weather = running[done]
            found.setdefault((variant.code, weather.code), {})[seed] = done.result()
            moved(1, f"{variant.en}, {weather.en}")
    return [
        Row(variant, weather, [day for _, day in sorted(found[variant.code, weather.code].items())])
        for weather in weathers
        for variant in VARIANTS
    ]


def picture(seed: int, per_hour: float) -> str:
    """One day with half of the batteries cold, by the literal rule and by this one."""
    panels = []
    for variant in (LITERAL, RULE):
        day, seen = run_day(seed, variant, COOL, per_hour=per_hour)
        note = (
            f"峰值 peak {day.peak_pct:.0f} % · >80 %: {day.over_80_min:.0f} min · >100 %: {day.over_100_min:.0f} min · "
            f"允许 admitted {day.admitted} · 拒绝 refused {day.refused} · {day.energy_kwh:,.0f} kWh"
        )
        ticks = (Ticks("允许 admitted", seen.admitted_at, GREEN), Ticks("拒绝 refused", seen.refused_at, RED))
        line = Line("实际负荷 real load", seen.curve, BLUE)
        panels.append(Panel(f"{variant.zh} · {variant.en}", (line,), ticks, note=note))
    return svg(panels)


def write(docs: Path, text: str, asked: argparse.Namespace) -> int:
    page = docs / "rules.md"
    old = page.read_text(encoding="utf-8")
    if BEGIN not in old or END not in old:
        sys.stderr.write(f"{page} has no place for the table: {BEGIN} … {END}\n")
        return 2
    before, _, rest = old.partition(BEGIN)
    after = rest.partition(END)[2]
    told = f"`python -m rules.simulation --days {asked.days} --per-hour {asked.per_hour:g}`"
    page.write_text(f"{before}{BEGIN}\n{told}\n\n{text}{END}{after}", encoding="utf-8")
    (docs / PICTURE).write_text(picture(asked.seed, asked.per_hour), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
