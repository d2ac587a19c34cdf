"""Who asks for a start: admitted, refused, or put in line; a question; the line left."""

from datetime import datetime

from evcs.contracts.gun import AskRequest, StartRequest, Verdict, VerdictKind
from evcs.contracts.reasons import Reason
from rules import queueing
from rules.admission import Admission
from rules.known import Known, Place
from rules.levels import say
from rules.requests import admitted_before, refuse, reserve, weigh
from rules.sessions import derived_id


def on_start(known: Known, place: Place, request: StartRequest, now: datetime) -> None:
    """May this order start; the same request again gets the same verdict and reserves nothing more."""
    if request.rules_since_ms is not None and request.rules_since_ms == known.since_ms:
        known.resumed.add(request.serial)
    session = place.gun.session
    if session is not None and session.serial == request.serial:
        if session.request_id or place.gun.is_running(session.serial):
            admitted_before(known, place, session, request, now)
            return
        # Taken from a resume, for an order that was never admitted as far as is known: it is weighed like any other.
        place.gun.session = None
    if request.id in known.verdicts:
        say(known, place, known.verdicts[request.id][0])
        return
    waiter = place.station.waiting.find(request.serial)
    if waiter is not None and request.queued_since is None:  # who asks has not heard yet that it waits
        queueing.tell_place(known, place, waiter)
        return
    if request.queued_since is not None:
        queueing.rejoin(known, place, request, now)
        return
    if now >= request.expires_at:
        refuse(known, place, request, Admission(Reason.EXPIRED), now)
        return
    admission = weigh(known, place, now, request.tariff_version)
    admission = queueing.behind_others(known, place, request, admission, now)
    if admission.is_admitted:
        reserve(known, place, request, admission, now)
    elif not queueing.join(known, place, request, admission, now):
        refuse(known, place, request, admission, now)


def on_ask(known: Known, place: Place, request: AskRequest, now: datetime) -> None:
    """Would a start be admitted now; reserves nothing."""
    if now >= request.expires_at:
        return
    admission = queueing.behind_others(known, place, None, weigh(known, place, now), now)
    verdict = Verdict(
        id=derived_id("verdict", request.id),
        request=request.id,
        kind=VerdictKind.ASK_ANSWER,
        would_admit=admission.is_admitted,
        reason=admission.reason,
        figures=admission.figures,
        cap_kw=admission.cap_kw,
        zh=admission.text.zh,
        en=admission.text.en,
        decided_at=now,
    )
    say(known, place, verdict)
