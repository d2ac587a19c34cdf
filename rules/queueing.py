"""Waiting for the band: who may, in which order, what ends it; the head starts as soon as the gate would admit it.

Source: requirement 3(1) (over 80 % nothing starts), F133. A transformer's queue is strictly first come, first served:
what stands behind the head is not weighed before it, however small. Only who is held up by the own gun or pile (away,
without a tariff, not to be capped) is passed over and keeps the place.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from evcs.contracts.gun import LeaveQueue, StartRequest, Verdict, VerdictKind
from evcs.contracts.reasons import Reason, Sentence
from evcs.contracts.times import BEIJING
from rules.admission import Admission
from rules.bands import lasted, over
from rules.known import Known, Place
from rules.levels import say
from rules.requests import refuse, reserve, weigh
from rules.sessions import derived_id
from rules.station import Station, Transformer
from rules.waiters import Waiter

LOAD_REASONS = frozenset({Reason.BAND_BLOCKED, Reason.OVER_BLOCKED_THRESHOLD, Reason.NO_HEADROOM})
"""Refusals that pass by themselves. A silent meter is none: nobody knows when it will speak again."""
CLOSED = LOAD_REASONS | {Reason.BAND_UNKNOWN, Reason.ENGINE_NOT_SURE}
"""What keeps the whole queue waiting."""
OWN_TROUBLE = frozenset({Reason.PILE_OFFLINE, Reason.NO_TARIFF, Reason.CAP_NOT_CONFIRMED, Reason.GUN_BUSY})
"""What keeps only this start waiting; any other reason ends its wait."""
AWAY_S = 120.0
"""A pile that is away for longer ends the wait: nobody sees any more whether its car is still there."""


def may_wait(request: StartRequest) -> bool:
    """Only who pays from a wallet: a driver at a card reader waits 10 s, and the two guns of a car start together."""
    return request.may_queue and request.card_request is None and request.joint is None


def waiting_at(station: Station, transformer: Transformer) -> Iterator[Waiter]:
    """Who waits for this transformer, the head first."""
    for waiter in station.waiting:
        limits = station.pile(waiter.pile).limits
        if limits is not None and limits.transformer == transformer.code:
            yield waiter


def behind_others(
    known: Known, place: Place, request: StartRequest | None, admission: Admission, now: datetime
) -> Admission:
    """A start that the gate would admit while others wait: it overtakes nobody.

    One that may wait stands behind them. One that cannot is admitted if what is left would still do for the head.
    `request`: None for a question.
    """
    transformer = _transformer(place)
    if not admission.is_admitted or transformer is None or transformer.config is None:
        return admission
    heads_share_pct = _heads_share_pct(known, place.station, transformer, now)
    if heads_share_pct is None:
        return admission
    planned_pct = admission.figures.planned_pct or 0.0
    is_enough = not over(planned_pct + admission.share_pct + heads_share_pct, transformer.config.blocked_pct)
    if is_enough and (request is None or not may_wait(request)):
        return admission
    return Admission(Reason.NO_HEADROOM, admission.figures)


def _heads_share_pct(known: Known, station: Station, transformer: Transformer, now: datetime) -> float | None:
    """What the first that is not held up by itself needs; None: nobody waits."""
    for waiter in waiting_at(station, transformer):
        admission = weigh(known, _place(station, waiter), now, waiter.request.tariff_version)
        if admission.is_admitted:
            return admission.share_pct
        if admission.reason in CLOSED:
            return admission.figures.share_pct or 0.0
    return None


def join(known: Known, place: Place, request: StartRequest, admission: Admission, now: datetime) -> bool:
    """Let a start that was refused over the load wait instead; False where it may not."""
    transformer = _transformer(place)
    if admission.reason not in LOAD_REASONS or not may_wait(request):
        return False
    if transformer is None or transformer.config is None or transformer.config.queue_most == 0:
        return False
    if sum(1 for _ in waiting_at(place.station, transformer)) >= transformer.config.queue_most:
        refuse(known, place, request, Admission(Reason.QUEUE_FULL, admission.figures), now)
        return True
    since = place.station.waiting.arrival(now)
    until = now + timedelta(seconds=transformer.config.queue_s)
    waiter = Waiter(request, place.pile.number, place.gun.number, since, until, admission.reason, admission.figures)
    place.station.waiting.join(waiter)
    tell_place(known, place, waiter)
    return True


def rejoin(known: Known, place: Place, request: StartRequest, now: datetime) -> None:
    """Take back who waited before this run began, to the place that its time of arrival gives it; none is too many.

    One that this run has put in line itself, for a repetition of before, moves up to where it stood.
    """
    assert request.queued_since is not None
    until = request.queue_until or request.expires_at
    waiter = place.station.waiting.find(request.serial)
    if waiter is not None:
        if waiter.since <= request.queued_since:
            return
        place.station.waiting.leave(waiter)
    if now >= until:
        refuse(known, place, request, Admission(Reason.QUEUE_EXPIRED), now)
        return
    place.station.waiting.join(
        Waiter(request, place.pile.number, place.gun.number, min(request.queued_since, now), until)
    )


def leave(known: Known, place: Place, request: LeaveQueue, now: datetime) -> None:
    """The driver does not wait any more."""
    waiter = place.station.waiting.find(request.serial)
    if waiter is not None:
        _end(known, place, waiter, Reason.QUEUE_LEFT, now)


def advance(known: Known, station: Station, transformer: Transformer, now: datetime) -> None:
    """End what is over, then start the first that the gate admits: one at a time, each weighed like any start."""
    if not known.is_sure:
        return
    is_closed = False
    for waiter in waiting_at(station, transformer):
        place = _place(station, waiter)
        if now >= waiter.until:
            _end(known, place, waiter, Reason.QUEUE_EXPIRED, now)
            continue
        admission = weigh(known, place, now, waiter.request.tariff_version)
        waiter.why, waiter.figures = admission.reason, admission.figures
        ending = _ending(place, waiter, admission.reason, now)
        if ending is not None:
            _end(known, place, waiter, ending, now)
        elif admission.is_admitted and not is_closed:
            station.waiting.leave(waiter)
            reserve(known, place, waiter.request, admission, now)
            is_closed = True
        is_closed = is_closed or admission.reason in CLOSED


def end_of_unknown(known: Known, station: Station, now: datetime) -> None:
    """Who waits at a pile that no configuration names any more will never start."""
    if not known.is_sure or station.config is None:
        return
    for waiter in station.waiting:
        place = _place(station, waiter)
        if place.pile.limits is None or place.gun.config is None or _transformer(place) is None:
            _end(known, place, waiter, Reason.STATION_UNKNOWN, now)


def tell_place(known: Known, place: Place, waiter: Waiter) -> None:
    """The verdict of a start that waits: the same again for each repetition, but for the place and the reason."""
    transformer = _transformer(place)
    ahead = [] if transformer is None else [w for w in waiting_at(place.station, transformer) if w.since < waiter.since]
    position = len(ahead) + 1
    text = _text(waiter, position)
    verdict = Verdict(
        id=derived_id("queued", waiter.request.id),
        request=waiter.request.id,
        serial=waiter.request.serial,
        kind=VerdictKind.QUEUED,
        reason=waiter.why,
        figures=waiter.figures,
        covered_kwh=waiter.request.covered_kwh,
        goal=waiter.request.goal.kind,
        position=position,
        queue_until=waiter.until,
        zh=text.zh,
        en=text.en,
        decided_at=waiter.since,
    )
    say(known, place, verdict)


def _text(waiter: Waiter, position: int) -> Sentence:
    """The place, why it waits, and until when at the latest (Beijing time)."""
    why = _why(waiter)
    until = f"{waiter.until.astimezone(BEIJING):%H:%M}"
    return Sentence(
        f"排队第 {position} 位：{why.zh}；负荷允许后自动启动，请保持插枪，最迟等到 {until}。",
        f"Place {position} in the queue: {why.en}. It starts by itself when the load allows; keep the plug in. "
        f"It waits until {until} at the latest.",
    )


def _why(waiter: Waiter) -> Sentence:
    figures = waiter.figures
    match waiter.why:
        case Reason.BAND_BLOCKED if figures.load_pct is not None:
            return Sentence(
                f"变压器负荷超过 {figures.blocked_pct:.1f}%，暂停新的充电（现为 {figures.load_pct:.1f}%）",
                f"the transformer load went over {figures.blocked_pct:.1f}% (now {figures.load_pct:.1f}%)",
            )
        case Reason.OVER_BLOCKED_THRESHOLD if figures.planned_pct is not None:
            return Sentence(
                f"变压器计划负荷 {figures.planned_pct:.1f}% 超过 {figures.blocked_pct:.1f}%",
                f"the planned transformer load of {figures.planned_pct:.1f}% is over {figures.blocked_pct:.1f}%",
            )
        case Reason.NO_HEADROOM:
            return Sentence(
                "变压器余量不足，或前面还有人在等",
                "the transformer has no headroom for it, or others wait before it",
            )
    return Sentence("变压器负荷过高", "the transformer is loaded too high")


def _ending(place: Place, waiter: Waiter, reason: Reason | None, now: datetime) -> Reason | None:
    """Why the wait is over by what happened at the own gun; None: it goes on."""
    waiter.away_since = (waiter.away_since or now) if reason is Reason.PILE_OFFLINE else None
    if reason is None or reason in CLOSED:
        return None
    if reason not in OWN_TROUBLE:
        return reason
    if lasted(waiter.away_since, AWAY_S, now):
        return reason
    # Another charge runs at this gun; a session that is about to end there does not count.
    return reason if reason is Reason.GUN_BUSY and place.gun.is_running() else None


def _end(known: Known, place: Place, waiter: Waiter, reason: Reason, now: datetime) -> None:
    place.station.waiting.leave(waiter)
    refuse(known, place, waiter.request, Admission(reason, waiter.figures), now)


def _place(station: Station, waiter: Waiter) -> Place:
    pile = station.pile(waiter.pile)
    return Place(station, pile, pile.gun(waiter.gun))


def _transformer(place: Place) -> Transformer | None:
    limits = place.pile.limits
    return None if limits is None else place.station.transformers.get(limits.transformer)
