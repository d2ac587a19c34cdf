"""What no store takes: one table for all of them."""

from datetime import UTC, datetime

import pytest

from evcs.contracts.measurements import Measurement
from evcs.store.check import fault
from evcs.store.interface import Point
from tests.evcs.store.points import GUN_1, METER, at, point

ONES = (1.0,) * len(METER.measurement.fields)


UNFIT = [
    (Point(Measurement("weather", (), ()), (), (), at(0)), "no such measurement"),
    (Point(METER.measurement, ("s1",), ONES, at(0)), "1 tags"),
    (Point(METER.measurement, ("s1", ""), ONES, at(0)), "tag transformer"),
    (Point(METER.measurement, ("s1", "t\n1"), ONES, at(0)), "tag transformer"),
    (Point(METER.measurement, ("s1\\", "t1"), ONES, at(0)), "tag station"),
    (point(METER, at(0)), "no field"),
    (point(METER, at(0), active_kw=float("nan")), "not a number"),
    (point(METER, at(0), active_kw=float("inf")), "not a number"),
    (point(METER, at(0), active_kw=True), "bool where float"),
    (point(GUN_1, at(0), power_kw="59"), "str where float"),
    (point(GUN_1, at(0), elapsed_min=1.5), "float where int"),
    (point(GUN_1, at(0), receipt_n=2**63), "64 bits"),
    (point(GUN_1, at(0), state=3), "int where str"),
    (point(GUN_1, at(0), state="\ud800"), "not UTF-8"),
    (point(GUN_1, at(0), state="a\0b"), "NUL"),
    (point(GUN_1, at(0), state="长" * 6000), "18000 bytes"),
    (point(METER, datetime(2026, 5, 1), active_kw=1.0), "without zone"),  # noqa: DTZ001 - the point of it
    (point(METER, datetime(1969, 12, 31, tzinfo=UTC), active_kw=1.0), "out of range"),
    (point(METER, datetime(9999, 1, 1, tzinfo=UTC), active_kw=1.0), "out of range"),
]


@pytest.mark.parametrize(("unfit", "why"), UNFIT)
def test_an_unfit_point_is_named_with_its_reason(unfit: Point, why: str) -> None:
    assert why in (fault(unfit) or "")


@pytest.mark.parametrize(
    "fit", [point(METER, at(0), active_kw=0), point(GUN_1, at(0), state=""), point(GUN_1, at(0), receipt_n=2**63 - 1)]
)
def test_a_fit_point_has_no_fault(fit: Point) -> None:
    assert fault(fit) is None
