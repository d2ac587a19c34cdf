"""Line protocol: what is written is what a reader of InfluxDB's grammar finds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from evcs.contracts.times import to_ms
from evcs.store.check import fault
from evcs.store.interface import Point
from evcs.store.lines import line, lines, spelled
from tests.evcs.store.line_parser import parse
from tests.evcs.store.points import GUN_1, METER, at, fit_points, point
from tests.evcs.store.test_check import UNFIT


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (
            point(GUN_1, at(0), state="charging", power_kw=59.5, elapsed_min=3),
            'gun,station=s1,pile=32010200000001,gun=1 state="charging",power_kw=59.5,elapsed_min=3i 1777622400000',
        ),
        (
            point(METER, at(0.25), active_kw=100, oil_temp_c=-3.5),
            "transformer,station=s1,transformer=t1 active_kw=100.0,oil_temp_c=-3.5 1777622400250",
        ),
        (
            replace(point(METER, at(0), apparent_kva=1e22), tags=("a b,c=d", "t1")),
            "transformer,station=a\\ b\\,c\\=d,transformer=t1 apparent_kva=1e+22 1777622400000",
        ),
        (
            point(GUN_1, at(0), serial='say "\\" twice'),
            'gun,station=s1,pile=32010200000001,gun=1 serial="say \\"\\\\\\" twice" 1777622400000',
        ),
    ],
    ids=["gun", "whole number in a float field", "escaped tag", "quoted text"],
)
def test_spelling(written: Point, expected: str) -> None:
    assert line(written) == expected


@given(fit_points)
def test_a_line_reads_back_as_the_point_it_was_made_of(written: Point) -> None:
    assert fault(written) is None
    found = parse(line(written))
    measurement = written.measurement
    assert found.measurement == measurement.name
    assert found.tags == tuple(zip(measurement.tags, written.tags, strict=True))
    assert found.at_ms == to_ms(written.at)
    declared = {field.name: field.kind for field in measurement.fields}
    assert dict(found.fields) == {
        field.name: value for field, value in zip(measurement.fields, written.fields, strict=True) if value is not None
    }
    assert all(type(value).__name__ == declared[name] for name, value in found.fields)


def test_a_body_has_a_line_for_each_point_in_utf8() -> None:
    body = lines([point(GUN_1, at(0), state="充电"), point(GUN_1, at(1), power_kw=1.0)])
    assert [parse(text).at_ms for text in body.decode().split("\n")] == [to_ms(at(0)), to_ms(at(1))]


@given(st.lists(fit_points, max_size=5))
def test_by_the_thousand_the_lines_are_the_same(written: list[Point]) -> None:
    fit, found, refused = spelled(written)
    assert (fit, refused) == (written, [])
    assert found == [line(one) for one in written]


@pytest.mark.parametrize(("unfit", "why"), UNFIT)
def test_by_the_thousand_the_unfit_are_named_and_the_others_spelled(unfit: Point, why: str) -> None:
    good = point(METER, at(0), active_kw=1)
    fit, found, refused = spelled([good, unfit, good])
    assert (fit, found) == ([good, good], [line(good)] * 2)
    assert [one.point for one in refused] == [unfit]
    assert why in refused[0].reason
