"""Alarms: raised once, cleared for good, flapping merged, found again after a restart, gone with their station."""

import pytest

from evcs.contracts.alarm import AlarmKind, Severity
from evcs.contracts.ids import is_level
from evcs.contracts.topics import ALARM, CONFIG_STATION
from rules.alarms import CONFIRM_WITHIN, Open, alarm_id, raise_once
from rules.engine import Engine
from rules.messages import Began, Gone, PictureComplete, Tick
from tests.rules.board import Board
from tests.rules.town import SINCE_MS, STATION, after, heard

HOT = "hot-p1-1"


@pytest.fixture
def board() -> Board:
    return Board()


def hot(pile: str | None = "p1", gun: int | None = 1, value: float = 91.0) -> Open:
    return Open(
        id=alarm_id("hot", pile, gun),
        code="hot",
        kind=AlarmKind.WARNING,
        severity=Severity.WARNING,
        station=STATION,
        pile=pile,
        gun=gun,
        zh="过温",
        en="hot",
        value=value,
        limit=90.0,
        unit="°C",
    )


def test_raised_again_while_open_it_stays_one_alarm(board: Board) -> None:
    board.rise(10, hot())
    board.rise(11, hot())
    assert [(alarm.open, alarm.count, alarm.raised_at) for alarm in board.told] == [(True, 1, after(10))]


def test_its_end_is_told_and_the_topic_is_left_empty(board: Board) -> None:
    board.rise(10, hot())
    board.fall(20, HOT)
    board.fall(21, HOT)
    assert [(alarm.open, alarm.cleared_at) for alarm in board.told] == [(True, None), (False, after(20))]
    assert board.told[1].version > board.told[0].version
    assert not board.retained


def test_a_moving_figure_is_published_at_a_bounded_rate(board: Board) -> None:
    board.rise(10, hot())
    for at_s in range(11, 31):
        board.rise(at_s, hot(value=91.0 + at_s))
        board.step(at_s, Tick())
    assert [alarm.value for alarm in board.told] == [91.0, 111.0, 121.0]


def test_three_times_in_five_minutes_is_one_record_that_waits_for_quiet(board: Board) -> None:
    for at_s in (10, 70, 130):
        board.rise(at_s, hot())
        board.fall(at_s + 5, HOT)
    assert {alarm.raised_at for alarm in board.told} == {after(10)}
    assert [alarm.open for alarm in board.told] == [True, False, True, False, True]
    assert board.open["hot-p1-1"].count == 3
    board.ticks(136, 400)
    board.rise(401, hot())
    board.fall(402, HOT)
    board.ticks(403, 701)
    assert board.open["hot-p1-1"].count == 4
    board.ticks(702, 702)
    assert not board.open
    assert board.told[-1].cleared_at == after(702)


def test_after_a_quiet_time_it_is_a_new_record(board: Board) -> None:
    board.rise(10, hot())
    board.fall(20, HOT)
    board.ticks(21, 330)
    board.rise(331, hot())
    assert (board.told[-1].raised_at, board.told[-1].count) == (after(331), 1)


def test_a_restart_forgets_nothing_that_is_open(board: Board) -> None:
    board.rise(10, hot())
    before = board.open["hot-p1-1"]
    board.begin(30)
    board.rise(31, hot())
    assert board.open == {"hot-p1-1": before}, "the same level still stands"
    board.fall(40, HOT)
    assert not board.open
    assert (board.told[-1].raised_at, board.told[-1].open) == (after(10), False)
    assert board.told[-1].version > before.version


def test_what_no_source_confirms_after_a_restart_is_cleared(board: Board) -> None:
    board.rise(10, hot())
    board.rise(10, hot("p2"))
    board.begin(30)
    board.rise(40, hot("p2"))
    held_s = 30 + int(CONFIRM_WITHIN.total_seconds())
    board.ticks(31, held_s - 1)
    assert set(board.open) == {"hot-p1-1", "hot-p2-1"}
    board.ticks(held_s, held_s)
    assert set(board.open) == {"hot-p2-1"}


def test_killed_between_end_and_emptying_the_topic_is_emptied(board: Board) -> None:
    board.rise(10, hot())
    name = ALARM.at(station=STATION, alarm="hot-p1-1")
    board.fall(20, HOT)
    board.retained[name] = board.told[-1]
    board.begin(30)
    assert not board.retained


def test_our_own_levels_coming_back_change_nothing(board: Board) -> None:
    board.rise(10, hot())
    board.fall(11, HOT)
    board.rise(12, hot())
    told = list(board.told)
    board.step(13, *(heard(ALARM, alarm, station=STATION, alarm=alarm.alarm) for alarm in told))
    assert board.told == told
    assert board.open["hot-p1-1"].open


def test_raised_before_the_picture_is_complete_it_joins_what_stood(board: Board) -> None:
    board.rise(10, hot())
    before = board.open["hot-p1-1"]
    board.engine = Engine()
    board.step(30, Began(SINCE_MS), *board.town.picture(after(0)))
    board.rise(31, hot())
    assert len(board.told) == 1
    board.step(32, heard(ALARM, before, station=STATION, alarm="hot-p1-1"), PictureComplete())
    board.ticks(33, 60)
    assert board.open["hot-p1-1"].raised_at == after(10)
    board.fall(61, HOT)
    assert not board.open


@pytest.mark.parametrize("what", ["pile", "station", "taken away"])
def test_with_its_place_an_alarm_goes(board: Board, what: str) -> None:
    board.rise(10, hot())
    board.rise(10, hot("p2"))
    if what == "pile":
        del board.town.piles["p1"]
        board.step(20, board.town.config(), Tick())
        assert set(board.open) == {"hot-p2-1"}
        return
    if what == "taken away":
        config = board.town.config()
        board.step(20, Gone(CONFIG_STATION, config.address))
        assert not board.open
        board.rise(21, hot())
        assert not board.open, "what its piles go on saying is nobody's business"
        board.step(22, board.town.config())
        board.rise(23, hot())
        assert set(board.open) == {HOT}
        return
    else:
        board.engine = Engine()
        levels = [heard(ALARM, alarm, station=STATION, alarm=alarm.alarm) for alarm in board.retained.values()]
        board.step(20, Began(SINCE_MS), *levels, PictureComplete(), Tick())
        assert len(board.open) == 2, "before the worker has answered its configuration may be on its way"
        board.step(21, board.town.answer(0), Tick())
    assert not board.open


def test_what_is_over_at_once_leaves_a_record_and_no_level(board: Board) -> None:
    known = board.engine._known
    known.out = []
    raise_once(known, hot(), after(5), after(6))
    raise_once(known, hot(), after(5), after(9))
    board.take(known.out)
    assert not board.retained
    assert [(alarm.open, alarm.raised_at, alarm.cleared_at) for alarm in board.told] == [
        (True, after(5), None),
        (False, after(5), after(5)),
    ] * 2
    assert len({alarm.version for alarm in board.told}) == 4


@pytest.mark.parametrize(
    ("code", "parts", "id"),
    [
        ("bit1", ("32010600019236", 1), "bit1-32010600019236-1"),
        ("overload", (None, "t1"), "overload-t1"),
        ("err1.spn2560_00_timeout", ("32010600019236", 12), "err1_spn2560_00_timeout-6a7932b8"),
    ],
)
def test_an_id_may_stand_in_a_topic(code: str, parts: tuple[str | int | None, ...], id: str) -> None:
    assert alarm_id(code, *parts) == id
    assert is_level(id)


def test_ids_of_two_guns_differ_however_long_the_code_is() -> None:
    ids = {alarm_id("err1.spn2560_00_timeout", "32010600019236", gun) for gun in range(1, 100)}
    assert len(ids) == 99
