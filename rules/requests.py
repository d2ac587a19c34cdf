"""What the gate decides about a start and does about it; what becomes of a hold and of an order that was open.

A reservation stands at the broker before its start goes out.
"""

from datetime import datetime, timedelta

from evcs.contracts.gun import LongerHold, Resume, StartRequest, Verdict, VerdictKind
from evcs.contracts.reasons import Reason
from evcs.contracts.waits import START_WRITTEN_S
from rules.admission import Admission, refuse_before_load
from rules.caps import Sent
from rules.charges import follow_level, publish_start, repeat_start
from rules.known import Known, Place
from rules.levels import follow_band, publish_gun, publish_pile, say
from rules.lockouts import locked
from rules.power import rise
from rules.sessions import admit, derived_id, resumed, start_message
from rules.station import Gun, PendingStart, Session


def weigh(known: Known, place: Place, now: datetime, tariff_version: str | None = None) -> Admission:
    """Whether a start at this gun would be admitted now; changes nothing but the band."""
    lock = locked(place.station, place.pile, place.gun, now)
    if lock is not None:
        return Admission(lock.reason, lock.figures(now), because=lock.because)
    reason = refuse_before_load(
        place.station, place.pile, place.gun, now, is_sure=known.is_sure, tariff_version=tariff_version
    )
    if reason is not None:
        return Admission(reason)
    assert place.pile.limits is not None
    transformer = place.station.transformer(place.pile.limits.transformer)
    if transformer.config is None:
        return Admission(Reason.STATION_UNKNOWN)
    follow_band(known, place.station, transformer, now)
    return known.decide(place.station, transformer, place.pile, place.gun, now)


def reserve(known: Known, place: Place, request: StartRequest, admission: Admission, now: datetime) -> None:
    """Reserve first: the level with the reservation is acknowledged by the broker before the start goes out."""
    pile, gun = place.pile, place.gun
    assert pile.link is not None
    session = admit(request, admission, now)
    gun.session = session
    gun.max_power_kw = None
    if admission.allowance_kw is not None:
        rise(pile, admission.allowance_kw, now)
        pile.power.send(Sent(session.start_id, admission.allowance_kw, now, session.serial))
    start = start_message(request, session, pile.link, admission.allowance_kw)
    session.start = PendingStart(start, now)
    verdict = Verdict(
        id=derived_id("verdict", request.id),
        request=request.id,
        serial=request.serial,
        kind=VerdictKind.ADMITTED,
        figures=admission.figures,
        cap_kw=admission.cap_kw,
        covered_kwh=request.covered_kwh,
        goal=request.goal.kind,
        zh=admission.text.zh,
        en=admission.text.en,
        decided_at=now,
    )
    known.verdicts[request.id] = (verdict, now)
    publish_pile(known, place.station, pile, now, first=True)
    say(known, place, verdict)
    publish_start(known, place, session, now)


def admitted_before(known: Known, place: Place, session: Session, request: StartRequest, now: datetime) -> None:
    """A repeated request: the same verdict, no second reservation; the start again while nothing answered it."""
    remembered = known.verdicts.get(request.id)
    verdict = (
        remembered[0]
        if remembered is not None
        else Verdict(
            id=derived_id("verdict", request.id),
            request=request.id,
            serial=request.serial,
            kind=VerdictKind.ADMITTED,
            cap_kw=place.gun.cap_kw(),
            covered_kwh=request.covered_kwh,
            goal=request.goal.kind,
            decided_at=session.admitted_at,
        )
    )
    publish_pile(known, place.station, place.pile, now, first=True)
    say(known, place, verdict)
    written_by = session.admitted_at + timedelta(seconds=START_WRITTEN_S)
    if session.start is None and not session.seen_running and request.id == session.request_id:
        # A restart between the reservation and the start: the request brings what the level does not hold.
        allowance_kw = place.pile.power.last_sent_kw if place.pile.power.sent else None
        if place.pile.link is not None and now < written_by:
            start = start_message(request, session, place.pile.link, allowance_kw)
            session.start = PendingStart(start, now)
            publish_start(known, place, session, now)
    elif session.start is not None:
        repeat_start(known, place, session, now)


def refuse(known: Known, place: Place, request: StartRequest, admission: Admission, now: datetime) -> None:
    """Say why not, the same again for each repetition."""
    verdict = Verdict(
        id=derived_id("verdict", request.id),
        request=request.id,
        serial=request.serial,
        kind=VerdictKind.REFUSED,
        reason=admission.reason,
        figures=admission.figures,
        goal=request.goal.kind,
        zh=admission.text.zh,
        en=admission.text.en,
        decided_at=now,
    )
    known.verdicts[request.id] = (verdict, now)
    say(known, place, verdict)


def on_longer_hold(known: Known, place: Place, request: LongerHold, now: datetime) -> None:
    """The hold covers more: what was low is watched anew."""
    session = place.gun.session
    if session is None or session.serial != request.serial or request.covered_kwh <= session.covered_kwh:
        return
    session.covered_kwh = request.covered_kwh
    session.hold_low_at = None
    publish_gun(known, place, now)


def on_resume(known: Known, place: Place, message: Resume, now: datetime) -> None:
    """An open order, told to a rules that just started; its session is made only where no level brought it."""
    if message.rules_since_ms != known.since_ms:
        return
    gun = place.gun
    if gun.session is not None and gun.session.serial == message.serial:
        # What stands retained is newer than the database's view of it, but for what only the worker lengthens.
        gun.session.covered_kwh = max(gun.session.covered_kwh, message.covered_kwh)
        since = (gun.session.charging_since, message.charging_since)
        gun.session.charging_since = min((at for at in since if at is not None), default=None)
    elif gun.session is None and _may_run(gun, message):
        gun.session = resumed(message, now)
        gun.is_known = True
        if known.has_picture:
            follow_level(known, place, now)
            publish_gun(known, place, now)
    known.resumed.add(message.serial)


def _may_run(gun: Gun, message: Resume) -> bool:
    """An order may be open because its record is missing, long after its charge; such a one reserves nothing."""
    if gun.level is None or gun.is_running(message.serial):
        return True
    return message.charging_since is None and not gun.is_running() and gun.level.serial != message.serial
