"""Power allowances in kW ⇄ whole percent of a pile's rating, as 0x52 carries them (YKC V1.6, work parameters)."""

from decimal import ROUND_FLOOR, Decimal

from evcs.contracts.power import PowerControl
from evcs.contracts.states import Scope

POWER_CONTROL = PowerControl(scope=Scope.PILE, unit="pct", least=30, most=100)
"""0x52 caps the whole pile, between 30 and 100 percent of its rated power."""


def percent_of(allowance_kw: Decimal, rating_kw: Decimal) -> int:
    """Allowance → the percent to send: rounded down, at least 30 and at most 100.

    Below 30 % the protocol cannot go: `allowance_of` says what such a pile may then really draw.
    """
    if rating_kw <= 0:
        return POWER_CONTROL.most
    share = int((allowance_kw * 100 / rating_kw).to_integral_value(ROUND_FLOOR))
    return max(POWER_CONTROL.least, min(POWER_CONTROL.most, share))


def allowance_of(percent: int, rating_kw: Decimal) -> Decimal:
    """Percent that a pile confirmed → kW that it may draw."""
    return rating_kw * percent / 100
