"""What a store's answer to a write means, and how a refused batch is parted: no sockets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evcs.store.answers import Means, Verdict, part, verdict
from evcs.store.wire import Answer
from tests.evcs.store.points import GUN_1, METER, at, point

CONFLICT = (
    'partial write: field type conflict: input field "power_kw" on measurement "gun" is type string,'
    " already exists as type float dropped=3"
)


@pytest.mark.parametrize(
    ("answer", "means", "dropped"),
    [
        (Answer(204, ""), Means.STORED, None),
        (Answer(200, ""), Means.AWAY, None),
        (Answer(400, '{"error":"' + CONFLICT.replace('"', '\\"') + '"}'), Means.REFUSED, 3),
        (Answer(422, '{"code":"x","message":"partial write: points beyond retention policy dropped=9"}'), "refused", 9),
        (Answer(400, '{"error":"unable to parse \'m f=x\': invalid boolean"}'), Means.REFUSED, None),
        (Answer(400, '{"error":"field type conflict"}'), Means.REFUSED, None),
        (Answer(400, '{"error":"database is required"}'), Means.AWAY, None),
        (Answer(400, '{"code":"invalid","message":"invalid precision; valid values are ns, us, ms"}'), "away", None),
        (Answer(400, "remoteAddr: 127.0.0.1; cannot parse"), Means.AWAY, None),
        (Answer(400, "{}"), Means.AWAY, None),
        (Answer(400, '["a"]'), Means.AWAY, None),
        (Answer(404, '{"error":"database not found: \\"evcs\\""}'), Means.MISSING, None),
        (Answer(404, '{"code":"not found","message":"bucket \\"evcs/raw\\" not found"}'), Means.MISSING, None),
        (Answer(500, '{"error":"retention policy not found: raw"}'), Means.MISSING, None),
        (Answer(500, '{"error":"timeout"}'), Means.AWAY, None),
        (Answer(413, ""), Means.TOO_LARGE, None),
        (Answer(401, '{"error":"authorization failed"}'), Means.AWAY, None),
        (Answer(410, ""), Means.AWAY, None),
        (Answer(599, ""), Means.AWAY, None),
    ],
)
def test_an_answer_is_told_apart_by_what_becomes_of_the_points(
    answer: Answer, means: Means, dropped: int | None
) -> None:
    found = verdict(answer, "store:8086")
    assert (found.means, found.dropped) == (means, dropped)
    assert found.means is Means.STORED or found.reason or answer.status == 413


def test_those_with_the_named_field_are_the_suspects() -> None:
    points = [point(GUN_1, at(0), soc_pct=1.0), point(GUN_1, at(1), power_kw=1.0), point(METER, at(2), active_kw=1.0)]
    assert part(points, Verdict(Means.REFUSED, CONFLICT)) == ([1], [0, 2])


def test_beyond_retention_are_the_oldest() -> None:
    points = [point(GUN_1, at(second), soc_pct=1.0) for second in (9, 2, 7, 1)]
    said = Verdict(Means.REFUSED, "partial write: points beyond retention policy dropped=2", 2)
    assert part(points, said) == ([1, 3], [0, 2])


@given(
    st.lists(st.sampled_from(["soc_pct", "power_kw"]), min_size=2, max_size=30),
    st.sampled_from(["", CONFLICT, "points beyond retention policy", "points beyond retention policy dropped=2"]),
    st.none() | st.integers(0, 40),
)
def test_parts_are_never_empty_and_hold_each_point_once(fields: list[str], reason: str, dropped: int | None) -> None:
    points = [point(GUN_1, at(n), **{field: 1.0}) for n, field in enumerate(fields)]
    one, other = part(points, Verdict(Means.REFUSED, reason, dropped))
    assert one
    assert other
    assert sorted(one + other) == list(range(len(points)))
