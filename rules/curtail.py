"""What a transformer's piles may draw together, max-min fair among their sessions, none below its floor."""

from collections.abc import Sequence
from dataclasses import dataclass

HALVINGS = 50
STEPS_A_KW = 10
"""A cap is told in steps of 0.1 kW, rounded down."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A pile with what its sessions would take from the transformer, kW of input."""

    pile: str
    sessions: int
    demand_kw: float
    """What it draws and is planned to draw under the allowance that it has."""
    floor_kw: float
    """The least that can be set; the whole demand where nothing can be set."""

    def given_kw(self, level_kw: float) -> float:
        """What it gets where each session may have this much."""
        return min(self.demand_kw, max(self.floor_kw, self.sessions * level_kw))


def fair_level(branches: Sequence[Branch], budget_kw: float) -> float | None:
    """What each session may have so that all together keep to the budget, kW of input; None: nobody needs to give.

    Max-min fair: who wants less than the level keeps what he has, the others get the level alike. Where even the
    floors are more than the budget the level is 0: everybody gets his floor.
    """
    if sum(branch.demand_kw for branch in branches) <= budget_kw:
        return None
    low_kw, high_kw = 0.0, max(branch.demand_kw for branch in branches)
    for _ in range(HALVINGS):
        middle_kw = (low_kw + high_kw) / 2
        if sum(branch.given_kw(middle_kw) for branch in branches) <= budget_kw:
            low_kw = middle_kw
        else:
            high_kw = middle_kw
    return low_kw


def shared_out(total_kw: float, most_kw: Sequence[float]) -> list[float]:
    """A pile's allowance over its sessions, max-min fair, none above its own most; rounded down to 0.1 kW."""
    left_kw, waiting = total_kw, sorted(range(len(most_kw)), key=most_kw.__getitem__)
    shares = [0.0] * len(most_kw)
    while waiting:
        least = waiting.pop(0)
        shares[least] = min(most_kw[least], left_kw / (len(waiting) + 1))
        left_kw -= shares[least]
    return [int(share_kw * STEPS_A_KW + 1e-6) / STEPS_A_KW for share_kw in shares]
