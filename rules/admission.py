"""The gate: may this gun start now, and how hard. Four checks in a fixed order, each refusal with its figures."""

from dataclasses import dataclass, field
from datetime import datetime

from evcs.contracts.gun import Figures
from evcs.contracts.reasons import Reason, Sentence, sentence
from evcs.contracts.states import READY_TO_START, Band, GunState
from rules.bands import over
from rules.caps import Want, can_cap, floor_kw, planned_kw
from rules.load import Change, Load, load_of
from rules.session_caps import PILE_FLOOR, CapSource, lowest
from rules.station import Gun, Pile, Station, Transformer

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

    @property
    def is_admitted(self) -> bool:
        return self.reason is None

    @property
    def text(self) -> Sentence:
        """Why not, in Chinese and English, with the figures; one decimal is enough for people."""
        if self.reason is None:
            return Sentence("", "")
        figures = self.figures
        return sentence(
            self.reason,
            **{
                name: f"{value:.1f}"
                for name, value in (
                    ("load_pct", figures.load_pct),
                    ("planned_pct", figures.planned_pct),
                    ("share_pct", figures.share_pct),
                    ("blocked_pct", figures.blocked_pct),
                )
                if value is not None
            },
        )


def refuse_before_load(
    station: Station, pile: Pile, gun: Gun, now: datetime, *, is_sure: bool, tariff_version: str | None = None
) -> Reason | None:
    """Check 0, in the order of the rule: lockouts, station stop, locking alarms, pile offline, gun not ready, not sure.

    `tariff_version`: of a start; the pile must have confirmed it, since the order is billed with it.
    """
    config = station.config
    if config is None or pile.limits is None or gun.config is None:
        return Reason.STATION_UNKNOWN if is_sure else Reason.ENGINE_NOT_SURE
    for lockout in (gun.config.lockout, pile.limits.lockout, config.lockout):
        if lockout is not None and lockout.in_force(now):
            return Reason.LOCKED_OUT
    if config.station_stop is not None and config.station_stop.in_force(now):
        return Reason.STATION_STOPPED
    if station.alarms.locks(pile.number, gun.number) is not None:
        return Reason.PROTECTION_LOCKED
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
    is_limited = (
        over(planned_pct, config.limited_pct)
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
        return _refused(Reason.CAP_NOT_CONFIRMED, transformer, load)
    if over(planned_pct + capped.share_pct, config.blocked_pct):
        share_pct = capped.share_pct
        return _refused(Reason.NO_HEADROOM, transformer, load, share_pct=share_pct, retry_s=config.blocked_release_s)
    return capped


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
        source=load.source,
        retry_after_s=None if retry_s is None else round(retry_s),
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
