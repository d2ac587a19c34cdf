"""One car's visit: what it lacks, what its driver wishes, how it is started, how it ends. Pure."""

from dataclasses import dataclass
from decimal import Decimal
from random import Random

from bridge.protocols.ykc.codes import StartKind
from bridge.simulator.arrivals import draw_vin
from bridge.simulator.battery import draw_battery
from bridge.simulator.gun import Car
from bridge.simulator.history.drivers import Customer
from evcs.contracts.gun import Goal
from evcs.contracts.states import GoalKind, StartSource

FAULT_CODES = (0x71, 0x76, 0x7C, 0x74, 0x70)
"""How charges end abnormally (0x3B): module fault, no current, pack or pile too hot, DC protection."""
FAILED_CODES = (0x52, 0x57, 0x59, 0x5A, 0x5C)
"""How starts fail: the car's BMS, or the insulation test."""
FAULT_SHARE, FAILED_SHARE, MANUAL_SHARE = 0.006, 0.012, 0.06
CARD_SHARE, VIN_SHARE = 0.2, 0.06


@dataclass(frozen=True, slots=True)
class Wish:
    """What comes of a visit if the gate admits it; times in s from the first current."""

    customer: Customer
    car: Car
    goal: Goal
    source: StartSource
    kind: StartKind
    failed_code: int | None = None
    manual_after_s: float | None = None
    fault_after_s: float | None = None
    fault_code: int = 0
    repair_s: float = 0.0
    linger_s: float = 60.0


def draw_wish(dice: Random, customer: Customer, need_kwh: tuple[float, float], cold: float) -> Wish:
    """A driver's visit; the same number of draws whatever comes of it."""
    need = dice.triangular(*need_kwh, need_kwh[0] + (need_kwh[1] - need_kwh[0]) * 0.4)
    vin = customer.driver.vin or draw_vin(dice)
    car = Car(draw_battery(need, dice, cold_share=cold), vin)
    draw = [dice.random() for _ in range(5)]
    usual_s = need * 3600 / 60
    goal = _goal(dice, draw[0], need, usual_s)
    source, kind = StartSource.APP, StartKind.APP
    if customer.driver.card is not None and draw[1] < CARD_SHARE:
        source, kind, goal = StartSource.CARD, StartKind.CARD, Goal(kind=GoalKind.FULL)
    elif customer.driver.vin is not None and CARD_SHARE <= draw[1] < CARD_SHARE + VIN_SHARE:
        source, kind, goal = StartSource.VIN, StartKind.VIN, Goal(kind=GoalKind.FULL)
    return Wish(
        customer=customer,
        car=car,
        goal=goal,
        source=source,
        kind=kind,
        failed_code=dice.choice(FAILED_CODES) if draw[2] < FAILED_SHARE else None,
        manual_after_s=dice.uniform(0.2, 0.9) * usual_s if draw[3] < MANUAL_SHARE else None,
        fault_after_s=dice.uniform(30, usual_s) if draw[4] < FAULT_SHARE else None,
        fault_code=dice.choice(FAULT_CODES),
        repair_s=dice.uniform(900, 4 * 3600),
        linger_s=dice.triangular(20, 900, 90),
    )


def _goal(dice: Random, draw: float, need_kwh: float, usual_s: float) -> Goal:
    if draw < 0.62:
        return Goal(kind=GoalKind.FULL)
    if draw < 0.78:
        return Goal(kind=GoalKind.AMOUNT, amount_fen=dice.choice((1000, 2000, 3000, 5000)))
    if draw < 0.90:
        return Goal(kind=GoalKind.ENERGY, energy_kwh=Decimal(dice.randrange(5, max(6, int(need_kwh)))))
    return Goal(kind=GoalKind.TIME, duration_s=max(300, round(usual_s * dice.uniform(0.3, 0.9) / 300) * 300))
