"""What car and charger say in the course of a charge: events, and values of the next telemetry."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from bridge.protocols.ykc import messages as ykc
from bridge.protocols.ykc.codes import GunState as WireGun
from bridge.protocols.ykc.messages.bms import CellMax
from evcs.contracts.gun import BatteryLimits, ChargeEnding, GunEvent, GunEventKind, Vehicle
from evcs.contracts.states import StopClass
from evcs.contracts.topics import GUN_EVENT, TELEMETRY
from tests.bridge.asking import (
    VIN,
    battery,
    bms_abort,
    charge_end,
    charger_abort,
    demand,
    errors,
    handshake,
    parameters,
)
from tests.bridge.kit import OTHER_SERIAL, SERIAL, Desk, Wire, charging, realtime, record, start_answer


def charging_desk() -> Desk:
    desk = Desk().ready()
    desk.start(desk.start_command())
    desk.wire.say(start_answer())
    desk.wire.say(charging())
    desk.forget_all()
    return desk


def events(desk: Desk, kind: GunEventKind) -> list[GunEvent]:
    return [event for event in desk.of(GUN_EVENT) if event.kind is kind]


def only(desk: Desk, kind: GunEventKind) -> GunEvent:
    [event] = events(desk, kind)
    return event


CAR = Vehicle(
    vin=VIN,
    battery_type="LFP",
    rated_capacity_ah=280.0,
    rated_voltage_v=398.0,
    battery_maker="CATL",
    bms_version="1.1",
    charge_count=120,
)
LIMITS = BatteryLimits(
    max_cell_voltage_v=3.65,
    max_voltage_v=430.0,
    max_current_a=200.0,
    max_temperature_c=55,
    nominal_energy_kwh=62.0,
    soc_pct=35.2,
    battery_voltage_v=372.1,
    pile_max_voltage_v=750.0,
    pile_min_voltage_v=200.0,
    pile_max_current_a=250.0,
    pile_min_current_a=1.0,
    max_power_kw=86.0,
)


@pytest.mark.parametrize(
    ("said", "change"),
    [
        ({}, {}),
        ({"vin": ""}, {"vin": ""}),
        ({"vin": "\xff" * 17}, {"vin": ""}),
        ({"vin": "0" * 17}, {"vin": ""}),
        ({"vin": "lgxc14aa5m0123456"}, {"vin": VIN}),
        ({"battery_type": 0x2A}, {"battery_type": "0x2A"}),
        ({"battery_type": 0xFF}, {"battery_type": "other"}),
        ({"rated_ah": Decimal(0), "rated_v": Decimal(0)}, {"rated_capacity_ah": None, "rated_voltage_v": None}),
        ({"charge_count": 0}, {"charge_count": None}),
        ({"maker": "\xff\xff"}, {"battery_maker": ""}),
        ({"bms_version": "000000"}, {"bms_version": ""}),
        ({"bms_version": "010200"}, {"bms_version": "1.2"}),
    ],
)
def test_a_handshake_tells_the_vehicle(said: dict[str, Any], change: dict[str, Any]) -> None:
    desk = charging_desk()
    desk.wire.say(handshake(**said))
    event = only(desk, GunEventKind.BMS_HANDSHAKE)
    assert event.vehicle == replace(CAR, **change)
    assert (event.serial, event.vin) == (SERIAL, event.vehicle.vin or None)
    assert event.frame_hex[:4] == "684d"


@pytest.mark.parametrize(
    ("said", "change"),
    [
        ({}, {}),
        ({"bms_i_max": Decimal("-200.0"), "pile_i_max": Decimal("-250.0")}, {}),  # either sign is met
        ({"pile_v_max": Decimal("400.0")}, {"pile_max_voltage_v": 400.0, "max_power_kw": 80.0}),
        ({"pile_i_max": Decimal("100.0")}, {"pile_max_current_a": 100.0, "max_power_kw": 43.0}),
        (
            {"pile_v_max": Decimal(0), "pile_i_max": Decimal(0)},
            {
                "pile_max_voltage_v": None,
                "pile_max_current_a": None,
                "pile_min_current_a": None,
            },
        ),
        (
            {"bms_v_max": Decimal(0), "bms_i_max": Decimal(-400)},
            {"max_voltage_v": None, "max_current_a": None, "max_power_kw": None},
        ),
        ({"bms_i_max": Decimal(0)}, {"max_current_a": 0.0, "max_power_kw": None}),
        ({"temp_max": -50, "soc": Decimal(0)}, {"max_temperature_c": None, "soc_pct": None}),
    ],
)
def test_parameters_tell_limits_and_the_stated_maximum(said: dict[str, Any], change: dict[str, Any]) -> None:
    desk = charging_desk()
    desk.wire.say(parameters(**said))
    limits = replace(LIMITS, **change)
    assert only(desk, GunEventKind.BMS_LIMITS).limits == limits
    desk.wire.say(charging())
    point = desk.last(TELEMETRY)
    assert (point.limit_voltage_v, point.limit_current_a, point.max_power_kw) == (
        limits.max_voltage_v,
        limits.max_current_a,
        limits.max_power_kw,
    )


def test_values_come_with_the_next_reading_while_they_are_fresh_and_limits_for_the_whole_charge() -> None:
    desk = charging_desk()
    desk.wire.say(parameters())
    desk.wire.say(demand())
    desk.wire.say(battery())
    assert desk.of(TELEMETRY) == []  # no reading of their own
    desk.wire.say(charging())
    point = desk.last(TELEMETRY)
    assert (
        point.demand_voltage_v,
        point.demand_current_a,
        point.cell_voltage_max_v,
        point.battery_temp_max_c,
        point.battery_temp_min_c,
        point.max_power_kw,
    ) == (430.0, 120.0, 3.91, 28, 21, 86.0)
    desk.keep_alive(44)
    desk.wire.say(charging())
    assert desk.last(TELEMETRY).demand_current_a == 120.0
    desk.keep_alive(2)
    desk.wire.say(charging())
    point = desk.last(TELEMETRY)
    assert (point.demand_voltage_v, point.demand_current_a, point.cell_voltage_max_v, point.battery_temp_min_c) == (
        None,
        None,
        None,
        None,
    )
    assert (point.limit_voltage_v, point.limit_current_a, point.max_power_kw) == (430.0, 200.0, 86.0)
    desk.wire.say(demand())
    desk.wire.say(charging())
    assert (desk.last(TELEMETRY).demand_current_a, desk.last(TELEMETRY).battery_temp_min_c) == (120.0, None)


@pytest.mark.parametrize(
    ("said", "volts", "amps", "cell"),
    [
        ({}, 430.0, 120.0, 3.91),
        ({"need_i": Decimal("120.0")}, 430.0, 120.0, 3.91),
        ({"need_i": Decimal(0)}, 430.0, 0.0, 3.91),  # a pause that the car asks for
        ({"need_i": Decimal(-400)}, 430.0, 400.0, 3.91),  # raw 0 of one who counts downwards
        ({"need_v": Decimal(0), "need_i": Decimal(0)}, None, None, 3.91),  # nothing said yet
        ({"need_v": Decimal(0), "need_i": Decimal(-400)}, None, None, 3.91),
        ({"cell_max": CellMax(Decimal(0), 0)}, 430.0, 120.0, None),
    ],
)
def test_zeros_that_stand_for_none_are_absent(
    said: dict[str, Any], volts: float | None, amps: float | None, cell: float | None
) -> None:
    desk = charging_desk()
    desk.wire.say(demand(**said))
    desk.wire.say(charging())
    point = desk.last(TELEMETRY)
    assert (point.demand_voltage_v, point.demand_current_a, point.cell_voltage_max_v) == (volts, amps, cell)


def test_the_pile_s_own_value_comes_first_and_the_car_s_where_it_has_none() -> None:
    desk = charging_desk()
    desk.wire.say(demand(soc=41))
    desk.wire.say(battery(temp_max=33))
    desk.wire.say(charging(soc=40, battery_temp=28))
    assert (desk.last(TELEMETRY).soc_pct, desk.last(TELEMETRY).battery_temp_max_c) == (40.0, 28)
    desk.wire.say(charging(soc=0, battery_temp=-50))
    assert (desk.last(TELEMETRY).soc_pct, desk.last(TELEMETRY).battery_temp_max_c) == (41.0, 33)


def test_frames_of_another_serial_are_counted_and_change_nothing() -> None:
    desk = charging_desk()
    frames = (handshake, parameters, demand, battery, errors, bms_abort, charger_abort, charge_end)
    for frame in frames:
        desk.wire.say(frame(OTHER_SERIAL))
    desk.wire.say(charging())
    point = desk.last(TELEMETRY)
    assert (point.demand_voltage_v, point.limit_voltage_v, point.battery_temp_min_c) == (None, None, None)
    assert desk.of(GUN_EVENT) == []
    assert desk.tally.dropped["unexpected"] == len(frames)


def test_they_are_heard_from_the_start_on_and_after_the_end() -> None:
    desk = Desk().ready()
    desk.start(desk.start_command())
    desk.wire.say(handshake())
    desk.wire.say(parameters())
    desk.wire.say(charging())
    assert desk.last(TELEMETRY).max_power_kw == 86.0
    desk.wire.say(realtime(1, plugged=1))
    for frame in (charge_end(), bms_abort(), charger_abort()):
        desk.wire.say(frame)
    kinds = [event.kind for event in desk.of(GUN_EVENT)]
    assert kinds == [
        GunEventKind.BMS_HANDSHAKE,
        GunEventKind.BMS_LIMITS,
        GunEventKind.CHARGE_ENDED,
        GunEventKind.BMS_STOPPED,
        GunEventKind.CHARGER_STOPPED,
    ]
    assert {event.serial for event in desk.of(GUN_EVENT)} == {SERIAL}
    assert desk.tally.dropped["unexpected"] == 0


def test_nothing_of_one_car_is_said_of_the_next() -> None:
    desk = charging_desk()
    desk.wire.say(parameters())
    desk.wire.say(demand())
    desk.wire.say(realtime(1, plugged=1))
    desk.wire.say(charging(OTHER_SERIAL))
    point = desk.last(TELEMETRY)
    assert (point.demand_voltage_v, point.max_power_kw) == (None, None)


def test_values_at_rest_are_none() -> None:
    desk = charging_desk()
    desk.wire.say(demand())
    desk.wire.say(realtime(1, plugged=1))
    assert desk.last(TELEMETRY).demand_voltage_v is None


def test_they_are_known_again_after_a_short_cut() -> None:
    desk = charging_desk()
    desk.wire.say(parameters())
    desk.wire.cut()
    desk.wait(5)
    desk.wire = Wire(desk)
    desk.log_in()
    desk.wire.say(charging())
    assert desk.last(TELEMETRY).max_power_kw == 86.0


def test_an_ending_has_its_statistics() -> None:
    desk = charging_desk()
    desk.wire.say(charge_end())
    assert only(desk, GunEventKind.CHARGE_ENDED).ending == ChargeEnding(
        soc_pct=80.0,
        min_cell_voltage_v=3.88,
        max_cell_voltage_v=3.91,
        min_temperature_c=20,
        max_temperature_c=33,
        elapsed_min=42,
        energy_kwh=27.3,
    )


def test_an_error_names_what_was_waited_for() -> None:
    desk = charging_desk()
    desk.wire.say(errors(err1=0b0001, err7=0b1000))
    assert [(one.code, one.value) for one in only(desk, GunEventKind.BMS_ERROR).findings] == [
        ("err1.spn2560_00_timeout", 1),
        ("err7.bcl_timeout", 2),
    ]


def test_a_warning_is_told_when_it_changes() -> None:
    desk = charging_desk()
    desk.wire.say(battery())
    assert events(desk, GunEventKind.BMS_WARNING) == []
    for flags2, flags1 in ((0x10, 0x40), (0x10, 0x40), (0x00, 0x40), (0x10, 0x00), (0x10, 0x00)):
        desk.wire.say(battery(flags1=flags1, flags2=flags2))
    assert [[(one.code, one.value) for one in event.findings] for event in events(desk, GunEventKind.BMS_WARNING)] == [
        [("flags1.over_temperature", 1)],
        [("flags1.over_temperature", 1), ("flags2.charge_forbidden", 0)],
        [],
    ]


ABORTS = [
    (bms_abort(reason=0b00000001), StopClass.NORMAL),  # SOC reached
    (bms_abort(reason=0b00010000), StopClass.NORMAL),  # cell voltage reached
    (bms_abort(reason=0b01000000), StopClass.UNKNOWN),  # the charger stopped: that one says why
    (bms_abort(reason=0b00000001, fault=0b01), StopClass.ABNORMAL),
    (bms_abort(error=0b01), StopClass.ABNORMAL),
    (bms_abort(fault=0b10), StopClass.UNKNOWN),  # not trustworthy
    (bms_abort(), StopClass.UNKNOWN),
    (charger_abort(reason=0b00000001), StopClass.NORMAL),  # set condition
    (charger_abort(reason=0b00000100), StopClass.NORMAL),  # by hand
    (charger_abort(reason=0b00010000), StopClass.ABNORMAL),
    (charger_abort(reason=0b01000000), StopClass.UNKNOWN),  # the car stopped
    (charger_abort(reason=0b00000100, fault=0b01 << 8), StopClass.ABNORMAL),  # emergency stop
]


@pytest.mark.parametrize(("frame", "stop_class"), ABORTS)
def test_the_class_of_an_abort(frame: ykc.YkcMessage, stop_class: StopClass) -> None:
    desk = charging_desk()
    desk.wire.say(frame)
    kind = GunEventKind.BMS_STOPPED if isinstance(frame, ykc.BmsAbort) else GunEventKind.CHARGER_STOPPED
    assert only(desk, kind).stop_class is stop_class


@pytest.mark.parametrize(
    ("aborts", "code", "stop_class"),
    [
        ((), 0x41, StopClass.NORMAL),
        ((), 0x72, StopClass.ABNORMAL),
        ((), 0x00, StopClass.UNKNOWN),
        ((bms_abort(reason=1),), 0x00, StopClass.NORMAL),
        ((bms_abort(reason=1), charger_abort(fault=1)), 0x90, StopClass.ABNORMAL),
        ((charger_abort(fault=1), bms_abort(reason=1)), 0x90, StopClass.ABNORMAL),
        ((charger_abort(fault=1),), 0x40, StopClass.NORMAL),  # the record's own word counts
    ],
)
def test_the_end_of_a_charge_is_told_with_its_class(
    aborts: tuple[ykc.YkcMessage, ...], code: int, stop_class: StopClass
) -> None:
    desk = charging_desk()
    for frame in aborts:
        desk.wire.say(frame)
    desk.wire.say(realtime(1, plugged=1))
    desk.wire.say(record(stop=code))
    desk.wire.say(record(stop=code))
    desk.keep_alive(40)
    stopped = only(desk, GunEventKind.STOPPED)
    assert (stopped.serial, stopped.pile_code, stopped.stop_class) == (SERIAL, code, stop_class)


def test_an_end_without_a_record_is_told_after_half_a_minute_and_once_more_with_it() -> None:
    desk = charging_desk()
    desk.wire.say(charger_abort(fault=1))
    desk.wire.say(realtime(1, WireGun.FAULT, plugged=1))
    desk.keep_alive(29)
    assert events(desk, GunEventKind.STOPPED) == []
    desk.keep_alive(60)
    stopped = only(desk, GunEventKind.STOPPED)
    assert (stopped.serial, stopped.pile_code, stopped.stop_class) == (SERIAL, None, StopClass.ABNORMAL)
    desk.wire.say(record(stop=0x72))
    desk.wire.say(record(stop=0x72))
    assert [event.pile_code for event in events(desk, GunEventKind.STOPPED)] == [None, 0x72]


def test_a_lost_link_is_no_end() -> None:
    desk = charging_desk()
    desk.wire.cut()
    desk.wait(60, step=5)
    assert events(desk, GunEventKind.STOPPED) == []
