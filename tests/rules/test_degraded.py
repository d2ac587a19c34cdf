"""Degraded mode: which figures of the rule are in force, and from when to when."""

import pytest
from msgspec.structs import replace

from evcs.contracts.config import TransformerConfig
from rules.degraded import in_force, is_allowed
from tests.rules.town import after

CONFIG = TransformerConfig(
    transformer="t1",
    rated_kva=630.0,
    has_meter=True,
    base_load_kw=50.0,
    max_base_load_kw=90.0,
    degraded_until=after(60),
)


def test_with_a_living_meter_nothing_changes() -> None:
    assert in_force(CONFIG, False) is CONFIG


def test_degraded_the_largest_base_load_and_60_percent_count() -> None:
    force = in_force(CONFIG, True)
    assert (force.base_load_kw, force.blocked_pct, force.blocked_release_pct) == (90.0, 60.0, 55.0)
    assert (force.limited_pct, force.limited_release_pct) == (50.0, 45.0)


@pytest.mark.parametrize(
    ("degraded_pct", "blocked", "limited"), [(90.0, 80.0, 50.0), (40.0, 40.0, 40.0)], ids=["never higher", "lower"]
)
def test_degraded_never_admits_more(degraded_pct: float, blocked: float, limited: float) -> None:
    force = in_force(replace(CONFIG, degraded_blocked_pct=degraded_pct), True)
    assert (force.blocked_pct, force.limited_pct) == (blocked, limited)
    assert force.blocked_release_pct < force.blocked_pct
    assert force.limited_release_pct < force.limited_pct


def test_without_a_largest_base_load_the_usual_one_counts() -> None:
    assert in_force(replace(CONFIG, max_base_load_kw=None), True).base_load_kw == 50.0
    assert in_force(replace(CONFIG, max_base_load_kw=10.0), True).base_load_kw == 50.0


def test_it_ends_by_its_time_and_is_for_a_meter() -> None:
    assert is_allowed(CONFIG, after(59))
    assert not is_allowed(CONFIG, after(60))
    assert not is_allowed(replace(CONFIG, has_meter=False), after(0))
    assert not is_allowed(replace(CONFIG, degraded_until=None), after(0))
