"""The policy of a transformer as people and services see it: band, load, plan, source of the figure, why."""

from datetime import datetime, timedelta

from evcs.contracts.config import TransformerConfig
from evcs.contracts.reasons import Sentence
from evcs.contracts.states import Band
from evcs.contracts.times import BEIJING
from evcs.contracts.transformer import TransformerPolicy
from rules.load import Load
from rules.session_caps import CapSource
from rules.station import Station, Transformer

MOVED_PCT = 0.5
AT_LEAST_EVERY = timedelta(seconds=10)
HOLD_BACK = (CapSource.OVERLOAD, CapSource.SHARING)


def policy_due(transformer: Transformer, load: Load, now: datetime) -> bool:
    """On every change of the band or of what is in force, when a figure has moved by half a percent, every 10 s."""
    old, config = transformer.policy, transformer.config
    if old is None or transformer.policy_at is None or now - transformer.policy_at >= AT_LEAST_EVERY:
        return True
    assert config is not None
    return (
        old.band is not transformer.band.shown
        or _moved(old.load_pct, load.load_pct)
        or _moved(old.planned_pct, load.planned_pct)
        or (old.limited_pct, old.blocked_pct) != (config.limited_pct, config.blocked_pct)
        or old.degraded_until != _degraded_until(transformer)
        or old.over_since != transformer.excess.over_since
    )


def policy_of(station: Station, transformer: Transformer, load: Load, now: datetime, now_ms: int) -> TransformerPolicy:
    """The level to publish, with a version above every one seen."""
    config = transformer.config
    assert config is not None
    held_back = curtailed(station, transformer)
    why = _why(transformer, config, load, held_back)
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
        meter_kva=_rounded(load.meter_kva),
        estimate_kva=_rounded(load.estimate_kva),
        meter_at=transformer.reading_at if config.has_meter else None,
        limited_pct=config.limited_pct,
        blocked_pct=config.blocked_pct,
        degraded_until=_degraded_until(transformer),
        over_since=transformer.excess.over_since,
        curtailed=held_back,
    )


def curtailed(station: Station, transformer: Transformer) -> int:
    """How many sessions an overload, or sharing, holds below what they were admitted with."""
    bindings = (gun.binding_cap() for pile in station.piles_of(transformer.code) for gun in pile.configured)
    return sum(binding is not None and binding[0] in HOLD_BACK for binding in bindings)


def _degraded_until(transformer: Transformer) -> datetime | None:
    if not transformer.is_degraded or transformer.configured is None:
        return None
    return transformer.configured.degraded_until


def _why(transformer: Transformer, config: TransformerConfig, load: Load, held_back: int) -> Sentence:
    """The figures, the threshold that counts, and what has to change."""
    band = _why_band(transformer.band.shown, config, load)
    parts = [band]
    until = _degraded_until(transformer)
    if until is not None:
        parts.append(
            Sentence(
                f"电表无读数，降级运行至 {clock(until)}：按估算负荷判断（站内其他负荷取 {config.base_load_kw:g} kW）。",
                f"Degraded until {clock(until)}: the meter is dead and the estimate counts "
                f"(building load at its largest, {config.base_load_kw:g} kW).",
            )
        )
    if transformer.excess.over_since is not None:
        parts.append(
            Sentence(
                f"自 {clock(transformer.excess.over_since)} 起超过 {config.overload_pct:g}%；"
                f"满 {config.overload_s:g} 秒降低正在充电的功率。",
                f"Over {config.overload_pct:g}% since {clock(transformer.excess.over_since)}; "
                f"running sessions give way after {config.overload_s:g} s.",
            )
        )
    if held_back:
        parts.append(
            Sentence(
                f"{held_back} 个充电中的订单被降低功率。",
                f"{held_back} running session{'s are' if held_back > 1 else ' is'} held back.",
            )
        )
    return Sentence("".join(part.zh for part in parts), " ".join(part.en for part in parts))


def _why_band(band: Band, config: TransformerConfig, load: Load) -> Sentence:
    load_pct, planned_pct = _shown(load.load_pct), _shown(load.planned_pct)
    if band is Band.UNKNOWN:
        return Sentence(
            "变压器电表现在没有有效读数（60 秒以内的才算），暂停新的充电；读数恢复后自动重新开放。",
            "The meter gives no valid reading now (at most 60 s old); new charges wait and go on when it reads again.",
        )
    if band is Band.BLOCKED:
        return Sentence(
            f"负荷 {load_pct}%（计划 {planned_pct}%）超过 {config.blocked_pct:g}%，暂停新的充电；"
            f"低于 {config.blocked_release_pct:g}% 满 {config.blocked_release_s:g} 秒后重新开放。",
            f"Load {load_pct}% (planned {planned_pct}%) went over {config.blocked_pct:g}%, new charges wait; "
            f"opens after {config.blocked_release_s:g} s below {config.blocked_release_pct:g}%.",
        )
    if band is Band.LIMITED:
        return Sentence(
            f"负荷 {load_pct}%（计划 {planned_pct}%）超过 {config.limited_pct:g}%；"
            f"新的充电限为额定功率的 {config.cap_share:.0%}，"
            f"低于 {config.limited_release_pct:g}% 满 {config.limited_release_s:g} 秒后解除。",
            f"Load {load_pct}% (planned {planned_pct}%) went over {config.limited_pct:g}%; "
            f"new charges get {config.cap_share:.0%} of the rated power until it has been below "
            f"{config.limited_release_pct:g}% for {config.limited_release_s:g} s.",
        )
    return Sentence(
        f"负荷 {load_pct}%（计划 {planned_pct}%），未超过 {config.limited_pct:g}%；超过后新的充电限功率，"
        f"超过 {config.blocked_pct:g}% 后暂停。",
        f"Load {load_pct}% (planned {planned_pct}%), not over {config.limited_pct:g}%; over it new charges are "
        f"limited, over {config.blocked_pct:g}% they wait.",
    )


def clock(instant: datetime) -> str:
    """A time of day for people, Beijing."""
    return f"{instant.astimezone(BEIJING):%H:%M}"


def _shown(pct: float | None) -> str:
    return "—" if pct is None else f"{pct:.1f}"


def _moved(old_pct: float | None, new_pct: float | None) -> bool:
    if old_pct is None or new_pct is None:
        return old_pct is not new_pct
    return abs(new_pct - old_pct) >= MOVED_PCT


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
