"""Above the overload threshold running sessions give way, then the newest are stopped; later power is given back.

Load > 100 % for 60 s: the piles' allowances are cut so that the plan comes to the blocked threshold, as fairly as can
be and down to what each protocol can say; reckoned anew every 30 s while the excess lasts, only ever downwards. Nothing
left to take and still above for 5 min: the newest session stops, one each 15 s. When the band admits starts again the
oldest gets its power back, one a minute, weighed like a start (promise S1, domain A8).
"""

from datetime import datetime

from evcs.contracts.reasons import Reason
from evcs.contracts.states import Band, GunState
from rules.bands import lasted, over
from rules.caps import ROUNDING, can_cap, floor_kw
from rules.charges import stop_for
from rules.curtail import STEPS_A_KW, Branch, fair_level, shared_out
from rules.known import Known, Place
from rules.levels import publish_pile
from rules.load import Load, pile_load
from rules.power import lift, plan
from rules.session_caps import CapSource, lowest, set_cap
from rules.station import Pile, Session, Station, Transformer

CUT_AGAIN_S = 30.0
"""Two reporting periods of a YKC pile (0x13 while charging): by then a meter shows what the last cut has done."""
DISOBEYS_S = 60.0
"""A pile that so long after its confirmation draws more than that is taken as it is."""
DISOBEYS_SHARE = 1.05
LEAST_LIFT_SHARE = 0.05
"""A partial lift gives at least so much of the gun's rating; less would only be another change."""


def follow_excess(known: Known, station: Station, transformer: Transformer, load: Load, now: datetime) -> None:
    """Follow the load of this moment and do what is due; once a second."""
    config, excess = transformer.config, transformer.excess
    assert config is not None
    load_pct = load.load_pct
    if load_pct is None and over(load.estimate_kva / config.rated_kva * 100, config.overload_pct):
        # The meter is gone, but what the guns say is enough to know.
        load_pct = load.estimate_kva / config.rated_kva * 100
    excess.step(config, load_pct, now)
    if not known.is_sure:
        return
    if load_pct is not None and excess.may_cut(config, now):
        if excess.cut_at is None or lasted(excess.cut_at, CUT_AGAIN_S, now):
            excess.cut_at = now
            _cut(known, station, transformer, load, now)
        if excess.may_stop(config, now):
            excess.stopped_at = now
            _stop_newest(known, station, transformer, now)
    elif transformer.band.shown in (Band.NORMAL, Band.LIMITED):
        _lift_oldest(known, station, transformer, load, now)


def _cut(known: Known, station: Station, transformer: Transformer, load: Load, now: datetime) -> None:
    config = transformer.config
    assert config is not None
    meter_at = transformer.reading_at if load.meter_kva is not None else None
    branches: list[Branch] = []
    at_meter_kw = 0.0
    for pile in station.piles_of(transformer.code):
        assert pile.limits is not None
        power = pile_load(pile, config, meter_at, now)
        efficiency = pile.limits.efficiency
        at_meter_kw += power.at_meter_kw / efficiency
        if power.planned_kw > 0:
            floor = power.planned_kw if _is_fixed(pile, power.seen_kw, now) else _floor_kw(pile)
            sessions = sum(gun.session is not None for gun in pile.configured)
            branches.append(Branch(pile.number, sessions, power.planned_kw / efficiency, floor / efficiency))
    base_kw = config.base_load_kw
    if load.meter_kva is not None:
        # What the guns did not draw when the meter was read is load that we do not control.
        base_kw = max(base_kw, load.meter_kva * config.power_factor - at_meter_kw)
    budget_kw = config.blocked_pct / 100 * config.rated_kva * config.power_factor - base_kw
    level_kw = fair_level(branches, budget_kw) if branches else None
    if level_kw is None:
        return
    for branch in branches:
        if branch.given_kw(level_kw) > branch.floor_kw and branch.demand_kw > branch.floor_kw:
            break
    else:
        transformer.excess.at_floor_since = transformer.excess.at_floor_since or now
    for branch in branches:
        if branch.given_kw(level_kw) < branch.demand_kw - ROUNDING:
            _cap_pile(known, station, station.pile(branch.pile), branch.given_kw(level_kw), now)


def _is_fixed(pile: Pile, seen_kw: float, now: datetime) -> bool:
    """Whether nothing can be taken from the pile: it cannot be told, does not obey, or serves somebody unknown."""
    control = pile.status.power_control if pile.status is not None else None
    power = pile.power
    if pile.link is None or not can_cap(control) or power.refused_at is not None:
        return True
    if any(gun.session is None and gun.is_running() for gun in pile.configured):
        return True
    is_old = not power.sent and (power.repeated_at is None or lasted(power.repeated_at, DISOBEYS_S, now))
    return power.confirmed_kw is not None and is_old and seen_kw > power.confirmed_kw * DISOBEYS_SHARE


def _floor_kw(pile: Pile) -> float:
    assert pile.limits is not None
    assert pile.status is not None
    assert pile.status.power_control is not None
    return floor_kw(pile.status.power_control, pile.limits.rated_kw)


def _cap_pile(known: Known, station: Station, pile: Pile, input_kw: float, now: datetime) -> None:
    """Every session of the pile gets a share: its allowance is their sum, and one without a cap would be free."""
    assert pile.limits is not None
    held = [(gun.session, gun.config.rated_kw) for gun in pile.configured if gun.session and gun.config]
    most_kw = [_kw(session.caps, rated_kw) for session, rated_kw in held]
    shares = shared_out(input_kw * pile.limits.efficiency, most_kw)
    changed = False
    for (session, _), now_kw, share_kw in zip(held, most_kw, shares, strict=True):
        if share_kw < now_kw - ROUNDING:
            changed |= set_cap(session, CapSource.OVERLOAD, share_kw)
    if changed:
        plan(known, station, pile, now)
        publish_pile(known, station, pile, now)


def _kw(caps: dict[CapSource, float], rated_kw: float) -> float:
    binding = lowest(caps.items(), rated_kw)
    return rated_kw if binding is None else binding[1]


def _stop_newest(known: Known, station: Station, transformer: Transformer, now: datetime) -> None:
    newest: tuple[datetime, Place, Session] | None = None
    for place, session in _sessions(station, transformer):
        is_charging = place.gun.level is not None and place.gun.level.state is GunState.CHARGING
        if session.stop is not None or not is_charging or place.pile.link is None:
            continue
        if newest is None or session.admitted_at > newest[0]:
            newest = (session.admitted_at, place, session)
    if newest is not None:
        stop_for(known, newest[1], newest[2], Reason.OVERLOAD_STOPPED, now)


def _lift_oldest(known: Known, station: Station, transformer: Transformer, load: Load, now: datetime) -> None:
    config, excess = transformer.config, transformer.excess
    assert config is not None
    if excess.lifted_at is not None and not lasted(excess.lifted_at, config.release_apart_s, now):
        return
    held = [
        (session.admitted_at, place.pile.number, place.gun.number, place)
        for place, session in _sessions(station, transformer)
        if CapSource.OVERLOAD in session.caps and place.pile.link is not None and not place.pile.power.sent
    ]
    if not held or load.planned_pct is None:
        return
    place = min(held, key=lambda one: one[:3])[3]
    if lift(known, place, CapSource.OVERLOAD, None, now) or _lift_partly(known, place, transformer, load, now):
        excess.lifted_at = now


def _lift_partly(known: Known, place: Place, transformer: Transformer, load: Load, now: datetime) -> bool:
    """What room there is, where it is worth a change."""
    config, gun, limits = transformer.config, place.gun, place.pile.limits
    assert config is not None
    if gun.session is None or gun.config is None or limits is None or load.planned_pct is None:
        return False
    room_kva = (config.blocked_pct - load.planned_pct) / 100 * config.rated_kva
    more_kw = room_kva * config.power_factor * limits.efficiency
    if more_kw < LEAST_LIFT_SHARE * gun.config.rated_kw:
        return False
    cap_kw = int((gun.session.caps[CapSource.OVERLOAD] + more_kw) * STEPS_A_KW) / STEPS_A_KW
    return lift(known, place, CapSource.OVERLOAD, cap_kw, now)


def _sessions(station: Station, transformer: Transformer) -> list[tuple[Place, Session]]:
    return [
        (Place(station, pile, gun), gun.session)
        for pile in station.piles_of(transformer.code)
        for gun in pile.configured
        if gun.session is not None
    ]
