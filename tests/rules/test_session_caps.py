"""The caps of a session: each source its own, the lowest binds and is named, a restart brings them back."""

from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from evcs.contracts.gun import Goal
from evcs.contracts.session import Held, HeldCap
from evcs.contracts.states import GoalKind
from rules.session_caps import CapSource, lowest, restored_caps, set_cap, told
from tests.rules.town import T0, serial_of


@dataclass
class Capped:
    """What has caps."""

    caps: dict[CapSource, float] = field(default_factory=dict)


def held(**said: object) -> Held:
    return Held(
        serial=serial_of("a"),
        goal=Goal(kind=GoalKind.FULL),
        covered_kwh=Decimal(1),
        reserved_kw=0.0,
        admitted_at=T0,
        **said,  # type: ignore[arg-type]
    )


def test_the_lowest_binds_and_the_first_named_where_two_say_the_same() -> None:
    session = Capped()
    assert lowest(session.caps.items(), 100) is None
    for source, cap_kw in ((CapSource.HAND, 50.0), (CapSource.OVERLOAD, 40.0), (CapSource.TRANSFORMER, 50.0)):
        assert set_cap(session, source, cap_kw)
    assert lowest(session.caps.items(), 100) == (CapSource.OVERLOAD, 40.0)
    assert set_cap(session, CapSource.OVERLOAD, None)
    assert lowest(session.caps.items(), 100) == (CapSource.TRANSFORMER, 50.0)


def test_a_cap_at_the_rating_is_none() -> None:
    assert lowest([(CapSource.HAND, 100.0)], 100) is None
    assert lowest([(CapSource.HAND, 99.9)], 100) == (CapSource.HAND, 99.9)


def test_the_same_again_changes_nothing() -> None:
    session = Capped()
    assert not set_cap(session, CapSource.SHARING, None)
    assert set_cap(session, CapSource.SHARING, 10.0)
    assert not set_cap(session, CapSource.SHARING, 10.0)


def test_a_restart_brings_every_cap_back_to_its_source() -> None:
    caps = {CapSource.TRANSFORMER: 60.0, CapSource.OVERLOAD: 36.0, CapSource.HAND: 80.0}
    level = held(cap_kw=36.0, bound_by="overload", caps=told(caps))
    assert [cap.cap_kw for cap in level.caps] == [36.0, 60.0, 80.0]
    assert restored_caps(level) == caps


def test_a_source_of_a_later_edition_is_left_out() -> None:
    caps = (HeldCap(source="moon", cap_kw=5.0), HeldCap(source="hand", cap_kw=9.0))
    assert restored_caps(held(cap_kw=5.0, bound_by="moon", caps=caps)) == {CapSource.HAND: 9.0}


@pytest.mark.parametrize(
    ("bound_by", "source"),
    [
        ("transformer", CapSource.TRANSFORMER),
        ("pile_floor", CapSource.TRANSFORMER),
        ("hand", CapSource.HAND),
        ("overload", CapSource.OVERLOAD),
    ],
)
def test_a_level_of_an_older_edition_tells_only_the_lowest(bound_by: str, source: CapSource) -> None:
    assert restored_caps(held(cap_kw=36.0, bound_by=bound_by)) == {source: 36.0}
    assert restored_caps(held()) == {}
