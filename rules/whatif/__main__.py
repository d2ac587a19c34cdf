"""`python -m rules.whatif day.jsonl --limited 60 --blocked 85`: a recorded day under other figures, beside itself.

The lines are those of `python -m rules.replay`: contract messages with their time and topic, as `python -m
rules.simulation --record` writes them, or a live station's: `mosquitto_sub -t 'evcs/v1/#' -F
'{"at":"%I","topic":"%t","payload":%p}'`. Nothing is published. A refused driver leaves: that is assumed.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from datetime import timedelta, timezone
from multiprocessing import get_context
from pathlib import Path

import msgspec

from evcs.contracts.config import TransformerConfig
from evcs.runtime.progress import Moved, progress
from rules.codec import LineError
from rules.simulation.picture import BLUE, GREY, RED, Line, Panel, svg
from rules.whatif.compare import TICK_S, Outcome, recorded, run
from rules.whatif.demand import Crowd, add_piles, crowd, without_added
from rules.whatif.recording import NoRecording, Recording, read

BEIJING = timezone(timedelta(hours=8))
HOUR_S = 3600.0


def main(arguments: Sequence[str] | None = None) -> int:
    """2 for lines that are no recording or figures that cannot be."""
    asked = _parser().parse_args(arguments)
    try:
        with ExitStack() as stack:
            lines = sys.stdin.buffer if asked.file == "-" else stack.enter_context(Path(asked.file).open("rb"))
            recording = read(lines, asked.station, asked.transformer)
    except (LineError, NoRecording, OSError) as error:
        sys.stderr.write(f"{asked.file}: {error}\n")
        return 2
    try:
        changed = _changed(recording.transformer, asked)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    found = crowd(recording, asked.add_piles, asked.seed)
    piles = recording.piles + add_piles(recording, asked.add_piles)
    hours = (recording.end - recording.begin).total_seconds() / HOUR_S
    with (
        ProcessPoolExecutor(1, get_context("fork")) as beside,
        progress("what if", max(1, round(hours)), "hours") as moved,
    ):
        # The day as it was configured is reckoned at the same time, on the second core.
        other = beside.submit(run, without_added(found), recording.transformer, recording.piles, tick_s=asked.tick)
        after = run(found, changed, piles, tick_s=asked.tick, moved=_hours(moved))
        before = other.result()
    columns = {"录得 recorded": recorded(recording), "原参数重算 as configured": before, "新参数 with changes": after}
    sys.stdout.write(told(recording, changed, columns, found, asked.add_piles))
    if asked.picture is not None:
        asked.picture.write_text(picture(recording, changed, before, after), encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m rules.whatif", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", help="JSON lines; - for standard input")
    parser.add_argument("--station", help="code of the station (default: the first that is configured in the lines)")
    parser.add_argument(
        "--transformer", help="code of the transformer (default: the first that is read, else the first)"
    )
    parser.add_argument("--limited", type=float, metavar="PCT", help="new charges get half of their power above this")
    parser.add_argument("--blocked", type=float, metavar="PCT", help="no new charge above this")
    parser.add_argument(
        "--cap-share", type=float, metavar="SHARE", help="what a limited charge gets, 0–1 of its rating"
    )
    parser.add_argument("--rated-kva", type=float, metavar="KVA", help="another transformer")
    parser.add_argument(
        "--add-piles", type=int, default=0, metavar="N", help="N more piles, each with a day like another"
    )
    parser.add_argument("--sharing", choices=("on", "off"), help="whether running charges share the transformer")
    parser.add_argument(
        "--tick",
        type=float,
        default=TICK_S,
        metavar="S",
        help=f"simulated seconds between two ticks of the rule (1: as the service ticks; default {TICK_S:g})",
    )
    parser.add_argument("--seed", type=int, default=1, help="of what has to be assumed (default 1)")
    parser.add_argument("--picture", type=Path, metavar="FILE.svg", help="the load before and after")
    return parser


def _changed(config: TransformerConfig, asked: argparse.Namespace) -> TransformerConfig:
    """The configuration with what was asked; thresholds keep the distance of their release. Raises ValueError."""
    changes: dict[str, float | bool] = {}
    for name, value in (("limited", asked.limited), ("blocked", asked.blocked)):
        if value is not None:
            distance = getattr(config, f"{name}_pct") - getattr(config, f"{name}_release_pct")
            changes |= {f"{name}_pct": value, f"{name}_release_pct": value - distance}
    if asked.rated_kva is not None:
        changes["rated_kva"] = asked.rated_kva
    if asked.cap_share is not None:
        changes["cap_share"] = asked.cap_share
    if asked.sharing is not None:
        changes["is_shared"] = asked.sharing == "on"
    if asked.add_piles < 0 or asked.tick <= 0:
        raise ValueError("--add-piles is 0 or more, --tick greater than 0")
    changed = msgspec.structs.replace(config, **changes)
    try:
        msgspec.json.decode(msgspec.json.encode(changed), type=TransformerConfig)
    except msgspec.ValidationError as error:
        raise ValueError(f"figures that cannot be: {error}") from error
    if not changed.limited_pct < changed.blocked_pct:
        raise ValueError(f"--limited {changed.limited_pct:g} is not below --blocked {changed.blocked_pct:g}")
    return changed


def _hours(moved: Moved) -> Callable[[float], None]:
    """Simulated seconds → whole hours of a progress bar."""
    seconds = 0.0

    def hear(more_s: float) -> None:
        nonlocal seconds
        before, seconds = seconds // HOUR_S, seconds + more_s
        if seconds // HOUR_S > before:
            moved(1, "")

    return hear


def told(
    recording: Recording, changed: TransformerConfig, columns: dict[str, Outcome], found: Crowd, added: int
) -> str:
    """The table and what had to be assumed."""
    was = recording.transformer
    rows: list[tuple[str, list[str]]] = [
        ("请求启动 starts asked", [f"{one.asked}" for one in columns.values()]),
        ("允许 admitted", [f"{one.admitted}" for one in columns.values()]),
        ("其中限功率 of them capped", [f"{one.capped}" for one in columns.values()]),
        ("拒绝 refused", [f"{one.refused}" for one in columns.values()]),
        ("无空闲枪 no free gun", [_figure(one.no_gun, 0) for one in columns.values()]),
        ("电量 energy kWh", [_figure(one.energy_kwh) for one in columns.values()]),
        ("推迟的电量 energy deferred kWh", [_figure(one.late_kwh) for one in columns.values()]),
        ("流失的电量 energy lost with who left kWh", [_figure(one.lost_kwh) for one in columns.values()]),
        ("峰值 peak %", [_figure(one.peak_pct) for one in columns.values()]),
        (">80 % min", [_figure(one.over_80_min) for one in columns.values()]),
        (">100 % min", [_figure(one.over_100_min) for one in columns.values()]),
        ("状态变化 band changes", [f"{one.bands}" for one in columns.values()]),
    ]
    text = (
        f"{recording.station} / {was.transformer}: "
        f"{recording.begin:%Y-%m-%d %H:%M} – {recording.end:%Y-%m-%d %H:%M} UTC\n"
        f"{_figures(was)} → {_figures(changed)}, +{added} 桩 piles\n\n"
    )
    text += "| | " + " | ".join(columns) + " |\n|---|" + "---:|" * len(columns) + "\n"
    text += "".join(f"| {name} | " + " | ".join(cells) + " |\n" for name, cells in rows)
    return text + (
        "\n假设：被拒绝的司机离开；当时被拒绝的充电按当天其他充电的曲线估算"
        f"（{found.borrowed} 次）；当时被限功率的充电按车辆最大功率估算（{found.uncapped} 次）；新增桩复制其他桩的一天"
        f"（{found.added} 次）。\n"
        f"Assumed: refused drivers leave; {found.borrowed} charges that were refused then are like others of the day; "
        f"{found.uncapped} that were capped then would have drawn what the car or the gun can; {found.added} at added "
        "piles are copies.\n"
    )


def _figure(value: float | None, digits: int = 1) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"


def _figures(config: TransformerConfig) -> str:
    shared = ", 共享 shared" if config.is_shared else ""
    return f"{config.rated_kva:g} kVA, {config.limited_pct:g} % / {config.blocked_pct:g} %{shared}"


def picture(recording: Recording, changed: TransformerConfig, before: Outcome, after: Outcome) -> str:
    """The load before and after, each with its own thresholds."""
    local = recording.begin.astimezone(BEIJING)
    begin_s = local.hour * HOUR_S + local.minute * 60 + local.second
    hours = max(1.0, (recording.end - recording.begin).total_seconds() / HOUR_S)

    def panel(title: str, config: TransformerConfig, lines: Sequence[Line], outcome: Outcome) -> Panel:
        note = (
            f"{_figures(config)} · 峰值 peak {outcome.peak_pct:.0f} % · 允许 admitted {outcome.admitted} · "
            f"拒绝 refused {outcome.refused} · {outcome.energy_kwh:,.0f} kWh · "
            "假设 assumed: 被拒绝者离开 refused drivers leave"
        )
        thresholds = (config.limited_pct, config.blocked_pct, config.overload_pct)
        return Panel(title, lines, (), thresholds, note, begin_s, hours)

    def shifted(outcome: Outcome) -> list[tuple[float, float]]:
        return [(begin_s + at_s, pct) for at_s, pct in outcome.curve]

    once = Line("录得 recorded", shifted(recorded(recording)), GREY, is_thin=True)
    was = Line("原参数 before", shifted(before), BLUE)
    new = Line("新参数 after", shifted(after), RED)
    return svg(
        [
            panel("原参数 · as configured", recording.transformer, (once, was), before),
            panel("新参数 · with changes", changed, (was, new), after),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
