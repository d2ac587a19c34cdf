"""What the bridge costs: frames per second, CPU per frame, memory per pile, and the way through a real Mosquitto.

    .venv/bin/python -m bench.bridge [--seconds 8] [--piles 1000 5000] [--no-mosquitto]

The bridge is `python -m bridge` as it runs everywhere. It stands between piles by socket and a null broker that
acknowledges and forgets; the bare side does the same between the same two with no check, no decoding and no state.
All of it on loopback, the load bounded in time. CPU per frame is the process's own, so it is steadier than frames/s,
which the load and the broker share with it on two cores.
"""

import argparse
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import monotonic, sleep

from bench import report
from bench.bridge.latency import through_mosquitto
from bench.bridge.processes import Process, await_port, bridge_env
from tests.servers import free_port

STEADY = 5_000
"""Frames per second of a fleet of 75,000 charging guns: each frame comes by itself."""
FULL = 200_000
"""More than any side takes: TCP makes the load wait, and several frames are read at once."""


@dataclass(frozen=True, slots=True)
class Run:
    """One side under full load."""

    piles: int
    login_s: float
    steady_us: float
    """CPU per frame at the steady rate."""
    frames_s: float
    """Frames that became messages at the broker, per second, at full load."""
    full_us: float
    """CPU per frame then."""
    lost: int
    """Frames sent that never came, both loads together."""
    kib_a_pile: float


def measure(side: Process, port: int, broker: Process, piles: int, seconds: float) -> Run:
    """Connect the piles, offer more and more frames, and count what arrives. Each pile sends in its turn."""
    await_port(port)
    before_kib = side.resident_kib()
    with Process("bench.bridge.load", str(port), str(piles)) as load:
        login_s = float(load.line())
        sleep(0.5)
        kib = (side.resident_kib() - before_kib) / piles
        load.ask(f"{STEADY} 1")
        steady_us, _, lost = offer(side, load, broker, STEADY, seconds)
        full_us, frames_s, lost_too = offer(side, load, broker, FULL, seconds)
        return Run(piles, login_s, steady_us, frames_s, full_us, lost + lost_too, kib)


def offer(side: Process, load: Process, broker: Process, rate: int, seconds: float) -> tuple[float, float, int]:
    """One load: (CPU µs a frame, frames/s that arrived in its time, frames that never did)."""
    before, cpu_s, began = _arrived_all(broker), side.cpu_s(), monotonic()
    sent = int(load.ask(f"{rate} {seconds}"))
    in_time, took_s = _telemetry(broker) - before, monotonic() - began
    frames = _arrived_all(broker) - before
    return (side.cpu_s() - cpu_s) / frames * 1e6, in_time / took_s, sent - frames


def _telemetry(broker: Process) -> int:
    return int(broker.ask().split()[0])


def _arrived_all(broker: Process) -> int:
    """How many have come once none comes any more."""
    count = _telemetry(broker)
    while True:
        sleep(0.3)
        now = _telemetry(broker)
        if now == count:
            return now
        count = now


def of_the_bridge(piles: int, seconds: float, var: str) -> Run:
    with ExitStack() as stack:
        broker = stack.enter_context(Process("bench.bridge.null_broker", str(piles)))
        broker_port, port = int(broker.line()), free_port()
        side = stack.enter_context(Process("bridge", env=bridge_env(broker_port, port, var)))
        return measure(side, port, broker, piles, seconds)


def of_the_bare_loop(piles: int, seconds: float, qos: int) -> Run:
    with ExitStack() as stack:
        broker = stack.enter_context(Process("bench.bridge.null_broker", str(piles)))
        side = stack.enter_context(Process("bench.bridge.bare", broker.line(), str(qos)))
        return measure(side, int(side.line()), broker, piles, seconds)


def table(rows: dict[str, list[Run]]) -> str:
    """Markdown, the middle of the rounds; the last column beside the bare loop with the same piles."""
    out = [
        "| side | piles | logins/s | µs a frame at 5,000/s | frames/s at full load | µs a frame then | × bare QoS 1 "
        "| lost | KiB a pile |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, runs in rows.items():
        for piles in sorted({run.piles for run in runs}):
            these = [run for run in runs if run.piles == piles]
            floor = median(run.full_us for run in rows["bare loop, QoS 1"] if run.piles == piles)
            full_us = median(run.full_us for run in these)
            out.append(
                f"| {name} | {piles:,} | {median(piles / run.login_s for run in these):,.0f} "
                f"| {median(run.steady_us for run in these):.1f} | {median(run.frames_s for run in these):,.0f} "
                f"| {full_us:.1f} | {full_us / floor:.2f} | {sum(run.lost for run in these)} "
                f"| {median(run.kib_a_pile for run in these):.1f} |"
            )
    return "\n".join(out)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.bridge", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--piles", type=int, nargs="+", default=[1_000, 5_000])
    parser.add_argument("--no-mosquitto", action="store_true")
    parser.add_argument("--dry", action="store_true", help="print and leave bench/results.md as it is")
    asked = parser.parse_args()
    rows: dict[str, list[Run]] = {"bare loop, QoS 0": [], "bare loop, QoS 1": [], "bridge": []}
    with tempfile.TemporaryDirectory() as var:
        for piles in asked.piles:
            for _ in range(asked.rounds):
                rows["bare loop, QoS 0"].append(of_the_bare_loop(piles, asked.seconds, 0))
                rows["bare loop, QoS 1"].append(of_the_bare_loop(piles, asked.seconds, 1))
                rows["bridge"].append(of_the_bridge(piles, asked.seconds, var))
        text = [table(rows)]
        if not asked.no_mosquitto:
            text.append(through_mosquitto(Path(var), asked.piles[0], asked.seconds))
    report.section(
        "bridge",
        "Bridge: a 0x13 on TCP → telemetry at the broker (`python -m bench.bridge`)",
        "\n\n".join(text),
        write=not asked.dry,
    )


if __name__ == "__main__":
    main()
