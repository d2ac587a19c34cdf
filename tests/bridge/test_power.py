"""Power caps and work permission of a pile: one at a time, each with its end."""

from datetime import timedelta

import pytest

from bridge.allowance import Cap, CapEnd, CapFor, Caps
from bridge.protocols.ykc import messages as ykc
from bridge.protocols.ykc.codes import WorkPermission
from evcs.contracts.gun import RecordConfirm
from evcs.contracts.pile import Outcome, PileCommand, PileCommandKind
from evcs.contracts.reasons import Reason
from evcs.contracts.session import SessionLevel
from evcs.contracts.states import GunState
from evcs.contracts.topics import GUN_REPLY, GUN_STATE, PILE_REPLY
from tests.bridge.kit import (
    PILE,
    SERIAL,
    Desk,
    Wire,
    charging,
    locked_out,
    login,
    pile_config,
    realtime,
    start_answer,
)


def caps(desk: Desk) -> list[tuple[int, bool]]:
    """Every 0x52 that was written: percent, locked."""
    return [(cap.max_power_pct, cap.disabled == WorkPermission.LOCKED) for cap in desk.wire.told(ykc.WorkParameters)]


def session(version: int, sent: float | None, confirmed: float | None = None, gun: int = 1) -> SessionLevel:
    return SessionLevel(version=version, pile=PILE, gun=gun, allowance_sent_kw=sent, allowance_confirmed_kw=confirmed)


def command(desk: Desk, kind: PileCommandKind, gun: int | None = None) -> PileCommand:
    expires_at = desk.clock.now() + timedelta(seconds=30)
    return PileCommand(id="p-1", bridge="b1", link=desk.pile.link, kind=kind, gun=gun, expires_at=expires_at)


def test_a_capped_start_writes_the_cap_first_and_the_start_after_its_confirmation() -> None:
    desk = Desk().ready()
    desk.start(desk.start_command(allowance_kw=60.0))
    assert caps(desk) == [(50, False)]
    assert not desk.wire.told(ykc.RemoteStart)
    assert desk.of(GUN_STATE) == []
    desk.wire.answer_cap()
    assert len(desk.wire.told(ykc.RemoteStart)) == 1
    desk.wire.say(start_answer())
    [reply] = desk.of(GUN_REPLY)
    assert (reply.outcome, reply.allowance_kw) == (Outcome.ACCEPTED, 60.0)


@pytest.mark.parametrize(
    ("allowance_kw", "percent", "confirmed_kw"),
    [(120.0, 100, 120.0), (500.0, 100, 120.0), (59.9999999, 50, 60.0), (59.9, 49, 58.8), (1.0, 30, 36.0)],
)
def test_percent_is_rounded_down_within_what_the_protocol_can(
    allowance_kw: float, percent: int, confirmed_kw: float
) -> None:
    desk = Desk().ready()
    desk.power(desk.power_command(allowance_kw))
    assert caps(desk) == [(percent, False)]
    desk.wire.answer_cap()
    [reply] = desk.of(PILE_REPLY)
    assert (reply.outcome, reply.allowance_kw) == (Outcome.ACCEPTED, confirmed_kw)


@pytest.mark.parametrize("refuses", [True, False])
def test_without_confirmation_nothing_is_started(refuses: bool) -> None:
    desk = Desk().ready()
    desk.start(desk.start_command(allowance_kw=60.0))
    if refuses:
        desk.wire.answer_cap(ok=False)
    else:
        desk.wait(4.5)
        assert desk.of(GUN_REPLY) == []
        desk.wait(1)
    [reply] = desk.of(GUN_REPLY)
    assert (reply.outcome, reply.reason) == (Outcome.REFUSED, Reason.CAP_NOT_CONFIRMED)
    desk.wire.answer_cap()
    assert not desk.wire.told(ykc.RemoteStart)


def test_a_start_whose_time_is_over_when_the_cap_stands_is_not_written() -> None:
    desk = Desk().ready()
    desk.start(desk.start_command(allowance_kw=60.0, expires_in_s=3))
    desk.wait(4)
    desk.wire.answer_cap()
    [reply] = desk.of(GUN_REPLY)
    assert reply.outcome is Outcome.EXPIRED
    assert not desk.wire.told(ykc.RemoteStart)


def test_caps_are_written_one_after_the_other() -> None:
    desk = Desk().ready()
    desk.power(desk.power_command(96.0, "one"))
    desk.start(desk.start_command(allowance_kw=60.0))
    desk.power(desk.power_command(72.0, "two"))
    assert caps(desk) == [(80, False)]
    desk.wire.answer_cap()
    assert caps(desk) == [(80, False), (50, False)]
    desk.wire.answer_cap()
    assert caps(desk) == [(80, False), (50, False), (60, False)]
    desk.wait(6)
    assert [(reply.id, reply.outcome) for reply in desk.of(PILE_REPLY)] == [
        ("one", Outcome.ACCEPTED),
        ("two", Outcome.TIMED_OUT),
    ]


def test_a_late_answer_is_not_taken_for_the_next_caps() -> None:
    caps = Caps()
    first, second = Cap(CapFor.POWER, "one", 80), Cap(CapFor.POWER, "two", 50)
    caps.written(first, b"\x01\x00", 0.0)
    assert caps.overdue(4.9) is None
    assert caps.overdue(5.0) == first
    caps.written(second, b"\x02\x00", 5.0)
    assert caps.answered(True, b"\x01\x00") is None
    assert caps.answered(True, b"\x63\x00") == (second, CapEnd.CONFIRMED)  # a pile that counts for itself
    assert caps.confirmed_units == 50


def test_a_repeated_power_command_is_answered_and_not_written_again() -> None:
    desk = Desk().ready()
    order = desk.power_command(96.0)
    desk.power(order)
    desk.wire.answer_cap()
    desk.power(order)
    assert caps(desk) == [(80, False)]
    first, second = desk.of(PILE_REPLY)
    assert first == second


def test_a_lost_link_ends_what_was_on_its_way() -> None:
    desk = Desk().ready()
    desk.power(desk.power_command(96.0))
    desk.start(desk.start_command(allowance_kw=60.0))
    desk.wire.cut()
    assert [(reply.outcome, reply.reason) for reply in desk.of(PILE_REPLY)] == [(Outcome.TIMED_OUT, Reason.LINK_LOST)]
    assert [(reply.outcome, reply.reason) for reply in desk.of(GUN_REPLY)] == [(Outcome.REFUSED, Reason.LINK_LOST)]


@pytest.mark.parametrize(
    ("levels", "percent"),
    [
        ([], None),
        ([session(1, None)], None),
        ([session(1, 60.0)], 50),
        ([session(1, None, 72.0)], 60),
        ([session(5, 60.0, gun=1), session(4, 96.0, gun=2)], 50),
        ([session(4, 96.0, gun=2), session(5, 60.0, gun=1)], 50),
    ],
)
def test_the_allowance_is_set_again_after_a_login(levels: list[SessionLevel], percent: int | None) -> None:
    desk = Desk()
    for level in levels:
        desk.fleet.session(level)
    desk.wire.say(login())
    assert caps(desk) == ([] if percent is None else [(percent, False)])


def test_what_was_written_before_is_set_again_too() -> None:
    desk = Desk().ready()
    desk.power(desk.power_command(60.0))
    desk.wire.answer_cap()
    desk.wire.cut()
    desk.wire = Wire(desk)
    desk.wire.say(login())
    assert caps(desk) == [(50, False)]


def test_an_own_cap_that_is_not_confirmed_is_tried_again() -> None:
    desk = Desk()
    desk.fleet.session(session(1, 60.0))
    desk.log_in()
    desk.keep_alive(37)  # 5 s for the answer, 30 s until the next try
    assert len(caps(desk)) == 2
    desk.wire.answer_cap()
    desk.keep_alive(60)
    assert len(caps(desk)) == 2


def test_a_lockout_takes_the_work_permission_and_gives_it_back() -> None:
    desk = Desk().ready()
    desk.fleet.configured(pile_config(version=2, lockout=locked_out()), desk.now)
    assert caps(desk) == [(100, True)]
    assert desk.last(GUN_STATE, 1).state is GunState.DISABLED
    desk.wire.answer_cap()
    desk.fleet.configured(pile_config(version=3), desk.now)
    assert caps(desk) == [(100, True), (100, False)]
    assert desk.last(GUN_STATE, 1).state is GunState.PLUGGED


def test_a_lockout_waits_for_the_charge_and_ends_by_itself() -> None:
    desk = Desk().ready()
    desk.wire.say(charging())
    until = desk.clock.now() + timedelta(minutes=2)
    desk.fleet.configured(pile_config(version=2, lockout=locked_out(until)), desk.now)
    assert caps(desk) == []
    assert desk.last(GUN_STATE, 1).state is GunState.CHARGING
    desk.wire.say(realtime(1, plugged=1))
    assert desk.last(GUN_STATE, 1).state is GunState.DISABLED
    assert caps(desk) == [(100, True)]
    desk.wire.answer_cap()
    desk.keep_alive(125)
    assert desk.last(GUN_STATE, 1).state is GunState.FINISHED
    assert caps(desk) == [(100, True), (100, False)]


def test_a_lockout_survives_a_new_login() -> None:
    desk = Desk(pile_config(lockout=locked_out()))
    desk.log_in()
    desk.wire.say(realtime(1, plugged=1))
    assert caps(desk) == [(100, True)]
    assert desk.last(GUN_STATE, 1).state is GunState.DISABLED


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        (PileCommandKind.POLL, Outcome.ACCEPTED),
        (PileCommandKind.CLOCK, Outcome.ACCEPTED),
        (PileCommandKind.TARIFF_PUSH, Outcome.REFUSED),
        (PileCommandKind.REFUSE_CARD, Outcome.REFUSED),
    ],
)
def test_pile_commands(kind: PileCommandKind, outcome: Outcome) -> None:
    desk = Desk().ready()
    desk.fleet.command(PILE, command(desk, kind, gun=1), desk.now)
    desk.wire.say(realtime(1, plugged=1))
    desk.wire.say(ykc.TimeSyncAnswer(pile_no=PILE, time=desk.clock.now()))
    assert [reply.outcome for reply in desk.of(PILE_REPLY)] == [outcome]


def test_an_unanswered_poll_times_out() -> None:
    desk = Desk().ready()
    desk.fleet.command(PILE, command(desk, PileCommandKind.POLL), desk.now)
    desk.wait(11)
    assert [reply.outcome for reply in desk.of(PILE_REPLY)] == [Outcome.TIMED_OUT]


def test_commands_for_a_pile_that_is_not_here_are_ignored() -> None:
    desk = Desk()
    desk.start(desk.start_command(link=""))
    desk.power(desk.power_command(60.0))
    desk.fleet.start("none", 1, desk.start_command(), desk.now)
    desk.fleet.confirm("none", 1, RecordConfirm(id="c", serial=SERIAL), desk.now)
    assert desk.published == []
