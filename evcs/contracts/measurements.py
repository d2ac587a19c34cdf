"""Names of measurements, tags and fields of the telemetry store; they stand once, here.

Tags are what is bounded and searched by; order serials and texts are fields. One type per field for ever.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Field:
    """A field: its name carries the unit."""

    name: str
    kind: str
    """float, int or str."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """A wide measurement; timestamps in ms."""

    name: str
    tags: tuple[str, ...]
    fields: tuple[Field, ...]

    @property
    def field_names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)


GUN = Measurement(
    "gun",
    ("station", "pile", "gun"),
    (
        Field("state", "str"),
        Field("serial", "str"),
        Field("voltage_v", "float"),
        Field("current_a", "float"),
        Field("power_kw", "float"),
        Field("energy_kwh", "float"),
        Field("soc_pct", "float"),
        Field("cable_temp_c", "float"),
        Field("battery_temp_max_c", "float"),
        Field("battery_temp_min_c", "float"),
        Field("cell_voltage_max_v", "float"),
        Field("demand_voltage_v", "float"),
        Field("demand_current_a", "float"),
        Field("limit_voltage_v", "float"),
        Field("limit_current_a", "float"),
        Field("max_power_kw", "float"),
        Field("elapsed_min", "int"),
        Field("remaining_min", "int"),
        Field("cost_fen", "float"),
        Field("receipt_n", "int"),
        Field("bridge_started_ms", "int"),
    ),
)

TRANSFORMER = Measurement(
    "transformer",
    ("station", "transformer"),
    (
        Field("apparent_kva", "float"),
        Field("active_kw", "float"),
        Field("phase_a_kva", "float"),
        Field("phase_b_kva", "float"),
        Field("phase_c_kva", "float"),
        Field("phase_a_v", "float"),
        Field("phase_b_v", "float"),
        Field("phase_c_v", "float"),
        Field("phase_a_a", "float"),
        Field("phase_b_a", "float"),
        Field("phase_c_a", "float"),
        Field("oil_temp_c", "float"),
    ),
)


class Fold(StrEnum):
    """How the readings of a window become one field of its roll-up."""

    MEAN = "mean"
    """Over the whole window: each reading holds until the next, the last one before the window reaches into it."""
    MAX = "max"
    LAST = "last"
    GAIN = "gain"
    """What a counter of a session rose by since the reading before; a new serial began at 0. Windows add up."""
    COUNT = "count"
    """Readings in the window."""


@dataclass(frozen=True, slots=True)
class Part:
    """A field of a roll-up: which field of the readings, and how it is folded."""

    field: Field
    of: str
    how: Fold


@dataclass(frozen=True, slots=True)
class Rollup:
    """What sums into what: a coarser measurement with the tags of its source; a row's time is its window's start."""

    source: Measurement
    step: timedelta
    bucket: str
    parts: tuple[Part, ...]
    measurement: Measurement


def _rollup(source: Measurement, suffix: str, step: timedelta, parts: tuple[Part, ...]) -> Rollup:
    fields = tuple(part.field for part in parts)
    return Rollup(source, step, f"rollup_{suffix}", parts, Measurement(f"{source.name}_{suffix}", source.tags, fields))


_GUN_PARTS = (
    Part(Field("state", "str"), "state", Fold.LAST),
    Part(Field("serial", "str"), "serial", Fold.LAST),
    Part(Field("power_mean_kw", "float"), "power_kw", Fold.MEAN),
    Part(Field("power_max_kw", "float"), "power_kw", Fold.MAX),
    Part(Field("voltage_max_v", "float"), "voltage_v", Fold.MAX),
    Part(Field("current_max_a", "float"), "current_a", Fold.MAX),
    Part(Field("energy_gain_kwh", "float"), "energy_kwh", Fold.GAIN),
    Part(Field("soc_last_pct", "float"), "soc_pct", Fold.LAST),
    Part(Field("cable_temp_max_c", "float"), "cable_temp_c", Fold.MAX),
    Part(Field("battery_temp_max_c", "float"), "battery_temp_max_c", Fold.MAX),
    Part(Field("points", "int"), "state", Fold.COUNT),
)
_TRANSFORMER_PARTS = (
    Part(Field("apparent_mean_kva", "float"), "apparent_kva", Fold.MEAN),
    Part(Field("apparent_max_kva", "float"), "apparent_kva", Fold.MAX),
    Part(Field("active_mean_kw", "float"), "active_kw", Fold.MEAN),
    Part(Field("active_max_kw", "float"), "active_kw", Fold.MAX),
    Part(Field("oil_temp_max_c", "float"), "oil_temp_c", Fold.MAX),
    Part(Field("points", "int"), "apparent_kva", Fold.COUNT),
)
_MINUTE, _QUARTER = timedelta(minutes=1), timedelta(minutes=15)

GUN_1M = _rollup(GUN, "1m", _MINUTE, _GUN_PARTS)
"""Only of minutes in which the gun charged."""
GUN_15M = _rollup(GUN, "15m", _QUARTER, _GUN_PARTS)
TRANSFORMER_1M = _rollup(TRANSFORMER, "1m", _MINUTE, _TRANSFORMER_PARTS)
TRANSFORMER_15M = _rollup(TRANSFORMER, "15m", _QUARTER, _TRANSFORMER_PARTS)
ROLLUPS = (GUN_1M, GUN_15M, TRANSFORMER_1M, TRANSFORMER_15M)

MEASUREMENTS = {
    measurement.name: measurement for measurement in (GUN, TRANSFORMER, *(rollup.measurement for rollup in ROLLUPS))
}
