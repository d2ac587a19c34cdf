# ruff: noqa: E501 - one move, one line
"""The order's life: a table of its moves, and what no sequence of observations may break."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evcs.contracts import waits
from evcs.contracts.pile import Outcome
from evcs.contracts.reasons import Reason
from evcs.contracts.states import GunState, OrderState
from webapi.orders import life
from webapi.orders.life import LevelSeen, OrderFacts, Trouble

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SERIAL = "1" * 32
OTHER = "2" * 32
S = OrderState


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def level(state: GunState, n: int, serial: str | None = SERIAL, seconds: float = 0) -> LevelSeen:
    return LevelSeen(state=state, serial=serial, key=(1, n), since=at(seconds))


CHARGING = level(GunState.CHARGING, 10)
FINISHED = level(GunState.FINISHED, 20)


def order(*seen: life.Observation, seconds: float = 0) -> OrderFacts:
    facts = life.begin(NOW, SERIAL)
    for one in seen:
        facts = life.step(facts, one, at(seconds)).facts
    return facts


WISH = life.StopWished(Reason.STOPPED_BY_PERSON)
STOP = life.PublishStop(Reason.STOPPED_BY_PERSON)
CHANGE = life.PublishOrderChange()
RELEASE = life.ReleaseHold()
HELD_CHARGE = (life.Admitted(), CHARGING)
SETTLED, DISPUTED, AWAITS = (
    life.RecordStored(outcome, True)
    for outcome in (life.RecordOutcome.SETTLED, life.RecordOutcome.REVIEW, life.RecordOutcome.AWAITS_MARKS)
)

MOVES: list[tuple[str, tuple[life.Observation, ...], life.Observation, float, S, tuple[life.Effect, ...], float | None]] = [
    # what, before, observation, at second, state, effects, deadline in seconds from the start
    ("admitted", (), life.Admitted(), 2, S.COMMANDED, (CHANGE,), 122),
    ("queued", (), life.Queued(), 2, S.QUEUED, (CHANGE,), 1837),
    ("queued until", (), life.Queued(at(600)), 2, S.QUEUED, (CHANGE,), 635),
    ("queued, said again", (life.Queued(at(600)),), life.Queued(at(900)), 9, S.QUEUED, (), 635),
    ("queued when it was given up", (WISH,), life.Queued(at(600)), 2, S.CANCELLED, (life.LeaveQueue(),), None),
    ("queued when nobody waited any more", (life.Refused(Reason.ENGINE_AWAY),), life.Queued(at(600)), 36, S.REFUSED, (life.LeaveQueue(),), None),
    ("queued after the command", (life.Admitted(),), life.Queued(at(600)), 2, S.COMMANDED, (), 120),
    ("the link of who waits is lost", (life.Queued(at(600)),), life.LinkLost(), 9, S.QUEUED, (), 635),
    ("the gate ends the wait", (life.Queued(at(600)),), life.Refused(Reason.GUN_NOT_PLUGGED), 9, S.REFUSED, (RELEASE, CHANGE), None),
    ("queued, then admitted", (life.Queued(),), life.Admitted(), 5, S.COMMANDED, (CHANGE,), 125),
    ("refused", (), life.Refused(Reason.NO_HEADROOM), 2, S.REFUSED, (RELEASE, CHANGE), None),
    ("refused after the command", (life.Admitted(),), life.Refused(Reason.NO_HEADROOM), 2, S.COMMANDED, (), 120),
    ("no verdict", (), life.DeadlinePassed(), 35, S.REFUSED, (RELEASE, CHANGE), None),
    ("queue too long", (life.Queued(),), life.DeadlinePassed(), 1835, S.REFUSED, (life.LeaveQueue(), RELEASE, CHANGE), None),
    ("deadline asked too early", (), life.DeadlinePassed(), 34.9, S.HOLDING, (), 35),
    ("accepted", (life.Admitted(),), life.StartReplied(Outcome.ACCEPTED), 3, S.STARTING, (CHANGE,), 120),
    ("starting", (life.Admitted(),), level(GunState.STARTING, 5), 3, S.STARTING, (CHANGE,), 120),
    ("pile refused", (life.Admitted(),), life.StartReplied(Outcome.REFUSED, Reason.PILE_REFUSED), 3, S.START_FAILED, (RELEASE, CHANGE), None),
    ("start timed out", (life.Admitted(),), life.StartReplied(Outcome.TIMED_OUT), 90, S.START_FAILED, (RELEASE, CHANGE), None),
    ("start failed event", (life.Admitted(),), life.StartFailed(), 9, S.START_FAILED, (RELEASE, CHANGE), None),
    (
        "no charge in time",
        (life.Admitted(), level(GunState.STARTING, 5)),
        life.DeadlinePassed(),
        120,
        S.START_FAILED,
        (life.PublishStop(Reason.START_DEADLINE), RELEASE, CHANGE),
        None,
    ),
    ("charging", (life.Admitted(),), CHARGING, 4, S.CHARGING, (CHANGE,), 4 + 86400),
    ("charging before the verdict came", (), CHARGING, 4, S.CHARGING, (CHANGE,), 4 + 86400),
    ("refusal contradicted by the serial", HELD_CHARGE, life.StartReplied(Outcome.REFUSED), 5, S.CHARGING, (), 86400),
    ("a mark is a sign of life", HELD_CHARGE, life.MarkSeen(), 300, S.CHARGING, (), 86700),
    ("an old level is no end", HELD_CHARGE, level(GunState.PLUGGED, 9, None), 5, S.CHARGING, (), 86400),
    ("end", HELD_CHARGE, FINISHED, 50, S.ENDED, (CHANGE,), 80),
    ("end by another serial", HELD_CHARGE, level(GunState.CHARGING, 30, OTHER), 50, S.ENDED, (CHANGE,), 80),
    ("end by a fault", HELD_CHARGE, level(GunState.FAULTED, 30), 50, S.ENDED, (CHANGE,), 80),
    ("goal reached", HELD_CHARGE, life.GoalReached(Reason.GOAL_REACHED), 50, S.STOPPING, (CHANGE,), 60),
    ("stop while holding", (), WISH, 1, S.CANCELLED, (RELEASE, CHANGE), None),
    ("stop while queued", (life.Queued(),), WISH, 1, S.CANCELLED, (life.LeaveQueue(), RELEASE, CHANGE), None),
    ("stop", HELD_CHARGE, WISH, 50, S.STOPPING, (STOP, CHANGE), 60),
    ("stop again", (*HELD_CHARGE, WISH), WISH, 5, S.STOPPING, (), 10),
    ("stop repeated", (*HELD_CHARGE, WISH), life.DeadlinePassed(), 10, S.STOPPING, (STOP,), 20),
    ("stop unanswered", (*HELD_CHARGE, WISH), life.DeadlinePassed(), 30, S.STOPPING, (STOP, life.WarnStopUnanswered()), 40),
    ("stop given up", (*HELD_CHARGE, WISH), life.DeadlinePassed(), 120, S.EXCEPTION, (STOP, CHANGE), 130),
    ("stop before the charge, charge begins", (life.Admitted(), WISH), CHARGING, 3, S.STOPPING, (STOP,), 10),
    ("stop before the charge, start refused", (life.Admitted(), WISH), life.StartReplied(Outcome.REFUSED), 3, S.CANCELLED, (RELEASE, CHANGE), None),
    ("stop before the charge, never charged", (life.Admitted(), WISH), life.DeadlinePassed(), 120, S.CANCELLED, (RELEASE, CHANGE), None),
    (
        "stop while starting, gun is back",
        (life.Admitted(), level(GunState.STARTING, 5), WISH),
        level(GunState.PLUGGED, 6, None),
        3,
        S.CANCELLED,
        (RELEASE, CHANGE),
        None,
    ),
    ("link lost while charging", HELD_CHARGE, level(GunState.OFFLINE, 11), 50, S.EXCEPTION, (CHANGE,), 50 + 86400),
    ("link lost while starting", (life.Admitted(),), life.LinkLost(), 5, S.COMMANDED, (), 120),
    ("charge goes on", (*HELD_CHARGE, life.LinkLost()), level(GunState.CHARGING, 30), 60, S.CHARGING, (CHANGE,), 60 + 86400),
    ("ended meanwhile", (*HELD_CHARGE, life.LinkLost()), level(GunState.IDLE, 30, None), 60, S.ENDED, (CHANGE,), 90),
    ("link lost for a day", (*HELD_CHARGE, life.LinkLost()), life.DeadlinePassed(), 86400, S.EXCEPTION, (life.SettleProvisionally(),), 86460),
    ("stop wished while away", (*HELD_CHARGE, life.LinkLost()), WISH, 60, S.EXCEPTION, (STOP,), 86400),
    ("stop sent on return", (*HELD_CHARGE, life.LinkLost(), WISH), life.LinkReturned(), 60, S.EXCEPTION, (STOP,), 86400),
    ("stop goes on after return", (*HELD_CHARGE, life.LinkLost(), WISH), level(GunState.CHARGING, 30), 60, S.STOPPING, (STOP, CHANGE), 70),
    ("record missing", (*HELD_CHARGE, FINISHED), life.DeadlinePassed(), 30, S.EXCEPTION, (CHANGE,), 60),
    ("billed by marks", (*HELD_CHARGE, FINISHED), life.ProvisionalMade(True), 60, S.SETTLED, (CHANGE,), None),
    ("nothing to bill by", (*HELD_CHARGE, FINISHED), life.ProvisionalMade(False), 60, S.REVIEW, (CHANGE,), 60 + 7 * 86400),
    ("record", (*HELD_CHARGE, FINISHED), life.RecordStored(life.RecordOutcome.SETTLED, True), 5, S.SETTLED, (CHANGE,), None),
    ("record before the level", HELD_CHARGE, life.RecordStored(life.RecordOutcome.SETTLED, True), 5, S.SETTLED, (CHANGE,), None),
    ("record of a failed start", (life.Admitted(),), life.RecordStored(life.RecordOutcome.SETTLED, False), 5, S.START_FAILED, (CHANGE,), None),
    ("record in dispute", HELD_CHARGE, life.RecordStored(life.RecordOutcome.REVIEW, True), 5, S.REVIEW, (CHANGE,), 5 + 7 * 86400),
    (
        "a further record does not prolong a review",
        (*HELD_CHARGE, life.RecordStored(life.RecordOutcome.REVIEW, True)),
        life.RecordStored(life.RecordOutcome.REVIEW, True),
        86400,
        S.REVIEW,
        (),
        7 * 86400,
    ),
    ("record waits for marks", HELD_CHARGE, AWAITS, 5, S.REVIEW, (CHANGE,), 20),
    ("another mark, another wait", (*HELD_CHARGE, AWAITS), life.MarkSeen(), 9, S.REVIEW, (), 24),
    ("another record does not end the wait", (*HELD_CHARGE, AWAITS), DISPUTED, 9, S.REVIEW, (), 15),
    ("the marks are in", (*HELD_CHARGE, AWAITS), life.DeadlinePassed(), 15, S.REVIEW, (life.ReckonAnew(),), 30),
    ("they explain it", (*HELD_CHARGE, AWAITS), life.ReckonedAnew(life.RecordOutcome.SETTLED), 15, S.SETTLED, (CHANGE,), None),
    ("they do not", (*HELD_CHARGE, AWAITS), life.ReckonedAnew(life.RecordOutcome.REVIEW), 15, S.REVIEW, (), 7 * 86400),
    ("a mark behind a dispute", (*HELD_CHARGE, DISPUTED), life.MarkSeen(), 100, S.REVIEW, (), 115),
    ("a mark behind a dispute, as it closes", (*HELD_CHARGE, DISPUTED), life.MarkSeen(), 7 * 86400 - 5, S.REVIEW, (), 7 * 86400),
    ("a mark behind a settlement", (*HELD_CHARGE, SETTLED), life.MarkSeen(), 9, S.SETTLED, (life.ReckonAnew(),), None),
    (
        "it knows of more than the record",
        (*HELD_CHARGE, SETTLED),
        life.ReckonedAnew(life.RecordOutcome.REVIEW),
        9,
        S.REVIEW,
        (CHANGE,),
        9 + 7 * 86400,
    ),
    ("it knows of nothing else", (*HELD_CHARGE, SETTLED), life.ReckonedAnew(None), 9, S.SETTLED, (), None),
    (
        "a record of a closed order that waits for marks",
        (WISH,),
        AWAITS,
        5,
        S.REVIEW,
        (life.Adopt(S.CANCELLED), CHANGE),
        20,
    ),
    (
        "marks of a charge that its record denies",
        (WISH,),
        life.ReckonedAnew(life.RecordOutcome.REVIEW),
        5,
        S.REVIEW,
        (life.Adopt(S.CANCELLED), CHANGE),
        5 + 7 * 86400,
    ),
    ("record again", (*HELD_CHARGE, FINISHED), life.RecordStored(life.RecordOutcome.REPEATED, True), 5, S.ENDED, (), 30),
    (
        "admitted too late",
        (life.Refused(Reason.ENGINE_AWAY),),
        life.Admitted(),
        40,
        S.REFUSED,
        (life.PublishStop(Reason.EXPIRED),),
        None,
    ),
    (
        "charge of a closed order",
        (WISH,),
        CHARGING,
        40,
        S.STOPPING,
        (life.Adopt(S.CANCELLED), life.PublishStop(Reason.UNEXPECTED_CHARGE), CHANGE),
        50,
    ),
    (
        "record of a closed order",
        (life.Refused(Reason.ENGINE_AWAY),),
        life.RecordStored(life.RecordOutcome.SETTLED, True),
        40,
        S.SETTLED,
        (life.Adopt(S.REFUSED), CHANGE),
        None,
    ),
    ("empty record of a closed order", (life.Refused(Reason.ENGINE_AWAY),), life.RecordStored(life.RecordOutcome.SETTLED, False), 40, S.REFUSED, (), None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "seen", "seconds", "state", "effects", "deadline"), [m[1:] for m in MOVES], ids=[m[0] for m in MOVES]
)
def test_an_observation_moves_an_order(
    before: tuple[life.Observation, ...],
    seen: life.Observation,
    seconds: float,
    state: S,
    effects: tuple[life.Effect, ...],
    deadline: float | None,
) -> None:
    done = life.step(order(*before), seen, at(seconds))
    assert done.facts.state is state
    assert done.effects == effects
    assert done.facts.deadline == (None if deadline is None else at(deadline))


def test_why_an_order_closed_is_kept() -> None:
    assert order(life.Refused(Reason.NO_HEADROOM)).reason is Reason.NO_HEADROOM
    assert life.step(order(), life.DeadlinePassed(), at(35)).facts.reason is Reason.ENGINE_AWAY
    assert order(life.Admitted(), life.StartReplied(Outcome.TIMED_OUT)).reason is Reason.TIMED_OUT
    assert order(WISH).reason is Reason.STOPPED_BY_PERSON
    assert order(*HELD_CHARGE, life.LinkLost()).trouble is Trouble.LINK_LOST


def test_the_provisional_settlement_counts_from_the_observed_end() -> None:
    facts = life.step(order(*HELD_CHARGE), FINISHED, at(100)).facts
    facts = life.step(facts, life.DeadlinePassed(), at(145)).facts
    assert facts.state is S.EXCEPTION
    assert facts.deadline == at(100 + waits.PROVISIONAL_S)


STATES = st.sampled_from(list(GunState))
LEVELS = st.builds(
    LevelSeen,
    state=STATES,
    serial=st.sampled_from([SERIAL, OTHER, None]),
    key=st.tuples(st.integers(1, 3), st.integers(0, 9)),
    since=st.integers(0, 200).map(at),
)
OBSERVATIONS = st.one_of(
    LEVELS,
    LEVELS,
    st.sampled_from(
        [
            life.Admitted(),
            life.Queued(),
            life.Refused(Reason.BAND_BLOCKED),
            *(life.StartReplied(outcome) for outcome in Outcome),
            life.StartFailed(),
            life.MarkSeen(),
            life.GoalReached(Reason.GOAL_REACHED),
            WISH,
            life.StopReplied(Outcome.ACCEPTED),
            life.LinkLost(),
            life.LinkReturned(),
            life.ReviewClosed(),
            life.DeadlinePassed(),
            *(life.RecordStored(outcome, energy) for outcome in life.RecordOutcome for energy in (True, False)),
            life.ProvisionalMade(True),
            life.ProvisionalMade(False),
            life.ReckonedAnew(life.RecordOutcome.SETTLED),
            life.ReckonedAnew(None),
        ]
    ),
)


@settings(max_examples=200)
@given(st.lists(st.tuples(OBSERVATIONS, st.floats(0, 100)), max_size=30))
def test_no_sequence_loses_a_hold_or_leaves_an_order_open_for_ever(
    sequence: list[tuple[life.Observation, float]],
) -> None:
    facts, now, held = life.begin(NOW, SERIAL), NOW, True
    for seen, wait in sequence:
        now += timedelta(seconds=wait)
        before = facts
        done = life.step(facts, seen, now)
        facts = done.facts
        if life.ReleaseHold() in done.effects:
            assert held, "released twice"
            held = False
        closed_by_the_books = isinstance(
            seen, life.RecordStored | life.ProvisionalMade | life.ReckonedAnew | life.ReviewClosed
        )
        if held and closed_by_the_books and not facts.hold_open:
            held = False
        assert facts.hold_open is held
        if facts.state in life.FINAL:
            assert not held
            assert facts.deadline is None
        else:
            assert facts.deadline is not None
            assert facts.deadline > now or facts.state is not before.state or not isinstance(seen, life.DeadlinePassed)
        assert (life.PublishOrderChange() in done.effects) is (facts.state is not before.state)
        if before.state in life.FINAL and facts.state is not before.state:
            assert any(isinstance(effect, life.Adopt) for effect in done.effects)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(OBSERVATIONS, st.floats(0, 100)), max_size=20))
def test_deadlines_alone_end_every_order(sequence: list[tuple[life.Observation, float]]) -> None:
    facts, now = life.begin(NOW, SERIAL), NOW
    for seen, wait in sequence:
        now += timedelta(seconds=wait)
        facts = life.step(facts, seen, now).facts
    rounds = 0
    while facts.deadline is not None:
        now = max(now, facts.deadline)
        done = life.step(facts, life.DeadlinePassed(), now)
        facts = done.facts
        if life.SettleProvisionally() in done.effects:
            facts = life.step(facts, life.ProvisionalMade(False), now).facts
        if life.ReckonAnew() in done.effects:
            facts = life.step(facts, life.ReckonedAnew(life.RecordOutcome.REVIEW), now).facts
        if life.CloseReview() in done.effects:
            facts = life.step(facts, life.ReviewClosed(), now).facts
        rounds += 1
        assert rounds < 10_000
    assert facts.state in life.FINAL


def test_a_level_seen_again_changes_nothing() -> None:
    for before in ((life.Admitted(), CHARGING), (life.Admitted(), CHARGING, FINISHED)):
        facts = order(*before)
        assert life.step(facts, before[-1], at(1)) == life.Step(facts)


def test_a_settled_order_that_charges_later_is_stopped() -> None:
    facts = order(*HELD_CHARGE, FINISHED, life.RecordStored(life.RecordOutcome.SETTLED, True, at(20)))
    assert life.step(facts, level(GunState.CHARGING, 40, seconds=10), at(30)).effects == ()
    late = life.step(facts, level(GunState.CHARGING, 40, seconds=30), at(30))
    assert late == life.Step(replace(facts), (life.PublishStop(Reason.UNEXPECTED_CHARGE),))


def test_a_charge_that_is_in_review_and_goes_on_is_stopped() -> None:
    away = order(*HELD_CHARGE, life.LinkLost(), life.ProvisionalMade(False))
    assert away.state is S.REVIEW
    back = life.step(away, level(GunState.CHARGING, 40), at(90_000))
    assert back == life.Step(away, (life.PublishStop(Reason.UNEXPECTED_CHARGE),))
    disputed = order(*HELD_CHARGE, FINISHED, life.RecordStored(life.RecordOutcome.REVIEW, True, at(20)))
    assert life.step(disputed, level(GunState.CHARGING, 40, seconds=10), at(30)).effects == ()


WAITS = life.begin(NOW, SERIAL, answer_by=at(10))
"""A driver stands at the pile until the tenth second."""
TOLD = (life.RefuseAtPile(Reason.NO_HEADROOM),)


def after(facts: OrderFacts, *seen: life.Observation, seconds: float = 2) -> life.Step:
    done = life.Step(facts)
    for one in seen:
        done = life.step(done.facts, one, at(seconds))
    return done


def told(done: life.Step) -> tuple[life.Effect, ...]:
    return tuple(effect for effect in done.effects if isinstance(effect, life.RefuseAtPile))


AT_PILE: list[tuple[str, tuple[life.Observation, ...], float, S, tuple[life.Effect, ...]]] = [
    ("the gate refuses", (life.Refused(Reason.NO_HEADROOM),), 2, S.REFUSED, TOLD),
    ("no verdict", (life.DeadlinePassed(),), 10, S.REFUSED, (life.RefuseAtPile(Reason.ENGINE_AWAY),)),
    (
        "the start fails unwritten",
        (life.Admitted(), life.StartReplied(Outcome.REFUSED, Reason.NO_HEADROOM)),
        3,
        S.START_FAILED,
        TOLD,
    ),
    ("cancelled while it holds", (WISH,), 2, S.CANCELLED, (life.RefuseAtPile(Reason.STOPPED_BY_PERSON),)),
    (
        "cancelled when commanded",
        (life.Admitted(), WISH),
        2,
        S.STOPPING,
        (life.RefuseAtPile(Reason.STOPPED_BY_PERSON),),
    ),
    ("it starts, then fails", (level(GunState.STARTING, 5), life.StartFailed()), 3, S.START_FAILED, ()),
    ("it starts, then is stopped", (level(GunState.STARTING, 5), WISH), 3, S.STOPPING, ()),
    ("it charges and is stopped", (CHARGING, WISH), 3, S.STOPPING, ()),
]


@pytest.mark.parametrize(("what", "seen", "seconds", "state", "effects"), AT_PILE, ids=[move[0] for move in AT_PILE])
def test_who_waits_at_the_pile_is_told_unless_it_starts(
    what: str, seen: tuple[life.Observation, ...], seconds: float, state: S, effects: tuple[life.Effect, ...]
) -> None:
    done = after(WAITS, *seen, seconds=seconds)
    assert (done.facts.state, told(done)) == (state, effects)
    assert told(after(order(), *seen, seconds=36)) == (), "nobody waits at the pile of an order from elsewhere"


def test_the_verdict_of_a_driver_at_the_pile_is_awaited_as_long_as_the_pile_waits() -> None:
    assert (WAITS.deadline, life.begin(NOW, answer_by=at(60)).deadline) == (at(10), at(waits.VERDICT_S))
    assert life.step(WAITS, life.Admitted(), at(2)).facts.deadline == at(2 + waits.START_DEADLINE_S)
