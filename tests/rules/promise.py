"""What is held against the rule: random sites and days, and checks of its promises, whatever the engine says."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from random import Random

from evcs.contracts.config import TransformerConfig
from evcs.contracts.gun import Stop, Verdict, VerdictKind
from evcs.contracts.pile import PowerAllowance
from evcs.contracts.transformer import TransformerReading
from rules.engine import Engine
from rules.load import load_of
from rules.messages import Action, Clear, Heard, Message
from rules.simulation.cars import Battery
from rules.simulation.drive import Drive
from rules.simulation.plant import LEAST_PCT, Plant
from rules.simulation.site import TRANSFORMER, Base, Site, Troubles, flat, pile
from rules.simulation.variants import RULE, Variant
from rules.simulation.visits import Visit

STEP_S = 15.0
ROUNDING_PCT = 1e-4
CURTAILED_WITHIN_S = 15.0 + STEP_S
"""And one step, since the site is looked at every 15 s only."""
LONGEST_S = 14 * 60.0
"""Shorter than the 15 min for which the rule reserves."""


class Broken(AssertionError):
    """A promise is not kept."""


class RealOverload(Broken):
    """The transformer really carries more than the blocked threshold."""


class PlannedOverload(Broken):
    """An admission or a release plans more than the blocked threshold."""


class NotCurtailed(Broken):
    """The load has been over 100 % for longer than anyone may look on, and nothing is lowered or stopped."""


class AdmittedInExcess(Broken):
    """A start or a rise while the load was over the blocked threshold."""


@dataclass
class Promise:
    """Runs the engine at a site and holds it to what it promises, after each step of both."""

    plant: Plant
    variant: Variant = RULE
    base_may_rise: bool = False
    """Then the load itself may pass the threshold, but nothing may be admitted meanwhile."""
    drive: Drive = field(init=False)
    admitted: int = 0
    refused: int = 0
    set_powers: int = 0
    highest_pct: float = 0.0
    over_since_s: float | None = None
    """Since when the real load has been over the blocked threshold without a break."""

    told_over_since_s: float | None = None
    """Since when every reading of the meter that was heard has been over the overload threshold."""
    told_s: float = 0.0
    curtailed_s: float | None = None
    """When something was last lowered or stopped."""
    overloads: int = 0

    def __post_init__(self) -> None:
        self.drive = Drive(self.plant, Engine(decide=self.variant.decide), STEP_S, heed=self._heed)
        self.drive.begin()

    @property
    def blocked_pct(self) -> float:
        return self.plant.site.transformer.blocked_pct

    def advance(self) -> None:
        self.drive.advance()
        self._look()

    def until(self, seconds: float) -> None:
        while self.plant.now_s < seconds:
            self.advance()

    def _look(self) -> None:
        real_pct = self.plant.real_pct
        self.highest_pct = max(self.highest_pct, real_pct)
        self._is_curtailed()
        if real_pct <= self.blocked_pct + ROUNDING_PCT:
            self.over_since_s = None
            return
        if self.over_since_s is None:
            self.over_since_s = self.plant.now_s
        if not self.base_may_rise:
            raise RealOverload(f"at {self.plant.now_s:.0f} s the load is {real_pct:.2f} %")

    def _is_curtailed(self) -> None:
        """After 60 s over 100 % curtailment begins within 15 s more, where a pile draws more than its floor."""
        since_s, now_s = self.told_over_since_s, self.plant.now_s
        if since_s is not None and any(box.back_s is not None for box in self.plant.boxes.values()):
            self.told_over_since_s = now_s  # out of reach: the time counts from its return
            return
        if since_s is None or now_s - since_s <= self.plant.site.transformer.overload_s + CURTAILED_WITHIN_S:
            return
        can_give = any(
            sum(plug.draws_kw for plug in box.plugs) > LEAST_PCT / 100 * box.limits.rated_kw + 1
            for box in self.plant.boxes.values()
        )
        if self.curtailed_s is None and can_give:
            raise NotCurtailed(f"over 100 % since {since_s:.0f} s, at {now_s:.0f} s nothing is lowered")
        self.overloads += 1
        self.told_over_since_s = None

    def _hear_meter(self, message: Message) -> None:
        if not isinstance(message, Heard) or not isinstance(message.payload, TransformerReading):
            return
        config, now_s, kva = self.plant.site.transformer, self.plant.now_s, message.payload.apparent_kva
        is_over = kva is not None and kva / config.rated_kva * 100 > config.overload_pct
        if not is_over or now_s - self.told_s > 2 * STEP_S:
            self.told_over_since_s, self.curtailed_s = None, None
        if is_over and self.told_over_since_s is None:
            self.told_over_since_s = now_s
        self.told_s = now_s

    def _heed(self, message: Message, actions: list[Action], at: datetime) -> None:
        self._hear_meter(message)
        for action in actions:
            match None if isinstance(action, Clear) else action.payload:
                case Verdict(kind=VerdictKind.ADMITTED):
                    self.admitted += 1
                    self._plan_holds("an admission", at)
                    self._may_admit("an admission")
                case Verdict(kind=VerdictKind.REFUSED):
                    self.refused += 1
                case PowerAllowance(allowance_kw=kw):
                    self.set_powers += 1
                    if not self._rises(action, kw):
                        self.curtailed_s = self.plant.now_s
                    else:
                        self._plan_holds("a release", at)
                        self._may_admit("a release")
                case Stop():
                    self.curtailed_s = self.plant.now_s

    def _rises(self, action: Action, kw: float) -> bool:
        assert not isinstance(action, Clear)
        address = action.topic.parse(action.name)
        assert address is not None
        box = self.plant.boxes[address.pile]
        return kw > box.limits.rated_kw * box.percent / 100 + ROUNDING_PCT

    def _plan_holds(self, what: str, at: datetime) -> None:
        if self.variant is not RULE:
            return  # plans nothing, or less than there is: held to the real load alone
        (station,) = self.drive.engine.stations()
        planned = load_of(station, station.transformer(TRANSFORMER), at).planned_pct
        if planned is None or planned > self.blocked_pct + ROUNDING_PCT:
            raise PlannedOverload(f"{what} plans {planned} %")

    def _may_admit(self, what: str) -> None:
        troubles, now_s = self.plant.site.troubles, self.plant.now_s
        # Of an excess it can know only what a reading has told: its lag, and the time between two readings.
        known_s = troubles.meter_lag_s + troubles.meter_every_s + STEP_S
        if self.over_since_s is not None and now_s - self.over_since_s > known_s:
            raise AdmittedInExcess(f"{what} at {now_s:.0f} s, over the threshold since {self.over_since_s:.0f} s")


# --- random sites


def car(dice: Random, rated_kw: float) -> Battery:
    """Cold ones heat up to 14 min, then draw what they can for two minutes at least before a first pause.

    A car that goes from the cold straight into a pause is one pause of half an hour: longer than anyone promises for.
    """
    cold_s = dice.choice((0.0, 0.0, 180.0, 600.0, LONGEST_S))
    pauses: list[tuple[float, float]] = []
    at_s = cold_s + dice.uniform(180, 2400)
    for _ in range(dice.choice((0, 0, 1, 2))):
        length_s = dice.uniform(60, LONGEST_S)
        pauses.append((at_s, at_s + length_s))
        at_s += length_s + dice.uniform(120, 1200)
    return Battery(
        most_kw=dice.choice((0.4, 0.75, 1.0, 1.3)) * rated_kw,
        need_kwh=dice.uniform(0.2, 1.2) * rated_kw,
        cold_s=cold_s,
        pauses=tuple(pauses),
        leaves_s=dice.uniform(300, 4500),
        soc_from=dice.uniform(10, 60),
        says_most=dice.random() < 0.5,
    )


def visits(dice: Random, site: Site, every_s: float = 750.0) -> Iterator[Visit]:
    """Somebody wants to charge somewhere, most of the time."""
    guns = [(limits.pile, gun.gun, gun.rated_kw) for limits in site.piles for gun in limits.guns]
    at_s = 0.0
    while True:
        at_s += dice.expovariate(len(guns) / every_s)
        number, gun, rated_kw = dice.choice(guns)
        yield Visit(at_s, car(dice, rated_kw), number, gun)


def falls(dice: Random, kw: float) -> Base:
    """A building that draws less and less, in steps."""
    times = sorted(dice.uniform(0, 5400) for _ in range(4))
    return lambda seconds: kw * (1 - 0.2 * sum(seconds >= time for time in times))


def rises(dice: Random, kw: float, to_kw: float) -> Base:
    """A building that draws more after a while, at once or over some minutes."""
    from_s, over_s = dice.uniform(600, 3000), dice.choice((1.0, 120.0, 900.0))
    return lambda seconds: kw + (to_kw - kw) * max(0.0, min(1.0, (seconds - from_s) / over_s))


def site_of(dice: Random, *, has_meter: bool | None = None) -> Site:
    """A few piles, some with two guns that share, with or without a meter, everything slow or lost now and then."""
    piles = []
    for n in range(dice.randint(2, 5)):
        gun_kw = dice.choice((60.0, 120.0, 125.0))
        guns = (gun_kw,) * dice.choice((1, 2))
        piles.append(pile(f"p{n}", guns, dice.choice((gun_kw, sum(guns)))))
    metered = dice.random() < 0.6 if has_meter is None else has_meter
    base_kw = dice.choice((0.0, 40.0, 120.0))
    config = TransformerConfig(
        transformer=TRANSFORMER,
        rated_kva=dice.choice((300.0, 500.0)),
        has_meter=metered,
        # A meter knows of the building what nobody has configured.
        base_load_kw=dice.choice((0.0, base_kw)) if metered else base_kw,
        limited_release_s=120.0,
    )
    troubles = Troubles(
        lost_readings=dice.choice((0.0, 0.1, 0.3)),
        lost_meter=dice.choice((0.0, 0.0, 0.2)),
        meter_lag_s=dice.choice((0.0, 15.0, 30.0, 45.0, 60.0)),
        handshakes_s=(15.0, 30.0, 60.0),
        refused_starts=0.15,
        lost_start_replies=0.1,
        lost_power=0.2,
        lost_power_replies=0.2,
        refused_power=0.2,
        link_losses_per_hour=dice.choice((0.0, 0.36)),
    )
    return Site(config, tuple(piles), dice.choice((flat(base_kw), falls(dice, base_kw))), troubles)


def held(seed: int, variant: Variant = RULE) -> Promise:
    """A site of this seed with a base load that does not rise."""
    dice = Random(seed)
    site = site_of(dice)
    site = replace(site, transformer=variant.configure(site.transformer))
    return Promise(Plant(site, dice, visits(dice, site), STEP_S), variant)


def held_rising(seed: int) -> Promise:
    """A metered site of this seed where the building comes to draw up to 40 % more than the transformer may carry."""
    dice = Random(seed)
    site = site_of(dice, has_meter=True)
    kw = site.transformer.rated_kva * site.transformer.power_factor
    site = replace(site, base=rises(dice, site.base(0.0), dice.uniform(0.3, 1.4) * kw))
    return Promise(Plant(site, dice, visits(dice, site), STEP_S), base_may_rise=True)
