"""Two guns on one car (并充): asked for at the pile (0xA1, 0xA2) or by the platform (0xA4, 0xA3)."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from bridge.protocols.ykc import messages as ykc
from bridge.protocols.ykc.codes import GunState as YkcGunState
from bridge.protocols.ykc.codes import StartFailure
from evcs.contracts.gun import GunEventKind, Joint, JointRole
from evcs.contracts.pile import Outcome
from evcs.contracts.reasons import Reason
from evcs.contracts.states import GunState
from evcs.contracts.topics import GUN_EVENT, GUN_REPLY, GUN_STATE
from tests.bridge.asking import (
    CARD,
    JOINT,
    SERIAL_2,
    answer_command,
    asked,
    joint_answer,
    refuse,
    swiped_for_two,
)
from tests.bridge.kit import SERIAL, Desk, charging, realtime, start_answer

MAIN = Joint(number=JOINT, role=JointRole.MAIN)
AUXILIARY = Joint(number=JOINT, role=JointRole.AUXILIARY)


def ready() -> Desk:
    desk = Desk().ready()
    desk.wire.say(realtime(2, plugged=1))
    desk.forget_all()
    return desk


def asked_for_two() -> tuple[Desk, str, str]:
    """Both frames of a driver at the pile, and the questions that they are."""
    desk = ready()
    desk.wire.say(swiped_for_two(1), seq=b"\x01\x00")
    desk.wire.say(swiped_for_two(2), seq=b"\x02\x00")
    one, two = asked(desk)
    return desk, one.id, two.id


def remote(desk: Desk, *, allowance_kw: float | None = None) -> None:
    """Both starts of a joint charge by the platform."""
    for gun, serial, joint in ((1, SERIAL, MAIN), (2, SERIAL_2, AUXILIARY)):
        command = desk.start_command(f"start-{gun}", serial, allowance_kw=allowance_kw)
        desk.start(replace(command, joint=joint, card=CARD, printed_card="77"), gun=gun)


def outcomes(desk: Desk) -> list[tuple[str, Outcome, Reason | None]]:
    return [(reply.serial, reply.outcome, reply.reason) for reply in desk.of(GUN_REPLY)]


def states(desk: Desk) -> list[GunState]:
    return [desk.last(GUN_STATE, gun).state for gun in (1, 2)]


def confirmations(desk: Desk) -> list[tuple[str, str, int, int]]:
    found = desk.wire.told(ykc.ParallelStartConfirmation)
    assert all(told.parallel_no == JOINT for told in found)
    return [(told.gun_no, told.trade_no, told.auth_ok, told.fail_reason) for told in found]


def test_a_joint_question_bears_its_number_and_role() -> None:
    desk, _, _ = asked_for_two()
    assert [event.card_request.joint for event in asked(desk) if event.card_request] == [MAIN, AUXILIARY]


def test_each_gun_is_confirmed_by_itself() -> None:
    desk, one, two = asked_for_two()
    desk.start(answer_command(desk, one, joint=MAIN))
    desk.start(answer_command(desk, two, serial=SERIAL_2, joint=AUXILIARY), gun=2)
    assert confirmations(desk) == [("01", SERIAL, 1, 0), ("02", SERIAL_2, 1, 0)]
    assert [frame[2:4] for frame in desk.wire.frames if frame[5] == 0xA2] == [b"\x01\x00", b"\x02\x00"]
    assert not desk.wire.told(ykc.StartConfirmation)
    assert states(desk) == [GunState.STARTING, GunState.STARTING]
    desk.wire.say(charging())
    desk.wire.say(realtime(2, 3, serial=SERIAL_2, plugged=1, voltage="400.0", current="50.0"))
    assert outcomes(desk) == [(SERIAL, Outcome.ACCEPTED, None), (SERIAL_2, Outcome.ACCEPTED, None)]


def test_one_refusal_ends_the_question_of_the_other_gun() -> None:
    desk, one, two = asked_for_two()
    refuse(desk, one, Reason.BALANCE_TOO_LOW)
    assert confirmations(desk) == [("01", "0" * 32, 0, 3), ("02", "0" * 32, 0, 5)]
    desk.start(answer_command(desk, two, serial=SERIAL_2, joint=AUXILIARY), gun=2)
    assert outcomes(desk) == [(SERIAL_2, Outcome.EXPIRED, Reason.EXPIRED)]


def test_one_refusal_ends_what_was_confirmed_at_the_other_gun() -> None:
    desk, one, two = asked_for_two()
    desk.start(answer_command(desk, one, joint=MAIN))
    refuse(desk, two, Reason.NO_HEADROOM, gun=2)
    assert confirmations(desk) == [("01", SERIAL, 1, 0), ("02", "0" * 32, 0, 8)]
    assert outcomes(desk) == [(SERIAL, Outcome.REFUSED, Reason.JOINT_CANCELLED)]
    assert desk.last(GUN_STATE, 1).state is GunState.PLUGGED
    [failed] = [event for event in desk.of(GUN_EVENT) if event.kind is GunEventKind.START_FAILED]
    assert (failed.serial, failed.reason) == (SERIAL, Reason.JOINT_CANCELLED)


def test_the_silence_of_ten_seconds_ends_both() -> None:
    desk, one, _ = asked_for_two()
    desk.start(answer_command(desk, one, joint=MAIN))
    desk.wait(10.5)
    assert confirmations(desk) == [("01", SERIAL, 1, 0), ("02", "0" * 32, 0, 5)]
    assert outcomes(desk) == [(SERIAL, Outcome.REFUSED, Reason.JOINT_CANCELLED)]


def test_another_joint_charge_is_not_touched() -> None:
    desk = ready()
    desk.wire.say(swiped_for_two(1, number="260302120000"))
    desk.wire.say(swiped_for_two(2, number="260302120001"))
    refuse(desk, asked(desk, 1)[0].id, Reason.IN_DEBT)
    assert len(desk.wire.told(ykc.ParallelStartConfirmation)) == 1


def test_a_question_without_a_number_is_one_of_a_single_gun() -> None:
    desk = ready()
    desk.wire.say(swiped_for_two(1, number="26030212000f"))
    [event] = asked(desk)
    assert event.card_request is not None
    assert event.card_request.joint is None


def test_the_platform_starts_two_guns() -> None:
    desk = ready()
    remote(desk)
    assert [
        (told.gun_no, told.trade_no, told.parallel_no, told.balance, told.logical_card, told.physical_card)
        for told in desk.wire.told(ykc.RemoteParallelStart)
    ] == [
        ("01", SERIAL, JOINT, Decimal("50.00"), "0" * 14 + "77", CARD.lower()),
        ("02", SERIAL_2, JOINT, Decimal("50.00"), "0" * 14 + "77", CARD.lower()),
    ]
    assert not desk.wire.told(ykc.RemoteStart)
    desk.wire.say(joint_answer(SERIAL, 1))
    assert outcomes(desk) == [(SERIAL, Outcome.ACCEPTED, None)]
    desk.wire.say(joint_answer(SERIAL_2, 2))
    assert outcomes(desk)[1:] == [(SERIAL_2, Outcome.ACCEPTED, None)]
    assert states(desk) == [GunState.STARTING, GunState.STARTING]


def test_the_refusal_of_one_frame_is_that_of_both() -> None:
    desk = ready()
    remote(desk)
    desk.wire.say(joint_answer(SERIAL, 1, ok=False, why=StartFailure.DEVICE_FAULT))
    assert outcomes(desk) == [
        (SERIAL, Outcome.REFUSED, Reason.GUN_FAULTED),
        (SERIAL_2, Outcome.REFUSED, Reason.JOINT_CANCELLED),
    ]
    assert states(desk) == [GunState.PLUGGED, GunState.PLUGGED]
    desk.wire.say(joint_answer(SERIAL_2, 2, ok=False, why=StartFailure.DEVICE_FAULT))  # the pile says it for each
    assert len(outcomes(desk)) == 2


def test_a_gun_that_charges_is_not_ended_by_the_other() -> None:
    desk = ready()
    remote(desk)
    desk.wire.say(charging())
    desk.wire.say(joint_answer(SERIAL_2, 2, ok=False, why=StartFailure.DEVICE_FAULT))
    assert outcomes(desk) == [(SERIAL, Outcome.ACCEPTED, None), (SERIAL_2, Outcome.REFUSED, Reason.GUN_FAULTED)]
    assert states(desk) == [GunState.CHARGING, GunState.PLUGGED]


def test_not_plugged_waits_a_minute_for_both() -> None:
    desk = ready()
    remote(desk)
    for gun, serial in ((1, SERIAL), (2, SERIAL_2)):
        desk.wire.say(joint_answer(serial, gun, ok=False, why=StartFailure.NOT_PLUGGED))
    desk.keep_alive(59)
    assert outcomes(desk) == []
    desk.keep_alive(2)
    assert sorted(outcomes(desk)) == [
        (SERIAL, Outcome.REFUSED, Reason.GUN_NOT_PLUGGED),
        (SERIAL_2, Outcome.REFUSED, Reason.JOINT_CANCELLED),
    ]


@pytest.mark.parametrize("answer", [start_answer(), joint_answer(SERIAL, 1)])
def test_either_answer_is_understood(answer: ykc.YkcMessage) -> None:
    desk = ready()
    remote(desk)
    desk.wire.say(answer)
    assert outcomes(desk) == [(SERIAL, Outcome.ACCEPTED, None)]


def test_each_gun_gets_its_cap_first() -> None:
    desk = ready()
    remote(desk, allowance_kw=60.0)
    assert not desk.wire.told(ykc.RemoteParallelStart)
    desk.wire.answer_cap()
    desk.wire.answer_cap()
    assert [told.gun_no for told in desk.wire.told(ykc.RemoteParallelStart)] == ["01", "02"]


def test_a_gun_that_the_bridge_turns_away_cancels_the_question_of_the_other() -> None:
    """The pile starts none then, so nobody should wait for the first one's charge."""
    desk = ready()
    desk.start(desk.start_command("start-2", SERIAL_2), gun=2)
    desk.wire.say(swiped_for_two(1))
    [question] = asked(desk)
    desk.wire.say(swiped_for_two(2))
    assert [(gun, ok) for gun, _, ok, _ in confirmations(desk)] == [("02", 0), ("01", 0)]
    desk.start(answer_command(desk, question.id, joint=MAIN))
    assert outcomes(desk)[-1] == (SERIAL, Outcome.EXPIRED, Reason.EXPIRED)


def test_nothing_is_kept_of_joint_charges_that_are_over() -> None:
    desk, one, two = asked_for_two()
    desk.start(answer_command(desk, one, joint=MAIN))
    desk.start(answer_command(desk, two, serial=SERIAL_2, joint=AUXILIARY), gun=2)
    desk.wire.say(charging(SERIAL))
    desk.wire.say(realtime(2, YkcGunState.CHARGING, serial=SERIAL_2, plugged=1, kwh="0.1"))
    assert states(desk) == [GunState.CHARGING, GunState.CHARGING]
    assert desk.pile.joints_under_way == 0


def test_nothing_is_kept_of_joint_questions_behind_which_others_came() -> None:
    desk = ready()
    for n in range(8):
        desk.wire.say(swiped_for_two(1, number=f"26030212{n:04}"))
    assert desk.pile.joints_under_way == 1
