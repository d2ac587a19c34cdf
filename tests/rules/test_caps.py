"""The plan of a pile under its power control, and an allowance from sent to confirmed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evcs.contracts.power import PowerControl
from evcs.contracts.states import Scope
from rules.caps import PowerScope, Sent, Want, can_cap, planned_kw
from tests.rules.town import T0, YKC, after


@pytest.mark.parametrize(
    ("rated_kw", "wants", "kw"),
    [
        (120, [Want(120, 60)], 60),
        (120, [Want(60, 20)], 36),
        (125, [Want(125, 62.5)], 62.5),
        (130, [Want(130, 50)], 49.4),
        (120, [Want(120, 60), Want(120, 60)], 120),
        (120, [Want(60, None), Want(60, 30)], 90),
        (127, [Want(61, None), Want(61, 20)], 80.01),
        (127, [Want(70, None), Want(61, 0.5)], 71.12),
        (120, [Want(60, None)], 120),
        (120, [], 120),
        (120, [Want(120, 500)], 120),
    ],
    ids=[
        "half of the pile",
        "the protocol's floor",
        "percent exactly",
        "rounded down to whole percent",
        "two guns at half",
        "a neighbour without cap keeps its rating",
        "rounded down",
        "but never below a neighbour without cap",
        "no cap: no limit",
        "nobody: no limit",
        "never more than the rating",
    ],
)
def test_the_plan_of_a_pile(rated_kw: float, wants: list[Want], kw: float) -> None:
    assert planned_kw(YKC, rated_kw, wants) == pytest.approx(kw)


@given(
    st.floats(7, 720),
    st.lists(st.tuples(st.floats(7, 720), st.none() | st.floats(1, 720)), min_size=1, max_size=4),
)
def test_a_plan_is_whole_percent_within_bounds_and_lowers_no_free_gun(
    rated_kw: float, guns: list[tuple[float, float | None]]
) -> None:
    wants = [Want(min(kw, rated_kw), cap) for kw, cap in guns]
    planned = planned_kw(YKC, rated_kw, wants)
    percent = planned / rated_kw * 100
    assert percent == pytest.approx(round(percent), abs=0.01)
    assert 30 - 0.01 <= percent <= 100
    assert all(planned >= want.rated_kw - 0.001 for want in wants if want.cap_kw is None)


def test_only_whole_piles_can_be_capped() -> None:
    assert can_cap(YKC)
    assert not can_cap(None)
    assert not can_cap(PowerControl(scope=Scope.GUN, unit="kw", least=1, most=500))


def test_until_one_is_confirmed_the_largest_counts() -> None:
    power = PowerScope()
    power.send(Sent("a", 60, T0))
    assert (power.largest_kw(120), power.is_lowered(120)) == (120, True)
    power.send(Sent("b", 90, after(30)))
    assert not power.confirm("nobody's", 30)
    assert power.confirm("b", 90)
    assert (power.largest_kw(120), power.last_sent_kw, power.sent) == (90, 90, [])
    assert not power.confirm("a", 60)


def test_a_confirmation_says_what_the_pile_made_of_it() -> None:
    power = PowerScope()
    power.send(Sent("a", 50.0, T0))
    power.confirm("a", 49.2)
    assert power.largest_kw(120) == 49.2


def test_a_new_login_makes_a_lowered_pile_uncertain() -> None:
    power = PowerScope(confirmed_kw=60)
    power.forget_link(120)
    assert (power.largest_kw(120), power.last_sent_kw) == (120, 60)
    free = PowerScope(confirmed_kw=120)
    free.forget_link(120)
    assert (free.confirmed_kw, free.sent) == (120, [])


@pytest.mark.parametrize(
    ("sent", "confirmed", "largest"), [(None, None, 120), (60, 60, 60), (60, None, 120), (60, 90, 90), (90, 60, 90)]
)
def test_what_a_restart_leaves(sent: float | None, confirmed: float | None, largest: float) -> None:
    power = PowerScope()
    power.restore(sent, confirmed)
    assert power.largest_kw(120) == largest


def test_the_level_never_hides_a_larger_allowance_on_its_way() -> None:
    """Only two figures stand in it; a restart that saw 60 sent and 60 confirmed would forget the 100 between."""
    power = PowerScope(confirmed_kw=60)
    power.send(Sent("a", 100, T0))
    power.send(Sent("b", 60, after(30)))
    restarted = PowerScope()
    restarted.restore(power.last_sent_kw, power.told_confirmed_kw)
    assert restarted.largest_kw(120) == 100


def test_a_start_that_failed_leaves_its_allowance_uncertain_and_nothing_to_repeat() -> None:
    power = PowerScope()
    power.send(Sent("start", 120, T0, serial="1"))
    assert power.start_under_way
    power.release_serial("1")
    assert not power.start_under_way
    assert power.in_flight(after(1)) is None
    assert power.largest_kw(100) == 120
