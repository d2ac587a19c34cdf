"""Points for the tests of stores: short to write, and random ones for the property tests."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from evcs.contracts.measurements import GUN, TRANSFORMER, Measurement
from evcs.contracts.times import from_ms, to_ms
from evcs.store.interface import GunSeries, Point, TransformerSeries, Value

T0 = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
GUN_1 = GunSeries("s1", "32010200000001", 1)
GUN_2 = GunSeries("s1", "32010200000001", 2)
METER = TransformerSeries("s1", "t1")


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def point(series: GunSeries | TransformerSeries, when: datetime, **fields: Value) -> Point:
    """A point with the named fields; the others have no value."""
    names = series.measurement.field_names
    assert set(fields) <= set(names)
    return Point(series.measurement, series.tags, tuple(fields.get(name) for name in names), when)


_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
_tags = st.text(
    st.characters(exclude_categories=["C", "Z"], include_characters=" ", exclude_characters="\\"),
    min_size=1,
    max_size=12,
)
_values = {
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "int": st.integers(-(2**63), 2**63 - 1),
    "str": _texts,
}
_times = st.integers(0, to_ms(datetime(2262, 1, 1, tzinfo=UTC)) - 1).map(from_ms)


def points_of(measurement: Measurement) -> st.SearchStrategy[Point]:
    """Every fit point of a measurement."""
    fields = st.tuples(*(st.none() | _values[field.kind] for field in measurement.fields))
    return st.builds(
        Point,
        st.just(measurement),
        st.tuples(*(_tags for _ in measurement.tags)),
        fields.filter(lambda values: any(value is not None for value in values)),
        _times,
    )


fit_points = points_of(GUN) | points_of(TRANSFORMER)


@st.composite
def crowded_points(draw: st.DrawFn) -> Point:
    """Points of few series and instants, so that many of them meet."""
    series = draw(st.sampled_from([GUN_1, GUN_2]))
    fields = draw(
        st.fixed_dictionaries({}, optional={"power_kw": st.floats(0, 200), "elapsed_min": st.integers(0, 90)}).filter(
            bool
        )
    )
    return point(series, at(draw(st.integers(0, 5))), **fields)
