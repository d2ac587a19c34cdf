"""The life of an order: state and observation in, state, effects and deadline out. Pure; nobody else decides it.

`holding → (queued →) commanded → starting → charging → stopping → ended → settled`; side exits `refused`,
`start_failed`, `cancelled`, `exception`, `review`. Each open state has a deadline, from `evcs.contracts.waits`.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from evcs.contracts import waits
from evcs.contracts.pile import Outcome
from evcs.contracts.reasons import Reason
from evcs.contracts.states import GunState, OrderState

State = OrderState

FINAL = frozenset({State.SETTLED, State.REFUSED, State.START_FAILED, State.CANCELLED, State.REFUNDED})
"""States that wait for nothing. A charge or a record of one that never charged is adopted; a settled one is looked at
again when a late mark knows of more energy than its record."""

ADOPTABLE = frozenset({State.REFUSED, State.START_FAILED, State.CANCELLED})
BEFORE_COMMAND = frozenset({State.HOLDING, State.QUEUED})
BEFORE_CHARGE = BEFORE_COMMAND | {State.COMMANDED, State.STARTING}


class Trouble(StrEnum):
    """Why an order is in `exception` or `review`."""

    NO_RECORD = "no_record"
    LINK_LOST = "link_lost"
    STOP_UNANSWERED = "stop_unanswered"
    NOTHING_TO_BILL_BY = "nothing_to_bill_by"
    RECORD_DIFFERS = "record_differs"
    MARKS_AWAITED = "marks_awaited"


LevelKey = tuple[int, int]
"""Levels of a gun are ordered by (login_ms, version)."""


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """What the machine knows of an order."""

    state: OrderState
    since: datetime
    """When this state was entered."""
    deadline: datetime | None
    """When to look again without an observation; None only in final states."""
    hold_open: bool
    serial: str = ""
    charged: bool = False
    """A charging gun was seen with this order's serial."""
    running: LevelKey | None = None
    """The newest level in which the gun was starting or charging with this serial."""
    stop_reason: Reason | None = None
    """Why it shall stop; None: nobody wishes it."""
    stop_since: datetime | None = None
    end_observed_at: datetime | None = None
    ended_at: datetime | None = None
    """End of charging; before it is known from the record, when the level began that showed it."""
    reason: Reason | None = None
    """Why refused, failed or cancelled."""
    trouble: Trouble | None = None
    asked_at_pile: bool = False
    """A driver waits at the pile for its answer (card, VIN)."""


# Observations


@dataclass(frozen=True, slots=True)
class Admitted:
    """The gate admitted the start and commands it."""


@dataclass(frozen=True, slots=True)
class Queued:
    """The gate lets the order wait for the band."""

    until: datetime | None = None
    """At the latest; None: for `waits.QUEUE_S`."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The gate refused the start."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class StartReplied:
    """What became of the start at the pile."""

    outcome: Outcome
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class StartFailed:
    """The pile reported that the start failed (`G/event`)."""

    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class LevelSeen:
    """The gun's level; never an older one than seen before on this gun, the same one may come again."""

    state: GunState
    serial: str | None
    key: LevelKey
    since: datetime


@dataclass(frozen=True, slots=True)
class MarkSeen:
    """A register mark of this order that is new: a sign of life, or evidence that came behind the record."""


@dataclass(frozen=True, slots=True)
class GoalReached:
    """The gate saw the goal (or the hold) reached and has sent a stop of its own."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class StopWished:
    """A person or the platform wants the order to end."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class StopReplied:
    """What became of a stop at the pile; the end itself shows in the level."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class LinkLost:
    """The pile's link, or the bridge that holds it, is gone."""


@dataclass(frozen=True, slots=True)
class LinkReturned:
    """The pile logged in anew; its levels tell the rest."""


class RecordOutcome(StrEnum):
    """What the books made of a charge record."""

    SETTLED = "settled"
    """Captured and released; the hold is closed."""
    CORRECTED = "corrected"
    REVIEW = "review"
    AWAITS_MARKS = "awaits_marks"
    """Only the marks can explain it, and they may still be on their way: nothing is taken yet."""
    REPEATED = "repeated"


@dataclass(frozen=True, slots=True)
class RecordStored:
    """A charge record of this order stands in the books."""

    outcome: RecordOutcome
    has_energy: bool
    ended_at: datetime | None = None
    """As the books have it: server time where the end was seen, else the pile's."""


@dataclass(frozen=True, slots=True)
class ProvisionalMade:
    """Answer to `SettleProvisionally`: settled by marks, or not, for lack of anything to bill by."""

    settled: bool


@dataclass(frozen=True, slots=True)
class ReckonedAnew:
    """Answer to `ReckonAnew`: what the books made of the order's record now; None: there is none to reckon."""

    outcome: RecordOutcome | None


@dataclass(frozen=True, slots=True)
class ReviewClosed:
    """The review's time is over; the hold is closed."""


@dataclass(frozen=True, slots=True)
class ReviewDecided:
    """A person has decided which calculation counts; it is billed, and the hold is closed."""


@dataclass(frozen=True, slots=True)
class GivenBack:
    """All that the order cost was refunded (订单退款)."""


@dataclass(frozen=True, slots=True)
class DeadlinePassed:
    """The time of the deadline has come."""


Observation = (
    Admitted
    | Queued
    | Refused
    | StartReplied
    | StartFailed
    | LevelSeen
    | MarkSeen
    | GoalReached
    | StopWished
    | StopReplied
    | LinkLost
    | LinkReturned
    | RecordStored
    | ProvisionalMade
    | ReckonedAnew
    | ReviewClosed
    | GivenBack
    | ReviewDecided
    | DeadlinePassed
)


# Effects


@dataclass(frozen=True, slots=True)
class PublishStop:
    """Send `G/stop` under a new id to the link in force (none where the pile is away: the next repetition finds it)."""

    why: Reason


@dataclass(frozen=True, slots=True)
class LeaveQueue:
    """Tell the gate that nobody waits any more."""


@dataclass(frozen=True, slots=True)
class ReleaseHold:
    """Give the whole hold back."""


@dataclass(frozen=True, slots=True)
class SettleProvisionally:
    """Bill by the marks; answered by `ProvisionalMade`."""


@dataclass(frozen=True, slots=True)
class ReckonAnew:
    """Reckon what is not decided with all marks that are here now; answered by `ReckonedAnew`."""


@dataclass(frozen=True, slots=True)
class CloseReview:
    """The review's time is over: the lower figure stands, the rest is released; answered by `ReviewClosed`."""


@dataclass(frozen=True, slots=True)
class Adopt:
    """The order charges although it was closed: audit it; its energy will be billed without a hold."""

    was: OrderState


@dataclass(frozen=True, slots=True)
class WarnStopUnanswered:
    """A stop has had no effect for `waits.STOP_ALARM_S`."""


@dataclass(frozen=True, slots=True)
class RefuseAtPile:
    """Tell the pile whose driver waits that nothing will start (0x32, 0xA2 with a failure code)."""

    why: Reason


@dataclass(frozen=True, slots=True)
class PublishOrderChange:
    """Tell integrators and pages the new state."""


Effect = (
    PublishStop
    | LeaveQueue
    | ReleaseHold
    | SettleProvisionally
    | ReckonAnew
    | CloseReview
    | Adopt
    | WarnStopUnanswered
    | RefuseAtPile
    | PublishOrderChange
)


@dataclass(frozen=True, slots=True)
class Step:
    """What follows from an observation."""

    facts: OrderFacts
    effects: tuple[Effect, ...] = ()


def begin(now: datetime, serial: str = "", *, hold_open: bool = True, answer_by: datetime | None = None) -> OrderFacts:
    """A new order: its hold is placed, its request waits in the outbox.

    `answer_by`: until when a driver at the pile waits for the answer (`waits.CARD_ANSWER_S`).
    """
    deadline = _in(now, waits.VERDICT_S)
    return OrderFacts(
        state=State.HOLDING,
        since=now,
        deadline=deadline if answer_by is None else min(deadline, answer_by),
        hold_open=hold_open,
        serial=serial,
        asked_at_pile=answer_by is not None,
    )


def record_deadline(now: datetime) -> datetime:
    """Until when the record of a charge that has ended is awaited."""
    return _in(now, waits.RECORD_S)


def step(facts: OrderFacts, seen: Observation, now: datetime) -> Step:
    """What an order becomes by an observation. Unexpected observations change nothing."""
    match seen:
        case Admitted():
            return _admitted(facts, now)
        case Queued():
            return _queued(facts, seen.until or _in(now, waits.QUEUE_S), now)
        case Refused(reason):
            if facts.state in BEFORE_COMMAND:
                return _close(facts, State.REFUSED, now, reason)
        case StartReplied(outcome, reason):
            return _start_replied(facts, outcome, reason, now)
        case StartFailed(reason):
            return _start_failed(facts, reason or Reason.PILE_REFUSED, now)
        case LevelSeen():
            return _level(facts, seen, now)
        case MarkSeen():
            return _mark_seen(facts, now)
        case GoalReached(reason):
            if facts.state is State.CHARGING:
                return _stopping(facts, reason, now)
        case StopWished(reason):
            return _stop_wished(facts, reason, now)
        case LinkLost():
            return _link_lost(facts, now)
        case LinkReturned():
            if (
                facts.stop_reason is not None
                and facts.state in (State.STOPPING, State.EXCEPTION)
                and not facts.end_observed_at
            ):
                return Step(facts, (PublishStop(facts.stop_reason),))
        case RecordStored():
            return _record(facts, seen, now)
        case ProvisionalMade(settled):
            if facts.state in (State.EXCEPTION, State.ENDED):
                if settled:
                    return _close(replace(facts, hold_open=False), State.SETTLED, now, facts.reason)
                return _review(facts, Trouble.NOTHING_TO_BILL_BY, now)
        case ReckonedAnew(outcome):
            return _reckoned_anew(facts, outcome, now)
        case ReviewClosed() | ReviewDecided():
            if facts.state is State.REVIEW:
                return _close(replace(facts, hold_open=False), State.SETTLED, now, facts.reason)
        case GivenBack():
            if facts.state is State.SETTLED:
                return _close(facts, State.REFUNDED, now, facts.reason)
        case DeadlinePassed():
            if facts.deadline is not None and now >= facts.deadline:
                return _overdue(facts, now)
        case StopReplied():
            pass
    return Step(facts)


def _in(now: datetime, seconds: float) -> datetime:
    return now + timedelta(seconds=seconds)


def _enter(facts: OrderFacts, state: OrderState, now: datetime, deadline: datetime | None, *effects: Effect) -> Step:
    """Go into a state and say so; entering the same state again only moves the deadline."""
    if state is facts.state:
        return Step(replace(facts, deadline=deadline), effects)
    trouble = facts.trouble if state in (State.EXCEPTION, State.REVIEW) else None
    return Step(
        replace(facts, state=state, since=now, deadline=deadline, trouble=trouble), (*effects, PublishOrderChange())
    )


def _close(facts: OrderFacts, state: OrderState, now: datetime, reason: Reason | None, *effects: Effect) -> Step:
    """Go into a final state; what is still held is given back, and a driver at the pile is told."""
    release: tuple[Effect, ...] = (ReleaseHold(),) if facts.hold_open else ()
    told = _refuse_at_pile(facts, reason) if state in ADOPTABLE else ()
    return _enter(replace(facts, reason=reason, hold_open=False), state, now, None, *effects, *release, *told)


def _refuse_at_pile(facts: OrderFacts, reason: Reason | None) -> tuple[Effect, ...]:
    """Before the pile began to start: then it has been told so already (0x32), and a refusal would contradict it."""
    waits_for_answer = facts.asked_at_pile and facts.state in (*BEFORE_COMMAND, State.COMMANDED)
    return (RefuseAtPile(reason or Reason.EXPIRED),) if waits_for_answer else ()


def _admitted(facts: OrderFacts, now: datetime) -> Step:
    if facts.state in BEFORE_COMMAND:
        return _enter(facts, State.COMMANDED, now, _in(now, waits.START_DEADLINE_S))
    if facts.state in ADOPTABLE:
        # The verdict came after we gave up: the start is on its way and its reserved power must go free again.
        return Step(facts, (PublishStop(Reason.EXPIRED),))
    return Step(facts)


def _queued(facts: OrderFacts, until: datetime, now: datetime) -> Step:
    """It waits until the gate says otherwise; the own deadline is for a gate that is away, so the gate goes first."""
    if facts.state is State.HOLDING:
        return _enter(facts, State.QUEUED, now, _in(until, waits.VERDICT_S))
    if facts.state in ADOPTABLE:
        # The verdict came after we gave up, or after the person did: nobody waits there.
        return Step(facts, (LeaveQueue(),))
    return Step(facts)


def _start_replied(facts: OrderFacts, outcome: Outcome, reason: Reason | None, now: datetime) -> Step:
    if outcome is Outcome.ACCEPTED:
        if facts.state in (*BEFORE_COMMAND, State.COMMANDED):
            return _enter(facts, State.STARTING, now, _start_deadline(facts, now))
        return Step(facts)
    fallback = {Outcome.TIMED_OUT: Reason.TIMED_OUT, Outcome.EXPIRED: Reason.EXPIRED}
    return _start_failed(facts, reason or fallback.get(outcome, Reason.PILE_REFUSED), now)


def _start_failed(facts: OrderFacts, reason: Reason, now: datetime) -> Step:
    """A failed start counts only while no charging gun was seen: the serial in 0x13 outranks the answer to 0x34."""
    if facts.state in BEFORE_CHARGE:
        return _close(facts, State.START_FAILED, now, reason)
    if facts.state is State.STOPPING and not facts.charged:
        return _close(facts, State.CANCELLED, now, facts.stop_reason)
    return Step(facts)


def _start_deadline(facts: OrderFacts, now: datetime) -> datetime:
    """`commanded` and `starting` share one deadline; a start seen without its verdict begins it now."""
    if facts.state is State.COMMANDED and facts.deadline is not None:
        return facts.deadline
    return _in(now, waits.START_DEADLINE_S)


def _level(facts: OrderFacts, seen: LevelSeen, now: datetime) -> Step:
    if seen.state is GunState.OFFLINE:
        return _link_lost(facts, now)
    ours = seen.serial == facts.serial
    if ours and seen.state is GunState.STARTING:
        known = replace(facts, running=seen.key)
        if facts.state in (*BEFORE_COMMAND, State.COMMANDED):
            return _enter(known, State.STARTING, now, _start_deadline(facts, now))
        return Step(known if facts.state not in FINAL else facts)
    if ours and seen.state is GunState.CHARGING:
        return _charging(facts, seen, now)
    if facts.running is None or seen.key <= facts.running:
        return Step(facts)
    return _not_running(facts, seen, now)


def _charging(facts: OrderFacts, seen: LevelSeen, now: datetime) -> Step:
    known = replace(facts, running=seen.key, charged=True)
    match facts.state:
        case State.HOLDING | State.QUEUED | State.COMMANDED | State.STARTING:
            return _enter(known, State.CHARGING, now, _in(now, waits.LOST_LINK_S))
        case State.CHARGING:
            return Step(known)
        case State.EXCEPTION | State.ENDED:
            back = replace(known, end_observed_at=None, ended_at=None)
            if facts.stop_reason is None:
                return _enter(back, State.CHARGING, now, _in(now, waits.LOST_LINK_S))
            if facts.trouble is Trouble.STOP_UNANSWERED:
                return Step(known)
            return _stopping(back, facts.stop_reason, now, PublishStop(facts.stop_reason))
        case State.STOPPING:
            if facts.charged:
                return Step(known)
            # It begins to charge after the stop: a stop before the charge may have had nothing to stop.
            return Step(known, (PublishStop(facts.stop_reason or Reason.STOPPED_BY_PERSON),))
        case State.REFUSED | State.START_FAILED | State.CANCELLED:
            why = Reason.UNEXPECTED_CHARGE
            return _stopping(replace(known, stop_since=None), why, now, Adopt(facts.state), PublishStop(why))
        case State.SETTLED | State.REVIEW:
            if facts.ended_at is None or seen.since > facts.ended_at:
                return Step(facts, (PublishStop(Reason.UNEXPECTED_CHARGE),))
    return Step(facts)


def _not_running(facts: OrderFacts, seen: LevelSeen, now: datetime) -> Step:
    """A newer level in which the gun does not run this order: the observed end."""
    ran = facts.charged
    if facts.state is State.STOPPING and not ran:
        return _close(facts, State.CANCELLED, now, facts.stop_reason)
    open_end = facts.state is State.EXCEPTION and facts.end_observed_at is None
    if ran and (facts.state in (State.CHARGING, State.STOPPING) or open_end):
        ended = replace(facts, end_observed_at=now, ended_at=min(seen.since, now))
        return _enter(ended, State.ENDED, now, _in(now, waits.RECORD_S))
    return Step(facts)


def _stop_wished(facts: OrderFacts, reason: Reason, now: datetime) -> Step:
    match facts.state:
        case State.HOLDING:
            return _close(replace(facts, stop_reason=reason, stop_since=now), State.CANCELLED, now, reason)
        case State.QUEUED:
            wished = replace(facts, stop_reason=reason, stop_since=now)
            return _close(wished, State.CANCELLED, now, reason, LeaveQueue())
        case State.COMMANDED | State.STARTING | State.CHARGING:
            return _stopping(facts, reason, now, PublishStop(reason), *_refuse_at_pile(facts, reason))
        case State.EXCEPTION:
            if facts.stop_reason is None and facts.end_observed_at is None:
                return Step(replace(facts, stop_reason=reason, stop_since=now), (PublishStop(reason),))
    return Step(facts)


def _stopping(facts: OrderFacts, reason: Reason, now: datetime, *effects: Effect) -> Step:
    wished = replace(facts, stop_reason=reason, stop_since=facts.stop_since or now)
    return _enter(wished, State.STOPPING, now, _in(now, waits.STOP_ANSWER_S), *effects)


def _link_lost(facts: OrderFacts, now: datetime) -> Step:
    """A lost link is not an end: the hold stays until record, return or 24 h."""
    if facts.state is State.CHARGING or (facts.state is State.STOPPING and facts.charged):
        return _exception(facts, Trouble.LINK_LOST, now, _in(now, waits.LOST_LINK_S))
    return Step(facts)


def _exception(facts: OrderFacts, trouble: Trouble, now: datetime, deadline: datetime, *effects: Effect) -> Step:
    return _enter(replace(facts, trouble=trouble), State.EXCEPTION, now, deadline, *effects)


def _review(facts: OrderFacts, trouble: Trouble, now: datetime) -> Step:
    if facts.state is not State.REVIEW:
        return _enter(replace(facts, trouble=trouble), State.REVIEW, now, _in(now, waits.REVIEW_S))
    if facts.trouble is Trouble.MARKS_AWAITED:
        return Step(facts)
    # Whatever else the pile sends: what is in dispute is held for `REVIEW_S` from the first time, no longer.
    return Step(replace(facts, trouble=trouble))


def _await_marks(facts: OrderFacts, now: datetime) -> Step:
    """Reckon once no mark has come for a while, within the review's time: so any order of messages gives the same."""
    facts = replace(facts, trouble=Trouble.MARKS_AWAITED)
    since = facts.since if facts.state is State.REVIEW else now
    return _enter(facts, State.REVIEW, now, min(_in(now, waits.MARKS_S), _in(since, waits.REVIEW_S)))


def _mark_seen(facts: OrderFacts, now: datetime) -> Step:
    match facts.state:
        case State.CHARGING:
            return Step(replace(facts, deadline=_in(now, waits.LOST_LINK_S)))
        case State.REVIEW:
            return _await_marks(facts, now)
        case State.SETTLED | State.REFUSED | State.START_FAILED | State.CANCELLED:
            # It came behind the record that closed the order, and may know of more energy than that.
            return Step(facts, (ReckonAnew(),))
    return Step(facts)


def _reckoned_anew(facts: OrderFacts, outcome: RecordOutcome | None, now: datetime) -> Step:
    if facts.state is State.REVIEW:
        if outcome is RecordOutcome.SETTLED:
            return _close(replace(facts, hold_open=False), State.SETTLED, now, facts.reason)
        trouble = Trouble.NOTHING_TO_BILL_BY if outcome is None else Trouble.RECORD_DIFFERS
        return Step(replace(facts, trouble=trouble, deadline=_in(facts.since, waits.REVIEW_S)))
    if outcome is RecordOutcome.REVIEW and facts.state is State.SETTLED:
        return _review(facts, Trouble.RECORD_DIFFERS, now)
    if outcome is RecordOutcome.REVIEW and facts.state in ADOPTABLE:
        return _add(_review(facts, Trouble.RECORD_DIFFERS, now), Adopt(facts.state))
    return Step(facts)


def _record(facts: OrderFacts, seen: RecordStored, now: datetime) -> Step:
    if facts.state in (State.SETTLED, State.REFUNDED) or seen.outcome is RecordOutcome.REPEATED:
        return Step(facts)
    known = replace(facts, ended_at=seen.ended_at or facts.ended_at)
    if facts.state in ADOPTABLE:
        if not seen.has_energy:
            return Step(facts)
        known = replace(known, charged=True)
        if seen.outcome is RecordOutcome.REVIEW:
            return _add(_review(known, Trouble.RECORD_DIFFERS, now), Adopt(facts.state))
        if seen.outcome is RecordOutcome.AWAITS_MARKS:
            return _add(_await_marks(known, now), Adopt(facts.state))
        return _close(replace(known, hold_open=False), State.SETTLED, now, facts.reason, Adopt(facts.state))
    if seen.outcome is RecordOutcome.REVIEW:
        return _review(known, Trouble.RECORD_DIFFERS, now)
    if seen.outcome is RecordOutcome.AWAITS_MARKS:
        return _await_marks(known, now)
    settled = replace(known, hold_open=False)
    if not seen.has_energy and not facts.charged:
        # YKC sends a record even for a failed start.
        if facts.state is State.STOPPING:
            return _close(settled, State.CANCELLED, now, facts.stop_reason)
        return _close(settled, State.START_FAILED, now, Reason.PILE_REFUSED)
    return _close(settled, State.SETTLED, now, facts.reason)


def _add(done: Step, *effects: Effect) -> Step:
    return Step(done.facts, (*effects, *done.effects))


def _overdue(facts: OrderFacts, now: datetime) -> Step:
    match facts.state:
        case State.HOLDING:
            return _close(facts, State.REFUSED, now, Reason.ENGINE_AWAY)
        case State.QUEUED:
            return _close(facts, State.REFUSED, now, Reason.QUEUE_EXPIRED, LeaveQueue())
        case State.COMMANDED | State.STARTING:
            return _close(facts, State.START_FAILED, now, Reason.START_DEADLINE, PublishStop(Reason.START_DEADLINE))
        case State.CHARGING:
            # Not a sign of it for a day, and nobody said that the link is gone.
            return _exception(facts, Trouble.LINK_LOST, now, _in(now, waits.LOST_LINK_S), SettleProvisionally())
        case State.STOPPING:
            return _stop_overdue(facts, now)
        case State.ENDED:
            observed = facts.end_observed_at or facts.since
            return _exception(facts, Trouble.NO_RECORD, now, _in(observed, waits.PROVISIONAL_S))
        case State.EXCEPTION:
            return _exception_overdue(facts, now)
        case State.REVIEW if facts.trouble is Trouble.MARKS_AWAITED:
            return Step(replace(facts, deadline=_in(now, waits.MARKS_S)), (ReckonAnew(),))
        case State.REVIEW:
            return Step(replace(facts, deadline=_in(now, waits.REVIEW_S)), (CloseReview(),))
    return Step(facts)


def _stop_overdue(facts: OrderFacts, now: datetime) -> Step:
    why = facts.stop_reason or Reason.STOPPED_BY_PERSON
    last = _in(facts.since, waits.STOP_DEADLINE_S)
    if now >= last:
        if not facts.charged:
            return _close(facts, State.CANCELLED, now, why)
        return _exception(facts, Trouble.STOP_UNANSWERED, now, _in(now, waits.STOP_ANSWER_S), PublishStop(why))
    waited = (now - facts.since).total_seconds()
    warn: tuple[Effect, ...] = ()
    if waits.STOP_ALARM_S <= waited < waits.STOP_ALARM_S + waits.STOP_ANSWER_S:
        warn = (WarnStopUnanswered(),)
    return Step(replace(facts, deadline=min(last, _in(now, waits.STOP_ANSWER_S))), (PublishStop(why), *warn))


def _exception_overdue(facts: OrderFacts, now: datetime) -> Step:
    """Its time is over: bill by the marks. An unheard stop is repeated until then."""
    if facts.trouble is Trouble.STOP_UNANSWERED and now < _in(facts.since, waits.LOST_LINK_S):
        why = facts.stop_reason or Reason.STOPPED_BY_PERSON
        return Step(replace(facts, deadline=_in(now, waits.STOP_ANSWER_S)), (PublishStop(why),))
    return Step(replace(facts, deadline=_in(now, waits.PROVISIONAL_S)), (SettleProvisionally(),))
