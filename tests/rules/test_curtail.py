"""What an overload takes from whom: within the budget, as fairly as can be, from nobody more than the floor allows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.curtail import Branch, fair_level, shared_out


def branch(demand: float, floor: float = 0.0, sessions: int = 1, name: str = "p") -> Branch:
    return Branch(name, sessions, demand, min(floor, demand))


BRANCHES = st.lists(
    st.builds(branch, st.floats(0.1, 500), st.floats(0, 200), st.integers(1, 3)), min_size=1, max_size=12
)


@pytest.mark.parametrize(
    ("branches", "budget_kw", "given_kw"),
    [
        ([branch(400), branch(200)], 300, [150, 150]),
        ([branch(400), branch(40)], 300, [260, 40]),
        ([branch(400, 120), branch(200, 60)], 100, [120, 60]),
        ([branch(400, 200), branch(200)], 250, [200, 50]),
        ([branch(400, sessions=2), branch(200)], 300, [200, 100]),
        ([branch(400), branch(100, 100)], 300, [200, 100]),
    ],
    ids=[
        "alike",
        "who wants little keeps it",
        "not below the floors",
        "what a floor takes the others give",
        "by session, not by pile",
        "a pile that cannot give",
    ],
)
def test_the_level(branches: list[Branch], budget_kw: float, given_kw: list[float]) -> None:
    level_kw = fair_level(branches, budget_kw)
    assert level_kw is not None
    assert [one.given_kw(level_kw) for one in branches] == pytest.approx(given_kw, abs=1e-6)


def test_nobody_gives_what_is_not_needed() -> None:
    assert fair_level([branch(100), branch(50)], 150) is None


@given(BRANCHES, st.floats(-500, 3000))
def test_the_budget_holds_or_all_are_at_their_floor(branches: list[Branch], budget_kw: float) -> None:
    level_kw = fair_level(branches, budget_kw)
    if level_kw is None:
        assert sum(one.demand_kw for one in branches) <= budget_kw
        return
    given_kw = [one.given_kw(level_kw) for one in branches]
    floors_kw = sum(one.floor_kw for one in branches)
    assert sum(given_kw) <= max(budget_kw, floors_kw) + 1e-6
    # Nothing is taken for nothing.
    assert sum(given_kw) >= min(budget_kw, sum(one.demand_kw for one in branches)) - 1e-3


@given(BRANCHES, st.floats(0, 3000))
def test_fair_who_gets_more_a_session_than_another_is_at_his_floor_or_the_other_wants_no_more(
    branches: list[Branch], budget_kw: float
) -> None:
    level_kw = fair_level(branches, budget_kw)
    if level_kw is None:
        return
    for rich in branches:
        for poor in branches:
            rich_kw, poor_kw = rich.given_kw(level_kw), poor.given_kw(level_kw)
            if rich_kw / rich.sessions > poor_kw / poor.sessions + 1e-6:
                assert rich_kw <= rich.floor_kw + 1e-6 or poor_kw >= poor.demand_kw - 1e-6


@given(BRANCHES, st.floats(0, 3000), st.randoms())
def test_the_order_of_the_piles_does_not_matter(branches: list[Branch], budget_kw: float, dice: object) -> None:
    other = list(branches)
    dice.shuffle(other)  # type: ignore[attr-defined]
    assert fair_level(branches, budget_kw) == pytest.approx(fair_level(other, budget_kw), abs=1e-6)


@given(st.floats(0, 1000), st.lists(st.floats(0.1, 400), min_size=1, max_size=4))
def test_a_pile_s_share_is_divided_and_never_exceeded(total_kw: float, most_kw: list[float]) -> None:
    shares = shared_out(total_kw, most_kw)
    assert sum(shares) <= total_kw + 1e-6
    assert all(share <= most + 1e-6 for share, most in zip(shares, most_kw, strict=True))
    # Rounded down to 0.1 kW, and no more than that is left over.
    assert sum(shares) >= min(total_kw, sum(most_kw)) - 0.1 * len(most_kw) - 1e-6
