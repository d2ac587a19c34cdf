"""Load sharing (F130), where a transformer has it: running sessions divide the target max-min fair, feeders included.

An option behind the rule of the bands, which still decides what may start. Every 15 s each session's share is
reckoned anew: who has to give way does so at once, who may have more gets it weighed like a start and at most once a
minute (promise S5). Nobody is held below the protocol's floor; what nobody can set counts as it draws.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from evcs.contracts.config import TransformerConfig
from rules.bands import lasted
from rules.caps import can_cap, floor_kw
from rules.fair import Demand, Limit, Share, shares
from rules.known import Known, Place
from rules.levels import publish_pile
from rules.load import Drawing, drawing_of, load_of, pile_load
from rules.power import lift, plan
from rules.session_caps import CapSource, set_cap
from rules.station import Gun, Pile, Session, Station, Transformer

SHARE_EVERY_S = 15.0
"""One reporting period of a charging pile."""
LIFT_APART_S = 60.0
"""A session's share rises at most so often."""
STEP_SHARE = 0.02
"""A rise below this share of the gun's rating is not worth a command. Whoever has to give way gives all of it: many
small excesses would add up to more than the target."""
ROUNDING_KW = 1e-3
AT_CAP_SHARE = 0.95
"""Who draws so much of what he may would take more."""
SPARE_SHARE = 0.1
"""What a session that has shown less may come to draw beyond it until it is looked at again."""

SOURCES = (CapSource.SHARING, CapSource.FEEDER)


@dataclass(frozen=True, slots=True)
class _Sharer:
    """A session whose power can be set."""

    place: Place
    session: Session
    rated_kw: float
    demand: Demand


def share_load(known: Known, station: Station, transformer: Transformer, now: datetime) -> None:
    """Bring each session's cap to its share; where sharing is off, let the caps of sharing go."""
    config = transformer.config
    assert config is not None
    if not known.is_sure:
        return
    if not config.is_shared:
        for pile in station.piles_of(transformer.code):
            _let_go(known, station, pile, now)
        return
    if transformer.shared_at is not None and not lasted(transformer.shared_at, SHARE_EVERY_S, now):
        return
    budget_kw = _budget_kw(station, transformer, now)
    if budget_kw is None:
        return  # nothing is known: what is capped stays so
    transformer.shared_at = now
    sharers, demands = _demands(station, transformer, now)
    found = shares(_limits(station, transformer, config, budget_kw), demands)
    # A pile's power is set as a whole: beside a neighbour without a cap, a cap would hold nobody.
    bound: dict[str, CapSource | None] = {}
    for sharer in sharers:
        source = _source(found[sharer.demand.key], transformer.code)
        bound[sharer.demand.below] = bound.get(sharer.demand.below) or source
    lowered: dict[str, Pile] = {}
    for sharer in sorted(sharers, key=lambda one: one.session.admitted_at):
        if _heed(known, sharer, found[sharer.demand.key].kw, bound[sharer.demand.below], now):
            lowered[sharer.place.pile.number] = sharer.place.pile
    for pile in lowered.values():
        plan(known, station, pile, now)
        publish_pile(known, station, pile, now)


def _budget_kw(station: Station, transformer: Transformer, now: datetime) -> float | None:
    """What the sessions may draw together, input kW: the target without what else the transformer carries.

    None while the meter gives no figure. What else it carries is what the meter says beyond the sessions' least draw
    around its reading, so that a ramp since then does not count as load of the building.
    """
    config = transformer.config
    assert config is not None
    load = load_of(station, transformer, now)
    if load.load_kva is None:
        return None
    other_kw = config.base_load_kw
    if load.meter_kva is not None:
        guns_kw = sum(
            pile_load(pile, config, transformer.reading_at, now).at_meter_kw / pile.limits.efficiency
            for pile in station.piles_of(transformer.code)
            if pile.limits is not None
        )
        other_kw = max(0.0, load.meter_kva * config.power_factor - guns_kw)
    return max(0.0, config.share_target_pct / 100 * config.rated_kva * config.power_factor - other_kw)


def _limits(station: Station, transformer: Transformer, config: TransformerConfig, budget_kw: float) -> Iterator[Limit]:
    root, known = transformer.code, {feeder.feeder for feeder in config.feeders}
    yield Limit(root, budget_kw)
    for feeder in config.feeders:
        parent = feeder.parent if feeder.parent in known else None
        yield Limit(_feeder(feeder.feeder), feeder.limit_kw, root if parent is None else _feeder(parent))
    for pile in station.piles_of(transformer.code):
        assert pile.limits is not None
        at = pile.limits.feeder
        yield Limit(
            _pile(pile), pile.limits.rated_kw / pile.limits.efficiency, _feeder(at) if at in known and at else root
        )


def _feeder(code: str) -> str:
    return f"feeder {code}"


def _pile(pile: Pile) -> str:
    return f"pile {pile.number}"


def _demands(station: Station, transformer: Transformer, now: datetime) -> tuple[list[_Sharer], list[Demand]]:
    config = transformer.config
    assert config is not None
    sharers: list[_Sharer] = []
    demands: list[Demand] = []
    for pile in station.piles_of(transformer.code):
        assert pile.limits is not None
        drawing_guns = [gun for gun in pile.configured if gun.session is not None or gun.is_running()]
        control = pile.status.power_control if pile.status is not None else None
        settable = pile.link is not None and control is not None and can_cap(control)
        for gun in drawing_guns:
            assert gun.config is not None
            drawing = drawing_of(pile, gun, config, None, now)
            key = f"{pile.number}-{gun.number}"
            if gun.session is None or not settable or control is None:
                takes_kw = drawing.planned_kw(pile.power.largest_kw(pile.limits.rated_kw), rises=False)
                demands.append(Demand(key, _pile(pile), takes_kw, takes_kw, pile.limits.efficiency))
                continue
            floor = floor_kw(control, pile.limits.rated_kw) / len(drawing_guns)
            wants_kw = _wants_kw(gun, gun.session, drawing, gun.config.rated_kw)
            demand = Demand(key, _pile(pile), wants_kw, min(floor, wants_kw), pile.limits.efficiency)
            demands.append(demand)
            sharers.append(_Sharer(Place(station, pile, gun), gun.session, gun.config.rated_kw, demand))
    return sharers, demands


def _wants_kw(gun: Gun, session: Session, drawing: Drawing, rated_kw: float) -> float:
    """What a session could use: all that it may while it has not shown less, else a little more than it draws."""
    may_kw = min([drawing.limit_kw, *(kw for source, kw in session.caps.items() if source not in SOURCES)])
    shared_kw = min((session.caps[source] for source in SOURCES if source in session.caps), default=None)
    if drawing.is_blind or (shared_kw is not None and drawing.draw_kw >= AT_CAP_SHARE * shared_kw):
        return may_kw
    planned_kw = drawing.planned_kw(may_kw, rises=False)
    return min(may_kw, planned_kw + SPARE_SHARE * rated_kw)


def _source(share: Share, root: str) -> CapSource | None:
    """Who holds a session back; None: nobody, or its pile, which does that by itself."""
    if share.bound_by == root:
        return CapSource.SHARING
    return CapSource.FEEDER if share.bound_by.startswith(_feeder("")) else None


def _heed(known: Known, sharer: _Sharer, share_kw: float, source: CapSource | None, now: datetime) -> bool:
    """Bring a session's cap to its share; returns whether its pile has to be lowered."""
    session, place = sharer.session, sharer.place
    wanted_kw = None if source is None else round(share_kw, 3)
    had = next(((one, session.caps[one]) for one in SOURCES if one in session.caps), None)
    step_kw = STEP_SHARE * sharer.rated_kw
    if wanted_kw is None and had is None:
        return False
    if had is not None and wanted_kw is not None and had[1] - ROUNDING_KW <= wanted_kw < had[1] + step_kw:
        return False
    if wanted_kw is not None and source is not None and (had is None or wanted_kw < had[1]):
        if had is not None and had[0] is not source:
            set_cap(session, had[0], None)
        set_cap(session, source, wanted_kw)
        session.shared_at = now
        return True
    assert had is not None
    may_rise = session.shared_at is None or lasted(session.shared_at, LIFT_APART_S, now)
    if may_rise and lift(known, place, had[0], wanted_kw, now):
        session.shared_at = now
    return False


def _let_go(known: Known, station: Station, pile: Pile, now: datetime) -> None:
    for gun in pile.configured:
        for source in SOURCES:
            if gun.session is not None and source in gun.session.caps:
                lift(known, Place(station, pile, gun), source, None, now)
