"""Early warnings: each rule by its table of readings; impossible values; what an alarm does to a charge."""

import math
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evcs.contracts.alarm import AlarmAction
from evcs.contracts.envelope import Receipt
from evcs.contracts.gun import Telemetry
from evcs.contracts.reasons import Reason
from evcs.contracts.states import GunState
from rules.messages import Heard, Tick
from rules.protection.sample import Guard, Phases, Silence, phases_of
from rules.protection.table import BY_CODE, GUN_RULES, PHASE_RULES, SILENT
from tests.rules.board import Board
from tests.rules.town import after, serial_of

A = serial_of("a")


def telemetry(at: datetime, state: str = "charging", **values: Any) -> Telemetry:
    receipt = Receipt(bridge="b1", started_ms=1, n=1)
    given = {"serial": A, "voltage_v": 400.0, "current_a": 100.0, "power_kw": 40.0, **values}
    return Telemetry(receipt=receipt, received_at=at, pile="p1", gun=1, state=GunState(state), **given)


def course(code: str, readings: list[tuple[float, dict[str, Any]]], *, has_order: bool | None = True) -> list[float]:
    """When, in seconds, the rule's alarm was raised (+) and cleared (−)."""
    rule, guard, found = BY_CODE[code], Guard(), []
    for at_s, values in readings:
        sample = guard.sample(telemetry(after(at_s), **values), after(at_s), has_order)
        judged = None if sample is None else rule.judge(sample)
        if judged is None:
            continue
        was = code in guard.timers.open
        guard.timers.follow(rule, judged, after(at_s))
        if (code in guard.timers.open) is not was:
            found.append(-at_s if was else at_s)
    return found


def every_15_s(*values: dict[str, Any], start: float = 0) -> list[tuple[float, dict[str, Any]]]:
    return [(start + 15 * n, one) for n, one in enumerate(values)]


def cable(*degrees: float) -> list[tuple[float, dict[str, Any]]]:
    return every_15_s(*({"cable_temp_c": one} for one in degrees))


def battery(*degrees: float) -> list[tuple[float, dict[str, Any]]]:
    return every_15_s(*({"battery_temp_max_c": one} for one in degrees))


def volts(limit: float | None, demand: float | None, *volts: float) -> list[tuple[float, dict[str, Any]]]:
    return every_15_s(*({"voltage_v": one, "limit_voltage_v": limit, "demand_voltage_v": demand} for one in volts))


def amps(limit: float | None, demand: float | None, *amps: float) -> list[tuple[float, dict[str, Any]]]:
    return every_15_s(*({"current_a": one, "limit_current_a": limit, "demand_current_a": demand} for one in amps))


def soc(*steps: tuple[float, float | None, float]) -> list[tuple[float, dict[str, Any]]]:
    return [(60 * at, {"soc_pct": pct, "energy_kwh": Decimal(str(kwh))}) for at, pct, kwh in steps]


ROWS: list[tuple[str, str, list[tuple[float, dict[str, Any]]], list[float]]] = [
    ("cable_hot", "two readings at the limit", cable(84, 85, 85), [30]),
    ("cable_hot", "one reading is a slip", cable(40, 120, 41, 120, 42), []),
    ("cable_hot", "between limit and release it stays", cable(90, 90, 82, 81, 82, 82, 82), [15]),
    ("cable_hot", "a minute below the release", cable(90, 90, 79, 79, 79, 79, 79), [15, -90]),
    ("cable_hot", "205 °C is no sensor", cable(205, 205, 205), []),
    ("cable_hot", "also at rest", [(at, {"cable_temp_c": 90, "state": "idle"}) for at in (0, 300)], [300]),
    ("cable_hot", "nothing was seen between", [(at, {"cable_temp_c": 90}) for at in (0, 1000)], []),
    ("cable_hot_derate", "over 95 °C", cable(94, 95, 96, 90), [30]),
    ("cable_hot_derate", "below 85 °C for two minutes", cable(96, 96, *[84] * 9), [15, -150]),
    ("cable_hot_derate", "94 °C is still for the pile", cable(*[94] * 9), []),
    ("cable_hot_stop", "104 °C", cable(*[104] * 9), []),
    ("cable_hot_stop", "over 105 °C", cable(104, 105, 105), [30]),
    ("cable_hot_stop", "not cool enough yet", cable(106, 106, *[86] * 20), [15]),
    ("cable_heats_fast", "8 °C a minute above 50 °C", cable(44, 46, 48, 50, 52, 54, 56), [75]),
    ("cable_heats_fast", "as fast, but cold", cable(20, 22, 24, 26, 28, 30), []),
    ("cable_heats_fast", "1 °C a minute", cable(*[60 + n // 4 for n in range(20)]), []),
    ("cable_heats_fast", "a jump at the start of a charge", cable(24, 41, 41, 41, 42, 42), []),
    ("cable_heats_fast", "steady again", cable(*range(44, 66, 2), *[66] * 30), [75, -375]),
    ("battery_hot", "55 °C for a minute", battery(55, 55, 55, 55, 55), [60]),
    ("battery_hot", "54 °C", battery(*[54] * 10), []),
    ("battery_hot_stop", "65 °C", battery(64, 65, 65), [30]),
    ("battery_hot_stop", "one reading", battery(40, 99, 40), []),
    ("output_over_voltage", "3 % over what the car allows", volts(400, None, 411, 413, 413), [30]),
    ("output_over_voltage", "within 3 %", volts(400, None, 412, 412, 412), []),
    ("output_over_voltage", "no limit was said", volts(None, 300, 500, 500), []),
    ("output_over_voltage", "a limit of 0 is none", volts(0, None, 500, 500), []),
    ("output_voltage_over_demand", "for 30 s", volts(None, 400, 430, 430, 430), [30]),
    ("output_voltage_over_demand", "below the demand while it charges", volts(None, 450, 400, 410, 420), []),
    ("output_under_voltage", "100 A at 200 V of 400 V", volts(None, 400, *[200] * 5), [60]),
    (
        "output_under_voltage",
        "no current yet",
        every_15_s(*[{"voltage_v": 5, "current_a": 0, "demand_voltage_v": 400}] * 9),
        [],
    ),
    ("output_over_current", "5 % and 2 A over the limit", amps(100, None, 107, 108, 108), [30]),
    ("output_over_current", "within", amps(100, None, 107, 107, 107), []),
    ("output_current_over_demand", "three readings", amps(None, 50, 60, 60, 60, 60), [45]),
    ("output_current_over_demand", "the car asks for less, the pile follows", amps(None, 50, 100, 60, 57, 50), []),
    (
        "soc_not_rising",
        "5 kWh in 15 min and no percent",
        soc((0, 40, 10), (10, 40, 16), (15, 40, 20), (16, 41, 21)),
        [900, -960],
    ),
    ("soc_not_rising", "a pause", soc((0, 40, 10), (20, 40, 10), (40, 40, 10)), []),
    ("soc_not_rising", "it rises", soc(*[(n, 40 + n // 3, 2.0 * n) for n in range(60)]), []),
    ("soc_not_rising", "almost full", soc((0, 97, 10), (20, 97, 17)), []),
    ("soc_not_rising", "an AC pile knows none", soc((0, None, 10), (20, None, 17)), []),
    ("current_at_rest", "a welded contactor", [(at, {"state": "plugged", "current_a": 5}) for at in (0, 30)], [30]),
    ("current_at_rest", "an instrument's zero", [(at, {"state": "plugged", "current_a": 0.4}) for at in (0, 30)], []),
    (
        "current_at_rest",
        "the end of a charge",
        [(0, {"state": "finished", "current_a": 90}), (15, {"state": "finished", "current_a": 0})],
        [],
    ),
]


@pytest.mark.parametrize(
    ("code", "why", "readings", "changes"), ROWS, ids=[f"{code}: {why}" for code, why, _, _ in ROWS]
)
def test_rule(code: str, why: str, readings: list[tuple[float, dict[str, Any]]], changes: list[float]) -> None:
    assert course(code, readings) == changes


def test_energy_without_order_is_told_after_two_minutes_and_only_where_the_engine_is_sure() -> None:
    readings = every_15_s(*[{}] * 12)
    assert course("energy_without_order", readings, has_order=False) == [120]
    assert course("energy_without_order", readings, has_order=None) == []
    assert course("energy_without_order", readings, has_order=True) == []
    assert course("energy_without_order", every_15_s(*[{"power_kw": 0.0}] * 12), has_order=False) == []


def test_what_was_about_to_be_raised_is_not_carried_into_the_next_charge(board: Board) -> None:
    board.step(10, reading(board, 10, battery_temp_max_c=56))
    board.step(60, reading(board, 60, state="finished", kw=None))
    board.step(71, reading(board, 71, battery_temp_max_c=56))
    assert not board.open


def test_every_rule_has_a_table() -> None:
    told = {code for code, *_ in ROWS} | {"energy_without_order"}
    assert told == {rule.code for rule in GUN_RULES}
    raised = {code for code, _, _, changes in ROWS if changes} | {"energy_without_order"}
    assert raised == told
    assert {code for code, _, _, changes in ROWS if not changes} | {"energy_without_order"} == told


def test_every_rule_says_its_figure_and_its_source_in_both_languages() -> None:
    for rule in (*GUN_RULES, *PHASE_RULES, SILENT):
        for text in (rule.zh, rule.en):
            assert "{value}" in text, rule.code
        assert rule.source
        assert any("一" <= letter <= "鿿" for letter in rule.zh)


def test_whoever_stops_or_derates_waits_for_a_second_reading() -> None:
    for rule in GUN_RULES:
        if rule.action is not AlarmAction.ALARM:
            assert rule.for_s > 0, rule.code


@pytest.mark.parametrize(
    ("volts", "is_over", "is_under"),
    [
        ((231.0, 230.0, 229.0), False, False),
        ((235.4, 230.0, 230.0), False, False),
        ((235.5, 230.0, 230.0), True, False),
        ((230.0, 197.9, 230.0), False, True),
        ((230.0, 198.0, 230.0), False, False),
        ((236.0, 190.0, 0.0), True, True),
        ((0.0, 0.0, 0.0), False, False),
        ((399.0, 400.0, 401.0), False, False),
        ((math.nan, 230.0, 230.0), False, False),
    ],
)
def test_phase_voltages(volts: tuple[float, float, float], is_over: bool, is_under: bool) -> None:
    judged = [rule.judge(phases_of(volts)) for rule in PHASE_RULES]
    assert [one is not None and one.is_bad for one in judged] == [is_over, is_under]


def test_a_meter_that_says_no_voltages_says_nothing() -> None:
    assert phases_of(None) == Phases(None, None)
    assert all(rule.judge(Phases(None, None)) is None for rule in PHASE_RULES)


def test_silence() -> None:
    assert [SILENT.judge(Silence(for_s)).is_bad for for_s in (0.0, 90.0, 90.5)] == [False, False, True]  # type: ignore[union-attr]


# --- nothing that may come crashes it, nothing impossible raises it

NUMBERS = st.one_of(
    st.none(), st.floats(allow_nan=True, allow_infinity=True), st.integers(-(10**9), 10**9).map(float), st.just(-0.0)
)
VALUES = st.fixed_dictionaries(
    {},
    optional={
        name: NUMBERS
        for name in (
            "voltage_v", "current_a", "power_kw", "soc_pct", "cable_temp_c", "battery_temp_max_c", "demand_voltage_v",
            "demand_current_a", "limit_voltage_v", "limit_current_a",
        )
    }
    | {
        "energy_kwh": st.one_of(st.none(), st.decimals(allow_nan=True, allow_infinity=True)),
        "state": st.sampled_from([state.value for state in GunState]),
        "serial": st.sampled_from([None, A, serial_of("b")]),
    },
)  # fmt: skip
COURSES = st.lists(st.tuples(st.integers(-30, 400), VALUES), max_size=25)


@given(COURSES, st.sampled_from([None, True, False]))
@settings(max_examples=300, deadline=None)
def test_no_course_of_readings_raises_an_exception(
    steps: list[tuple[int, dict[str, Any]]], has_order: bool | None
) -> None:
    guard, at_s = Guard(), 0
    for step, values in steps:
        at_s += step
        sample = guard.sample(telemetry(after(at_s), **values), after(at_s), has_order)
        if sample is None:
            continue
        for rule in GUN_RULES:
            judged = rule.judge(sample)
            if judged is not None:
                assert not (judged.is_bad and judged.is_good), rule.code
                assert math.isfinite(judged.value)
                assert rule.words(judged)[0]
                guard.timers.follow(rule, judged, after(at_s))


IMPOSSIBLE = st.one_of(st.just(math.nan), st.just(math.inf), st.floats(max_value=-41.0), st.floats(min_value=2001.0))


@given(st.lists(IMPOSSIBLE, min_size=3, max_size=10), st.sampled_from(["charging", "idle"]))
@settings(max_examples=200, deadline=None)
def test_impossible_values_never_raise_an_alarm(values: list[float], state: str) -> None:
    names = ("voltage_v", "current_a", "power_kw", "cable_temp_c", "battery_temp_max_c", "soc_pct")
    guard = Guard()
    for n, value in enumerate(values):
        reading = telemetry(
            after(60 * n), state, demand_voltage_v=400.0, limit_voltage_v=400.0, demand_current_a=50.0,
            limit_current_a=50.0, energy_kwh=Decimal("NaN"), **dict.fromkeys(names, value),
        )  # fmt: skip
        sample = guard.sample(reading, after(60 * n), False)
        assert sample is not None
        for rule in GUN_RULES:
            judged = rule.judge(sample)
            if judged is not None:
                guard.timers.follow(rule, judged, after(60 * n))
    assert not guard.timers.open


# --- in the engine


@pytest.fixture
def board() -> Board:
    board = Board([{"pile": "p1", "guns": [100.0]}, {"pile": "p2", "guns": [100.0]}])
    board.step(5, board.town.request("p1", 1, after(5), id="a"))
    board.step(6, board.town.reply("p1", 1, after(6), of="a"))
    board.step(7, board.town.level("p1", 1, "charging", after(7), of="a"))
    return board


def reading(board: Board, at_s: float, **values: Any) -> Heard:
    return board.town.reading("p1", 1, after(at_s), **{"of": "a", "kw": 80.0, "soc": 30.0, **values})


def run(board: Board, from_s: int, to_s: int, **values: Any) -> None:
    """A reading every 15 s, a tick every second."""
    for at_s in range(from_s, to_s + 1):
        if (at_s - from_s) % 15 == 0:
            board.step(at_s, reading(board, at_s, **values))
        board.step(at_s, Tick())


def test_a_hot_cable_derates_and_gives_back_when_it_is_cool(board: Board) -> None:
    run(board, 10, 24, cable_temp_c=60)
    assert not board.open
    run(board, 25, 45, cable_temp_c=96)
    assert board.codes == {"cable_hot", "cable_hot_derate"}
    alarm = board.open["cable_hot_derate-p1-1"]
    assert (alarm.value, alarm.limit, alarm.unit, alarm.action) == (96.0, 95.0, "°C", AlarmAction.DERATE)
    held = board.of("session")[-1].held
    assert (held.cap_kw, held.bound_by) == (50.0, "protection")
    assert board.of("pile_power")[-1].allowance_kw == 50.0
    assert not board.of("stop")
    board.step(
        46,
        board.town.power_reply(
            "p1", after(46), id=board.of("pile_power")[-1].id, outcome="accepted", allowance_kw=50.0
        ),
    )
    run(board, 60, 260, cable_temp_c=70, kw=50.0)
    assert not board.open
    assert board.of("pile_power")[-1].allowance_kw == 100.0
    assert board.of("session")[-1].held.cap_kw is None


def test_too_hot_a_cable_stops_until_the_end_is_seen_and_keeps_others_from_starting(board: Board) -> None:
    run(board, 10, 50, cable_temp_c=110)
    stops = board.of("stop")
    assert [stop.why for stop in stops] == [Reason.PROTECTION_STOPPED] * len(stops)
    assert len(stops) >= 2, "repeated under a new id"
    assert {stop.serial for stop in stops} == {A}
    assert board.of("verdict")[-1].reason is Reason.PROTECTION_STOPPED
    board.step(51, board.town.level("p1", 1, "finished", after(51), of="a"))
    board.step(60, board.town.request("p1", 1, after(60), id="b"), board.town.request("p2", 1, after(60), id="c"))
    assert {verdict.request: verdict.reason for verdict in board.of("verdict")[-2:]} == {
        "b": Reason.PROTECTION_LOCKED,
        "c": None,
    }
    count = len(board.of("stop"))
    run(board, 61, 400, cable_temp_c=50, state="finished", kw=None)
    assert not board.open
    assert len(board.of("stop")) == count
    board.step(401, board.town.request("p1", 1, after(401), id="d"))
    assert board.of("verdict")[-1].kind == "admitted"


def test_a_gun_that_says_no_temperature_at_rest_is_free_after_half_an_hour(board: Board) -> None:
    run(board, 10, 50, cable_temp_c=110)
    board.step(51, board.town.level("p1", 1, "finished", after(51), of="a"))
    for at_s in range(60, 1_830):
        if at_s % 300 == 0:
            board.step(at_s, reading(board, at_s, state="finished", kw=None, of=None))
        board.step(at_s, Tick())
    assert "cable_hot_stop" in board.codes
    board.step(1_841, Tick())
    assert not board.open


def test_a_charge_that_nobody_admitted_is_stopped_too(board: Board) -> None:
    board.step(10, board.town.level("p2", 1, "charging", after(10), of="x"))
    for at_s in range(11, 60):
        if at_s % 15 == 0:
            board.step(at_s, board.town.reading("p2", 1, after(at_s), of="x", kw=50.0, cable_temp_c=120))
        board.step(at_s, Tick())
    stops = [stop for stop in board.of("stop") if stop.serial == serial_of("x")]
    assert len(stops) >= 2
    assert len({stop.id for stop in stops}) == len(stops)


@pytest.mark.parametrize("answered", [True, False])
def test_after_a_restart_a_derated_charge_stays_derated_and_is_freed_when_cool(board: Board, answered: bool) -> None:
    run(board, 10, 45, cable_temp_c=96)
    session = next(action for action in reversed(board.done) if action.topic.leaf == "session")
    address = session.topic.parse(session.name)
    assert address is not None
    board.done.clear()
    board.begin(
        60,
        answered=answered,
        retained=lambda town: [
            Heard(session.topic, address, session.payload),
            town.level("p1", 1, "charging", after(7), of="a"),
        ],
    )
    run(board, 61, 100, cable_temp_c=90, kw=50.0)
    assert "cable_hot_derate" in board.codes
    assert not any(level.held is not None and level.held.cap_kw is None for level in board.of("session"))
    run(board, 101, 330, cable_temp_c=60, kw=50.0)
    assert not board.open


def test_an_alarm_about_a_charge_ends_with_it(board: Board) -> None:
    run(board, 10, 80, battery_temp_max_c=56)
    assert board.codes == {"battery_hot"}
    board.step(81, board.town.level("p1", 1, "finished", after(81), of="a"), Tick())
    assert not board.open


def test_a_charging_gun_that_says_nothing_for_90_s_is_told_and_taken_back(board: Board) -> None:
    run(board, 10, 10)
    board.ticks(11, 100)
    assert not board.open
    board.ticks(101, 102)
    assert board.codes == {"silent_gun"}
    board.step(110, reading(board, 110))
    assert not board.open


def test_a_gun_whose_pile_is_away_is_not_silent(board: Board) -> None:
    run(board, 10, 10)
    board.step(11, board.town.pile("p1", online=False), board.town.level("p1", 1, "offline", after(11), of="a"))
    board.ticks(12, 300)
    assert board.codes == {"pile_offline"}


def test_energy_without_an_order_is_told_and_ends_when_one_is_known(board: Board) -> None:
    board.step(10, board.town.level("p2", 1, "charging", after(10), of="x"))
    for at_s in range(10, 160, 15):
        board.step(at_s, board.town.reading("p2", 1, after(at_s), of="x", kw=50.0))
    assert board.codes == {"energy_without_order"}
    assert board.open["energy_without_order-p2-1"].serial == serial_of("x")
    board.step(170, board.town.level("p2", 1, "finished", after(170), of="x"), Tick())
    assert not board.open


def test_the_supply_is_watched_by_the_meter() -> None:
    board = Board(transformer={"has_meter": True})
    for at_s in range(10, 200, 10):
        board.step(at_s, board.town.meter(after(at_s), kva=100.0, volts=[240.0, 190.0, 230.0]))
    assert board.codes == {"input_over_voltage", "input_under_voltage"}
    assert board.open["input_under_voltage-t1"].value == 190.0
    board.begin(201, retained=lambda town: [town.meter(after(200), kva=100.0, volts=[240.0, 229.0, 230.0])])
    for at_s in range(210, 300, 10):
        board.step(at_s, board.town.meter(after(at_s), kva=100.0, volts=[240.0, 229.0, 230.0]), Tick())
    assert "input_under_voltage" not in board.codes
    assert "input_over_voltage" in board.codes
