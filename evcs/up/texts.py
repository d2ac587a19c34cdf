"""Pure: the sentences of the one-command run, from what runs where to the status line."""

from __future__ import annotations

import json
from pathlib import Path

from evcs.up.figures import Figures
from evcs.up.plan import Plan
from evcs.up.settings import UpSettings
from evcs.up.supervisor import Died, Event, Ready, Started, Stopped

URL = "http://127.0.0.1:{port}{path}"


def where(plan: Plan, settings: UpSettings) -> str:
    """What runs where, before anything has started."""
    folder = settings.folder()
    rows = []
    for child in plan:
        place = "" if child.once else "no port"
        if child.name == "webapi":
            place = URL.format(port=child.port, path="/docs")
        elif child.name in ("broker", "bridge"):
            place = f"127.0.0.1:{child.port}"
        elif child.port is not None:
            place = URL.format(port=child.port, path="/healthz")
        rows.append((child.name, child.what, place))
    what = max(len(row[1]) for row in rows)
    lines = [f"  {name:<10} {text:<{what}}  {place}".rstrip() for name, text, place in rows]
    return "\n".join(
        [
            *lines,
            "",
            f"  data {folder}   logs {folder / 'log'}   Ctrl-C stops everything",
            f"  API documentation: {URL.format(port=settings.http_port, path='/docs')}",
        ]
    )


def sign_in(file: Path) -> str:
    """The demo's sign-in as the seed wrote it, with where to read it again."""
    try:
        lines = file.read_text(encoding="utf-8").strip().splitlines()
    except OSError as error:
        return f"the demo's sign-in cannot be read from {file}: {error.strerror}"
    return "\n".join(["demo sign-in", *(f"  {line}" for line in lines), f"  (kept in {file})"])


def told(event: Event) -> str | None:
    """One sentence on what happened to a child, or None where nobody needs to know."""
    match event:
        case Ready(name):
            return f"{name} is ready"
        case Died(name, code, last_line, again_in_s):
            how = f"ended with {code}" if code >= 0 else f"was killed by signal {-code}"
            saying = f", saying: {spoken(last_line)}" if last_line else " without a word"
            return f"{name} {how}{saying}\n         started again in {again_in_s:g} s; all it said: log/{name}.log"
        case Stopped(name, killed=True):
            return f"{name} did not stop in time and was killed"
        case Started() | Stopped():
            return None


def spoken(line: str) -> str:
    """A child's last line for a person: a log event by its name and what explains it; any other line as it is."""
    try:
        event = json.loads(line)
    except ValueError:
        return line
    if not isinstance(event, dict) or "event" not in event:
        return line
    why = next((str(event[name]) for name in ("reason", "why", "exception") if event.get(name)), "")
    # Of an exception its last line, which names it.
    return ": ".join(filter(None, (str(event["event"]), (why.strip().splitlines() or [""])[-1])))


def guns(figures: Figures) -> str:
    """Guns by state."""
    if not figures.guns:
        return "no gun seen yet"
    return ", ".join(f"{count} {state.value}" for state, count in figures.guns)


def transformer_lines(figures: Figures) -> list[str]:
    """Each transformer with its kW, its load and its band."""
    lines = []
    for one in figures.transformers:
        load = f"{one.load_pct:.1f} %" if one.load_pct is not None else "no figure"
        lines.append(f"{one.name} {one.guns_kw:.1f} kW, load {load}, {one.band}")
    return lines


def totals(figures: Figures) -> str:
    """Energy, orders, money and messages since the run began."""
    refused = f", {figures.refused_orders} refused" if figures.refused_orders else ""
    return (
        f"{figures.energy_kwh:.2f} kWh · orders {figures.open_orders} open, {figures.settled_orders} settled"
        f" ({figures.settled_fen / 100:.2f} yuan){refused} · {figures.messages_per_s:.1f} msg/s"
    )


def status_line(figures: Figures) -> str:
    """All figures in one line, for where there is no terminal."""
    return " | ".join([guns(figures), *transformer_lines(figures), totals(figures)])
