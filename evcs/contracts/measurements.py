"""Names of measurements, tags and fields of the telemetry store; they stand once, here.

Tags are what is bounded and searched by; order serials and texts are fields. One type per field for ever.
"""

from dataclasses import dataclass


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

MEASUREMENTS = {measurement.name: measurement for measurement in (GUN, TRANSFORMER)}
