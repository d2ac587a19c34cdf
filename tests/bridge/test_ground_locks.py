"""Parking locks: what they report is an event of their gun, once for each change."""

import pytest

from bridge.protocols.ykc import codes
from bridge.protocols.ykc import messages as ykc
from evcs.contracts.gun import GroundLock, GunEventKind
from evcs.contracts.topics import GUN_EVENT
from tests.bridge.kit import PILE, Desk, Wire


def report(gun: int = 1, *, state: int = 0x55, bay: int = 0, battery: int = 80, alarm: int = 0) -> ykc.GroundLockReport:
    return ykc.GroundLockReport(
        pile_no=PILE, gun_no=gun, lock_state=state, bay_state=bay, battery_pct=battery, alarm=alarm
    )


@pytest.mark.parametrize(
    ("said", "lock"),
    [
        (report(), GroundLock(state="raised", is_occupied=False, battery_pct=80)),
        (
            report(state=codes.LockState.LOWERED, bay=0xFF),
            GroundLock(state="lowered", is_occupied=True, battery_pct=80),
        ),
        (
            report(state=codes.LockState.BETWEEN, alarm=codes.LockAlarm.NOT_IN_POSITION),
            GroundLock(state="between", is_occupied=False, battery_pct=80, alarm="not_in_position"),
        ),
        (
            report(battery=0xFF, alarm=codes.LockAlarm.ARM_DAMAGED),
            GroundLock(state="raised", is_occupied=False, battery_pct=None, alarm="arm_damaged"),
        ),
        (
            report(state=0x12, bay=0x34, alarm=0x56),
            GroundLock(state="0x12", is_occupied=None, battery_pct=80, alarm="0x56"),
        ),
    ],
)
def test_what_a_lock_reports(said: ykc.GroundLockReport, lock: GroundLock) -> None:
    desk = Desk().ready()
    desk.wire.say(said)
    [event] = desk.of(GUN_EVENT, 1)
    assert (event.kind, event.ground_lock) == (GunEventKind.GROUND_LOCK, lock)
    assert desk.wire.sent == []


def test_only_changes_are_events_and_the_first_report_of_a_login() -> None:
    desk = Desk().ready()
    for said in (report(), report(), report(battery=79), report(gun=2), report(battery=79)):
        desk.wire.say(said)
    assert [len(desk.of(GUN_EVENT, gun)) for gun in (1, 2)] == [2, 1]
    desk.wire.cut()
    desk.wire = Wire(desk)
    desk.log_in()
    desk.wire.say(report(battery=79))
    assert len(desk.of(GUN_EVENT, 1)) == 3


def test_a_lock_of_a_gun_that_is_not_there_is_counted() -> None:
    desk = Desk().ready()
    desk.wire.say(report(gun=3))
    desk.wire.say(report(gun=0))
    assert desk.of(GUN_EVENT) == []
    assert (desk.tally.dropped["unknown_gun"], desk.tally.dropped["bad_body"]) == (1, 1)
