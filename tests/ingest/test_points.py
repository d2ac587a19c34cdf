"""Messages of the contracts → points, and what becomes of those that are none."""

from decimal import Decimal
from typing import Any

import pytest

from evcs.contracts.measurements import GUN, TRANSFORMER
from evcs.contracts.topics import TELEMETRY
from evcs.store.check import fault
from evcs.store.interface import GunSeries, Point, TransformerSeries
from ingest.errors import RejectReason, Unreadable
from ingest.points import gun_point, transformer_point
from tests.ingest.messages import PILE, SERIAL, T0, at, reading, sent, telemetry


def named(point: Point) -> dict[str, Any]:
    """The fields that have a value, by name."""
    names = point.measurement.field_names
    return {name: value for name, value in zip(names, point.fields, strict=True) if value is not None}


WHOLE = {
    "voltage_v": 612.3,
    "current_a": 98.0,
    "power_kw": 60.0,
    "energy_kwh": Decimal("12.3456"),
    "soc_pct": 41.0,
    "cable_temp_c": 31,
    "battery_temp_max_c": -5,
    "battery_temp_min_c": -11,
    "cell_voltage_max_v": 3.65,
    "demand_voltage_v": 620.0,
    "demand_current_a": 120.5,
    "limit_voltage_v": 700.5,
    "limit_current_a": 100.0,
    "max_power_kw": 90.0,
    "elapsed_min": 12,
    "remaining_min": 33,
    "cost_fen": Decimal("1534.25"),
}


def test_every_value_of_a_reading_stands_under_its_own_name() -> None:
    point = gun_point(*sent(telemetry(7, **WHOLE)))
    assert point.measurement is GUN
    assert point.tags == GunSeries("s1", PILE, 1).tags
    assert point.at == at(105)
    expected = WHOLE | {"energy_kwh": 12.3456, "cost_fen": 1534.25}
    expected |= {"state": "charging", "serial": SERIAL, "receipt_n": 7, "bridge_started_ms": 1}
    assert named(point) == expected
    assert set(expected) == set(GUN.field_names), "a field of the measurement that no reading fills"
    assert fault(point) is None


def test_a_value_that_the_pile_does_not_have_is_absent_and_not_zero() -> None:
    point = gun_point(*sent(telemetry(serial=None, power_kw=None, soc_pct=0.0)))
    assert named(point) == {"state": "charging", "soc_pct": 0.0, "receipt_n": 0, "bridge_started_ms": 1}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (
            {"apparent_kva": 310.5, "active_kw": 300, "phase_kva": (100.0, 105.5, 105.0), "oil_temp_c": 61.5}
            | {"phase_voltage_v": (231.1, 229.5, 230.0), "phase_current_a": (430.5, 460.0, 455.5)},
            {
                "apparent_kva": 310.5,
                "active_kw": 300.0,
                "phase_a_kva": 100.0,
                "phase_b_kva": 105.5,
                "phase_c_kva": 105.0,
                "phase_a_v": 231.1,
                "phase_b_v": 229.5,
                "phase_c_v": 230.0,
                "phase_a_a": 430.5,
                "phase_b_a": 460.0,
                "phase_c_a": 455.5,
                "oil_temp_c": 61.5,
            },
        ),
        ({"active_kw": 0.0}, {"active_kw": 0.0}),
    ],
    ids=["all", "active power only"],
)
def test_a_meters_reading(told: dict[str, Any], expected: dict[str, Any]) -> None:
    point = transformer_point(*reading(2, **told))
    assert (point.measurement, point.tags, point.at) == (TRANSFORMER, TransformerSeries("s1", "t1").tags, at(30))
    assert named(point) == expected


GOOD_TOPIC, GOOD = sent(telemetry())


@pytest.mark.parametrize(
    ("topic", "payload", "reason", "detail"),
    [
        (GOOD_TOPIC, b"", RejectReason.NOT_THE_CONTRACT, "Telemetry"),
        (GOOD_TOPIC, b"{", RejectReason.NOT_THE_CONTRACT, "Telemetry"),
        (GOOD_TOPIC, b"\xff\xfe", RejectReason.NOT_THE_CONTRACT, "Telemetry"),
        (GOOD_TOPIC, b"[" * 100_000, RejectReason.NOT_THE_CONTRACT, "Telemetry"),
        (GOOD_TOPIC, b'"' + b"x" * 300_000 + b'"', RejectReason.NOT_THE_CONTRACT, "300002 bytes"),
        (GOOD_TOPIC, GOOD.replace(b"60.0", b'"60"'), RejectReason.NOT_THE_CONTRACT, "power_kw"),
        (GOOD_TOPIC, GOOD.replace(b"charging", b"flying"), RejectReason.NOT_THE_CONTRACT, "state"),
        (GOOD_TOPIC, GOOD.replace(b"00:00Z", b"00:00"), RejectReason.NOT_THE_CONTRACT, "received_at"),
        (GOOD_TOPIC.replace("gun/1", "gun/2"), GOOD, RejectReason.NAMES_DIFFER, "gun 1"),
        (GOOD_TOPIC.replace(PILE, "32010200000002"), GOOD, RejectReason.NAMES_DIFFER, PILE),
        (GOOD_TOPIC.replace("gun/1", "gun/0"), GOOD, RejectReason.TOPIC_MALFORMED, "telemetry"),
        (GOOD_TOPIC.replace("gun/1", "gun/x"), GOOD, RejectReason.TOPIC_MALFORMED, "telemetry"),
    ],
)
def test_a_message_that_is_no_reading_says_why(topic: str, payload: bytes, reason: RejectReason, detail: str) -> None:
    with pytest.raises(Unreadable, match=detail) as caught:
        gun_point(topic, payload)
    assert caught.value.reason is reason


def test_a_meter_speaks_only_for_its_own_transformer() -> None:
    topic, payload = reading(active_kw=1.0)
    with pytest.raises(Unreadable) as caught:
        transformer_point(topic.replace("t1", "t2"), payload)
    assert caught.value.reason is RejectReason.NAMES_DIFFER


def test_fields_that_a_newer_bridge_adds_are_ignored() -> None:
    topic, payload = sent(telemetry())
    assert gun_point(topic, payload[:-1] + b',"new_in_v2":1}') == gun_point(topic, payload)


def test_a_figure_that_no_store_takes_is_left_to_the_store_to_refuse() -> None:
    topic, payload = sent(telemetry(elapsed_min=2**63))
    assert "64 bits" in (fault(gun_point(topic, payload)) or "")
    assert TELEMETRY.decode(payload).received_at == T0
