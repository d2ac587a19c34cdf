"""For bench.rules: 200 stations that speak to `python -m rules` through a real Mosquitto; its answers are timed."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from bench.cpu import cpu_s
from bench.ingest_load import Child, python
from evcs.contracts.config import TransformerConfig
from evcs.contracts.states import GunState
from evcs.contracts.topics import POLICY, SERVICE, START, VERDICT
from evcs.runtime.clock import SystemClock
from evcs.runtime.mqtt import AsyncSession, Delivery
from evcs.runtime.settings import MqttSettings
from rules.messages import Heard
from rules.simulation.site import TRANSFORMER, Site, flat, pile
from rules.simulation.voice import Voice, serial_of
from tests.servers import Mosquitto, free_port

STATIONS, GUNS_EACH, RUNNING_EACH = 200, 50, 10
METER_EVERY_S, REPORT_S = 10.0, 15.0
STARTS_S = 10.0
BURST = 30_000
WITHIN_S = 120.0


class Station(Voice):
    """One station of the load, which knows its name and its guns."""

    def __init__(self, site: Site) -> None:
        super().__init__(site, 0)
        self.station = site.station
        self.guns = site.guns
        self.piles = [limits.pile for limits in site.piles]

    def picture(self, at: datetime) -> list[Heard]:
        return [
            self.config(),
            *(self.pile(number, at) for number in self.piles),
            *(self.level(number, gun, GunState.PLUGGED, at) for number, gun in self.guns),
        ]


def stations(begin: datetime) -> list[Station]:
    """Each with 25 piles of two guns and a transformer that is large enough for all of them."""
    config = TransformerConfig(transformer=TRANSFORMER, rated_kva=10_000.0, has_meter=True)
    return [
        Station(
            Site(
                config,
                tuple(pile(f"{n:04d}{box:010d}", (120.0, 120.0)) for box in range(GUNS_EACH // 2)),
                flat(0.0),
                station=f"s{n}",
                begin=begin,
            )
        )
        for n in range(STATIONS)
    ]


@dataclass(slots=True)
class Measured:
    """The figures of the process; times in s."""

    offered_s: float = 0.0
    starts_s: float = STARTS_S
    steady_cpu: float = 0.0
    burst_us: float = 0.0
    to_policy: list[float] = field(default_factory=list)
    to_verdict: list[float] = field(default_factory=list)
    to_start: list[float] = field(default_factory=list)


class Others:
    """Everybody but the rules, over one connection."""

    def __init__(self, port: int) -> None:
        self.session = AsyncSession(MqttSettings(mqtt_port=port), SystemClock(), client_id="bench-others", clean=True)
        self.since_ms: int | None = None
        self.found = Measured()
        self.asked: dict[str, float] = {}
        self.metered: dict[str, tuple[float, float]] = {}
        """Station → (when, % that the policy will say)."""
        self.starts = 0
        self.session.subscribe(SERVICE.everywhere, 0, self._on_service)
        self.session.subscribe(POLICY.everywhere, 0, self._on_policy)
        self.session.subscribe(VERDICT.everywhere, 0, self._on_verdict)
        self.session.subscribe(START.everywhere, 0, self._on_start)

    def _on_service(self, delivery: Delivery) -> None:
        if delivery.payload:
            status = SERVICE.decode(delivery.payload)
            if status.name == "rules" and status.ready:
                self.since_ms = status.since_ms

    def _on_policy(self, delivery: Delivery) -> None:
        policy = POLICY.decode(delivery.payload)
        address = POLICY.parse(delivery.topic)
        assert address is not None
        waiting = self.metered.get(address.station)
        if waiting is not None and policy.load_pct is not None and abs(policy.load_pct - waiting[1]) < 0.1:
            del self.metered[address.station]
            self.found.to_policy.append(monotonic() - waiting[0])

    def _on_verdict(self, delivery: Delivery) -> None:
        sent = self.asked.get(VERDICT.decode(delivery.payload).serial or "")
        if sent is not None:
            self.found.to_verdict.append(monotonic() - sent)

    def _on_start(self, delivery: Delivery) -> None:
        self.starts += 1
        sent = self.asked.pop(START.decode(delivery.payload).serial, None)
        if sent is not None:
            self.found.to_start.append(monotonic() - sent)

    async def say(self, message: Heard) -> None:
        await self.session.room()
        address = message.address
        name = message.topic.at(**{level: getattr(address, level) for level in message.topic.levels})
        raw = message.topic.encode(message.payload)
        future = self.session.publish(name, raw, retain=message.topic.retained)
        future.add_done_callback(lambda done: done.exception())

    async def until(self, what: str, holds: Callable[[], bool]) -> None:
        """Wait for something in the other process."""
        end = monotonic() + WITHIN_S
        while not holds():
            if monotonic() > end:
                raise TimeoutError(what)
            await asyncio.sleep(0.05)


async def measure(folder: Path, seconds: float) -> Measured:
    """Start broker and rules, bring 2,000 charges about, load them, end them."""
    broker = Mosquitto(folder / "broker")
    broker.start()
    env = {"EVCS_MQTT_PORT": str(broker.port), "EVCS_HEALTH_PORT": str(free_port()), "EVCS_LOG_LEVEL": "error"}
    rules = Child(python("rules"), env, folder / "rules.log")
    others = Others(broker.port)
    try:
        await others.session.start()
        await others.until("rules is ready", lambda: others.since_ms is not None)
        return await _load(others, rules.process.pid, seconds)
    finally:
        await others.session.stop(0)
        rules.end()
        broker.kill()


async def _load(others: Others, pid: int, seconds: float) -> Measured:
    voices = stations(datetime.now(UTC))
    await others.say(voices[0].bridge())
    for voice in voices:
        now = datetime.now(UTC)
        for message in voice.picture(now):
            await others.say(message)
        await others.say(voice.meter(now, 1_000.0))
    await others.say(voices[0].answer(others.since_ms))
    running = [(voice, *gun) for voice in voices for gun in voice.guns[:RUNNING_EACH]]
    for voice, number, gun in running:
        await others.say(voice.request(number, gun, datetime.now(UTC), f"{voice.station}-{number}-{gun}"))
    await others.until("all have started", lambda: others.starts >= len(running))
    for voice, number, gun in running:
        serial = serial_of(f"{voice.station}-{number}-{gun}")
        await others.say(voice.level(number, gun, GunState.CHARGING, datetime.now(UTC), serial))
    found = others.found
    await _steady(others, voices, running, pid, seconds)
    await asyncio.sleep(2.0)
    idle_before, began = cpu_s(pid), monotonic()
    await asyncio.sleep(3.0)
    idle = (cpu_s(pid) - idle_before) / (monotonic() - began)
    before, began = cpu_s(pid), monotonic()
    for n in range(BURST):
        await others.say(_reading(*running[n % len(running)], n))
    # Readings come in the order in which they were sent: with the policy after this one all before it were heard.
    others.metered = {voices[0].station: (monotonic(), 33.0)}
    await others.say(voices[0].meter(datetime.now(UTC), 3_300.0))
    await others.until("the burst is through", lambda: not others.metered)
    found.to_policy.pop()
    spent, took = cpu_s(pid) - before, monotonic() - began
    found.burst_us = (spent - idle * took) / BURST * 1e6
    return found


async def _ask(others: Others, voice: Station, number: str, gun: int, request: str) -> None:
    message = voice.request(number, gun, datetime.now(UTC), request)
    others.asked[serial_of(request)] = monotonic()
    await others.say(message)


def _reading(voice: Station, number: str, gun: int, n: int) -> Heard:
    serial = serial_of(f"{voice.station}-{number}-{gun}")
    kwh = round(0.25 + n * 1e-4, 4)
    return voice.reading(number, gun, datetime.now(UTC), serial=serial, kw=60.0, kwh=kwh, soc_pct=30.0, max_kw=90.0)


async def _steady(
    others: Others, voices: list[Station], running: list[tuple[Station, str, int]], pid: int, seconds: float
) -> None:
    """Each twentieth of a second what falls due in it."""
    rates = {"readings": STATIONS * GUNS_EACH / REPORT_S, "meters": STATIONS / METER_EVERY_S, "starts": STARTS_S}
    done = dict.fromkeys(rates, 0)
    free = [(voice, *gun) for voice in voices for gun in voice.guns[RUNNING_EACH:]]
    before, began = cpu_s(pid), monotonic()
    while (passed := monotonic() - began) < seconds:
        for kind, rate in rates.items():
            while done[kind] < rate * passed:
                n = done[kind] = done[kind] + 1
                if kind == "readings":
                    await others.say(_reading(*running[n % len(running)], n))
                elif kind == "meters":
                    voice = voices[n % len(voices)]
                    pct = 20.0 + 5 * (n // len(voices) % 2)
                    others.metered[voice.station] = (monotonic(), pct)
                    await others.say(voice.meter(datetime.now(UTC), pct * 100))
                else:
                    # Of each station in turn, and there the next free gun.
                    turn = (n % STATIONS) * (GUNS_EACH - RUNNING_EACH) + n // STATIONS
                    await _ask(others, *free[turn], f"steady-{n}")
        await asyncio.sleep(0.05)
    took = monotonic() - began
    others.found.offered_s = done["readings"] / took
    others.found.steady_cpu = (cpu_s(pid) - before) / took
