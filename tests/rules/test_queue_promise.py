"""The queue as a property: nobody is lost, overtaken or started twice, and no start through it overloads anything.

The station of `plant` with drivers who wait: some leave the queue, some unplug, requests are repeated, and rules is
killed now and then, with its levels kept, while the worker repeats who waits in any order.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from evcs.contracts.gun import Start, StartRequest, Verdict, VerdictKind
from evcs.contracts.topics import REQUEST
from evcs.contracts.waits import START_WRITTEN_S
from rules.engine import Engine
from rules.load import load_of
from rules.messages import Began, Clear, Heard, Message, PictureComplete, Tick
from rules.station import Station
from tests.rules.plant import Box, Plant, Plug, build
from tests.rules.town import SINCE_MS, TRANSFORMER, after, heard

HOURS = 1.5
ROUNDING_PCT = 1e-4
SETTLED = (VerdictKind.ADMITTED, VerdictKind.REFUSED)


@dataclass
class Wait:
    """An order that waits, as the worker knows it."""

    request: StartRequest
    plug: Plug
    box: Box
    since: datetime
    until: datetime


@dataclass
class Crowd:
    """Drives plant and engine, plays the worker, and looks at every action."""

    plant: Plant
    random: Random
    kills: bool
    engine: Engine = field(default_factory=Engine)
    since_ms: int = SINCE_MS
    retained: dict[str, Heard] = field(default_factory=dict)
    waits: dict[str, Wait] = field(default_factory=dict)
    settled: dict[str, VerdictKind] = field(default_factory=dict)
    first_start: dict[str, float] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def run(self) -> None:
        town = self.plant.town
        for message in (Began(SINCE_MS), *town.picture(after(0)), PictureComplete(), town.answer(0)):
            self.say(message)
        while self.plant.now_s < HOURS * 3600:
            for message in self.plant.step():
                self._driver(message) if message.topic is REQUEST else self.say(message)
            self._whims()
            if self.kills and self.random.random() < 0.004:
                self._kill()
            self.say(Tick())
            self._looks_right()

    # --- drivers and worker

    def _driver(self, message: Heard) -> None:
        request = message.payload
        assert isinstance(request, StartRequest)
        if any((wait.box.name, wait.plug.number) == (message.address.pile, message.address.gun) for wait in self._all):
            return  # the worker takes no second order for a gun
        request = msgspec.structs.replace(request, may_queue=self.random.random() < 0.7)
        self.requests[request.serial] = (request, message.address.pile, message.address.gun)
        self.say(self._asked(request, message.address.pile, message.address.gun))
        if self.random.random() < 0.2:
            self.say(self._asked(request, message.address.pile, message.address.gun))

    requests: dict[str, tuple[StartRequest, str, int]] = field(default_factory=dict)

    @property
    def _all(self) -> list[Wait]:
        return list(self.waits.values())

    def _asked(self, request: StartRequest, pile: str, gun: int) -> Heard:
        return heard(REQUEST, request, station="s1", pile=pile, gun=gun)

    def _whims(self) -> None:
        for wait in self._all:
            dice = self.random.random()
            if dice < 0.002:
                of = wait.request.id
                self.say(self.plant.town.leave_queue(wait.box.name, wait.plug.number, self.plant.now, of=of))
                self.counts["left"] += 1
            elif dice < 0.004 and wait.box.online and not wait.plug.request:
                self.say(self.plant.town.level(wait.box.name, wait.plug.number, "idle", self.plant.now))
                self.say(Tick())
                self.say(self.plant.town.level(wait.box.name, wait.plug.number, "plugged", self.plant.now))
                assert wait.request.serial not in self.waits, "it waits without a plug"
                self.counts["unplugged"] += 1

    def _kill(self) -> None:
        self.since_ms += 1
        self.counts["killed"] += 1
        self.engine.step(Began(self.since_ms), self.plant.now)
        for message in list(self.retained.values()):
            self.say(message)
        self.say(PictureComplete())
        told = self._all
        self.random.shuffle(told)
        for wait in told:
            request = msgspec.structs.replace(
                wait.request,
                queued_since=wait.since,
                queue_until=wait.until,
                expires_at=wait.until,
                rules_since_ms=self.since_ms,
            )
            self.say(self._asked(request, wait.box.name, wait.plug.number))
        assert self.engine.is_sure is False
        self.say(self.plant.town.answer(len(told), self.since_ms))
        assert self.engine.is_sure

    # --- what follows

    def say(self, message: Message) -> None:
        if isinstance(message, Heard) and message.topic.retained:
            levels = (
                message.address.station,
                message.address.pile,
                str(message.address.gun),
                message.address.transformer,
            )
            self.retained[f"{message.topic.leaf}/{levels}"] = message
        actions = self.engine.step(message, self.plant.now)
        for action in actions:
            if isinstance(action, Clear):
                continue  # an alarm that is over
            if action.topic.retained:
                address = action.topic.parse(action.name)
                assert address is not None
                self.retained[action.name] = Heard(action.topic, address, action.payload)
            match action.payload:
                case Verdict():
                    self._verdict(action.payload)
                case Start():
                    self._start(action.payload)
        self.plant.obey(actions)

    def _verdict(self, said: Verdict) -> None:
        if said.serial is None:
            return
        if said.kind is VerdictKind.QUEUED:
            assert said.serial not in self.settled, "who was answered waits again"
            request, pile, gun = self.requests[said.serial]
            assert request.may_queue
            assert said.queue_until is not None
            box = self.plant.boxes[pile]
            self.waits.setdefault(
                said.serial, Wait(request, box.plugs[gun - 1], box, said.decided_at, said.queue_until)
            )
            self.counts["queued"] += 1
        elif said.kind in SETTLED:
            before = self.settled.setdefault(said.serial, said.kind)
            assert before is said.kind, f"{before} and then {said.kind}"
            wait = self.waits.pop(said.serial, None)
            if wait is not None and said.kind is VerdictKind.ADMITTED:
                self.counts["admitted from the queue"] += 1
                self._overtook_nobody(wait)
            if said.kind is VerdictKind.ADMITTED:
                self._plan_holds()

    def _start(self, start: Start) -> None:
        first = self.first_start.setdefault(start.serial, self.plant.now_s)
        assert self.plant.now_s - first <= START_WRITTEN_S, "started twice"
        assert self.settled.get(start.serial) is VerdictKind.ADMITTED

    def _overtook_nobody(self, wait: Wait) -> None:
        for other in self._all:
            if other.since < wait.since:
                gun = self._station.pile(other.box.name).gun(other.plug.number)
                excused = not other.box.online or gun.session is not None or gun.is_running()
                assert excused, f"{wait.request.id} overtook {other.request.id}"

    @property
    def _station(self) -> Station:
        (station,) = self.engine.stations()
        return station

    def _plan_holds(self) -> None:
        transformer = self._station.transformer(TRANSFORMER)
        planned = load_of(self._station, transformer, self.plant.now).planned_pct
        assert planned is not None
        assert planned <= self.plant.town.transformer.blocked_pct + ROUNDING_PCT, f"an admission plans {planned} %"

    def _looks_right(self) -> None:
        held = [waiter.request.serial for waiter in self._station.waiting]
        assert held == sorted(self.waits, key=lambda serial: self.waits[serial].since), "somebody was lost"
        assert all(self.plant.now < wait.until for wait in self._all)
        real_pct = self.plant.real_kva() / self.plant.town.transformer.rated_kva * 100
        assert real_pct <= self.plant.town.transformer.blocked_pct + ROUNDING_PCT, f"the load is {real_pct:.2f} %"


def crowd(seed: int, *, kills: bool) -> Crowd:
    plant = build(seed)
    plant.town.transformer = msgspec.structs.replace(plant.town.transformer, queue_s=1200.0, queue_most=6)
    return Crowd(plant, Random(seed), kills)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1_000_000), kills=st.booleans())
def test_nobody_is_lost_overtaken_or_started_twice_and_nothing_is_overloaded(seed: int, kills: bool) -> None:
    crowd(seed, kills=kills).run()


def test_the_crowd_is_worth_the_promise() -> None:
    """Many wait, many of them start, some leave or unplug; else the property would hold of itself."""
    counts: Counter[str] = Counter()
    refused: Counter[VerdictKind] = Counter()
    for seed in range(8):
        one = crowd(seed, kills=True)
        one.run()
        counts += one.counts
        refused += Counter(one.settled.values())
    assert counts["queued"] > 60
    assert counts["admitted from the queue"] > 15
    assert min(counts["left"], counts["unplugged"], counts["killed"]) > 3
    assert refused[VerdictKind.REFUSED] > 50
