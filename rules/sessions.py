"""An admitted charge from its admission to its end: its level, what a restart leaves of it, when it is over."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from evcs.contracts.config import TransformerConfig
from evcs.contracts.gun import GunLevel, Resume, Start, StartRequest
from evcs.contracts.reasons import Reason
from evcs.contracts.session import Held, SessionLevel
from evcs.contracts.states import RUNNING, CapState, GunState
from evcs.contracts.waits import LOST_LINK_S, START_WRITTEN_S, UNSTARTED_SESSION_S
from rules.admission import Admission
from rules.bands import lasted
from rules.caps import can_cap, floor_kw
from rules.load import reserved_kw
from rules.session_caps import PILE_FLOOR, CapSource, restored_caps, set_cap, told
from rules.station import Gun, Link, Pile, Reading, Session

RESERVED_STEP = 0.2
"""A changed reservation is published when it moved by this part of the gun's rating, or came to or from nothing."""
LONGEST_ID = 64


def derived_id(kind: str, source: str) -> str:
    """An id that is the same for every repetition of its source."""
    plain = f"{kind}-{source}"
    return plain if len(plain) <= LONGEST_ID else f"{kind}-{hashlib.sha256(source.encode()).hexdigest()[:40]}"


def admit(request: StartRequest, admission: Admission, now: datetime) -> Session:
    """The session of an admitted start."""
    session = Session(
        serial=request.serial,
        goal=request.goal,
        covered_kwh=request.covered_kwh,
        price_e5=request.price_e5,
        admitted_at=now,
        known_since=now,
        request_id=request.id,
        start_id=derived_id("start", request.id),
        cap_state=CapState.NONE if admission.cap_kw is None else CapState.SENT,
    )
    for source, cap_kw in admission.caps:
        set_cap(session, source, cap_kw)
    return session


def start_message(request: StartRequest, session: Session, link: Link, allowance_kw: float | None) -> Start:
    """The admitted start; written within 20 s of the admission or never, for a card as soon as its request expires."""
    expires_at = session.admitted_at + timedelta(seconds=START_WRITTEN_S)
    if request.card_request is not None:
        expires_at = min(expires_at, request.expires_at)
    return Start(
        id=session.start_id,
        bridge=link.bridge,
        link=link.link,
        serial=session.serial,
        balance_fen=request.balance_fen,
        allowance_kw=allowance_kw,
        tariff_version=request.tariff_version,
        card=request.card,
        printed_card=request.printed_card,
        card_request=request.card_request,
        joint=request.joint,
        expires_at=expires_at,
    )


def resumed(message: Resume, now: datetime) -> Session:
    """An open order that the worker knows and no level shows (the broker lost it); its cap is taken for the rule's."""
    session = Session(
        serial=message.serial,
        goal=message.goal,
        covered_kwh=message.covered_kwh,
        price_e5=message.price_e5,
        admitted_at=message.charging_since or now,
        known_since=now,
        cap_state=CapState.NONE if message.cap_kw is None else CapState.SENT,
        charging_since=message.charging_since,
        may_draw_since=now,
    )
    set_cap(session, CapSource.TRANSFORMER, message.cap_kw)
    return session


def restored(held: Held, gun: Gun, now: datetime) -> Session:
    """A session from its retained level. What its car has drawn before is not known any more.

    One that had shown itself is not reserved in full again, but may have begun to pause unseen: for 15 min its
    highest draw is taken to be all that it may draw.
    """
    was_shown = held.reserved_kw == 0 and held.cap_state in (CapState.NONE, CapState.CONFIRMED, CapState.APPLIED)
    session = Session(
        serial=held.serial,
        goal=held.goal,
        covered_kwh=held.covered_kwh,
        price_e5=held.price_e5,
        admitted_at=held.admitted_at,
        known_since=now,
        request_id=held.request_id,
        start_id=held.start_id,
        caps=restored_caps(held),
        cap_state=held.cap_state,
        may_draw_since=now,
        was_shown=was_shown,
    )
    if was_shown:
        rated_kw = gun.config.rated_kw if gun.config is not None else float("inf")
        session.assumed_high = Reading(now, rated_kw)
    return session


def take_allowance(pile: Pile, level: SessionLevel) -> None:
    """The allowance of a pile as the newest of its guns' levels tells it, and how long its stops have taken."""
    pile.latency.remember(level.stop_latency_s)
    if level.version < pile.power_version:
        return
    pile.power_version = level.version
    pile.power.restore(level.allowance_sent_kw, level.allowance_confirmed_kw)


def bound_by(pile: Pile, gun: Gun) -> str:
    """Who binds the cap of a session; the pile's floor where all caps of the pile together ask for less than that."""
    binding = gun.binding_cap()
    if binding is None or pile.limits is None:
        return ""
    source, _ = binding
    control = pile.status.power_control if pile.status is not None else None
    if source is CapSource.HAND or control is None:
        return source
    asked_kw = sum(
        one.config.rated_kw if (cap_kw := one.cap_kw()) is None else cap_kw
        for one in pile.configured
        if one.session is not None and one.config is not None
    )
    return PILE_FLOOR if asked_kw < floor_kw(control, pile.limits.rated_kw) else source


def held_of(pile: Pile, gun: Gun, config: TransformerConfig | None, now: datetime) -> Held | None:
    """What the level says about the gun's session."""
    session = gun.session
    if session is None:
        return None
    return Held(
        serial=session.serial,
        goal=session.goal,
        covered_kwh=session.covered_kwh,
        price_e5=session.price_e5,
        reserved_kw=0.0 if config is None else round(reserved_kw(pile, gun, config, now), 3),
        cap_kw=gun.cap_kw(),
        bound_by=bound_by(pile, gun),
        caps=told(session.caps),
        cap_state=session.cap_state,
        admitted_at=session.admitted_at,
        start_id=session.start_id,
        request_id=session.request_id,
    )


def level_of(pile: Pile, gun: Gun, config: TransformerConfig | None, now: datetime, now_ms: int) -> SessionLevel | None:
    """The level as it should stand, with a version above every one seen; None where what stands says the same."""
    level = SessionLevel(
        version=max(now_ms, gun.version + 1),
        pile=pile.number,
        gun=gun.number,
        held=held_of(pile, gun, config, now),
        allowance_sent_kw=pile.power.last_sent_kw,
        allowance_confirmed_kw=pile.power.told_confirmed_kw,
        stop_latency_s=pile.latency.known_s,
        allowance_refused=_refused(pile, gun),
        hand_limit_kw=_hand_limit_kw(gun),
    )
    rated_kw = gun.config.rated_kw if gun.config is not None else 0.0
    return None if gun.published is not None and _says_the_same(gun.published, level, rated_kw) else level


def _says_the_same(old: SessionLevel, new: SessionLevel, rated_kw: float) -> bool:
    if old.held is not None and new.held is not None:
        was_kw, is_kw = old.held.reserved_kw, new.held.reserved_kw
        if (was_kw == 0) != (is_kw == 0) or abs(was_kw - is_kw) > RESERVED_STEP * rated_kw:
            return False
        if _facts(old.held) != _facts(new.held):
            return False
    elif old.held != new.held:
        return False
    return _of_the_pile(old) == _of_the_pile(new)


def _of_the_pile(level: SessionLevel) -> tuple[object, ...]:
    return (
        level.allowance_sent_kw,
        level.allowance_confirmed_kw,
        level.allowance_refused,
        level.hand_limit_kw,
        level.stop_latency_s,
    )


def _refused(pile: Pile, gun: Gun) -> Reason | None:
    """Why a cap of the gun's session does not reach its pile."""
    control = pile.status.power_control if pile.status is not None else None
    if gun.cap_kw() is not None and pile.status is not None and not can_cap(control):
        return Reason.NOT_SUPPORTED
    return pile.power.refused


def _hand_limit_kw(gun: Gun) -> float | None:
    """What is heeded: of a running session not yet a higher limit for which there is no room."""
    if gun.session is not None:
        return gun.session.caps.get(CapSource.HAND)
    return gun.config.hand_limit_kw if gun.config is not None else None


def _facts(held: Held) -> tuple[object, ...]:
    return (
        held.serial,
        held.covered_kwh,
        held.cap_kw,
        held.bound_by,
        held.caps,
        held.cap_state,
        held.start_id,
        held.request_id,
    )


@dataclass(frozen=True, slots=True)
class Over:
    """A session has ended, and when."""

    at: datetime


def is_over(session: Session, level: GunLevel, now: datetime) -> Over | None:
    """Whether the gun's level shows the end of its session; a lost link is not an end for a day."""
    if level.state is GunState.OFFLINE:
        return Over(now) if session.seen_running and lasted(level.since, LOST_LINK_S, now) else None
    if level.state in RUNNING:
        return Over(level.since) if session.seen_running and level.serial != session.serial else None
    has_ended = session.seen_running or (level.state is GunState.FINISHED and level.serial == session.serial)
    return Over(level.since) if has_ended else None


def never_began(session: Session, gun: Gun, now: datetime) -> bool:
    """Whether the time for an admitted start to become a charge is over.

    Where no level of the gun is known (the broker lost it), its bridge is given the same time to publish it again.
    """
    since = session.known_since if gun.level is None else session.admitted_at
    return lasted(since, UNSTARTED_SESSION_S, now) and not gun.is_running(session.serial)
