"""The pile's own bill: energy per tariff band by its half-hour slots, and money rounded as a pile does. Pure integers.

Shares no code with the platform's pricing, so that the two can find each other's mistakes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

FLAT = 2
STEPS_PER_KWH = 10_000
"""Energy is counted in steps of 0.0001 kWh, money in 0.0001 yuan, prices in 0.00001 yuan/kWh: the widths of 0x3B."""
SLOT_MS = 30 * 60 * 1000
LOCAL_MS = 8 * 60 * 60 * 1000
"""A pile's wall clock is UTC+8."""
_SCALE = 100_000
"""0.0001 kWh × 0.00001 yuan/kWh = 10⁻⁹ yuan; this many make 0.0001 yuan."""


@dataclass(frozen=True, slots=True)
class PileTariff:
    """The tariff model as the pile keeps it: combined price per band (four or five), and the band of each slot."""

    prices_e5: tuple[int, ...]
    slots: tuple[int, ...]

    def band_at(self, pile_ms: int) -> int:
        """Band at a time of the pile's clock (ms since 1970, UTC). Bands it cannot know count as flat."""
        band = self.slots[(pile_ms + LOCAL_MS) // SLOT_MS % 48]
        return band if band < len(self.prices_e5) else FLAT


def slot_end_ms(pile_ms: int) -> int:
    """The first moment of the next half-hour slot; slots begin at whole half hours in every zone."""
    return (pile_ms // SLOT_MS + 1) * SLOT_MS


def amount_e4(steps: int, price_e5: int) -> int:
    """0.0001 kWh × 0.00001 yuan/kWh → 0.0001 yuan, half up (YKC V1.6 leaves the rounding open)."""
    return (steps * price_e5 + _SCALE // 2) // _SCALE


@dataclass(slots=True)
class Tally:
    """What has flowed in one session, by band."""

    tariff: PileTariff
    steps: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.steps = self.steps or [0] * len(self.tariff.prices_e5)

    def add(self, band: int, steps: int) -> None:
        """Count energy into a band."""
        self.steps[band] += steps

    @property
    def total_steps(self) -> int:
        """Energy of the session, 0.0001 kWh."""
        return sum(self.steps)

    def amounts_e4(self) -> Sequence[int]:
        """Money per band, 0.0001 yuan."""
        return [amount_e4(steps, price) for steps, price in zip(self.steps, self.tariff.prices_e5, strict=True)]

    @property
    def total_e4(self) -> int:
        """Money of the session: the sum of its bands."""
        return sum(self.amounts_e4())

    def room(self, band: int, limit_e4: int) -> int | None:
        """How many more steps may flow in a band before the bill passes `limit_e4`; None: as many as you like."""
        price = self.tariff.prices_e5[band]
        if price == 0:
            return None
        amounts = self.amounts_e4()
        left = limit_e4 - (sum(amounts) - amounts[band])
        if left < 0:
            return 0
        # Greatest n with round-half-up(n × price) ≤ left.
        most = ((left + 1) * _SCALE - _SCALE // 2 - 1) // price
        return max(0, most - self.steps[band])
