"""Degraded mode: with a dead meter and two people's word the estimate counts, at a lower threshold (A11)."""

from datetime import datetime

from msgspec.structs import replace

from evcs.contracts.config import TransformerConfig


def is_allowed(config: TransformerConfig, now: datetime) -> bool:
    """Whether a dead meter may be replaced by the estimate at `now`; it ends by itself."""
    return config.has_meter and config.degraded_until is not None and now < config.degraded_until


def in_force(config: TransformerConfig, is_degraded: bool) -> TransformerConfig:
    """The figures of the rule as they hold now.

    Degraded: nothing starts over `degraded_blocked_pct` (60 %), it opens again as far below that as it does otherwise
    (5 points), and the lower threshold is never above it. The largest base load counts instead of the usual one.
    """
    if not is_degraded:
        return config
    blocked_pct = min(config.blocked_pct, config.degraded_blocked_pct)
    limited_pct = min(config.limited_pct, blocked_pct)
    return replace(
        config,
        base_load_kw=max(config.base_load_kw, config.max_base_load_kw or 0.0),
        blocked_pct=blocked_pct,
        blocked_release_pct=max(0.0, blocked_pct - (config.blocked_pct - config.blocked_release_pct)),
        limited_pct=limited_pct,
        limited_release_pct=max(0.0, limited_pct - (config.limited_pct - config.limited_release_pct)),
    )
