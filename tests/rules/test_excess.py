"""For how long a transformer has carried too much, and what is due because of it."""

from evcs.contracts.config import TransformerConfig
from rules.excess import Excess
from tests.rules.town import after

CONFIG = TransformerConfig(transformer="t1", rated_kva=100.0)


def follow(loads: list[tuple[float, float | None]]) -> Excess:
    excess = Excess()
    for at, load_pct in loads:
        excess.step(CONFIG, load_pct, after(at))
    return excess


def test_exactly_100_percent_is_not_over() -> None:
    assert follow([(0, 100.0)]).over_since is None
    assert follow([(0, 100.1)]).over_since == after(0)


def test_after_60_s_without_a_break_sessions_give_way() -> None:
    excess = follow([(0, 101.0), (30, 105.0)])
    assert not excess.may_cut(CONFIG, after(59))
    assert excess.may_cut(CONFIG, after(60))
    assert not follow([(0, 101.0), (59, 100.0), (60, 101.0)]).may_cut(CONFIG, after(61))


def test_a_load_that_nobody_can_read_is_no_low_load() -> None:
    excess = follow([(0, 101.0), (30, None)])
    assert excess.over_since == after(0)
    assert excess.may_cut(CONFIG, after(60))
    assert excess.within_since is None


def test_the_newest_stops_after_5_min_at_the_floor_and_the_next_15_s_later() -> None:
    excess = follow([(0, 101.0)])
    assert not excess.may_stop(CONFIG, after(1000))
    excess.at_floor_since = after(60)
    assert not excess.may_stop(CONFIG, after(359))
    assert excess.may_stop(CONFIG, after(360))
    excess.stopped_at = after(360)
    assert not excess.may_stop(CONFIG, after(374))
    assert excess.may_stop(CONFIG, after(375))


def test_below_it_all_is_forgotten() -> None:
    excess = follow([(0, 101.0)])
    excess.cut_at, excess.at_floor_since, excess.stopped_at = after(60), after(60), after(360)
    excess.step(CONFIG, 99.0, after(370))
    assert (excess.over_since, excess.cut_at, excess.at_floor_since, excess.stopped_at) == (None,) * 4
    assert excess.within_since == after(370)
