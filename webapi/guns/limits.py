"""Pure: what a limit really means at a gun, given what its pile's protocol can say; and which limit binds."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from evcs.contracts.power import PowerControl
from evcs.contracts.states import Scope

YKC_CONTROL = PowerControl(scope=Scope.PILE, unit="pct", least=30, most=100)
"""0x52: the whole pile, in whole percent of its rating, 30 at least. A pile that never logged in is taken for one."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a limit comes to while nothing else runs on the pile, kW."""

    effective_kw: Decimal
    floor_kw: Decimal
    is_floor: bool
    """Whether the protocol cannot go as low as was wished."""


def effect_of(limit_kw: Decimal | None, gun_kw: Decimal, pile_kw: Decimal, control: PowerControl) -> Effect:
    """A limit rounded down to what the protocol can say, at least its floor, at most the gun's rating."""
    step = pile_kw / 100 if control.unit == "pct" else Decimal(1)
    floor_kw = min(control.least * step, gun_kw)
    if limit_kw is None or limit_kw >= gun_kw:
        return Effect(gun_kw, floor_kw, is_floor=False)
    steps = int((limit_kw / step).to_integral_value(ROUND_FLOOR))
    sayable = min(max(steps, control.least), control.most) * step
    return Effect(min(sayable, gun_kw), floor_kw, is_floor=limit_kw < floor_kw)


@dataclass(frozen=True, slots=True)
class Bound:
    """The lowest of some limits, kW, and whose it is."""

    kw: Decimal
    by: str


def lowest(limits: Iterable[Bound]) -> Bound:
    """The one that binds; of equal ones the first that is given."""
    return min(limits, key=lambda one: one.kw)


def pct_of(kw: Decimal, rated_kw: Decimal) -> Decimal:
    """kW as % of a rating, one decimal."""
    return (kw * 100 / rated_kw).quantize(Decimal("0.1"))
