"""The policy of a transformer as people and services see it: band, load, plan, source of the figure, why."""

from datetime import datetime, timedelta

from evcs.contracts.config import TransformerConfig
from evcs.contracts.reasons import Sentence
from evcs.contracts.states import Band
from evcs.contracts.transformer import TransformerPolicy
from rules.bands import BandState
from rules.load import Load
from rules.station import Transformer

MOVED_PCT = 0.5
AT_LEAST_EVERY = timedelta(seconds=10)


def policy_due(transformer: Transformer, load: Load, now: datetime) -> bool:
    """On every change of the band, when a figure has moved by half a percent, and every 10 s."""
    old = transformer.policy
    if old is None or transformer.policy_at is None or now - transformer.policy_at >= AT_LEAST_EVERY:
        return True
    return (
        old.band is not transformer.band.shown
        or _moved(old.load_pct, load.load_pct)
        or _moved(old.planned_pct, load.planned_pct)
    )


def policy_of(transformer: Transformer, load: Load, now: datetime, now_ms: int) -> TransformerPolicy:
    """The level to publish, with a version above every one seen."""
    config = transformer.config
    assert config is not None
    why = _why(config, transformer.band, load)
    return TransformerPolicy(
        version=max(now_ms, transformer.version + 1),
        transformer=transformer.code,
        band=transformer.band.shown,
        load_pct=_rounded(load.load_pct),
        planned_pct=_rounded(load.planned_pct),
        load_kva=_rounded(load.load_kva),
        guns_kw=round(load.guns_kw, 2),
        rated_kva=config.rated_kva,
        source=load.source,
        why_zh=why.zh,
        why_en=why.en,
        since=transformer.band.since or now,
    )


def _why(config: TransformerConfig, band: BandState, load: Load) -> Sentence:
    load_pct = "—" if load.load_pct is None else f"{load.load_pct:.1f}"
    if band.shown is Band.UNKNOWN:
        return Sentence("变压器电表无有效读数，暂停新的充电。", "The meter gives no valid reading; new charges wait.")
    if band.shown is Band.BLOCKED:
        return Sentence(
            f"负荷 {load_pct}%；低于 {config.blocked_release_pct:g}% 满 {config.blocked_release_s:g} 秒后重新开放。",
            f"Load {load_pct}%; opens after {config.blocked_release_s:g} s below {config.blocked_release_pct:g}%.",
        )
    if band.shown is Band.LIMITED:
        return Sentence(
            f"负荷 {load_pct}%；新的充电限为额定功率的 {config.cap_share:.0%}，"
            f"低于 {config.limited_release_pct:g}% 满 {config.limited_release_s:g} 秒后解除。",
            f"Load {load_pct}%; new charges get {config.cap_share:.0%} of the rated power until it has been below "
            f"{config.limited_release_pct:g}% for {config.limited_release_s:g} s.",
        )
    return Sentence(
        f"负荷 {load_pct}%，未超过 {config.limited_pct:g}%。", f"Load {load_pct}%, not over {config.limited_pct:g}%."
    )


def _moved(old_pct: float | None, new_pct: float | None) -> bool:
    if old_pct is None or new_pct is None:
        return old_pct is not new_pct
    return abs(new_pct - old_pct) >= MOVED_PCT


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
