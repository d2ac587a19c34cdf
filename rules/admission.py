"""The gate: may this gun start now, and how hard. Four checks in a fixed order, each refusal with its figures."""

from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from evcs.contracts.config import TransformerConfig
from evcs.contracts.gun import Figures
from evcs.contracts.reasons import Reason, Sentence
from evcs.contracts.states import READY_TO_START, Band, GunState
from rules import feeders
from rules.bands import over
from rules.caps import Want, can_cap, floor_kw, planned_kw
from rules.load import Change, Load, load_of
from rules.session_caps import PILE_FLOOR, CapSource, lowest
from rules.station import Gun, Pile, Station, Transformer
from rules.wording import admittance, refusal

_NOT_READY = {
    GunState.OFFLINE: Reason.PILE_OFFLINE,
    GunState.IDLE: Reason.GUN_NOT_PLUGGED,
    GunState.FAULTED: Reason.GUN_FAULTED,
    GunState.DISABLED: Reason.LOCKED_OUT,
}


@dataclass(frozen=True, slots=True)
class Admission:
    """The decision on one start; refused where there is a reason."""

    reason: Reason | None = None
    figures: Figures = field(default_factory=Figures)
    share_pct: float = 0.0
    """What it reserves, % of the rated apparent power."""
    caps: tuple[tuple[CapSource, float], ...] = ()
    """What its session is capped to from its start, and by whom."""
    cap_kw: float | None = None
    """The lowest of them."""
    bound_by: str = ""
    allowance_kw: float | None = None
    """What the pile has to be set to before it starts; None: nothing is sent."""
    because: Sentence | None = None
    """What a person needs to know besides: who took the gun out of use, why, until when."""

    @property
    def is_admitted(self) -> bool:
        return self.reason is None

    @property
    def text(self) -> Sentence:
        """The decision in Chinese and English, with its figures."""
        if self.reason is None:
            return admittance(self.figures, self.cap_kw, self.bound_by, self.allowance_kw)
        return refusal(self.reason, self.figures, self.because)


def refuse_before_load(
    station: Station, pile: Pile, gun: Gun, now: datetime, *, is_sure: bool, tariff_version: str | None = None
) -> Reason | None:
    """Check 0 behind the lockouts (`lockouts.locked`): pile offline, gun not ready, engine not sure.

    `tariff_version`: of a start; the pile must have confirmed it, since the order is billed with it.
    """
    config = station.config
    if config is None or pile.limits is None or gun.config is None:
        return Reason.STATION_UNKNOWN if is_sure else Reason.ENGINE_NOT_SURE
    if pile.link is None or pile.status is None or gun.level is None:
        return Reason.PILE_OFFLINE
    if gun.level.state not in READY_TO_START:
        return _NOT_READY.get(gun.level.state, Reason.GUN_BUSY)
    if gun.session is not None:
        return Reason.GUN_BUSY
    if not is_sure:
        return Reason.ENGINE_NOT_SURE
    if pile.status.tariff_version is None:
        return Reason.NO_TARIFF
    if tariff_version is not None and tariff_version != pile.status.tariff_version:
        return Reason.TARIFF_DIFFERS
    return None


def decide(station: Station, transformer: Transformer, pile: Pile, gun: Gun, now: datetime) -> Admission:
    """Checks 1 to 3: the band and the plan, the cap, the room that is left for it.

    Nothing is changed here; the caller has followed the band to `now`. A refusal is an Admission with a reason.
    Source: requirement 3(1) (50 % → half power, 80 % → no start), with what was admitted but is not drawn yet.
    """
    config = transformer.config
    assert config is not None
    assert gun.config is not None
    load = load_of(station, transformer, now)
    planned_pct = load.planned_pct
    band = transformer.band.shown
    if band is Band.UNKNOWN or planned_pct is None:
        return _refused(Reason.BAND_UNKNOWN, transformer, load, retry_s=config.blocked_release_s)
    if band is Band.BLOCKED:
        return _refused(Reason.BAND_BLOCKED, transformer, load, retry_s=config.blocked_release_s)
    if over(planned_pct, config.blocked_pct):
        return _refused(Reason.OVER_BLOCKED_THRESHOLD, transformer, load, retry_s=config.blocked_release_s)
    free = start_with(station, transformer, pile, gun, None, load, now)
    is_feeder_full = free is not None and _full(station, transformer, pile, gun, free, now) is not None
    is_limited = (
        is_feeder_full
        or over(planned_pct, config.limited_pct)
        or band is Band.LIMITED
        or free is None
        or over(planned_pct + free.share_pct, config.blocked_pct)
    )
    if not is_limited:
        assert free is not None
        return free
    cap_kw = config.cap_share * gun.config.rated_kw
    capped = start_with(station, transformer, pile, gun, cap_kw, load, now)
    if capped is None:
        return Admission(
            Reason.CAP_NOT_CONFIRMED, figures_of(transformer, load), because=_cannot_cap(config.limited_pct)
        )
    if over(planned_pct + capped.share_pct, config.blocked_pct):
        share_pct = capped.share_pct
        return _refused(Reason.NO_HEADROOM, transformer, load, share_pct=share_pct, retry_s=config.blocked_release_s)
    feeder = _full(station, transformer, pile, gun, capped, now)
    if feeder is not None:
        figures = figures_of(transformer, load, capped.share_pct, config.blocked_release_s)
        return Admission(
            Reason.FEEDER_FULL,
            msgspec.structs.replace(
                figures,
                feeder=feeder.feeder,
                feeder_kw=_rounded(feeder.planned_kw),
                feeder_limit_kw=_rounded(feeder.limit_kw),
            ),
        )
    return capped


def _full(
    station: Station, transformer: Transformer, pile: Pile, gun: Gun, start: Admission, now: datetime
) -> feeders.Full | None:
    return feeders.full(station, transformer, pile, start.allowance_kw, gun.number, now)


def start_with(
    station: Station,
    transformer: Transformer,
    pile: Pile,
    gun: Gun,
    rule_cap_kw: float | None,
    load: Load,
    now: datetime,
) -> Admission | None:
    """The start under this cap with its share; None where it needs a cap that the pile cannot be given."""
    assert pile.limits is not None
    assert gun.config is not None
    control = pile.status.power_control if pile.status is not None else None
    asked = ((CapSource.TRANSFORMER, rule_cap_kw), (CapSource.HAND, gun.config.hand_limit_kw))
    caps = tuple((source, kw) for source, kw in asked if kw is not None)
    bound_by, cap_kw = lowest(caps, gun.config.rated_kw) or ("", None)
    allowance_kw = None
    if cap_kw is not None or pile.power.is_lowered(pile.limits.rated_kw):
        if control is None or not can_cap(control):
            return None
        wants = [Want(gun.config.rated_kw, cap_kw), *wants_of(pile, without=gun.number)]
        allowance_kw = planned_kw(control, pile.limits.rated_kw, wants)
        if cap_kw is not None and cap_kw < floor_kw(control, pile.limits.rated_kw) and len(wants) == 1:
            bound_by = PILE_FLOOR
    after = load_of(station, transformer, now, Change(pile.number, allowance_kw, gun.number))
    assert load.planned_pct is not None
    assert after.planned_pct is not None
    # What an unconfirmed rise would let the neighbours draw belongs to the share: it comes from this start.
    share_pct = max(0.0, after.planned_pct - load.planned_pct)
    return Admission(
        figures=figures_of(transformer, load, share_pct),
        share_pct=share_pct,
        caps=caps,
        cap_kw=cap_kw,
        bound_by=bound_by,
        allowance_kw=allowance_kw,
    )


def wants_of(pile: Pile, without: int | None = None) -> list[Want]:
    """What the running and starting guns of a pile stand for in its plan; a charge that nobody admitted: its rating."""
    return [
        Want(gun.config.rated_kw, gun.cap_kw())
        for gun in pile.configured
        if gun.number != without and gun.config is not None and (gun.session is not None or gun.is_running())
    ]


def _cannot_cap(limited_pct: float) -> Sentence:
    return Sentence(
        f"计划负荷超过 {limited_pct:g}% 时新的充电须限功率，而该桩不能设置功率；请换一台桩，或待负荷降低后再试。",
        f"Over {limited_pct:g}% planned load new charges are limited, and this pile's power cannot be set; use another "
        "pile, or try again when the load has fallen.",
    )


def _refused(
    reason: Reason,
    transformer: Transformer,
    load: Load,
    *,
    share_pct: float | None = None,
    retry_s: float | None = None,
) -> Admission:
    return Admission(reason, figures_of(transformer, load, share_pct, retry_s))


def figures_of(
    transformer: Transformer, load: Load, share_pct: float | None = None, retry_s: float | None = None
) -> Figures:
    """The figures on which a decision rests, rounded for people."""
    config = transformer.config
    assert config is not None
    return Figures(
        transformer=transformer.code,
        band=transformer.band.shown.value,
        load_pct=_rounded(load.load_pct),
        planned_pct=_rounded(load.planned_pct),
        share_pct=_rounded(share_pct),
        limited_pct=config.limited_pct,
        blocked_pct=config.blocked_pct,
        release_pct=_release_pct(config, retry_s is not None),
        source=load.source,
        retry_after_s=None if retry_s is None else round(retry_s),
    )


def _release_pct(config: TransformerConfig, is_refused: bool) -> float | None:
    if is_refused:
        return config.blocked_release_pct
    return config.limited_release_pct if config.releases_caps else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
