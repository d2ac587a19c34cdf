"""The recorded orders as cars that come again; what was never recorded is assumed, and counted as assumed.

A refused driver leaves. What a refused car would have drawn, and what a capped one would have drawn without its cap,
nobody knows: the first is taken from another recorded charge of the day, the second is what its car stated or its gun
can give.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from evcs.contracts.config import GunConfig, PileLimits
from rules.simulation.cars import Battery, Car, Recorded
from rules.simulation.visits import Visit
from rules.whatif.recording import Order, Recording

HELD_SHARE = 0.97
"""Of its cap: a car that draws as much is held back by it."""
TYPICAL_KWH = 30.0
"""Where not one charge was recorded."""
SHIFT_S = 1800.0
"""An added pile sees the day of another one, so many seconds earlier or later."""


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who comes; the same under every rule."""

    visits: tuple[tuple[float, Order, str, int], ...]
    """(seconds, whose charge, pile, gun)."""
    borrowed: int
    """Charges that were refused then: assumed after others."""
    uncapped: int
    """Charges that were capped then: assumed where they were held back."""
    added: int
    """Charges at added piles: copies."""
    recording: Recording

    def come(self) -> Iterator[Visit]:
        """Fresh cars: a drive uses them up."""
        for at_s, order, pile, gun in self.visits:
            yield Visit(at_s, car_of(order, _rated_kw(self.recording, order)), pile, gun)


def _rated_kw(recording: Recording, order: Order) -> float:
    for pile in recording.piles:
        for gun in pile.guns:
            if (pile.pile, gun.gun) == (order.pile, order.gun):
                return gun.rated_kw
    return recording.piles[0].guns[0].rated_kw


def car_of(order: Order, rated_kw: float) -> Car:
    """The car of a recorded charge."""
    if not order.readings or order.begun_at is None:
        return Battery(rated_kw, TYPICAL_KWH)
    begun = order.begun_at
    ended = order.ended_at or order.readings[-1][0]
    is_capped = order.cap_kw is not None and order.cap_kw < rated_kw
    return Recorded(
        seconds=[max(0.0, (at - begun).total_seconds()) for at, _, _ in order.readings],
        kw=[kw for _, kw, _ in order.readings],
        ends_s=max(15.0, (ended - begun).total_seconds()),
        free_kw=min(order.most_kw or rated_kw, rated_kw) if is_capped else None,
        held_kw=HELD_SHARE * order.cap_kw if is_capped and order.cap_kw is not None else None,
        most_kw=order.most_kw,
        socs=[soc for _, _, soc in order.readings],
    )


def add_piles(recording: Recording, count: int) -> tuple[PileLimits, ...]:
    """So many more piles, in turn like those that are there."""
    added = []
    for n in range(count):
        like = recording.piles[n % len(recording.piles)]
        guns = tuple(GunConfig(gun=gun.gun, rated_kw=gun.rated_kw) for gun in like.guns)
        added.append(
            PileLimits(
                pile=f"added{n + 1}",
                transformer=like.transformer,
                rated_kw=like.rated_kw,
                efficiency=like.efficiency,
                guns=guns,
                feeder=like.feeder,
            )
        )
    return tuple(added)


def crowd(recording: Recording, added: int = 0, seed: int = 1) -> Crowd:
    """The recorded orders in the order of their time; with those of added piles."""
    dice = Random(seed)
    charged = [order for order in recording.orders if order.readings]
    visits: list[tuple[float, Order, str, int]] = []
    borrowed = 0
    for order in recording.orders:
        whose = order
        if not order.readings and charged:
            rated_kw = _rated_kw(recording, order)
            whose = dice.choice([one for one in charged if _rated_kw(recording, one) == rated_kw] or charged)
        borrowed += whose is not order or not order.readings
        visits.append(((order.asked_at - recording.begin).total_seconds(), whose, order.pile, order.gun))
    copies = 0
    for n in range(added):
        like = recording.piles[n % len(recording.piles)]
        shift_s = dice.uniform(-SHIFT_S, SHIFT_S)
        for at_s, whose, pile, gun in list(visits):
            if pile == like.pile:
                visits.append((max(0.0, at_s + shift_s), whose, f"added{n + 1}", gun))
                copies += 1
    uncapped = sum(order.cap_kw is not None for order in charged)
    return Crowd(tuple(sorted(visits, key=lambda one: one[0])), borrowed, uncapped, copies, recording)


def without_added(found: Crowd) -> Crowd:
    """The same drivers without those at added piles: what stood there before."""
    return replace(found, visits=tuple(one for one in found.visits if not one[2].startswith("added")), added=0)
