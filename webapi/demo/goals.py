"""What the demo's customers wish: all four kinds of goal, small enough to be seen ending. Pure."""

from decimal import Decimal
from random import Random

from evcs.contracts.gun import Goal
from evcs.contracts.states import GoalKind


def draw_goal(dice: Random) -> Goal:
    """Amounts of 3–12 yuan, energies of 2–8 kWh, times of 20–90 s, or until the car is full."""
    match dice.choice(tuple(GoalKind)):
        case GoalKind.AMOUNT:
            return Goal(kind=GoalKind.AMOUNT, amount_fen=dice.randrange(500, 1201, 50))
        case GoalKind.ENERGY:
            return Goal(kind=GoalKind.ENERGY, energy_kwh=Decimal(dice.randrange(20, 81)) / 10)
        case GoalKind.TIME:
            return Goal(kind=GoalKind.TIME, duration_s=dice.randrange(20, 91, 5))
        case GoalKind.FULL:
            return Goal(kind=GoalKind.FULL)
