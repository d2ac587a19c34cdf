"""A pile's allowance on its way: planned after every change, lowered at once, lifted only where that was weighed."""

from datetime import datetime, timedelta

from evcs.contracts.pile import Outcome, PileReply, PowerAllowance
from evcs.contracts.reasons import Reason
from evcs.contracts.states import Band, CapState
from evcs.contracts.times import to_ms
from evcs.contracts.topics import PILE_POWER
from evcs.contracts.waits import START_WRITTEN_S
from rules import feeders
from rules.admission import wants_of
from rules.bands import lasted, over
from rules.caps import POWER_AGAIN_S, ROUNDING, Sent, Want, can_cap, planned_kw
from rules.known import Known, Place
from rules.levels import publish_pile
from rules.load import Change, load_of
from rules.messages import Publish
from rules.session_caps import CapSource, lowest, set_cap
from rules.station import Gun, Link, Pile, Station, Transformer

_WHY = {Outcome.TIMED_OUT: Reason.TIMED_OUT, Outcome.EXPIRED: Reason.EXPIRED}
"""Of an answer that names no reason."""


def plan(known: Known, station: Station, pile: Pile, now: datetime) -> None:
    """Bring the pile down to what its guns stand for (end, failed start, new login), or make sure of it.

    What goes up goes up by a start or a release only, since both are weighed. Lowering needs no weighing.
    """
    power, link = pile.power, pile.link
    control = pile.status.power_control if pile.status is not None else None
    if not known.is_sure or link is None or pile.limits is None or control is None or not can_cap(control):
        return
    wants = wants_of(pile)
    if not wants or power.start_under_way:
        return
    rated_kw = pile.limits.rated_kw
    largest_kw, last_kw = power.largest_kw(rated_kw), power.last_sent_kw
    target_kw = planned_kw(control, rated_kw, wants)
    if last_kw is not None:
        # Making sure of a pile is no occasion to lift it: a charge that nobody admitted may be running there.
        target_kw = min(target_kw, last_kw)
    is_rise = bool(power.sent) and target_kw > power.base_kw(rated_kw) + ROUNDING
    if is_rise and not _has_room(station, pile, target_kw, now):
        return  # the room for which it was weighed has gone meanwhile; not asked again before there is some
    waited_for = power.in_flight(now)
    if waited_for is not None and power.refused_at is None and target_kw >= waited_for.allowance_kw - ROUNDING:
        if power.repeat_due(now):
            power.repeated_at = now
            _publish_power(known, station, pile, link, waited_for)
        return
    if power.refused_at is not None and not lasted(power.refused_at, POWER_AGAIN_S, now):
        return
    is_capped = any(want.cap_kw is not None for want in wants)
    if (target_kw < largest_kw - ROUNDING and is_capped) or (power.sent and target_kw <= largest_kw + ROUNDING):
        power.refused_at = None
        _send_power(known, station, pile, link, target_kw, now)
    elif not power.sent:
        _caps_stand(pile)


def _send_power(known: Known, station: Station, pile: Pile, link: Link, allowance_kw: float, now: datetime) -> None:
    pile.power_tries += 1
    sent = Sent(f"power-{pile.number}-{to_ms(now)}-{pile.power_tries}", allowance_kw, now)
    pile.power.send(sent)
    for gun in pile.configured:
        if gun.session is not None and gun.cap_kw() is not None:
            gun.session.cap_state = CapState.SENT
    publish_pile(known, station, pile, now, first=True)
    _publish_power(known, station, pile, link, sent)


def _publish_power(known: Known, station: Station, pile: Pile, link: Link, sent: Sent) -> None:
    allowance = PowerAllowance(
        id=sent.id,
        bridge=link.bridge,
        link=link.link,
        allowance_kw=sent.allowance_kw,
        expires_at=sent.at + timedelta(seconds=START_WRITTEN_S),
    )
    known.out.append(Publish(PILE_POWER, PILE_POWER.at(station=station.code, pile=pile.number), allowance))


def release(known: Known, station: Station, transformer: Transformer, now: datetime) -> None:
    """Lift the oldest cap when the load has been low for long, one session at a time, weighed like a start.

    Where caps are held until the end of their session (domain A8), never.
    """
    config = transformer.config
    assert config is not None
    band = transformer.band
    if not config.releases_caps or not known.is_sure:
        return
    if band.shown is not Band.NORMAL or not band.may_release(config, now):
        return
    if transformer.released_at is not None and not lasted(transformer.released_at, config.release_apart_s, now):
        return
    capped = [
        (gun.session.admitted_at, pile.number, gun.number)
        for pile in station.piles_of(transformer.code)
        if pile.link is not None and not pile.power.sent
        for gun in pile.configured
        if gun.session is not None and CapSource.TRANSFORMER in gun.session.caps and gun.is_running(gun.session.serial)
    ]
    if not capped:
        return
    planned_pct = load_of(station, transformer, now).planned_pct
    if planned_pct is None or over(planned_pct, config.limited_pct):
        return
    _, pile_number, gun_number = min(capped)
    pile = station.pile(pile_number)
    if lift(known, Place(station, pile, pile.gun(gun_number)), CapSource.TRANSFORMER, None, now):
        transformer.released_at = now


def lift(known: Known, place: Place, source: CapSource, cap_kw: float | None, now: datetime) -> bool:
    """Give a session a higher cap, or none (None), of one source, weighed like a start; returns whether it was done.

    Not while the band refuses starts, while the pile is away, or while an allowance of it is still uncertain: then the
    old cap stands and whoever lifts it asks again. The pile is told where its allowance rises by it.
    """
    pile, gun, link = place.pile, place.gun, place.pile.link
    session, control = gun.session, pile.status.power_control if pile.status is not None else None
    if session is None or gun.config is None or pile.limits is None or link is None or not known.is_sure:
        return False
    if control is None or not can_cap(control):
        # No cap of ours ever reached this pile.
        changed = set_cap(session, source, cap_kw)
        publish_pile(known, place.station, pile, now)
        return changed
    if pile.power.sent:
        return False
    rated_kw = pile.limits.rated_kw
    others = [(other, kw) for other, kw in session.caps.items() if other is not source]
    left = lowest(others if cap_kw is None else [*others, (source, cap_kw)], gun.config.rated_kw)
    want = Want(gun.config.rated_kw, None if left is None else left[1])
    target_kw = planned_kw(control, rated_kw, [want, *wants_of(pile, gun.number)])
    rises = target_kw > pile.power.largest_kw(rated_kw) + ROUNDING
    if rises and not _has_room(place.station, pile, target_kw, now):
        return False
    set_cap(session, source, cap_kw)
    if gun.cap_kw() is None:
        session.cap_state = CapState.NONE
    if rises:
        rise(pile, target_kw, now)
        _send_power(known, place.station, pile, link, target_kw, now)
    else:
        publish_pile(known, place.station, pile, now)
    return True


def catch_up(known: Known, station: Station, pile: Pile, now: datetime) -> None:
    """Give a pile what its guns stand for where it stands lower, weighed like a start.

    So whoever clears a cap need not care how the pile comes up again. Not while somebody charges there whom nobody
    admitted.
    """
    link, control = pile.link, pile.status.power_control if pile.status is not None else None
    if not known.is_sure or link is None or pile.limits is None or control is None or not can_cap(control):
        return
    wants = wants_of(pile)
    if not wants or pile.power.sent or any(gun.session is None and gun.is_running() for gun in pile.configured):
        return
    target_kw = planned_kw(control, pile.limits.rated_kw, wants)
    is_below = target_kw > pile.power.base_kw(pile.limits.rated_kw) + ROUNDING
    if is_below and _has_room(station, pile, target_kw, now):
        rise(pile, target_kw, now)
        _send_power(known, station, pile, link, target_kw, now)


def _has_room(station: Station, pile: Pile, allowance_kw: float, now: datetime) -> bool:
    """Whether a higher allowance of a pile keeps the plan within the blocked threshold, in a band that admits."""
    assert pile.limits is not None
    transformer = station.transformer(pile.limits.transformer)
    if transformer.config is None or transformer.band.shown in (Band.BLOCKED, Band.UNKNOWN):
        return False
    planned_pct = load_of(station, transformer, now, Change(pile.number, allowance_kw)).planned_pct
    if planned_pct is None or over(planned_pct, transformer.config.blocked_pct):
        return False
    return feeders.full(station, transformer, pile, allowance_kw, None, now) is None


def on_pile_reply(known: Known, station: Station, pile: Pile, reply: PileReply, now: datetime) -> None:
    power = pile.power
    if reply.outcome is Outcome.ACCEPTED:
        if power.confirm(reply.id, reply.allowance_kw):
            mark_caps(pile, CapState.CONFIRMED)
    elif power.refuse(reply.id, reply.reason or _WHY.get(reply.outcome, Reason.PILE_REFUSED), now):
        mark_caps(pile, CapState.FAILED)
    if known.has_picture:
        publish_pile(known, station, pile, now)
        plan(known, station, pile, now)


def _caps_stand(pile: Pile) -> None:
    """A cap that asks for no less than the pile has confirmed is in force without another command."""
    for gun in pile.configured:
        session = gun.session
        if session is not None and session.cap_state is CapState.NONE and gun.cap_kw() is not None:
            session.cap_state = CapState.CONFIRMED


def mark_caps(pile: Pile, state: CapState) -> None:
    for gun in pile.guns.values():
        if gun.session is not None:
            gun.session.cap_state = CapState.NONE if gun.cap_kw() is None else state


def neighbours_gain(pile: Pile, gone: Gun, now: datetime) -> None:
    """Where guns shared what their pile could give, those that stay may now draw more than they have shown."""
    if pile.limits is None or gone.config is None:
        return
    staying = [gun for gun in pile.configured if gun.session is not None]
    could_kw = gone.config.rated_kw + sum(gun.config.rated_kw for gun in staying if gun.config is not None)
    if could_kw > pile.power.largest_kw(pile.limits.rated_kw) + ROUNDING:
        _may_draw_more(staying, now)


def rise(pile: Pile, allowance_kw: float, now: datetime) -> None:
    assert pile.limits is not None
    if allowance_kw > pile.power.largest_kw(pile.limits.rated_kw) + ROUNDING:
        _may_draw_more(pile.configured, now)


def _may_draw_more(guns: list[Gun], now: datetime) -> None:
    for gun in guns:
        if gun.session is not None and gun.session.may_draw_since is not None:
            gun.session.may_draw_since = now
            gun.session.was_shown = False
            gun.session.peak_kw, gun.session.has_risen = 0.0, True
            gun.session.high_soc_since = None
