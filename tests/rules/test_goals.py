"""Goals: what a charge costs by slot, what it will have drawn when a stop takes effect, how latency is learnt."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evcs.contracts.config import StationConfig
from evcs.contracts.envelope import Payload
from evcs.contracts.gun import Goal, Stop
from evcs.contracts.reasons import Reason
from evcs.contracts.states import GoalKind
from rules.engine import Engine
from rules.goals import FIRST_LATENCY_S, Latency, Watch, cost_e5, hold_is_low, reached, remaining_s
from rules.latency import stop_lead_s
from rules.messages import Began, Heard, Message, PictureComplete, Publish, Tick
from rules.station import Station
from tests.rules.town import SINCE_MS, STATION, T0, Town, after

RISING = tuple(range(0, 4_800_000, 100_000))
"""Slot n costs n yuan per kWh; 12:00 in Beijing is slot 24."""
NEVER = Decimal(10_000)


def test_energy_is_spread_evenly_over_the_slots_it_was_drawn_in() -> None:
    """From 12:20 to 12:50: a third at 24 yuan, two thirds at 25."""
    cost = cost_e5(Decimal(9), after(20 * 60), after(50 * 60), RISING)
    assert cost == Decimal(3) * 2_400_000 + Decimal(6) * 2_500_000


@pytest.mark.parametrize(
    ("since_s", "until_s", "slot"),
    [(0, 1800, 24), (1800, 1801, 25), (1799.999, 1800, 24), (5, 5, 24)],
    ids=["a whole slot", "a slot belongs to its start", "up to its end", "no time at all"],
)
def test_a_slot_belongs_to_its_start(since_s: float, until_s: float, slot: int) -> None:
    assert cost_e5(Decimal(1), after(since_s), after(until_s), RISING) == slot * 100_000


@given(st.lists(st.integers(1, 3600), min_size=1, max_size=6), st.integers(1, 1000))
def test_the_cost_at_one_price_is_energy_times_price(gaps: list[int], tenths: int) -> None:
    watch, at = Watch(), T0
    for n, gap in enumerate(gaps, 1):
        at += timedelta(seconds=gap)
        watch.follow(at, Decimal(tenths * n) / 10, 60.0, (70_000,) * 48, T0)
    assert abs(watch.spent_e5 - Decimal(tenths * len(gaps)) / 10 * 70_000) < Decimal("0.001")


def test_the_first_reading_after_a_restart_is_spread_from_the_beginning() -> None:
    watch = Watch()
    watch.follow(after(3600), Decimal(30), 60.0, RISING, after(0))
    assert watch.spent_e5 == Decimal(15) * 2_400_000 + Decimal(15) * 2_500_000


def test_a_counter_that_runs_backwards_costs_nothing() -> None:
    watch = Watch()
    for at, kwh in ((10, "1"), (25, "0.2"), (40, "1")):
        watch.follow(after(at), Decimal(kwh), 60.0, (100_000,) * 48, T0)
    assert (watch.energy_kwh, watch.spent_e5) == (Decimal(1), Decimal(100_000))


def test_what_is_drawn_between_readings_is_carried_on_for_45_s_at_most() -> None:
    watch = Watch()
    watch.follow(after(0), Decimal(1), 120.0, (), T0)
    assert watch.ahead(after(30), 0) == Decimal(1)
    assert watch.ahead(after(45), 0) == watch.ahead(after(600), 0) == Decimal("1.5")
    assert watch.ahead(after(0), 3) == Decimal("0.1")


def test_latency_is_the_median_of_what_the_pile_has_shown() -> None:
    latency = Latency()
    assert latency.expected_s == FIRST_LATENCY_S
    for seconds in (4.0, 5.0, 300.0):
        latency.learn(seconds)
    assert latency.expected_s == 5.0
    for _ in range(20):
        latency.learn(0.0)
    assert latency.expected_s == 0.5


def test_what_an_earlier_run_has_learnt_counts_for_some_stops_and_only_before_any_was_seen() -> None:
    latency = Latency()
    latency.remember(None)
    assert latency.known_s is None
    latency.remember(8.04)
    assert latency.known_s == 8.0
    latency.learn(1.0)
    assert latency.known_s == 8.0, "one odd stop"
    latency.remember(20.0)
    for _ in range(3):
        latency.learn(1.0)
    assert latency.known_s == 1.0


def test_the_latency_of_a_pile_outlives_rules() -> None:
    """12 s from stop to no current in the first run: the next run leads by as much from its first charge on."""
    town, engine = Town([{"pile": "p1", "guns": [120.0]}]), Engine()
    levels: dict[str, Heard] = {}

    def say(message: Message, seconds: float) -> list[Payload]:
        found = []
        for action in engine.step(message, after(seconds)):
            assert isinstance(action, Publish)
            if action.topic.retained:
                address = action.topic.parse(action.name)
                assert address is not None
                levels[action.name] = Heard(action.topic, address, action.payload)
            found.append(action.payload)
        return found

    def charge(begin: int, id: str) -> float:
        """When the stop of a charge of 3 kWh at 120 kW went out, seconds from its begin."""
        say(town.request("p1", 1, after(begin), id=id, goal=goal_of(GoalKind.ENERGY, energy_kwh=Decimal(3))), begin)
        say(town.level("p1", 1, "charging", after(begin), of=id), begin)
        for second in range(200):
            at, kwh = begin + second, Decimal(second) / 30
            if second % 15 == 0:
                say(town.reading("p1", 1, after(at), of=id, kw=120.0, kwh=str(round(kwh, 4))), at)
            if any(isinstance(one, Stop) for one in say(Tick(), at)):
                say(town.level("p1", 1, "finished", after(at + 12), of=id), at + 12)
                say(town.level("p1", 1, "plugged", after(at + 13)), at + 13)
                return second
        raise AssertionError("it charges for ever")

    for message in (Began(SINCE_MS), *town.picture(after(0)), PictureComplete(), town.answer(0)):
        say(message, 0)
    assert charge(10, "a") == 87
    assert charge(1000, "b") == 78
    for message in (Began(SINCE_MS + 1), *town.picture(after(2000)), *tuple(levels.values()), PictureComplete()):
        say(message, 2000)
    say(town.answer(0, SINCE_MS + 1), 2000)
    assert charge(2010, "c") == 78


def test_a_pile_that_was_never_stopped_is_taken_for_one_of_its_kind() -> None:
    town = Town([{"pile": f"p{n}", "guns": [120.0 if n < 4 else 60.0]} for n in range(5)])
    station = Station(STATION)
    config = town.config().payload
    assert isinstance(config, StationConfig)
    station.configure(config)
    new = station.pile("p0")
    station.pile("p4").latency.learn(20.0)
    assert stop_lead_s(station, new) == FIRST_LATENCY_S, "another kind says nothing"
    for pile, seconds in (("p1", 4.0), ("p2", 5.0), ("p3", 12.0)):
        station.pile(pile).latency.learn(seconds)
    assert stop_lead_s(station, new) == 5.0
    for pile in ("p1", "p2", "p3"):
        station.pile(pile).latency = Latency()
        station.pile(pile).latency.learn(0.5)
    assert stop_lead_s(station, new) == FIRST_LATENCY_S, "quick neighbours are no reason to lead by less"
    new.latency.learn(1.0)
    assert stop_lead_s(station, new) == 1.0


def goal_of(kind: GoalKind, **values: object) -> Goal:
    return Goal(kind=kind, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("goal", "covered", "drawn", "why"),
    [
        (goal_of(GoalKind.FULL), NEVER, "9999", None),
        (goal_of(GoalKind.FULL), Decimal(5), "5", Reason.HOLD_USED_UP),
        (goal_of(GoalKind.ENERGY, energy_kwh=Decimal(5)), NEVER, "5", Reason.GOAL_REACHED),
        (goal_of(GoalKind.ENERGY, energy_kwh=Decimal(5)), NEVER, "4.9", None),
        (goal_of(GoalKind.ENERGY, energy_kwh=Decimal(9)), Decimal(5), "5", Reason.HOLD_USED_UP),
        (goal_of(GoalKind.AMOUNT, amount_fen=500), Decimal(1), "4.9", None),
        (goal_of(GoalKind.AMOUNT, amount_fen=500), Decimal(1), "5", Reason.GOAL_REACHED),
        (goal_of(GoalKind.TIME, duration_s=600), Decimal(5), "5", Reason.HOLD_USED_UP),
    ],
)
def test_what_ends_a_charge(goal: Goal, covered: Decimal, drawn: str, why: Reason | None) -> None:
    """At 0 kW nothing is carried on, so only what is drawn counts; one yuan per kWh."""
    prices = (100_000,) * 48
    watch = Watch()
    watch.follow(after(60), Decimal(drawn), 0.0, prices, T0)
    assert reached(goal, covered, prices, watch, T0, 2.0, after(61)) is why


def test_nothing_is_reached_before_the_first_reading() -> None:
    goal = goal_of(GoalKind.ENERGY, energy_kwh=Decimal("0.0001"))
    assert reached(goal, Decimal(0), (), Watch(), None, 2.0, T0) is None
    assert not hold_is_low(goal, Decimal(0), Watch(), T0)


@pytest.mark.parametrize(
    ("covered", "power_kw", "for_s", "is_low"),
    [
        ("5.55", 0.0, 60, True),
        ("5.56", 0.0, 60, False),
        ("6", 60.0, 60, True),
        ("6.01", 60.0, 60, False),
        ("6.2", 60.0, 71, False),
        ("6.2", 60.0, 72, True),
        ("100", 120.0, 60, False),
    ],
    ids=[
        "nine tenths are drawn",
        "not quite",
        "the rest lasts a minute",
        "a little longer",
        "a reading of 11 s ago is carried on",
        "and one of 12 s ago",
        "a large hold",
    ],
)
def test_a_hold_is_low_at_nine_tenths_or_a_minute_before_its_end(
    covered: str, power_kw: float, for_s: float, is_low: bool
) -> None:
    watch = Watch()
    watch.follow(after(60), Decimal(5), power_kw, (), T0)
    assert hold_is_low(goal_of(GoalKind.FULL), Decimal(covered), watch, after(for_s)) is is_low


def test_the_hold_of_an_amount_never_runs_low() -> None:
    watch = Watch()
    watch.follow(after(60), Decimal(5), 60.0, (), T0)
    assert not hold_is_low(goal_of(GoalKind.AMOUNT, amount_fen=1), Decimal(1), watch, after(60))


@pytest.mark.parametrize(
    ("goal", "left_s"),
    [
        (goal_of(GoalKind.TIME, duration_s=600), 530.0),
        (goal_of(GoalKind.ENERGY, energy_kwh=Decimal(6)), 50.0),
        (goal_of(GoalKind.AMOUNT, amount_fen=600), 50.0),
        (goal_of(GoalKind.ENERGY, energy_kwh=Decimal(1)), 0.0),
        (goal_of(GoalKind.FULL), None),
    ],
    ids=["time", "energy", "amount", "over already", "nobody knows when a car is full"],
)
def test_how_long_a_goal_still_takes(goal: Goal, left_s: float | None) -> None:
    """70 s after the begin, 10 s after a reading of 5 kWh at 60 kW; one yuan per kWh."""
    watch = Watch()
    watch.follow(after(60), Decimal(5), 60.0, (100_000,) * 48, T0)
    found = remaining_s(goal, (100_000,) * 48, watch, T0, after(70))
    assert found == left_s if left_s is None else found == pytest.approx(left_s, abs=0.1)
