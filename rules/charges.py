"""A running charge as its levels, readings and answers show it: begun, followed to its goal, stopped, over."""

from datetime import datetime, timedelta

import msgspec

from evcs.contracts.gun import GunEvent, GunEventKind, GunLevel, GunReply, Stop, Telemetry, Verdict, VerdictKind
from evcs.contracts.pile import Outcome
from evcs.contracts.reasons import Reason, sentence
from evcs.contracts.states import RUNNING, CapState, GunState
from evcs.contracts.times import to_ms
from evcs.contracts.topics import START, STOP
from evcs.contracts.waits import REPEAT_S, STOP_ANSWER_S
from rules.bands import lasted
from rules.caps import floor_kw
from rules.goals import HOLD_LOW_AGAIN_S, hold_is_low, reached
from rules.known import Known, Place
from rules.latency import stop_lead_s
from rules.levels import publish_gun, publish_pile, say
from rules.load import HIGH_SOC_PCT, TELEMETRY_FRESH, is_possible
from rules.messages import Publish
from rules.power import mark_caps, neighbours_gain, plan
from rules.sessions import is_over, never_began
from rules.station import PendingStop, Pile, Reading, Session

APPLIED_TOLERANCE = 1.02


def on_level(known: Known, place: Place, level: GunLevel, now: datetime) -> None:
    """A gun's level; an older one (a broker rolled back, two bridges) changes nothing."""
    before = place.gun.level
    if before is not None and (level.login_ms, level.version) <= (before.login_ms, before.version):
        return
    place.gun.level = level
    place.gun.rests(now)
    if known.has_picture:
        follow_level(known, place, now)


def follow_level(known: Known, place: Place, now: datetime) -> None:
    """What the gun's level says about its session: begun, charging, over."""
    session, level = place.gun.session, place.gun.level
    if session is None or level is None:
        return
    over_now = is_over(session, level, now)
    if over_now is not None:
        if session.stop is not None and not session.stop.learnt:
            place.pile.latency.learn((over_now.at - session.stop.first_at).total_seconds())
        end(known, place, now)
        return
    if not place.gun.is_running(session.serial):
        return
    session.seen_running = True
    session.start = None
    if level.state in RUNNING and place.pile.power.confirm(session.start_id, None):
        # The bridge writes 0x34 only after 0x51: a gun that starts shows that the pile took the allowance.
        mark_caps(place.pile, CapState.CONFIRMED)
    if level.state is GunState.CHARGING and session.charging_since is None:
        session.charging_since = min(level.since, now)
        session.may_draw_since = session.may_draw_since or session.charging_since
    plan(known, place.station, place.pile, now)


def on_telemetry(known: Known, place: Place, telemetry: Telemetry, now: datetime) -> None:
    """A reading: what the gun draws, whether its session has shown itself, how far it is to its goal."""
    gun = place.gun
    at = min(telemetry.received_at, now)
    if telemetry.power_kw is not None and is_possible(telemetry.power_kw, gun):
        if gun.readings and at < gun.readings[-1].at:
            return
        gun.drew(Reading(at, telemetry.power_kw))
        place.pile.note_squeeze(at, TELEMETRY_FRESH)
    session = gun.session
    if session is None or telemetry.serial != session.serial:
        return
    _learn_stop(place.pile, session, telemetry, at)
    if telemetry.state is not GunState.CHARGING:
        return
    session.charging_since = session.charging_since or at
    session.may_draw_since = session.may_draw_since or at
    if telemetry.max_power_kw:
        gun.max_power_kw = telemetry.max_power_kw
    if telemetry.soc_pct is not None:
        is_high = telemetry.soc_pct >= HIGH_SOC_PCT
        session.high_soc_since = (session.high_soc_since or at) if is_high else None
    power_kw = gun.readings[-1].kw if gun.readings else 0.0
    # By two readings: on a ramp 90 % are passed before 100 % are reached.
    before_kw = gun.readings[-2].kw if len(gun.readings) > 1 else 0.0
    session.peak_kw = max(session.peak_kw, min(power_kw, before_kw))
    if telemetry.energy_kwh is not None:
        session.watch.follow(at, telemetry.energy_kwh, power_kw, session.price_e5, session.charging_since)
    if session.cap_state is CapState.CONFIRMED and _is_applied(place, power_kw):
        session.cap_state = CapState.APPLIED
    if known.has_picture:
        _watch_goal(known, place, session, now)
        publish_gun(known, place, now)


def _is_applied(place: Place, power_kw: float) -> bool:
    """Whether the gun itself draws no more than its cap, or than the protocol's floor: its pile may allow it more.

    A pile that is capped as a whole lets one gun draw what its neighbour leaves (YKC 0x52).
    """
    pile, cap_kw = place.pile, place.gun.cap_kw()
    confirmed_kw, control = pile.power.confirmed_kw, pile.status.power_control if pile.status is not None else None
    if confirmed_kw is None or cap_kw is None or control is None or pile.limits is None:
        return False
    least_kw = max(cap_kw, floor_kw(control, pile.limits.rated_kw))
    return 0 < power_kw <= min(confirmed_kw, least_kw) * APPLIED_TOLERANCE


def _learn_stop(pile: Pile, session: Session, telemetry: Telemetry, at: datetime) -> None:
    stop = session.stop
    if stop is None or stop.learnt or stop.sent_at is None or at <= stop.first_at:
        return
    if telemetry.current_a == 0 or telemetry.power_kw == 0:
        stop.learnt = True
        pile.latency.learn((at - stop.first_at).total_seconds())


def on_gun_reply(known: Known, place: Place, reply: GunReply, now: datetime) -> None:
    """What became of a start: a refused or timed-out one ends its session and frees what it reserved."""
    if reply.command != "start":
        return
    session, power = place.gun.session, place.pile.power
    is_accepted = reply.outcome is Outcome.ACCEPTED
    if (is_accepted or reply.allowance_kw is not None) and power.confirm(reply.id, reply.allowance_kw):
        mark_caps(place.pile, CapState.CONFIRMED)
    if session is None or session.serial != reply.serial:
        publish_pile(known, place.station, place.pile, now)
        return
    session.start = None
    if is_accepted or place.gun.is_running(session.serial):
        # The serial in the pile's readings outranks a lost or contradicting answer.
        publish_pile(known, place.station, place.pile, now)
        return
    end(known, place, now)


def on_gun_event(known: Known, place: Place, event: GunEvent, now: datetime) -> None:
    """A failed start, also where its reply was lost."""
    session = place.gun.session
    if event.kind is not GunEventKind.START_FAILED or session is None or event.serial != session.serial:
        return
    if not place.gun.is_running(session.serial):
        end(known, place, now)


def end(known: Known, place: Place, now: datetime) -> None:
    """Let a session and its reservation go, and plan its pile anew."""
    pile, session = place.pile, place.gun.session
    assert session is not None
    place.gun.session = None
    pile.power.release_serial(session.serial)
    neighbours_gain(pile, place.gun, now)
    publish_gun(known, place, now)
    plan(known, place.station, pile, now)


def tick_gun(known: Known, place: Place, now: datetime) -> None:
    """What time alone brings: a start that never began, a repetition, a goal."""
    session, gun = place.gun.session, place.gun
    if session is None:
        return
    if never_began(session, gun, now) or (gun.level is not None and is_over(session, gun.level, now) is not None):
        end(known, place, now)
        return
    if session.start is not None:
        if now >= session.start.message.expires_at:
            session.start = None
        elif lasted(session.start.sent_at, REPEAT_S, now):
            repeat_start(known, place, session, now)
    _watch_goal(known, place, session, now)
    publish_gun(known, place, now)


def repeat_start(known: Known, place: Place, session: Session, now: datetime) -> None:
    """The same id to the newest link."""
    pending, link = session.start, place.pile.link
    if pending is None or link is None or now >= pending.message.expires_at:
        return
    pending.message = msgspec.structs.replace(pending.message, bridge=link.bridge, link=link.link)
    publish_start(known, place, session, now)


def publish_start(known: Known, place: Place, session: Session, now: datetime) -> None:
    assert session.start is not None
    session.start.sent_at = now
    known.out.append(Publish(START, place.at(START), session.start.message))


def _watch_goal(known: Known, place: Place, session: Session, now: datetime) -> None:
    level = place.gun.level
    if level is None or level.state is not GunState.CHARGING or level.serial != session.serial:
        return
    if session.stop is None:
        why = reached(
            session.goal,
            session.covered_kwh,
            session.price_e5,
            session.watch,
            session.charging_since,
            stop_lead_s(place.station, place.pile),
            now,
        )
        if why is not None:
            stop_for(known, place, session, why, now)
        elif hold_is_low(session.goal, session.covered_kwh, session.watch, now):
            _tell_hold_low(known, place, session, now)
    _send_stop(known, place, session, now)


def stop_for(known: Known, place: Place, session: Session, why: Reason, now: datetime) -> None:
    """Stop a running charge, repeated until its end is seen, and say why; a second reason changes nothing."""
    if session.stop is None:
        session.stop = PendingStop(why, now)
        _tell_stop(known, place, session, why, now)
        _send_stop(known, place, session, now)


def _send_stop(known: Known, place: Place, session: Session, now: datetime) -> None:
    stop, link = session.stop, place.pile.link
    if stop is None or link is None:
        return
    if stop.sent_at is None or lasted(stop.sent_at, STOP_ANSWER_S, now):
        stop.sent_at = now
        message = Stop(
            id=f"{session.serial}-stop-{to_ms(now)}",
            bridge=link.bridge,
            link=link.link,
            serial=session.serial,
            why=stop.why,
            expires_at=now + timedelta(seconds=STOP_ANSWER_S),
        )
        known.out.append(Publish(STOP, place.at(STOP), message))


def _tell_stop(known: Known, place: Place, session: Session, why: Reason, now: datetime) -> None:
    text = sentence(why)
    verdict = Verdict(
        id=f"{session.serial}-{why.value}",
        serial=session.serial,
        kind=VerdictKind.GOAL_REACHED,
        reason=why,
        covered_kwh=session.covered_kwh,
        goal=session.goal.kind,
        zh=text.zh,
        en=text.en,
        decided_at=now,
    )
    say(known, place, verdict)


def _tell_hold_low(known: Known, place: Place, session: Session, now: datetime) -> None:
    if session.hold_low_at is not None and not lasted(session.hold_low_at, HOLD_LOW_AGAIN_S, now):
        return
    session.hold_low_at = now
    verdict = Verdict(
        id=f"{session.serial}-hold-{to_ms(now)}",
        serial=session.serial,
        kind=VerdictKind.HOLD_LOW,
        covered_kwh=session.covered_kwh,
        goal=session.goal.kind,
        decided_at=now,
    )
    say(known, place, verdict)
