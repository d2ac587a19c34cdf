"""What the rules cost: the engine by kind of message, and the process behind a real Mosquitto with 10,000 guns.

    .venv/bin/python -m bench.rules [--seconds 10] [--dry]

200 transformers of 50 guns, 10 of each charging. In the engine alone every message is one step; a tick is taken in ten
turns, as the process does it. Through the broker: readings at the pace of 10,000 charging guns (one each 15 s), one of
each meter every 10 s, ten starts a second; then a burst, for what one core takes. Latencies are those of this bench's
own client, from its publish to its callback, so they are upper bounds.
"""

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from time import process_time

from bench import report
from bench.rules_load import GUNS_EACH, RUNNING_EACH, STATIONS, Measured, Station, measure, stations
from evcs.contracts.states import GunState
from rules.engine import Engine
from rules.messages import Began, Heard, Message, PictureComplete, Tick
from rules.simulation.voice import serial_of

PARTS = 10
T0 = datetime(2026, 5, 1, tzinfo=UTC)


def engine_costs() -> list[tuple[str, int, float, float]]:
    """(kind, steps, median µs, 99 % µs) of CPU."""
    engine, voices, at = Engine(), stations(T0), T0
    engine.step(Began(1), at)
    engine.step(voices[0].bridge(), at)
    for voice in voices:
        for message in voice.picture(at):
            engine.step(message, at)
    engine.step(PictureComplete(), at)
    engine.step(voices[0].answer(since_ms=1), at)
    for voice in voices:
        engine.step(voice.meter(at, 1_000.0), at)
    rows = []

    def take(kind: str, messages: Sequence[Message], now: datetime) -> None:
        spent = []
        for message in messages:
            began = process_time()
            engine.step(message, now)
            spent.append((process_time() - began) * 1e6)
        rows.append((kind, len(messages), median(spent), quantiles(spent, n=100)[98]))

    running = [(voice, *gun) for voice in voices for gun in voice.guns[:RUNNING_EACH]]
    resting = [(voice, *gun) for voice in voices for gun in voice.guns[RUNNING_EACH:]]
    take("start request", [v.request(p, g, at, f"{v.station}-{p}-{g}") for v, p, g in running], at)
    charging = [v.level(p, g, GunState.CHARGING, at, serial_of(f"{v.station}-{p}-{g}")) for v, p, g in running]
    take("level, charging", charging, at)
    for n in range(1, 5):
        at = T0 + timedelta(seconds=15 * n)
        readings = [_reading(v, p, g, at, n) for v, p, g in running]
        meters = [v.meter(at, 1_000.0 + 100 * n) for v in voices]
        if n < 4:
            for message in (*readings, *meters, Tick()):
                engine.step(message, at)
    take("reading of a charging gun", readings, at)
    take("reading at rest", [v.reading(p, g, at, serial=None, kw=0.0) for v, p, g in resting], at)
    take("meter", meters, at)
    ticks = [Tick(part, PARTS) for _ in range(12) for part in range(PARTS)]
    take("tick, a tenth of 10,000 guns", ticks, at + timedelta(seconds=1))
    return rows


def _reading(voice: Station, pile: str, gun: int, at: datetime, n: int) -> Heard:
    serial = serial_of(f"{voice.station}-{pile}-{gun}")
    return voice.reading(pile, gun, at, serial=serial, kw=60.0, kwh=0.25 * n, soc_pct=30.0, max_kw=90.0)


def told(rows: list[tuple[str, int, float, float]], found: Measured) -> str:
    text = f"`python -m bench.rules`: {STATIONS} transformers, {STATIONS * GUNS_EACH:,} guns, "
    text += f"{STATIONS * RUNNING_EACH:,} of them charging.\n\nThe engine alone, one core:\n\n"
    text += "| step | steps | µs, median | µs, 99 % | steps/s |\n| --- | ---: | ---: | ---: | ---: |\n"
    for kind, count, middle, most in rows:
        text += f"| {kind} | {count:,} | {middle:,.0f} | {most:,.0f} | {1e6 / middle:,.0f} |\n"
    text += "\n`python -m rules` behind Mosquitto:\n\n| what | figure |\n| --- | ---: |\n"
    text += f"| readings offered, starts a second beside them | {found.offered_s:,.0f}/s, {found.starts_s:,.0f}/s |\n"
    text += f"| CPU of the process meanwhile, of one core | {found.steady_cpu:.0%} |\n"
    text += f"| meter reading to policy, median / 99 % | {_ms(found.to_policy)} |\n"
    text += f"| request to verdict, median / 99 % | {_ms(found.to_verdict)} |\n"
    text += f"| request to start, median / 99 % | {_ms(found.to_start)} |\n"
    text += f"| CPU per reading in a burst | {found.burst_us:.0f} µs |\n"
    text += f"| readings/s that one core takes | {1e6 / found.burst_us:,.0f} |\n"
    return text


def _ms(found: list[float]) -> str:
    return f"{median(found) * 1e3:.1f} / {quantiles(found, n=100)[98] * 1e3:.1f} ms ({len(found)})"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.rules", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="of the steady load (default 10)")
    parser.add_argument("--dry", action="store_true", help="print and leave bench/results.md as it is")
    asked = parser.parse_args()
    rows = engine_costs()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(measure(Path(folder), asked.seconds))
    report.section("rules", "Rules: the engine and its process", told(rows, found), write=not asked.dry)


if __name__ == "__main__":
    main()
