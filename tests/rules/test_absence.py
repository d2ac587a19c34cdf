"""Piles that are away, and what only a pile's events or its clock tell."""

import pytest

from evcs.contracts.alarm import Severity
from tests.rules.board import Board
from tests.rules.town import Town, after

MANY = 40


def town_of(piles: int) -> list[dict[str, object]]:
    return [{"pile": f"p{n}", "guns": [60.0]} for n in range(piles)]


@pytest.fixture
def board() -> Board:
    return Board(town_of(MANY))


def drop(board: Board, at_s: float, numbers: range) -> None:
    board.step(at_s, *(board.town.pile(f"p{n}", online=False) for n in numbers))


def back(board: Board, at_s: float, numbers: range) -> None:
    board.step(at_s, *(board.town.pile(f"p{n}", link=f"l{at_s}") for n in numbers))


def test_a_pile_away_for_a_minute_is_an_alarm_and_a_hiccup_is_none(board: Board) -> None:
    drop(board, 10, range(2))
    board.ticks(10, 40)
    back(board, 41, range(1))
    board.ticks(41, 70)
    assert set(board.open) == {"pile_offline-p1"}
    assert board.open["pile_offline-p1"].raised_at == after(10)
    back(board, 71, range(1, 2))
    board.ticks(71, 72)
    assert not board.open


def test_a_storm_is_one_alarm_with_a_count(board: Board) -> None:
    drop(board, 10, range(20))
    drop(board, 25, range(20, 30))
    board.ticks(26, 120)
    assert set(board.open) == {"piles_offline-s1"}
    assert (board.open["piles_offline-s1"].count, board.open["piles_offline-s1"].severity) == (30, Severity.CRITICAL)
    assert len(board.told) == 1


def test_a_bridge_that_is_gone_is_one_alarm_that_names_it(board: Board) -> None:
    board.step(10, board.town.bridge(online=False))
    board.ticks(10, 100)
    assert set(board.open) == {"piles_offline-s1"}
    assert (board.told[-1].count, board.told[-1].raw) == (MANY, "b1")
    assert "b1" in board.told[-1].zh


def test_a_storm_shrinks_at_a_bounded_rate_and_leaves_the_last_ones_by_name(board: Board) -> None:
    drop(board, 10, range(30))
    board.ticks(10, 80)
    for n in range(28):
        back(board, 81 + n, range(n, n + 1))
        board.ticks(81 + n, 81 + n)
    board.ticks(109, 130)
    assert set(board.open) == {"pile_offline-p28", "pile_offline-p29"}
    storms = [alarm for alarm in board.told if alarm.code == "piles_offline"]
    assert len(storms) <= 5
    assert storms[-1].cleared_at is not None


def test_a_small_station_storms_too() -> None:
    board = Board(town_of(4))
    drop(board, 10, range(3))
    board.ticks(10, 80)
    assert set(board.open) == {"piles_offline-s1"}


def test_piles_that_go_one_by_one_are_no_storm(board: Board) -> None:
    for n in range(12):
        drop(board, 10 + 40 * n, range(n, n + 1))
        board.ticks(10 + 40 * n, 49 + 40 * n)
    board.ticks(490, 560)
    assert len(board.open) == 12
    assert board.codes == {"pile_offline"}


def test_a_pile_that_never_logged_in_is_new_and_not_away() -> None:
    board = Board(town_of(2))
    board.town.piles["p9"] = Town([{"pile": "p9", "guns": [60.0]}]).piles["p9"]
    board.step(5, board.town.config())
    board.ticks(5, 100)
    assert not board.open


def test_a_restart_in_a_storm_goes_on_with_it(board: Board) -> None:
    drop(board, 10, range(30))
    board.ticks(10, 80)
    was = board.open["piles_offline-s1"]
    board.begin(90, retained=lambda town: [town.pile(f"p{n}", online=False) for n in range(30)])
    board.ticks(90, 500)
    assert set(board.open) == {"piles_offline-s1"}
    assert (board.open["piles_offline-s1"].raised_at, board.open["piles_offline-s1"].count) == (was.raised_at, 30)


def test_after_a_restart_a_pile_that_is_back_is_no_alarm(board: Board) -> None:
    drop(board, 10, range(2))
    board.ticks(10, 80)
    board.begin(90, retained=lambda town: [town.pile("p0", online=False)])
    assert set(board.open) == {"pile_offline-p0"}


# --- the clock, connections, keys


def test_a_wrong_clock_is_told_with_its_error_until_it_is_right(board: Board) -> None:
    board.step(10, board.town.pile("p0", clock_offset_s=-75.4))
    alarm = board.open["clock_wrong-p0"]
    assert (alarm.value, alarm.limit, alarm.unit) == (-75.4, 60.0, "s")
    assert "慢 75 秒" in alarm.zh
    board.step(20, board.town.pile("p0", clock_offset_s=55.0))
    assert board.codes == {"clock_wrong"}
    board.begin(25, retained=lambda town: [town.pile("p0", clock_offset_s=55.0)])
    board.ticks(26, 400)
    assert board.codes == {"clock_wrong"}, "between the two limits nothing changes, a restart neither"
    board.step(401, board.town.pile("p0", clock_offset_s=3.0))
    assert not board.open


def test_a_connection_replaced_three_times_in_ten_minutes_is_an_alarm_until_quiet(board: Board) -> None:
    for at_s in (10, 700, 800):
        board.step(at_s, board.town.pile_event("p0", after(at_s), "connection_replaced", text="l1 10.0.0.7"))
        assert not board.open, "two in ten minutes"
    board.step(900, board.town.pile_event("p0", after(900), "connection_replaced", text="l2 10.0.0.7"))
    assert (board.open["connection_replaced-p0"].raw, board.codes) == ("l2 10.0.0.7", {"connection_replaced"})
    board.ticks(901, 1499)
    assert board.open
    board.ticks(1500, 1501)
    assert not board.open


def test_a_wrong_key_is_an_alarm_at_once(board: Board) -> None:
    board.step(10, board.town.pile_event("p0", after(10), "key_refused", text="10.9.9.9"))
    assert board.open["key_refused-p0"].severity is Severity.CRITICAL
    assert "10.9.9.9" in board.open["key_refused-p0"].zh


def test_an_event_that_comes_long_after_is_not_news(board: Board) -> None:
    board.step(2_000, board.town.pile_event("p0", after(10), "key_refused", text="10.9.9.9"))
    assert not board.told
