"""The transformer rule as the past obeyed it: half power over 50 %, no start over 80 % (requirement 3(1)). Pure."""

from dataclasses import dataclass

from evcs.contracts.config import TransformerConfig
from evcs.contracts.gun import Figures
from evcs.contracts.reasons import Reason


@dataclass(frozen=True, slots=True)
class Asked:
    """A start at the gate; powers in kW at the gun, load and planned load in % of the rated apparent power."""

    gun_kw: float
    pile_free_kw: float
    efficiency: float
    load_pct: float
    planned_pct: float


@dataclass(frozen=True, slots=True)
class Decision:
    """What the gate said: a reason, or an admission with or without a cap in kW."""

    reason: Reason | None
    cap_kw: float | None
    figures: Figures


def decide(asked: Asked, transformer: TransformerConfig) -> Decision:
    """Steps 1 to 3 of the rule; the release of caps is left out: a capped past charge keeps its cap."""

    def share_pct(kw: float) -> float:
        return 100 * kw / asked.efficiency / transformer.power_factor / transformer.rated_kva

    limited, blocked = transformer.limited_pct, transformer.blocked_pct
    full_kw = min(asked.gun_kw, asked.pile_free_kw)
    half_kw = min(asked.gun_kw * transformer.cap_share, full_kw)
    needs_cap = asked.planned_pct > limited or asked.planned_pct + share_pct(full_kw) > blocked
    kw = half_kw if needs_cap else full_kw
    figures = Figures(
        transformer=transformer.transformer,
        load_pct=round(asked.load_pct, 1),
        planned_pct=round(asked.planned_pct, 1),
        share_pct=round(share_pct(kw), 1),
        limited_pct=limited,
        blocked_pct=blocked,
        source="meter" if transformer.has_meter else "estimate",
    )
    if asked.planned_pct > blocked:
        return Decision(Reason.OVER_BLOCKED_THRESHOLD, None, figures)
    if asked.planned_pct + share_pct(kw) > blocked:
        return Decision(Reason.NO_HEADROOM, None, figures)
    return Decision(None, kw if needs_cap else None, figures)
