"""The site as it really is, step by step: what it draws, what is said about it, what becomes of what it is told.

It shares nothing with the rules but the contract. A pile obeys: it never gives more than it was last set to. Within a
pile the first guns take what they want and the others what is left, the worst for a plan by gun.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from random import Random

from evcs.contracts.config import PileLimits
from evcs.contracts.gun import Start, Stop, Verdict, VerdictKind
from evcs.contracts.pile import Outcome, PowerAllowance
from evcs.contracts.reasons import Reason
from evcs.contracts.states import GunState
from evcs.contracts.times import to_ms
from rules.messages import Action, Began, Clear, Heard, Message, PictureComplete
from rules.simulation.site import Site
from rules.simulation.visits import Fate, Stay, Visit
from rules.simulation.voice import Voice, serial_of

REPORT_S = 15.0
REST_REPORT_S = 300.0
LINK_WAIT_S = 30.0
"""A pile that may not begin for so long for want of its link gives up."""
LEAST_PCT = 30


@dataclass(slots=True)
class Plug:
    """A gun, and the stay at it."""

    pile: str
    number: int
    rated_kw: float
    stay: Stay | None = None
    begins_s: float | None = None
    charging: bool = False
    draws_kw: float = 0.0


@dataclass(slots=True)
class Box:
    """A pile: its allowance holds for all its guns together."""

    limits: PileLimits
    plugs: list[Plug]
    percent: int = 100
    back_s: float | None = None
    """Its link is lost until then; None: it stands."""

    def set_power(self, allowance_kw: float) -> float:
        """As bridge and pile do it: whole percent, rounded down, 30–100 (YKC V1.6 §9.11). What it is then, kW."""
        self.percent = max(LEAST_PCT, min(100, int(round(allowance_kw * 100 / self.limits.rated_kw, 6))))
        return self.limits.rated_kw * self.percent / 100

    def share_out(self) -> None:
        left_kw = self.limits.rated_kw * self.percent / 100
        for plug in self.plugs:
            want_kw = 0.0
            if plug.charging and plug.stay is not None:
                want_kw = min(plug.rated_kw, plug.stay.visit.car.wants_kw())
            plug.draws_kw = min(want_kw, left_kw)
            left_kw -= plug.draws_kw


@dataclass(slots=True)
class Plant:
    """One site and its clock."""

    site: Site
    dice: Random
    visits: Iterator[Visit]
    step_s: float = 15.0
    report_s: float = REPORT_S
    """Between two readings of a charging gun."""
    now_s: float = 0.0
    stays: list[Stay] = field(default_factory=list)
    power_commands: int = 0
    """0x52 written to piles."""
    base_kw: float = 0.0
    voice: Voice = field(init=False)
    boxes: dict[str, Box] = field(init=False)
    _by_request: dict[str, Stay] = field(default_factory=dict)
    _coming: list[tuple[float, Heard]] = field(default_factory=list)
    _measured: list[tuple[float, float]] = field(default_factory=list)
    _next: Visit | None = None
    _said: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.voice = Voice(self.site, to_ms(self.site.begin))
        self.boxes = {
            pile.pile: Box(pile, [Plug(pile.pile, gun.gun, gun.rated_kw) for gun in pile.guns])
            for pile in self.site.piles
        }
        self.base_kw = self.site.base(0.0)
        self._next = next(self.visits, None)

    @property
    def now(self) -> datetime:
        return self.site.at(self.now_s)

    @property
    def plugs(self) -> Iterator[Plug]:
        for box in self.boxes.values():
            yield from box.plugs

    def begin(self) -> list[Message]:
        """What stands retained, and the worker's answer: all guns idle, all piles logged in."""
        voice, at = self.voice, self.now
        return [
            Began(to_ms(self.site.begin)),
            voice.bridge(),
            voice.config(),
            *(voice.pile(number, at) for number in self.boxes),
            *(voice.level(plug.pile, plug.number, GunState.IDLE, at) for plug in self.plugs),
            PictureComplete(),
            voice.answer(),
        ]

    def real_kva(self) -> float:
        """What the transformer carries."""
        guns_kw = sum(plug.draws_kw / box.limits.efficiency for box in self.boxes.values() for plug in box.plugs)
        return (guns_kw + self.base_kw) / self.site.transformer.power_factor

    @property
    def real_pct(self) -> float:
        return self.real_kva() / self.site.transformer.rated_kva * 100

    # --- time passes

    def step(self) -> list[Heard]:
        """Let one step pass; what is heard meanwhile."""
        for plug in self.plugs:
            if plug.charging and plug.stay is not None:
                plug.stay.visit.car.drew(plug.draws_kw, self.step_s)
        self.now_s += self.step_s
        self.base_kw = self.site.base(self.now_s)
        heard: list[Heard] = []
        for box in self.boxes.values():
            heard += self._links(box)
            for plug in box.plugs:
                if plug.stay is not None:
                    heard += self._moves(box, plug, plug.stay)
        while self._next is not None and self._next.at_s <= self.now_s:
            heard += self.arrive(self._next)
            self._next = next(self.visits, None)
        for box in self.boxes.values():
            box.share_out()
        if self._is_due(self.report_s):
            heard += self._readings()
        heard += self._meter()
        if self._coming:
            heard += [message for at, message in self._coming if at <= self.now_s]
            self._coming = [(at, message) for at, message in self._coming if at > self.now_s]
        return heard

    def _is_due(self, every_s: float) -> bool:
        return self.now_s % every_s < self.step_s

    def arrive(self, visit: Visit) -> list[Heard]:
        """A car comes to its gun, or to any that is free; its driver asks."""
        free = [plug for plug in self.plugs if plug.stay is None and self.boxes[plug.pile].back_s is None]
        if visit.pile:
            free = [plug for plug in free if (plug.pile, plug.number) == (visit.pile, visit.gun)] or free
        stay = Stay(f"o{len(self.stays) + 1}", visit)
        self.stays.append(stay)
        if not free:
            stay.fate = Fate.NO_GUN
            return []
        plug = free[0] if visit.pile else self.dice.choice(free)
        plug.stay = stay
        self._by_request[stay.request] = stay
        at = self.now
        return [
            self.voice.level(plug.pile, plug.number, GunState.PLUGGED, at),
            self.voice.request(plug.pile, plug.number, at, stay.request, may_queue=visit.may_queue),
        ]

    def lose_link(self, pile: str, seconds: float) -> list[Heard]:
        """The pile is out of reach for so long; what charges there goes on."""
        box = self.boxes[pile]
        box.back_s = self.now_s + seconds
        return [self.voice.pile(pile, self.now, online=False), *self._levels(box, is_away=True)]

    def _links(self, box: Box) -> list[Heard]:
        troubles = self.site.troubles
        if box.back_s is None:
            if not troubles.link_losses_per_hour:
                return []
            if self.dice.random() >= troubles.link_losses_per_hour * self.step_s / 3600:
                return []
            return self.lose_link(box.limits.pile, self.dice.choice(troubles.outages_s))
        if self.now_s < box.back_s:
            return []
        box.back_s = None
        link = f"l{self.now_s:.0f}"
        return [self.voice.pile(box.limits.pile, self.now, link=link), *self._levels(box)]

    def _levels(self, box: Box, *, is_away: bool = False) -> list[Heard]:
        found = []
        for plug in box.plugs:
            serial = serial_of(plug.stay.request) if plug.charging and plug.stay is not None else None
            at_rest = GunState.IDLE if plug.stay is None else GunState.PLUGGED
            state = GunState.OFFLINE if is_away else GunState.CHARGING if plug.charging else at_rest
            found.append(self.voice.level(plug.pile, plug.number, state, self.now, serial))
        return found

    def _moves(self, box: Box, plug: Plug, stay: Stay) -> list[Heard]:
        is_here = box.back_s is None
        serial = serial_of(stay.request)
        if plug.begins_s is not None and self.now_s >= plug.begins_s + LINK_WAIT_S:
            stay.fate = Fate.FAILED
            return self._leave(plug, is_here)
        if plug.begins_s is not None and self.now_s >= plug.begins_s and is_here:
            plug.begins_s, plug.charging, stay.begun_s = None, True, self.now_s
            return [self.voice.level(plug.pile, plug.number, GunState.CHARGING, self.now, serial)]
        if plug.charging and (stay.visit.car.is_done or stay.stopped is not None):
            stay.ended_s = self.now_s
            heard = [self.voice.level(plug.pile, plug.number, GunState.FINISHED, self.now, serial)] if is_here else []
            return heard + self._leave(plug, is_here)
        if stay.queue_until_s is not None and self.now_s >= stay.queue_until_s and stay.fate is Fate.QUEUED:
            return self._leave(plug, is_here)
        return []

    def _leave(self, plug: Plug, is_here: bool) -> list[Heard]:
        plug.stay, plug.begins_s, plug.charging = None, None, False
        return [self.voice.level(plug.pile, plug.number, GunState.IDLE, self.now)] if is_here else []

    def _readings(self) -> list[Heard]:
        found, lost, at = [], self.site.troubles.lost_readings, self.now
        rests = self._is_due(REST_REPORT_S)
        for box in self.boxes.values():
            if box.back_s is not None:
                continue
            for plug in box.plugs:
                if not (plug.charging or rests) or (lost and self.dice.random() < lost):
                    continue
                if plug.charging and plug.stay is not None:
                    car = plug.stay.visit.car
                    found.append(
                        self.voice.reading(
                            plug.pile,
                            plug.number,
                            at,
                            serial=serial_of(plug.stay.request),
                            kw=plug.draws_kw,
                            kwh=car.taken_kwh,
                            soc_pct=car.soc_pct(),
                            max_kw=car.stated_kw,
                        )
                    )
                else:
                    found.append(self.voice.reading(plug.pile, plug.number, at, serial=None, kw=0.0))
        return found

    def _meter(self) -> list[Heard]:
        troubles = self.site.troubles
        if not self.site.transformer.has_meter:
            return []
        if self._is_due(troubles.meter_every_s):
            self._measured.append((self.now_s, self.real_kva()))
        heard = []
        while self._measured and self._measured[0][0] + troubles.meter_lag_s <= self.now_s:
            at_s, kva = self._measured.pop(0)
            if not troubles.lost_meter or self.dice.random() >= troubles.lost_meter:
                heard.append(self.voice.meter(self.site.at(at_s), kva))
        return heard

    # --- what it is told

    def obey(self, actions: Iterable[Action]) -> None:
        """Carry out what was published, as bridge, pile and driver do."""
        for action in actions:
            if isinstance(action, Clear):
                continue
            match action.payload:
                case Verdict():
                    self._told(action.payload)
                case Start():
                    address = action.topic.parse(action.name)
                    assert address is not None
                    self._start(self.boxes[address.pile], address.gun, action.payload)
                case PowerAllowance():
                    address = action.topic.parse(action.name)
                    assert address is not None
                    self._power(self.boxes[address.pile], action.payload)
                case Stop():
                    address = action.topic.parse(action.name)
                    assert address is not None
                    self._stop(self.boxes[address.pile].plugs[address.gun - 1], action.payload)

    def _told(self, verdict: Verdict) -> None:
        stay = self._by_request.get(verdict.request or "")
        if stay is None or stay.fate not in (Fate.ASKED, Fate.QUEUED):
            return
        match verdict.kind:
            case VerdictKind.ADMITTED:
                stay.fate, stay.cap_kw, stay.queue_until_s = Fate.ADMITTED, verdict.cap_kw, None
            case VerdictKind.QUEUED if verdict.queue_until is not None:
                stay.fate = Fate.QUEUED
                stay.queue_until_s = (verdict.queue_until - self.site.begin).total_seconds()
            case VerdictKind.REFUSED:
                stay.fate, stay.reason = Fate.REFUSED, verdict.reason
                for plug in self.plugs:
                    if plug.stay is stay:
                        self._coming += [(self.now_s, message) for message in self._leave(plug, True)]

    def _power(self, box: Box, command: PowerAllowance) -> None:
        troubles, dice = self.site.troubles, self.dice
        if box.back_s is not None or (troubles.lost_power and dice.random() < troubles.lost_power):
            return
        allowed_kw = box.set_power(command.allowance_kw)
        self.power_commands += 1
        if troubles.lost_power_replies and dice.random() < troubles.lost_power_replies:
            return
        is_refused = bool(troubles.refused_power) and dice.random() < troubles.refused_power
        reply = self.voice.power_reply(
            box.limits.pile,
            self.site.at(self.now_s + self.step_s),
            id=command.id,
            outcome=Outcome.REFUSED if is_refused else Outcome.ACCEPTED,
            allowance_kw=None if is_refused else allowed_kw,
        )
        self._coming.append((self.now_s + self.step_s, reply))

    def _start(self, box: Box, number: int, start: Start) -> None:
        plug, troubles, dice = box.plugs[number - 1], self.site.troubles, self.dice
        if box.back_s is not None or start.id in self._said or plug.stay is None:
            return
        self._said.add(start.id)
        allowed_kw = None
        if start.allowance_kw is not None:
            allowed_kw = box.set_power(start.allowance_kw)
            self.power_commands += 1
        if troubles.refused_starts and dice.random() < troubles.refused_starts:
            # Half of them before 0x51: the pile stands where it was set and nobody knows it.
            is_capless = allowed_kw is not None and dice.random() < 0.5
            reason = Reason.CAP_NOT_CONFIRMED if is_capless else Reason.PILE_REFUSED
            delay_s = dice.choice((self.step_s, 60.0))
            plug.stay.fate = Fate.FAILED
            self._reply(plug, start, delay_s, Outcome.REFUSED, reason, None if is_capless else allowed_kw)
            self._coming += [(self.now_s + delay_s, message) for message in self._leave(plug, True)]
            return
        plug.begins_s = self.now_s + dice.choice(troubles.handshakes_s)
        if not troubles.lost_start_replies or dice.random() >= troubles.lost_start_replies:
            self._reply(plug, start, plug.begins_s - self.now_s, Outcome.ACCEPTED, None, allowed_kw)

    def _reply(
        self, plug: Plug, start: Start, after_s: float, outcome: Outcome, reason: Reason | None, kw: float | None
    ) -> None:
        at_s = self.now_s + after_s
        reply = self.voice.reply(
            plug.pile,
            plug.number,
            self.site.at(at_s),
            id=start.id,
            serial=start.serial,
            outcome=outcome,
            reason=reason,
            allowance_kw=kw,
        )
        self._coming.append((at_s, reply))

    def _stop(self, plug: Plug, stop: Stop) -> None:
        if plug.stay is not None and plug.charging and serial_of(plug.stay.request) == stop.serial:
            plug.stay.stopped = plug.stay.stopped or stop.why
