"""S1: no admission and no release brings the planned or the real load over the blocked threshold, whatever happens.

Cold batteries, slow handshakes, pauses below 15 min, two guns that share a pile, a meter up to 60 s late, lost
readings, lost and refused answers, lost links; piles that obey. Other readings of the rule break the same promise.
"""

from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from rules.simulation.cars import Battery
from rules.simulation.plant import Plant
from rules.simulation.variants import HYSTERESIS, LITERAL, SHORT, Variant
from rules.simulation.visits import Visit
from tests.rules.promise import LONGEST_S, STEP_S, Promise, RealOverload, held, held_rising, site_of

RUNS, CHUNKS = 2_000, 8
SHORT_S, LONG_S = 30 * 60.0, 2 * 3600.0
"""Every twentieth run is a long one: pauses, releases and tapers need their time."""
TRIES = 40
"""So many sites at most until another reading of the rule is caught."""


class AnyCourse(RuleBasedStateMachine):
    """Hypothesis chooses who comes, with what battery, and what goes wrong meanwhile."""

    promise: Promise

    @initialize(seed=st.integers(0, 2**32))
    def a_site_is_there(self, seed: int) -> None:
        dice = Random(seed)
        self.promise = Promise(Plant(site_of(dice), dice, iter(()), STEP_S))

    @rule(
        place=st.integers(0, 9),
        most=st.sampled_from([0.4, 0.75, 1.0, 1.3]),
        need=st.floats(0.1, 1.2),
        cold_s=st.sampled_from([0.0, 0.0, 180.0, 600.0, LONGEST_S]),
        pause_after_s=st.sampled_from([180.0, 600.0, 1500.0]),
        pause_s=st.sampled_from([0.0, 0.0, 60.0, 300.0, LONGEST_S]),
        says_most=st.booleans(),
    )
    def a_car_comes(
        self,
        place: int,
        most: float,
        need: float,
        cold_s: float,
        pause_after_s: float,
        pause_s: float,
        says_most: bool,
    ) -> None:
        plugs = list(self.promise.plant.plugs)
        plug = plugs[place % len(plugs)]
        begin_s = cold_s + pause_after_s
        car = Battery(
            most * plug.rated_kw,
            need * plug.rated_kw,
            cold_s,
            pauses=((begin_s, begin_s + pause_s),),
            says_most=says_most,
        )
        visit = Visit(self.promise.plant.now_s, car, plug.pile, plug.number)
        self.promise.drive.say(self.promise.plant.arrive(visit))

    @rule(steps=st.sampled_from([1, 2, 4, 12, 12, 40, 60]))
    def time_passes(self, steps: int) -> None:
        for _ in range(steps):
            self.promise.advance()

    @rule(place=st.integers(0, 4), seconds=st.sampled_from([20.0, 100.0, 400.0]))
    def a_link_is_lost(self, place: int, seconds: float) -> None:
        plant = self.promise.plant
        box = list(plant.boxes.values())[place % len(plant.boxes)]
        if box.back_s is None:
            self.promise.drive.say(plant.lose_link(box.limits.pile, seconds))

    @rule(lost=st.sampled_from([0.0, 0.3, 1.0]), lag_s=st.sampled_from([0.0, 15.0, 30.0, 60.0]))
    def readings_get_lost_and_late(self, lost: float, lag_s: float) -> None:
        plant = self.promise.plant
        troubles = replace(plant.site.troubles, lost_readings=lost, meter_lag_s=lag_s)
        plant.site = replace(plant.site, troubles=troubles)

    @rule(share=st.floats(0.0, 1.0))
    def the_building_needs_less(self, share: float) -> None:
        plant = self.promise.plant
        kw = plant.base_kw * share
        plant.site = replace(plant.site, base=lambda _: kw)

    @invariant()
    def the_transformer_carries_less_than_the_threshold(self) -> None:
        if hasattr(self, "promise"):
            assert self.promise.plant.real_pct <= self.promise.blocked_pct + 1e-4


TestAnyCourse = AnyCourse.TestCase
TestAnyCourse.settings = settings(
    max_examples=100, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_no_admission_or_release_overloads_the_transformer(chunk: int) -> None:
    runs = [held(seed) for seed in range(chunk, RUNS, CHUNKS)]
    for n, run in enumerate(runs):
        run.until(LONG_S if n % 20 == 0 else SHORT_S)
    # Most of these sites come near the threshold, refuse and set powers; else the promise would hold of itself.
    assert sum(run.admitted for run in runs) > 3 * len(runs)
    assert sum(run.refused for run in runs) > 3 * len(runs)
    assert sum(run.set_powers for run in runs) > len(runs) / 2
    assert sum(run.highest_pct > 70 for run in runs) > len(runs) / 10


def run_all(variant: Variant) -> None:
    for seed in range(TRIES):
        held(seed, variant).until(LONG_S)


@pytest.mark.parametrize("variant", [LITERAL, HYSTERESIS, SHORT], ids=lambda variant: variant.code)
def test_other_readings_of_the_rule_break_the_promise(variant: Variant) -> None:
    with pytest.raises(RealOverload):
        run_all(variant)


def test_while_the_building_draws_too_much_nothing_is_admitted_and_what_runs_gives_way() -> None:
    runs = [held_rising(seed) for seed in range(60)]
    for run in runs:
        run.until(5400)
    assert sum(run.highest_pct > 85 for run in runs) > 15
    assert sum(run.admitted for run in runs) > 150
    assert sum(run.overloads > 0 for run in runs) > 10
