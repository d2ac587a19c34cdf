"""What the whole of ingest costs per point, from the broker into a store, beside a bare MQTT client and a bare write.

    .venv/bin/python -m bench.ingest_whole [points]

A real Mosquitto holds a backlog of single readings. `python -m ingest` takes it as it runs everywhere, into the
embedded store and into a real InfluxDB 1.x; what its start costs (imports, an empty queue) is measured and taken off.
Beside it the least: a client of sockets that takes and acknowledges and does nothing else, and ready lines posted.
CPU is the process's own. Rounds alternate, the median counts.
"""

import asyncio
import re
import signal
import sys
import tempfile
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from time import monotonic, process_time, sleep

import requests

from bench import report
from bench.ingest import BATCH, messages
from bench.ingest_load import Child, publish, python, wait_for
from evcs.contracts.measurements import GUN
from evcs.contracts.topics import TELEMETRY
from evcs.store.lines import spelled
from evcs.store.open import open_store
from evcs.store.sqlite import SqliteStore
from ingest.points import gun_point
from tests.servers import Mosquitto, free_port
from tests.stores import InfluxDb

ROUNDS = 3
SETTLES_S = 1.0

BOUNDS = """
By its steps, of one reading: decoding and checking its JSON 4.4 µs, spelling and checking its line 5.1, reading the
packet, holding it and acknowledging it about 8; the collector of cycles and the system have the rest; posting costs
nearly nothing. The bare client knows neither topics nor payloads and holds nothing for later: its figure is a floor and
no aim. What would go further: no fields that are null in the payload (550 bytes), several readings in a message. The
embedded store adds the 10 µs that SQLite needs. Points a second are bounded by the broker, the store and ingest sharing
two cores, which may have other work as well at the time of a run (the load shows in the spread).
"""


class Bench:
    """The servers, and one figure after the other."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder = folder
        self.count = count
        self.sent = messages(count)
        self.broker = Mosquitto(folder / "broker")
        self.influx = InfluxDb(folder / "influx")
        self._n = 0

    def ingest(self, url: str, stored: Callable[[], int]) -> tuple[float, float]:
        """CPU µs a point, and points a second, of a backlog taken by ingest."""
        self._n += 1
        port = free_port()
        env = {
            "EVCS_HEALTH_PORT": str(port),
            "EVCS_MQTT_PORT": str(self.broker.port),
            "EVCS_STORE_URL": url,
            "EVCS_VAR": str(self.folder / "var"),
            "EVCS_INGEST_INSTANCE": f"bench{self._n}",
            "EVCS_LOG_FORMAT": "json",
        }
        start_s = self._start_up(env)
        asyncio.run(publish(self.broker.port, self.sent))
        log = self.folder / f"ingest{self._n}.log"
        child = Child(python("ingest"), env, log)
        try:
            wait_for(lambda: b"mqtt_connected" in log.read_bytes(), "ingest is connected")
            began = monotonic()
            # Asked of ingest itself: who counts in the store over and over holds up its checkpoints.
            wait_for(lambda: written(port) >= self.count, "all points are written", every_s=0.5)
            taken_s = monotonic() - began
            sleep(SETTLES_S)
            assert stored() == self.count, f"{stored()} stored, {written(port)} written"
            return (child.cpu_s - start_s) / self.count * 1e6, self.count / taken_s
        finally:
            child.end()

    def _start_up(self, env: dict[str, str]) -> float:
        """CPU s of a start with nothing to do, once its session exists."""
        log = self.folder / f"empty{self._n}.log"
        child = Child(python("ingest"), env, log)
        try:
            wait_for(lambda: log.read_bytes().count(b"mqtt_connected") >= 2, "ingest is connected")
            sleep(SETTLES_S)
            return child.cpu_s
        finally:
            child.end()

    def bare_client(self) -> float:
        """CPU µs a message."""
        self._n += 1
        log = self.folder / f"bare{self._n}.log"

        def command(count: int) -> list[str]:
            return python("bench.bare_mqtt", str(self.broker.port), f"bare{self._n}", str(count), TELEMETRY.everywhere)

        first = Child(command(0), {}, log)
        wait_for(lambda: b"done" in log.read_bytes(), "subscribed")
        first.process.wait(10)
        asyncio.run(publish(self.broker.port, self.sent))
        child = Child(command(self.count), {}, log)
        wait_for(lambda: log.read_bytes().count(b"done") == 2, "all taken")
        child.process.wait(10)
        return float(log.read_text().split()[-1]) / self.count * 1e6

    def bare_write(self) -> tuple[float, float]:
        """CPU µs a point of posting ready lines, and of the server's own CPU meanwhile."""
        points = [gun_point(topic, payload) for topic, payload in self.sent]
        lines = spelled(points)[1]
        bodies = ["\n".join(lines[start : start + BATCH]).encode() for start in range(0, len(lines), BATCH)]
        open_store(self.influx.url("bare")).write([])
        assert self.influx._process is not None
        server = Child.__new__(Child)
        server.process = self.influx._process
        before, start = server.cpu_s, process_time()
        connection = HTTPConnection("127.0.0.1", self.influx.port)
        for body in bodies:
            connection.request("POST", "/write?db=bare&rp=raw&precision=ms", body)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 204
        connection.close()
        spent = process_time() - start
        return spent / self.count * 1e6, (server.cpu_s - before) / self.count * 1e6


def written(port: int) -> int:
    """How many points ingest says to have written."""
    try:
        text = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text
    except requests.ConnectionError:
        return 0
    found = re.search(r"^evcs_ingest_points_total (\S+)$", text, re.MULTILINE)
    return int(float(found[1])) if found is not None else 0


def in_sqlite(path: Path) -> int:
    """How many points are in the embedded store."""
    import sqlite3

    try:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    except sqlite3.Error:
        return 0
    try:
        return int(connection.execute(f"SELECT count(*) FROM {GUN.name}").fetchone()[0])
    except sqlite3.Error:
        return 0
    finally:
        connection.close()


def main(count: int) -> None:
    figures: dict[str, list[float]] = {}
    rates: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name), count)
        bench.broker.start()
        bench.influx.start()
        try:
            for turn in range(ROUNDS):
                figures.setdefault("bare MQTT client", []).append(bench.bare_client())
                write, server = bench.bare_write()
                figures.setdefault("bare HTTP write of ready lines", []).append(write)
                figures.setdefault("InfluxDB itself", []).append(server)
                path = Path(name) / f"telemetry{turn}.db"
                SqliteStore(path, writable=True).write([])
                kinds: dict[str, tuple[str, Callable[[], int]]] = {
                    "ingest, embedded store": (f"sqlite:///{path}", lambda path=path: in_sqlite(path)),  # type: ignore[misc]
                    "ingest, InfluxDB 1.6.7": (bench.influx.url(), bench.influx.count),
                }
                bench.influx.query('DROP DATABASE "evcs"')
                for kind, (url, stored) in kinds.items():
                    cost, rate = bench.ingest(url, stored)
                    figures.setdefault(kind, []).append(cost)
                    rates.setdefault(kind, []).append(rate)
        finally:
            bench.broker.kill()
            bench.influx.kill()
    report.section("ingest-whole", "Ingest as a whole: from the broker into a store", told(count, figures, rates))


def told(count: int, figures: dict[str, list[float]], rates: dict[str, list[float]]) -> str:
    """The section."""
    cost = {name: median(found) for name, found in figures.items()}
    least = cost["bare MQTT client"] + cost["bare HTTP write of ready lines"]
    text = f"`python -m bench.ingest_whole`: {count:,} single readings of about 550 bytes, {ROUNDS} rounds, median.\n"
    text += "CPU s per million points = CPU µs a point. The aim is 20; Telegraf took 29.5.\n\n"
    text += "| process | CPU s per million points | lowest–highest | × both bare ones | points/s |\n"
    text += "| --- | ---: | ---: | ---: | ---: |\n"
    for name, found in figures.items():
        rate = f"{median(rates[name]):,.0f}" if name in rates else ""
        text += (
            f"| {name} | {cost[name]:.1f} | {min(found):.1f}–{max(found):.1f} | {cost[name] / least:.1f} | {rate} |\n"
        )
    return text + BOUNDS


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60_000)
