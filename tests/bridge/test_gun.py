"""Readings, starts and lockouts → what a gun is shown as."""

import pytest
from msgspec.structs import replace

from bridge.gun import Began, Ended, FaultsCleared, FaultsRaised, Gun
from bridge.words import Reading, WireState
from evcs.contracts.states import GunState

S1, S2 = "1" * 32, "2" * 32
BASE = Reading(pile="p", gun=1, wire=WireState.IDLE, serial=None, plugged=False, fault_bits=0)
IDLE = BASE
PLUGGED = replace(BASE, plugged=True)
CHARGING = replace(BASE, wire=WireState.CHARGING, plugged=True, serial=S1)
FAULT = replace(BASE, wire=WireState.FAULTED, plugged=True)
AWAY = replace(BASE, wire=WireState.OFFLINE)
ODD = replace(BASE, wire=None, plugged=True)


def gun_after(*steps: Reading | str) -> Gun:
    """A logged-in gun after readings and, as text, `start`, `over`, `lost`, `login`, `lock`, `record`."""
    gun = Gun(1)
    gun.logged_in()
    for step in steps:
        if isinstance(step, Reading):
            gun.heard(step)
        elif step == "start":
            gun.start_written(S1)
        elif step == "over":
            gun.start_over(S1)
        elif step == "lost":
            gun.lost()
        elif step == "login":
            gun.logged_in()
        elif step == "lock":
            gun.is_locked = True
        elif step == "record":
            gun.record_came(S1)
    return gun


@pytest.mark.parametrize(
    ("steps", "state", "serial"),
    [
        ((), GunState.OFFLINE, None),
        ((IDLE,), GunState.IDLE, None),
        ((PLUGGED,), GunState.PLUGGED, None),
        ((FAULT,), GunState.FAULTED, None),
        ((PLUGGED, AWAY), GunState.OFFLINE, None),
        ((PLUGGED, ODD), GunState.PLUGGED, None),
        ((PLUGGED, "start"), GunState.STARTING, S1),
        ((PLUGGED, "start", PLUGGED, PLUGGED), GunState.STARTING, S1),
        ((PLUGGED, "start", "over"), GunState.PLUGGED, None),
        ((PLUGGED, "start", CHARGING), GunState.CHARGING, S1),
        ((PLUGGED, CHARGING), GunState.CHARGING, S1),  # nobody here started it
        ((PLUGGED, "start", replace(CHARGING, serial=S2)), GunState.CHARGING, S2),
        ((PLUGGED, "start", replace(CHARGING, serial=None)), GunState.CHARGING, S1),
        ((CHARGING, PLUGGED), GunState.FINISHED, S1),
        ((CHARGING, replace(PLUGGED, serial=S1)), GunState.CHARGING, S1),  # one slip is no end
        ((CHARGING, replace(PLUGGED, serial=S1), CHARGING), GunState.CHARGING, S1),
        ((CHARGING, replace(PLUGGED, serial=S1), replace(PLUGGED, serial=S1)), GunState.FINISHED, S1),
        ((CHARGING, IDLE), GunState.IDLE, None),
        ((CHARGING, PLUGGED, PLUGGED), GunState.FINISHED, S1),
        ((CHARGING, PLUGGED, IDLE), GunState.IDLE, None),
        ((CHARGING, PLUGGED, IDLE, PLUGGED), GunState.PLUGGED, None),
        ((CHARGING, "record"), GunState.FINISHED, S1),  # the bill before the reading
        ((CHARGING, "record", PLUGGED), GunState.FINISHED, S1),
        ((PLUGGED, "start", "record"), GunState.PLUGGED, None),  # a failed start has a bill too
        ((CHARGING, FAULT), GunState.FAULTED, None),
        ((CHARGING, AWAY), GunState.OFFLINE, S1),
        ((CHARGING, "lost"), GunState.OFFLINE, S1),  # a lost link is no end
        ((CHARGING, "lost", "login"), GunState.OFFLINE, S1),
        ((CHARGING, "lost", "login", CHARGING), GunState.CHARGING, S1),
        ((CHARGING, "lost", "login", PLUGGED), GunState.FINISHED, S1),
        ((PLUGGED, "start", "lost"), GunState.OFFLINE, S1),
        ((CHARGING, PLUGGED, "lost"), GunState.OFFLINE, None),
        ((PLUGGED, "lock"), GunState.DISABLED, None),
        ((CHARGING, "lock"), GunState.CHARGING, S1),  # shown only when the current is gone
        ((CHARGING, "lock", PLUGGED), GunState.DISABLED, None),
    ],
)
def test_what_is_shown(steps: tuple[Reading | str, ...], state: GunState, serial: str | None) -> None:
    shown = gun_after(*steps).shown
    assert (shown.state, shown.serial) == (state, serial)


def test_another_serial_ends_the_charge_before() -> None:
    gun = gun_after(CHARGING)
    assert gun.heard(replace(CHARGING, serial=S2)) == [Ended(S1), Began(S2)]


def test_fault_bits_are_told_when_they_come_and_go() -> None:
    gun = gun_after(IDLE)
    assert gun.heard(replace(IDLE, fault_bits=0b0101)) == [FaultsRaised(0b0101)]
    assert gun.heard(replace(IDLE, fault_bits=0b0101)) == []
    assert gun.heard(replace(IDLE, fault_bits=0b0110)) == [FaultsRaised(0b0010), FaultsCleared(0b0001)]
    assert gun.shown.fault_bits == 0b0110
