"""Cars that come by themselves: when, how empty, how patient, who starts them, how long they stay. Pure."""

from dataclasses import dataclass
from random import Random

from bridge.protocols.ykc.codes import StartKind
from bridge.simulator.battery import draw_battery
from bridge.simulator.gun import Car
from bridge.simulator.options import Card, PileOptions

_VIN_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
"""A VIN has no I, O and Q (ISO 3779)."""
AC_MOST_W = 7_000
"""What the charger on board takes at 220 V."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One car at one gun; waits in ms, already shortened by `speed`."""

    gap_ms: int
    car: Car
    patience_ms: int
    linger_ms: int
    kind: StartKind = StartKind.APP
    """Who asks for the start: somebody with the app, a card at the reader, or the car by its VIN."""
    card: Card | None = None
    swipe_ms: int = 0
    takes_two: bool = False


def draw_vin(dice: Random) -> str:
    """A number that looks like a vehicle's."""
    return "LSV" + "".join(dice.choice(_VIN_LETTERS) for _ in range(8)) + f"{dice.randrange(10**6):06d}"


def draw_car(dice: Random, options: PileOptions, need_kwh: float | None = None) -> Car:
    """A car; without `need_kwh` it lacks what the options say."""
    need = dice.uniform(*options.need_kwh) if need_kwh is None else need_kwh
    battery = draw_battery(need, dice, cold_share=options.cold_share, ramp_s=options.ramp_s)
    stops = dice.random() < options.manual_stop_share
    most_w = min(battery.max_power_w, AC_MOST_W if options.is_ac else options.gun_w)
    usual_s = need * 3_600_000 / most_w / options.energy_factor
    return Car(battery, draw_vin(dice), dice.uniform(0.2, 0.8) * usual_s if stops else None)


def draw_visit(dice: Random, options: PileOptions, *, first: bool = False) -> Visit:
    """The next car at a gun: exponential gaps; the first one comes within one mean gap."""
    mean_s = 3600 / options.arrivals_per_hour / options.speed
    gap_s = dice.uniform(0, mean_s) if first else dice.expovariate(1 / mean_s)
    car = draw_car(dice, options)
    patience_ms = round(dice.uniform(*options.patience_s) / options.speed * 1000)
    linger_ms = round(dice.uniform(*options.linger_s) / options.speed * 1000)
    asked, pick, two = dice.random(), dice.random(), dice.random()
    swipe_ms = round(dice.uniform(*options.swipe_delay_s) / options.speed * 1000)
    kind, card = StartKind.APP, None
    if options.cards and asked < options.card_share:
        kind, card = StartKind.CARD, options.cards[int(pick * len(options.cards))]
    elif options.vins and not options.is_ac and asked < options.card_share + options.vin_share:
        kind, swipe_ms = StartKind.VIN, 0
        car.vin = options.vins[int(pick * len(options.vins))]
    takes_two = card is not None and two < options.joint_share
    return Visit(round(gap_s * 1000), car, patience_ms, linger_ms, kind, card, swipe_ms, takes_two)
