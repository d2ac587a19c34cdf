"""Reported faults: bits from the level, stop reasons and findings from events, described by the dictionary."""

from typing import Any

import msgspec
import pytest

from evcs.contracts.alarm import AlarmAction, AlarmKind, Severity
from evcs.contracts.config import FaultCode
from evcs.contracts.reasons import Reason
from rules.messages import Tick
from tests.rules.board import Board
from tests.rules.town import after, lockout, serial_of

STOP = FaultCode(code="bit1", zh="急停按钮动作故障", en="emergency stop pressed", severity="critical")
DOOR = FaultCode(code="bit13", zh="门打开", en="door open")


@pytest.fixture
def board() -> Board:
    board = Board()
    board.step(1, board.town.codes(STOP, DOOR))
    return board


def charging(board: Board, at_s: float, of: str = "a", **level: Any) -> None:
    board.step(at_s, board.town.level("p1", 1, "charging", after(at_s), of=of, **level))


def end(board: Board, at_s: float, kind: str = "stopped", of: str | None = "a", **values: Any) -> None:
    board.step(at_s, board.town.event("p1", 1, after(at_s), kind, of=of, **values))


# --- bits


def test_a_bit_is_open_while_the_level_has_it(board: Board) -> None:
    charging(board, 10, fault_bits=0x1)
    board.step(20, board.town.level("p1", 1, "faulted", after(20), fault_bits=0x1))
    alarm = board.open["bit1-p1-1"]
    assert (alarm.kind, alarm.severity, alarm.zh) == (AlarmKind.FAULT, Severity.CRITICAL, STOP.zh)
    assert (alarm.pile, alarm.gun, alarm.serial, alarm.protocol) == ("p1", 1, serial_of("a"), "ykc")
    assert (alarm.raw, alarm.known, alarm.raised_at) == ("0x1", True, after(10))
    assert len(board.told) == 1
    board.step(30, board.town.level("p1", 1, "plugged", after(30)))
    assert not board.open
    assert board.told[-1].cleared_at == after(30)


def test_a_fault_that_ends_a_charge_bears_its_order(board: Board) -> None:
    charging(board, 10)
    board.step(20, board.town.level("p1", 1, "faulted", after(20), fault_bits=0x1))
    board.step(25, board.town.config())
    assert board.open["bit1-p1-1"].serial == serial_of("a")
    board.step(30, board.town.level("p1", 1, "plugged", after(30)))
    board.step(400, board.town.level("p1", 1, "faulted", after(400), fault_bits=0x1))
    assert board.open["bit1-p1-1"].serial is None


@pytest.mark.parametrize(
    ("base", "bits", "codes"),
    [
        (0, 0x0001, {"bit1"}),
        (1, 0x0002, {"bit1"}),
        (1, 0x0001, {"bit0"}),
        (0, 0x0082, {"bit2", "bit8"}),
        (1, 0x0082, {"bit1", "bit7"}),
        (0, 0x8000, {"bit16"}),
        (0, 0, {"faulted"}),
    ],
)
def test_which_mask_bit1_has_is_a_setting_and_no_bit_is_lost(base: int, bits: int, codes: set[str]) -> None:
    board = Board()
    board.town.piles["p1"] = msgspec.structs.replace(board.town.piles["p1"], fault_bit_base=base)
    board.step(1, board.town.config())
    board.step(10, board.town.level("p1", 1, "faulted", after(10), fault_bits=bits))
    assert board.codes == codes


def test_a_bit_that_nobody_described_is_an_alarm_until_somebody_does(board: Board) -> None:
    board.step(10, board.town.level("p1", 1, "faulted", after(10), fault_bits=0x8000))
    assert (board.open["bit16-p1-1"].known, board.open["bit16-p1-1"].raw) == (False, "0x8000")
    board.step(30, board.town.codes(STOP, FaultCode(code="bit16", zh="输出短路", en="output short circuit")))
    assert (board.open["bit16-p1-1"].known, board.open["bit16-p1-1"].zh) == (True, "输出短路")


def test_the_most_exact_entry_describes_it(board: Board) -> None:
    def entry(text: str, **key: str) -> FaultCode:
        return FaultCode(code="bit1", zh=text, en=text, **key)

    entries = [
        entry("any"),
        entry("maker", maker="M"),
        entry("model", maker="M", model="X"),
        entry("other", maker="N", model="X"),
    ]
    shown = []
    for maker, model in (("", ""), ("M", ""), ("M", "X"), ("M", "Y"), ("Q", "X")):
        board = Board()
        board.town.piles["p1"] = msgspec.structs.replace(board.town.piles["p1"], maker=maker, model=model)
        board.step(1, board.town.config(), board.town.codes(*entries), board.town.codes(entry("ocpp"), protocol="ocpp"))
        board.step(10, board.town.level("p1", 1, "faulted", after(10), fault_bits=1))
        shown.append(board.open["bit1-p1-1"].zh)
    assert shown == ["any", "maker", "model", "maker", "any"]


def test_a_gun_that_is_away_tells_nothing_about_its_bits(board: Board) -> None:
    board.step(10, board.town.level("p1", 1, "faulted", after(10), fault_bits=1))
    board.step(20, board.town.level("p1", 1, "offline", after(20)))
    assert board.codes == {"bit1"}
    board.step(40, board.town.level("p1", 1, "idle", after(40)))
    assert not board.open


def test_after_a_restart_what_is_true_stands_and_what_is_not_ends(board: Board) -> None:
    board.step(10, board.town.level("p1", 1, "faulted", after(10), fault_bits=1))
    board.step(10, board.town.level("p2", 1, "faulted", after(10), fault_bits=1))
    was = board.open["bit1-p1-1"]
    board.begin(60, retained=lambda town: [town.level("p1", 1, "faulted", after(10), fault_bits=1)])
    board.step(61, board.town.codes(STOP))
    board.ticks(62, 400)
    assert board.open["bit1-p1-1"].raised_at == was.raised_at
    assert set(board.open) == {"bit1-p1-1"}, "p2 is well, as its level says"


# --- stop reasons


def test_an_abnormal_stop_is_a_record_at_once_over(board: Board) -> None:
    end(board, 10, pile_code=0x72, stop_class="abnormal")
    assert not board.open
    raised, cleared = board.told
    assert (raised.code, raised.alarm, raised.raw, raised.serial) == ("stop_72", "stop_72-p1-1", "0x72", serial_of("a"))
    assert (raised.open, cleared.open, cleared.cleared_at) == (True, False, after(10))
    assert not raised.known


@pytest.mark.parametrize(
    ("pile_code", "stop_class", "records"),
    [(0x40, "normal", 0), (0x57, "start_failed", 1), (0x90, "unknown", 1), (0xA5, "unknown", 1), (None, "abnormal", 0)],
)
def test_which_ends_are_records(board: Board, pile_code: int | None, stop_class: str, records: int) -> None:
    end(board, 10, pile_code=pile_code, stop_class=stop_class)
    assert sum(alarm.open for alarm in board.told) == records


def test_the_same_stop_delivered_twice_is_the_same_record(board: Board) -> None:
    event = board.town.event("p1", 1, after(10), "stopped", of="a", pile_code=0x72, stop_class="abnormal")
    board.step(11, event)
    board.step(400, event)
    assert {(alarm.alarm, alarm.raised_at) for alarm in board.told} == {("stop_72-p1-1", after(10))}


@pytest.mark.parametrize("how", ["lockout", "good charge"])
def test_a_stop_that_locks_stands_until_a_person_or_a_good_charge(board: Board, how: str) -> None:
    lock = FaultCode(code="stop_54", zh="蓄电池反接", en="battery reversed", action=AlarmAction.LOCK)
    board.step(2, board.town.codes(lock))
    end(board, 10, pile_code=0x54, stop_class="start_failed")
    assert board.codes == {"stop_54"}
    board.step(11, board.town.request("p1", 1, after(11), id="b"))
    assert board.of("verdict")[-1].reason is Reason.PROTECTION_LOCKED
    board.begin(20)
    board.step(21, board.town.codes(lock))
    board.ticks(22, 400)
    assert board.codes == {"stop_54"}, "a restart does not unlock it"
    if how == "lockout":
        board.town.station_lockouts["lockout"] = lockout()
        board.step(401, board.town.config())
    else:
        end(board, 401, pile_code=0x41, stop_class="normal", of="b")
    assert not board.open


# --- findings


def test_what_the_car_warns_of_stands_until_it_takes_it_back(board: Board) -> None:
    charging(board, 10)
    end(board, 20, "bms_warning", findings={"flags1.over_temperature": 1, "flags2.insulation": 1})
    assert board.codes == {"flags1.over_temperature", "flags2.insulation"}
    assert board.told[-1].zh == "flags2.insulation 异常", "its own words, since a code has several values"
    end(board, 30, "bms_warning", findings={"flags2.insulation": 2})
    assert board.codes == {"flags2.insulation"}
    end(board, 40, "bms_warning", findings={})
    assert not board.open


def test_what_the_car_warns_of_ends_with_its_charge(board: Board) -> None:
    charging(board, 10)
    end(board, 20, "bms_warning", findings={"flags1.soc": 1})
    board.begin(30, retained=lambda town: [town.level("p1", 1, "charging", after(10), of="a")])
    board.ticks(31, 400)
    assert "flags1.soc" in board.codes
    board.step(401, board.town.level("p1", 1, "finished", after(401), of="a"), Tick())
    assert not board.open


def test_bits_of_a_gun_that_is_away_survive_a_restart(board: Board) -> None:
    board.step(10, board.town.level("p1", 1, "faulted", after(10), fault_bits=1))
    board.begin(20, retained=lambda town: [town.level("p1", 1, "offline", after(15))])
    board.ticks(21, 400)
    assert board.codes == {"bit1"}


def test_a_late_warning_of_a_charge_that_is_over_stays_no_alarm(board: Board) -> None:
    end(board, 20, "bms_warning", findings={"flags1.soc": 1})
    assert [alarm.open for alarm in board.told] == [True, False]


@pytest.mark.parametrize("kind", ["bms_stopped", "charger_stopped", "bms_error"])
def test_what_was_given_for_an_end_is_a_record_but_not_that_it_was_wanted(board: Board, kind: str) -> None:
    end(
        board,
        20,
        kind,
        findings={"reason.soc_reached": 1, "fault.connector_hot": 1} if kind != "bms_error" else {"err5.x": 1},
    )
    codes = [alarm.code for alarm in board.told if alarm.open]
    assert codes == (["err5.x"] if kind == "bms_error" else ["fault.connector_hot"])
    assert not board.open


def test_insulation_in_two_charges_points_at_the_gun(board: Board) -> None:
    end(board, 10, pile_code=0x57, stop_class="start_failed", of="a")
    end(board, 11, "bms_stopped", findings={"fault.insulation": 1}, of="a")
    assert not board.open, "one charge: it may be the car"
    end(board, 3_600, "bms_stopped", findings={"fault.insulation": 1}, of="b")
    assert board.codes == {"insulation_repeated"}
    assert board.open["insulation_repeated-p1-1"].severity is Severity.CRITICAL
    end(board, 7_200, pile_code=0x41, stop_class="normal", of="c")
    assert not board.open


def test_a_gun_that_is_not_configured_raises_nothing(board: Board) -> None:
    board.step(10, board.town.level("p1", 7, "faulted", after(10), fault_bits=1))
    board.step(10, board.town.event("p1", 7, after(10), "stopped", of="a", pile_code=0x72, stop_class="abnormal"))
    assert not board.told
