"""A station that obeys: cars with cold batteries, slow handshakes, pauses and tapers behind piles that keep their caps.

It shares nothing with the rules but the contract; what it draws is the truth against which they are held.
"""

from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from evcs.contracts.gun import Start, Stop
from evcs.contracts.pile import PowerAllowance
from rules.messages import Action, Clear, Heard
from tests.rules.town import Town, after

STEP_S = 5
REPORT_S = 15
LONGEST_S = 14 * 60
"""Shorter than the 15 min for which the rule reserves."""
EPSILON_KW = 1e-6


@dataclass
class Car:
    """What a car wants, from the beginning of its charge."""

    most_kw: float
    cold_s: float
    full_s: float
    """When its taper begins."""
    leaves_s: float
    pauses: tuple[tuple[float, float], ...]
    soc_from: float

    def wants_kw(self, for_s: float) -> float:
        if any(begin <= for_s < end for begin, end in self.pauses):
            return 0.0
        if for_s < self.cold_s:
            return min(6.0, self.most_kw)
        taper = max(0.05, 1 - max(0.0, for_s - self.full_s) / 1200)
        return self.most_kw * taper

    def soc(self, for_s: float) -> float:
        return min(100.0, self.soc_from + for_s / 60)


@dataclass
class Plug:
    """A gun, and the car at it."""

    pile: str
    number: int
    rated_kw: float
    car: Car | None = None
    request: str = ""
    begins_at: float | None = None
    charging_since: float | None = None
    draws_kw: float = 0.0


@dataclass
class Box:
    """A pile: its allowance holds for all its guns together."""

    name: str
    rated_kw: float
    plugs: list[Plug]
    percent: int = 100
    online: bool = True
    back_at: float = 0.0

    def set_power(self, allowance_kw: float) -> float:
        """As a bridge and a YKC pile do it: whole percent, rounded down, 30–100."""
        self.percent = max(30, min(100, int(round(allowance_kw * 100 / self.rated_kw, 6))))
        return self.rated_kw * self.percent / 100

    def share_out(self, now_s: float) -> None:
        """The first guns get what they want, the others what is left: the worst for a plan by gun."""
        left_kw = self.rated_kw * self.percent / 100
        for plug in self.plugs:
            want_kw = 0.0
            if plug.charging_since is not None and plug.car is not None:
                want_kw = min(plug.rated_kw, plug.car.wants_kw(now_s - plug.charging_since))
            plug.draws_kw = min(want_kw, left_kw)
            left_kw -= plug.draws_kw


@dataclass
class Plant:
    """The whole station, driven in steps of 5 s; every choice comes from one seed."""

    town: Town
    random: Random
    boxes: dict[str, Box]
    base_kw: float
    has_meter: bool
    efficiency: float
    power_factor: float
    now_s: float = 0.0
    orders: int = 0
    coming: list[tuple[float, Heard]] = field(default_factory=list)
    said: set[str] = field(default_factory=set)
    meter_seen: list[tuple[float, float]] = field(default_factory=list)

    @property
    def now(self) -> datetime:
        return after(self.now_s)

    def real_kva(self) -> float:
        """What the transformer carries."""
        guns_kw = sum(plug.draws_kw for box in self.boxes.values() for plug in box.plugs)
        return (guns_kw / self.efficiency + self.base_kw) / self.power_factor

    def step(self) -> list[Heard]:
        """Let 5 s pass; what is heard meanwhile."""
        self.now_s += STEP_S
        heard: list[Heard] = []
        for box in self.boxes.values():
            heard += self._links(box)
            for plug in box.plugs:
                heard += self._moves(box, plug)
            box.share_out(self.now_s)
        if self.now_s % REPORT_S == 0:
            for box in self.boxes.values():
                heard += self._reports(box)
        if self.has_meter and self.now_s % 10 == 0:
            self.meter_seen.append((self.now_s, self.real_kva()))
            late = [kva for at, kva in self.meter_seen if at == self.now_s - 30]
            heard += [self.town.meter(after(self.now_s - 30), kva=kva) for kva in late]
        heard += [message for at, message in self.coming if at <= self.now_s]
        self.coming = [(at, message) for at, message in self.coming if at > self.now_s]
        return heard

    def _links(self, box: Box) -> list[Heard]:
        if box.online and self.random.random() < 0.0005:
            box.online, box.back_at = False, self.now_s + self.random.choice((20, 100, 400))
            return [self.town.pile(box.name, online=False), *self._levels(box)]
        if not box.online and self.now_s >= box.back_at:
            box.online = True
            return [self.town.pile(box.name, link=f"l{self.now_s}"), *self._levels(box)]
        return []

    def _levels(self, box: Box) -> list[Heard]:
        found = []
        for plug in box.plugs:
            state = "charging" if plug.charging_since is not None else "plugged"
            of = plug.request if plug.charging_since is not None else None
            found.append(self.town.level(box.name, plug.number, state if box.online else "offline", self.now, of=of))
        return found

    def _moves(self, box: Box, plug: Plug) -> list[Heard]:
        town, random = self.town, self.random
        if plug.begins_at is not None and self.now_s >= plug.begins_at + 30:
            plug.begins_at, plug.car, plug.request = None, None, ""  # its pile gave up waiting for the link
            return []
        if plug.begins_at is not None and self.now_s >= plug.begins_at and box.online:
            plug.begins_at, plug.charging_since = None, self.now_s
            return [town.level(box.name, plug.number, "charging", self.now, of=plug.request)]
        since = plug.charging_since
        if since is not None and plug.car is not None and self.now_s - since >= plug.car.leaves_s:
            of = plug.request
            plug.charging_since, plug.car, plug.request = None, None, ""
            return [town.level(box.name, plug.number, "finished", self.now, of=of)] if box.online else []
        if plug.request or random.random() > 0.02:
            return []
        self.orders += 1
        return [town.request(box.name, plug.number, self.now, id=f"o{self.orders}")]

    def _reports(self, box: Box) -> list[Heard]:
        found = []
        for plug in box.plugs:
            if not box.online or self.random.random() < 0.1:
                continue
            is_on = plug.charging_since is not None
            soc = None
            if plug.car is not None and plug.charging_since is not None:
                soc = plug.car.soc(self.now_s - plug.charging_since)
            found.append(
                self.town.reading(
                    box.name,
                    plug.number,
                    self.now,
                    of=plug.request if is_on else None,
                    kw=plug.draws_kw,
                    soc=soc,
                    state="charging" if is_on else "plugged",
                )
            )
        return found

    def obey(self, actions: list[Action]) -> None:
        """Carry out what was published, as bridge and pile do, with slow, lost and refusing answers."""
        for action in actions:
            if isinstance(action, Clear):
                continue
            address = action.topic.parse(action.name)
            assert address is not None
            match action.payload:
                case Start():
                    self._start(self.boxes[address.pile], address.gun, action.payload)
                case PowerAllowance():
                    self._power(self.boxes[address.pile], action.payload)
                case Stop():
                    raise AssertionError("no goal is set in this plant")

    def _power(self, box: Box, command: PowerAllowance) -> None:
        if not box.online or self.random.random() < 0.2:
            return
        allowed_kw = box.set_power(command.allowance_kw)
        outcome = self.random.choice(("accepted", "accepted", "accepted", "lost", "refused"))
        if outcome != "lost":
            kw = allowed_kw if outcome == "accepted" else None
            reply = self.town.power_reply(box.name, self.now, id=command.id, outcome=outcome, allowance_kw=kw)
            self.coming.append((self.now_s + 5, reply))

    def _start(self, box: Box, number: int, start: Start) -> None:
        plug = box.plugs[number - 1]
        of = start.id.removeprefix("start-")
        if not box.online or start.id in self.said:
            return
        self.said.add(start.id)
        if start.allowance_kw is not None:
            # Set at the pile, whatever becomes of its confirmation.
            allowed_kw = box.set_power(start.allowance_kw)
            if self.random.random() < 0.15:
                self._reply(box, number, of, 5, "refused", "cap_not_confirmed", None)
                return
        else:
            allowed_kw = None
        if self.random.random() < 0.15:
            self._reply(box, number, of, self.random.choice((5, 60)), "refused", "pile_refused", allowed_kw)
            return
        plug.request, plug.car = of, self._car(plug)
        plug.begins_at = self.now_s + self.random.choice((5, 20, 60))
        if self.random.random() < 0.9:
            self._reply(box, number, of, plug.begins_at - self.now_s, "accepted", None, allowed_kw)

    def _reply(
        self, box: Box, number: int, of: str, after_s: float, outcome: str, reason: str | None, kw: float | None
    ) -> None:
        at = self.now_s + after_s
        reply = self.town.reply(box.name, number, after(at), of=of, outcome=outcome, reason=reason, allowance_kw=kw)
        self.coming.append((at, reply))

    def _car(self, plug: Plug) -> Car:
        random = self.random
        cold_s = random.choice((0.0, 0.0, 180.0, 600.0, float(LONGEST_S)))
        pauses = []
        # Once warm it first draws what it can: one cold pause of half an hour is more than the rule reserves for.
        at = cold_s + random.uniform(120, 2400)
        for _ in range(random.choice((0, 0, 1, 2))):
            length = random.uniform(60, LONGEST_S)
            pauses.append((at, at + length))
            at += length + random.uniform(120, 1200)
        return Car(
            most_kw=random.choice((0.4, 0.75, 1.0, 1.3)) * plug.rated_kw,
            cold_s=cold_s,
            full_s=random.uniform(900, 3000),
            leaves_s=random.uniform(300, 4500),
            pauses=tuple(pauses),
            soc_from=random.uniform(10, 60),
        )


def build(seed: int) -> Plant:
    """A station of a few piles, some with two guns that share, with or without a meter."""
    random = Random(seed)
    described = []
    for n in range(random.randint(2, 5)):
        gun_kw = random.choice((60.0, 120.0, 125.0))
        guns = [gun_kw] * random.choice((1, 2))
        rated_kw = random.choice((gun_kw, sum(guns)))
        described.append({"pile": f"p{n}", "guns": guns, "rated_kw": rated_kw, "efficiency": 0.94})
    has_meter = random.random() < 0.5
    base_kw = random.choice((0.0, 40.0, 120.0))
    transformer = {
        "rated_kva": random.choice((300.0, 500.0)),
        "power_factor": 0.95,
        "has_meter": has_meter,
        "base_load_kw": base_kw,
        "limited_release_s": 120.0,
    }
    town = Town(described, transformer)
    boxes = {
        pile.pile: Box(pile.pile, pile.rated_kw, [Plug(pile.pile, gun.gun, gun.rated_kw) for gun in pile.guns])
        for pile in town.piles.values()
    }
    return Plant(town, random, boxes, base_kw, has_meter, 0.94, 0.95)
