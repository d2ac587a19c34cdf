"""Shares under nested limits: what every division must be, whatever is asked."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.fair import Demand, Limit, Share, shares

ROOT = "T1"
SLACK_KW = 1e-6

kw = st.floats(0, 400, allow_nan=False).map(lambda value: round(value, 3))


@st.composite
def trees(draw: st.DrawFn) -> tuple[list[Limit], list[Demand]]:
    """A transformer, feeders below each other, piles below them, sessions at piles."""
    limits = [Limit(ROOT, draw(kw))]
    for number in range(draw(st.integers(0, 8))):
        limits.append(Limit(f"n{number}", draw(kw), draw(st.sampled_from(limits)).name))
    demands = []
    for number in range(draw(st.integers(0, 14))):
        wants = draw(kw)
        least = draw(st.floats(0, 1)) * min(wants, 40)
        efficiency = draw(st.sampled_from([1.0, 0.94, 0.9]))
        demands.append(Demand(f"g{number}", draw(st.sampled_from(limits)).name, wants, least, efficiency))
    return limits, demands


def chain(limits: list[Limit], name: str | None) -> list[str]:
    parents = {limit.name: limit.parent for limit in limits}
    found = []
    while name is not None:
        found.append(name)
        name = parents[name]
    return found


def used(limit: Limit, limits: list[Limit], demands: list[Demand], given: dict[str, Share]) -> float:
    return sum(given[d.key].kw / d.efficiency for d in demands if limit.name in chain(limits, d.below))


@given(trees())
def test_no_limit_is_passed_but_by_floors_alone(tree: tuple[list[Limit], list[Demand]]) -> None:
    limits, demands = tree
    found = shares(limits, demands)
    for limit in limits:
        below = [d for d in demands if limit.name in chain(limits, d.below)]
        floors = sum(d.least_kw / d.efficiency for d in below)
        assert used(limit, limits, demands, found) <= max(limit.limit_kw, floors) + SLACK_KW


@given(trees())
def test_everybody_gets_between_floor_and_wish(tree: tuple[list[Limit], list[Demand]]) -> None:
    limits, demands = tree
    found = shares(limits, demands)
    assert set(found) == {d.key for d in demands}
    for d in demands:
        assert d.least_kw - SLACK_KW <= found[d.key].kw <= d.wants_kw + SLACK_KW


@given(trees())
def test_who_gets_less_than_wished_is_held_by_a_limit_that_is_used_up_for_nobody_poorer(
    tree: tuple[list[Limit], list[Demand]],
) -> None:
    """The definition of max-min fairness: a bottleneck where nobody has more, save by a floor."""
    limits, demands = tree
    found = shares(limits, demands)
    for d in demands:
        share = found[d.key]
        if share.kw >= d.wants_kw - SLACK_KW:
            continue
        (limit,) = [limit for limit in limits if limit.name == share.bound_by]
        assert limit.name in chain(limits, d.below)
        assert used(limit, limits, demands, found) >= limit.limit_kw - SLACK_KW
        for other in demands:
            if limit.name in chain(limits, other.below):
                assert found[other.key].kw <= max(share.kw, other.least_kw) + SLACK_KW


@given(trees(), st.randoms())
def test_order_does_not_matter(tree: tuple[list[Limit], list[Demand]], chance: random.Random) -> None:
    limits, demands = tree
    found = shares(limits, demands)
    shuffled_limits, shuffled = limits[:], demands[:]
    chance.shuffle(shuffled_limits)
    chance.shuffle(shuffled)
    again = shares(shuffled_limits, shuffled)
    for key, share in found.items():
        assert again[key].kw == pytest.approx(share.kw, abs=SLACK_KW)


@pytest.mark.parametrize(
    ("limits", "demands", "expected"),
    [
        pytest.param(
            [Limit(ROOT, 300)],
            [Demand("a", ROOT, 120), Demand("b", ROOT, 120), Demand("c", ROOT, 30)],
            {"a": 120, "b": 120, "c": 30},
            id="room for all",
        ),
        pytest.param(
            [Limit(ROOT, 180)],
            [Demand("a", ROOT, 120), Demand("b", ROOT, 120), Demand("c", ROOT, 30)],
            {"a": 75, "b": 75, "c": 30},
            id="who wants little leaves the rest to the others",
        ),
        pytest.param(
            [Limit(ROOT, 300), Limit("F1", 100, ROOT)],
            [Demand("a", "F1", 120), Demand("b", "F1", 120), Demand("c", ROOT, 250)],
            {"a": 50, "b": 50, "c": 200},
            id="a feeder binds first and what it leaves goes to the others",
        ),
        pytest.param(
            [Limit(ROOT, 60)],
            [Demand("a", ROOT, 120, least_kw=36), Demand("b", ROOT, 120, least_kw=36)],
            {"a": 36, "b": 36},
            id="never below the protocol's floor",
        ),
        pytest.param(
            [Limit(ROOT, 94)], [Demand("a", ROOT, 120, efficiency=0.94)], {"a": 88.36}, id="the limit sees the input"
        ),
    ],
)
def test_shares(limits: list[Limit], demands: list[Demand], expected: dict[str, float]) -> None:
    assert {key: share.kw for key, share in shares(limits, demands).items()} == pytest.approx(expected)


def test_limits_that_are_no_tree_are_refused() -> None:
    with pytest.raises(ValueError, match="no tree"):
        shares([Limit("a", 1, "b"), Limit("b", 1, "a")], [])
    with pytest.raises(ValueError, match="no limit"):
        shares([Limit(ROOT, 1)], [Demand("g", "elsewhere", 1)])
