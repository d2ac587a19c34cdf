"""Bands: strictly over, hysteresis, dwell, and no dwell while nothing is seen."""

from hypothesis import given
from hypothesis import strategies as st

from evcs.contracts.config import TransformerConfig
from evcs.contracts.states import Band
from rules.bands import BandState, over
from tests.rules.town import after

CONFIG = TransformerConfig(transformer="t1", rated_kva=1000)


def follow(loads: list[tuple[float, float | None]], state: BandState | None = None) -> list[str]:
    """The band after each (second, load in %)."""
    state = state or BandState()
    shown = []
    for at, load_pct in loads:
        state.step(CONFIG, load_pct, after(at))
        shown.append(state.shown.value)
    return shown


def test_over_is_strict_and_takes_sums_of_floats() -> None:
    assert not over(80.0, 80.0)
    assert not over(sum([0.1] * 800), 80.0)
    assert over(80.01, 80.0)


def test_up_at_once_down_after_the_dwell() -> None:
    assert follow([(0, 50.0), (1, 50.1), (2, 80.0), (3, 80.1)]) == ["normal", "limited", "limited", "blocked"]
    state = BandState(settled=Band.BLOCKED)
    assert follow([(0, 74.9), (59, 74.9), (60, 74.9)], state) == ["blocked", "blocked", "limited"]
    assert follow([(61, 44.9), (360, 44.9), (361, 44.9)], state) == ["limited", "limited", "normal"]


def test_exactly_at_the_release_is_not_below_it() -> None:
    assert follow([(0, 75.0), (600, 75.0)], BandState(settled=Band.BLOCKED)) == ["blocked", "blocked"]
    assert follow([(0, 45.0), (600, 45.0)], BandState(settled=Band.LIMITED)) == ["limited", "limited"]


def test_while_nothing_is_seen_no_dwell_passes() -> None:
    state = BandState(settled=Band.BLOCKED)
    loads: list[tuple[float, float | None]] = [(0, 70), (30, None), (90, 70), (149, 70), (150, 70)]
    assert follow(loads, state) == ["blocked", "unknown", "blocked", "blocked", "limited"]


@given(st.lists(st.tuples(st.integers(1, 100), st.none() | st.floats(0, 120)), max_size=60))
def test_a_band_is_never_below_its_threshold_nor_left_before_its_dwell(steps: list[tuple[int, float | None]]) -> None:
    state, at, low_since = BandState(), 0, None
    for gap, load_pct in steps:
        at += gap
        before = state.settled
        state.step(CONFIG, load_pct, after(at))
        low_since = None if load_pct is None or load_pct >= 75 else (at if low_since is None else low_since)
        if load_pct is None:
            assert state.shown is Band.UNKNOWN
            continue
        assert state.shown is not Band.NORMAL or load_pct <= 50 + 1e-5
        assert state.shown is Band.BLOCKED or load_pct <= 80 + 1e-5
        if before is Band.BLOCKED and state.settled is not Band.BLOCKED:
            assert low_since is not None
            assert at - low_since >= 60
