"""Any course of raising, clearing, waiting and restarting: what a source holds stands open, what it does not ends."""

from hypothesis import given, settings
from hypothesis import strategies as st

from evcs.contracts.alarm import Alarm, AlarmKind, Severity
from rules.alarms import CONFIRM_WITHIN, Open, alarm_id
from rules.messages import Tick
from rules.open_alarms import FLAPS_WITHIN
from tests.rules.board import Board
from tests.rules.town import STATION

CODES = ("x", "y", "z")
STEPS = st.lists(
    st.tuples(st.sampled_from(["raise", "clear", "restart", "wait"]), st.sampled_from(CODES), st.integers(0, 400)),
    max_size=30,
)


def of(code: str) -> Open:
    return Open(
        id=alarm_id(code, "p1"),
        code=code,
        kind=AlarmKind.WARNING,
        severity=Severity.INFO,
        station=STATION,
        pile="p1",
        zh=code,
        en=code,
    )


def check(board: Board, held: set[str]) -> None:
    assert held <= board.codes, "what a source holds stands at the broker"
    assert all(alarm.open for alarm in board.retained.values()), "nothing that has ended stands there"
    versions: dict[str, int] = {}
    records: dict[tuple[str, object], Alarm] = {}
    for alarm in board.told:
        assert alarm.version > versions.get(alarm.alarm, -1)
        versions[alarm.alarm] = alarm.version
        before = records.get((alarm.alarm, alarm.raised_at))
        assert before is None or alarm.count >= before.count
        records[alarm.alarm, alarm.raised_at] = alarm


@given(STEPS)
@settings(max_examples=120, deadline=None)
def test_any_course(steps: list[tuple[str, str, int]]) -> None:
    board, held, at_s = Board(), set[str](), 10
    for what, code, seconds in steps:
        match what:
            case "raise":
                board.rise(at_s, of(code))
                held.add(code)
            case "clear":
                board.fall(at_s, alarm_id(code, "p1"))
                held.discard(code)
            case "restart":
                board.begin(at_s)
                for one in sorted(held):
                    board.rise(at_s, of(one))
            case "wait":
                at_s += seconds
        at_s += 1
        board.step(at_s, Tick())
        check(board, held)
    for code in CODES:
        board.fall(at_s, alarm_id(code, "p1"))
    quiet_s = int(max(FLAPS_WITHIN, CONFIRM_WITHIN).total_seconds())
    board.step(at_s + quiet_s, Tick())
    check(board, set())
    assert not board.open, "nothing stands for ever"
    assert not board.engine._known.stations[STATION].alarms.standing
