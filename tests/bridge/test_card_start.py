"""A driver asks at the pile, by card or VIN: from 0x31 to 0x32 and the charge, or to the one refusal."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from bridge.protocols.ykc import messages as ykc
from bridge.protocols.ykc.codes import StartMode, StartRefusal
from evcs.contracts.gun import CardMode, GunEventKind
from evcs.contracts.pile import Outcome
from evcs.contracts.reasons import Reason
from evcs.contracts.states import GunState
from evcs.contracts.topics import GUN_EVENT, GUN_REPLY, GUN_STATE, PILE_REPLY
from tests.bridge.asking import CARD, OTHER_CARD, SERIAL_2, VIN, answer_command, asked, refuse, swiped
from tests.bridge.kit import (
    OTHER_SERIAL,
    SERIAL,
    Desk,
    Wire,
    charging,
    locked_out,
    login,
    pile_config,
    realtime,
    record,
)

MIDDLE = "8d4e5f60718293a4"
DIGEST = "0011223344556677"


def confirmations(desk: Desk) -> list[tuple[int, int]]:
    """(authorised, reason) of every 0x32."""
    return [(one.auth_ok, one.fail_reason) for one in desk.wire.told(ykc.StartConfirmation)]


def seq_of_last(desk: Desk, code: int = 0x32) -> bytes:
    return next(frame[2:4] for frame in reversed(desk.wire.frames) if frame[5] == code)


def question(desk: Desk, gun: int | None = None) -> str:
    [event] = asked(desk, gun)
    return event.id


def test_a_swiped_card_is_a_question_and_nothing_else() -> None:
    desk = Desk().ready()
    desk.wire.say(swiped())
    [event] = asked(desk)
    request = event.card_request
    assert request is not None
    assert (request.mode, request.card, request.vin, request.password, request.joint) == (
        CardMode.CARD,
        CARD,
        "",
        "",
        None,
    )
    assert request.expires_at == event.received_at + timedelta(seconds=10)
    assert (event.card, event.vin, event.serial) == (CARD, None, None)
    assert event.link == desk.pile.link != ""
    assert not desk.wire.sent
    assert desk.of(GUN_STATE) == []


@pytest.mark.parametrize(
    ("frame", "mode", "vin"),
    [
        (swiped("0" * 16, mode=StartMode.VIN, vin=VIN), CardMode.VIN, VIN),
        (swiped("0" * 16, mode=StartMode.VIN, vin=""), CardMode.VIN, ""),
        (swiped("0" * 16, mode=StartMode.VIN, vin="\xff" * 17), CardMode.VIN, ""),
        (swiped(mode=StartMode.CARD, vin=VIN), CardMode.CARD, ""),  # a VIN counts only where it is asked by
        (swiped(mode=StartMode.ACCOUNT), CardMode.ACCOUNT, ""),
        (swiped(mode=9), 9, ""),
    ],
)
def test_how_a_driver_may_ask(frame: ykc.StartRequest, mode: CardMode | int, vin: str) -> None:
    desk = Desk().ready()
    desk.wire.say(frame)
    [event] = asked(desk)
    assert event.card_request is not None
    assert (event.card_request.mode, event.card_request.vin, event.vin) == (mode, vin, vin or None)


@pytest.mark.parametrize(
    ("field", "password"),
    [
        (MIDDLE.encode().hex(), MIDDLE),  # 16 ASCII digits
        (MIDDLE.upper().encode().hex(), MIDDLE),
        (DIGEST[:8] + MIDDLE + DIGEST[8:], MIDDLE),  # the 16 bytes of the digest
        ("0" * 32, ""),
    ],
)
def test_both_readings_of_a_password_come_out_alike_and_its_bytes_are_not_kept(field: str, password: str) -> None:
    desk = Desk().ready()
    desk.wire.say(swiped(password=field))
    [event] = asked(desk)
    assert event.card_request is not None
    assert event.card_request.password == password
    assert event.frame_hex[48:80] == "0" * 32
    assert event.frame_hex[:4] == "6837"
    assert repr(event).count(MIDDLE) == (1 if password else 0)  # in `card_request` alone
    assert not [note for note in desk.notes if MIDDLE in repr(note)]


def test_a_password_that_was_not_asked_for_is_none() -> None:
    desk = Desk().ready()
    frame = swiped(password=MIDDLE.encode().hex())
    desk.wire.say(type(frame)(**{**vars(frame), "need_password": 0}))
    [event] = asked(desk)
    assert event.card_request is not None
    assert event.card_request.password == ""


def test_the_answer_is_the_start_and_a_charging_reading_its_proof() -> None:
    desk = Desk().ready()
    desk.wire.say(swiped(), seq=b"\x71\xad")
    desk.start(answer_command(desk, question(desk)))
    [told] = desk.wire.told(ykc.StartConfirmation)
    assert (told.trade_no, told.gun_no, told.logical_card, told.balance, told.auth_ok, told.fail_reason) == (
        SERIAL,
        "01",
        "0000001234567890",
        Decimal("50.00"),
        1,
        0,
    )
    assert seq_of_last(desk) == b"\x71\xad"
    assert (desk.last(GUN_STATE).state, desk.last(GUN_STATE).serial) == (GunState.STARTING, SERIAL)
    assert desk.of(GUN_REPLY) == []
    assert not desk.wire.told(ykc.RemoteStart)
    desk.wire.say(charging())
    [reply] = desk.of(GUN_REPLY)
    assert (reply.outcome, reply.serial) == (Outcome.ACCEPTED, SERIAL)
    assert desk.last(GUN_STATE).state is GunState.CHARGING


@pytest.mark.parametrize(
    ("act", "outcome", "reason", "code", "state"),
    [
        (lambda desk: desk.keep_alive(91), Outcome.TIMED_OUT, Reason.TIMED_OUT, None, GunState.PLUGGED),
        (
            lambda desk: desk.wire.say(record(kwh="0", stop=0x59)),
            Outcome.REFUSED,
            Reason.PILE_REFUSED,
            0x59,
            GunState.PLUGGED,
        ),
        (lambda desk: desk.wire.say(record(kwh="0.5")), Outcome.ACCEPTED, None, None, GunState.PLUGGED),
    ],
)
def test_what_becomes_of_an_allowed_start(
    act: Callable[[Desk], None], outcome: Outcome, reason: Reason | None, code: int | None, state: GunState
) -> None:
    desk = Desk().ready()
    desk.wire.say(swiped())
    desk.start(answer_command(desk, question(desk)))
    act(desk)
    [reply] = desk.of(GUN_REPLY)
    assert (reply.outcome, reply.reason, reply.pile_code) == (outcome, reason, code)
    assert desk.last(GUN_STATE, 1).state is state
    failed = [event for event in desk.of(GUN_EVENT) if event.kind is GunEventKind.START_FAILED]
    assert bool(failed) == (outcome is not Outcome.ACCEPTED)
    assert confirmations(desk) == [(1, 0)]


REFUSALS = {
    Reason.CARD_UNKNOWN: 1,
    Reason.CUSTOMER_BLOCKED: 2,
    Reason.CARD_BLOCKED: 2,
    Reason.VEHICLE_BLOCKED: 2,
    Reason.BALANCE_TOO_LOW: 3,
    Reason.GOAL_OVER_BALANCE: 3,
    Reason.IN_DEBT: 4,
    Reason.LOCKED_OUT: 5,
    Reason.STATION_STOPPED: 5,
    Reason.NO_TARIFF: 5,
    Reason.GUN_NOT_PLUGGED: 5,
    Reason.GUN_BUSY: 5,
    Reason.GUN_RESERVED_BY_ORDER: 5,
    Reason.DATABASE_AWAY: 5,
    Reason.ACCOUNT_NOT_ALLOWED: 6,
    Reason.WRONG_PASSWORD: 7,
    Reason.BAND_BLOCKED: 8,
    Reason.BAND_UNKNOWN: 8,
    Reason.OVER_BLOCKED_THRESHOLD: 8,
    Reason.NO_HEADROOM: 8,
    Reason.ENGINE_NOT_SURE: 8,
    Reason.ENGINE_AWAY: 8,
    Reason.VIN_UNKNOWN: 9,
    Reason.CARD_MODE_UNSUPPORTED: 11,
}


@pytest.mark.parametrize(("reason", "code"), REFUSALS.items())
def test_a_refusal_says_why(reason: Reason, code: int) -> None:
    desk = Desk().ready()
    desk.wire.say(swiped(), seq=b"\x05\x01")
    refuse(desk, question(desk), reason)
    [told] = desk.wire.told(ykc.StartConfirmation)
    assert (told.trade_no, told.gun_no, told.balance, told.auth_ok, told.fail_reason) == ("0" * 32, "01", 0, 0, code)
    assert seq_of_last(desk) == b"\x05\x01"
    assert [reply.outcome for reply in desk.of(PILE_REPLY)] == [Outcome.ACCEPTED]
    assert desk.of(GUN_STATE) == []


def test_a_question_that_nobody_answers_is_refused_once_after_ten_seconds() -> None:
    desk = Desk().ready()
    desk.wire.say(swiped())
    desk.wait(9.5)
    assert confirmations(desk) == []
    desk.keep_alive(30)
    assert confirmations(desk) == [(0, StartRefusal.PILE_OUT_OF_SERVICE)]
    request = question(desk)
    desk.start(answer_command(desk, request))
    refuse(desk, request, Reason.CARD_UNKNOWN)
    assert [(reply.outcome, reply.reason) for reply in desk.of(GUN_REPLY)] == [(Outcome.EXPIRED, Reason.EXPIRED)]
    assert [(reply.outcome, reply.reason) for reply in desk.of(PILE_REPLY)] == [(Outcome.EXPIRED, Reason.EXPIRED)]
    assert len(confirmations(desk)) == 1


def test_a_start_after_the_refusal_is_expired() -> None:
    desk = Desk().ready()
    desk.wire.say(swiped())
    refuse(desk, question(desk), Reason.CARD_UNKNOWN)
    desk.start(answer_command(desk, question(desk)))
    assert [(reply.outcome, reply.reason) for reply in desk.of(GUN_REPLY)] == [(Outcome.EXPIRED, Reason.EXPIRED)]
    assert confirmations(desk) == [(0, 1)]
    assert desk.of(GUN_STATE) == []


def test_the_same_question_again_is_the_same_request_and_its_newest_number_is_answered() -> None:
    desk = Desk().ready()
    desk.wire.say(swiped(), seq=b"\x01\x00")
    desk.wait(3)
    desk.wire.say(swiped(), seq=b"\x02\x00")
    request = question(desk)
    desk.start(answer_command(desk, request))
    assert seq_of_last(desk) == b"\x02\x00"
    assert confirmations(desk) == [(1, 0)]


def test_a_repetition_does_not_lengthen_the_wait() -> None:
    desk = Desk().ready()
    desk.wire.say(swiped())
    desk.wait(8)
    desk.wire.say(swiped())
    desk.wait(2.5)
    assert confirmations(desk) == [(0, 5)]


def test_a_repetition_that_crossed_the_yes_gets_the_same_yes() -> None:
    desk = Desk().ready()
    desk.wire.say(swiped(), seq=b"\x01\x00")
    desk.start(answer_command(desk, question(desk)))
    desk.wire.say(swiped(), seq=b"\x02\x00")
    first, second = desk.wire.told(ykc.StartConfirmation)
    assert first == second
    assert seq_of_last(desk) == b"\x02\x00"
    assert len(asked(desk)) == 1
    desk.wire.say(charging())
    desk.wire.say(swiped())  # now it is a question of its own, and the gun is in use
    assert confirmations(desk) == [(1, 0), (1, 0), (0, 5)]


def test_the_same_card_again_after_a_refusal_is_a_new_question() -> None:
    desk = Desk().ready()
    desk.wire.say(swiped())
    refuse(desk, question(desk), Reason.BALANCE_TOO_LOW)
    desk.wire.say(swiped())
    first, second = asked(desk)
    assert first.id != second.id
    desk.start(answer_command(desk, second.id))
    assert confirmations(desk) == [(0, 3), (1, 0)]


def test_another_card_takes_the_place_of_the_one_before() -> None:
    desk = Desk().ready()
    desk.wire.say(swiped())
    desk.wait(4)
    desk.wire.say(swiped(OTHER_CARD))
    first, second = asked(desk)
    desk.start(answer_command(desk, first.id))
    assert [(reply.outcome, reply.reason) for reply in desk.of(GUN_REPLY)] == [(Outcome.EXPIRED, Reason.EXPIRED)]
    assert confirmations(desk) == []
    desk.wait(7)  # the first one's ten seconds are over: that concerns nobody
    assert confirmations(desk) == []
    desk.start(answer_command(desk, second.id, serial=OTHER_SERIAL))
    assert confirmations(desk) == [(1, 0)]


def test_a_cap_comes_before_the_answer() -> None:
    desk = Desk().ready()
    desk.wire.say(swiped())
    desk.start(answer_command(desk, question(desk), allowance_kw=60.0))
    assert [cap.max_power_pct for cap in desk.wire.told(ykc.WorkParameters)] == [50]
    assert confirmations(desk) == []
    assert desk.of(GUN_STATE) == []
    desk.wire.say(swiped(), seq=b"\x09\x00")  # the driver is impatient: still the same question
    desk.wire.answer_cap()
    assert confirmations(desk) == [(1, 0)]
    assert seq_of_last(desk) == b"\x09\x00"
    desk.wire.say(charging())
    [reply] = desk.of(GUN_REPLY)
    assert (reply.outcome, reply.allowance_kw) == (Outcome.ACCEPTED, 60.0)


@pytest.mark.parametrize(
    ("act", "outcome", "reason"),
    [
        (lambda desk: desk.wire.answer_cap(ok=False), Outcome.REFUSED, Reason.CAP_NOT_CONFIRMED),
        (lambda desk: desk.wait(6), Outcome.REFUSED, Reason.CAP_NOT_CONFIRMED),
        (
            lambda desk: desk.stop(desk.stop_command()),
            Outcome.REFUSED,
            Reason.STOPPED_BY_PERSON,
        ),
        (
            lambda desk: refuse(desk, asked(desk)[0].id, Reason.CUSTOMER_BLOCKED),
            Outcome.REFUSED,
            Reason.CUSTOMER_BLOCKED,
        ),
    ],
)
def test_a_start_that_fails_at_its_cap_is_a_refusal(
    act: Callable[[Desk], None], outcome: Outcome, reason: Reason
) -> None:
    desk = Desk().ready()
    desk.wire.say(swiped())
    desk.start(answer_command(desk, question(desk), allowance_kw=60.0))
    act(desk)
    desk.wire.answer_cap()
    start_reply = desk.of(GUN_REPLY)[0]
    assert (start_reply.command, start_reply.outcome, start_reply.reason) == ("start", outcome, reason)
    assert confirmations(desk) == [(0, 2 if reason is Reason.CUSTOMER_BLOCKED else 5)]
    assert desk.of(GUN_STATE) == []
    desk.wait(12)
    assert len(confirmations(desk)) == 1


def test_the_ten_seconds_also_bound_a_start_that_waits_for_its_cap() -> None:
    desk = Desk().ready()
    desk.wire.say(swiped())
    desk.wait(8)
    desk.start(answer_command(desk, question(desk), allowance_kw=60.0))
    desk.wait(2.5)
    assert confirmations(desk) == [(0, 5)]
    desk.wire.answer_cap()
    assert [(reply.outcome, reply.reason) for reply in desk.of(GUN_REPLY)] == [(Outcome.EXPIRED, Reason.EXPIRED)]
    assert confirmations(desk) == [(0, 5)]


def test_another_card_calls_off_a_start_that_waits_for_its_cap() -> None:
    desk = Desk().ready()
    desk.wire.say(swiped())
    desk.start(answer_command(desk, question(desk), allowance_kw=60.0))
    desk.wire.say(swiped(OTHER_CARD), seq=b"\x07\x00")
    assert [(reply.outcome, reply.reason) for reply in desk.of(GUN_REPLY)] == [(Outcome.EXPIRED, Reason.EXPIRED)]
    assert confirmations(desk) == []  # a no now would be taken for the answer to the new card
    desk.wire.answer_cap()
    desk.start(answer_command(desk, asked(desk)[1].id, serial=OTHER_SERIAL))
    assert [told.trade_no for told in desk.wire.told(ykc.StartConfirmation)] == [OTHER_SERIAL]
    assert seq_of_last(desk) == b"\x07\x00"


@pytest.mark.parametrize("where", ["lockout", "gun_lockout"])
def test_a_locked_out_gun_turns_cards_away(where: str) -> None:
    desk = Desk(pile_config(**{where: locked_out()})).ready()
    desk.wire.say(swiped())
    assert asked(desk) == []
    assert confirmations(desk) == [(0, 5)]


def test_a_lockout_between_question_and_start_refuses() -> None:
    desk = Desk().ready()
    desk.wire.say(swiped())
    desk.fleet.configured(pile_config(version=2, gun_lockout=locked_out()), desk.now)
    desk.start(answer_command(desk, question(desk)))
    assert [reply.reason for reply in desk.of(GUN_REPLY)] == [Reason.LOCKED_OUT]
    assert confirmations(desk) == [(0, 5)]


def test_without_a_tariff_cards_are_turned_away() -> None:
    desk = Desk(pile_config(confirmed=None))
    desk.wire.say(login())
    desk.wire.say(realtime(1, plugged=1))
    desk.wire.say(swiped())
    assert asked(desk) == []
    assert confirmations(desk) == [(0, 5)]


@pytest.mark.parametrize(
    "busy",
    [
        lambda desk: desk.wire.say(charging()),
        lambda desk: desk.start(desk.start_command()),
        lambda desk: desk.start(desk.start_command(allowance_kw=60.0)),
    ],
)
def test_a_busy_gun_turns_cards_away_and_goes_on(busy: Callable[[Desk], None]) -> None:
    desk = Desk().ready()
    busy(desk)
    before = desk.of(GUN_REPLY), desk.of(GUN_STATE)
    desk.wire.say(swiped())
    assert asked(desk) == []
    assert confirmations(desk) == [(0, 5)]
    assert (desk.of(GUN_REPLY), desk.of(GUN_STATE)) == before


def test_a_start_that_the_bridge_refuses_is_a_no_for_the_driver() -> None:
    desk = Desk().ready()
    desk.wire.say(swiped())
    desk.start(answer_command(desk, question(desk), tariff_version="hz-2"))
    assert [reply.reason for reply in desk.of(GUN_REPLY)] == [Reason.TARIFF_DIFFERS]
    assert confirmations(desk) == [(0, 5)]


def test_a_second_start_for_the_same_question_does_not_spoil_the_first() -> None:
    desk = Desk().ready()
    desk.wire.say(swiped())
    first = answer_command(desk, question(desk), allowance_kw=60.0)
    desk.start(first)
    desk.start(answer_command(desk, question(desk), allowance_kw=60.0, id="again"))
    assert [(reply.id, reply.reason) for reply in desk.of(GUN_REPLY)] == [("again", Reason.GUN_BUSY)]
    desk.wire.answer_cap()
    assert confirmations(desk) == [(1, 0)]


def test_a_lost_link_ends_the_question() -> None:
    desk = Desk().ready()
    desk.wire.say(swiped())
    request = question(desk)
    desk.wire.cut()
    desk.wait(2)
    desk.wire = Wire(desk)
    desk.log_in()
    desk.wire.say(realtime(1, plugged=1))
    desk.start(answer_command(desk, request))
    assert [(reply.outcome, reply.reason) for reply in desk.of(GUN_REPLY)] == [(Outcome.EXPIRED, Reason.EXPIRED)]
    desk.wait(15)
    assert confirmations(desk) == []
    assert desk.last(GUN_STATE, 1).state is GunState.PLUGGED


def test_a_lost_link_ends_a_start_that_waits_for_its_cap() -> None:
    desk = Desk().ready()
    desk.wire.say(swiped())
    desk.start(answer_command(desk, question(desk), allowance_kw=60.0))
    desk.wire.cut()
    assert [(reply.outcome, reply.reason) for reply in desk.of(GUN_REPLY)] == [(Outcome.REFUSED, Reason.LINK_LOST)]


def test_a_pile_that_may_not_have_heard_the_yes_gets_it_over_its_new_link() -> None:
    desk = Desk().ready()
    desk.wire.say(swiped())
    desk.start(answer_command(desk, question(desk)))
    desk.wire.cut()
    desk.wait(5)
    desk.wire = Wire(desk)
    desk.log_in()
    desk.wire.say(realtime(1, plugged=1))
    assert (desk.last(GUN_STATE, 1).state, desk.last(GUN_STATE, 1).serial) == (GunState.STARTING, SERIAL)
    desk.wire.say(swiped())
    assert [told.trade_no for told in desk.wire.told(ykc.StartConfirmation)] == [SERIAL]
    desk.wire.say(charging())
    assert [reply.outcome for reply in desk.of(GUN_REPLY)] == [Outcome.ACCEPTED]
    assert len(asked(desk)) == 1


def test_a_start_for_a_question_before_this_run_is_expired() -> None:
    desk = Desk().ready()
    desk.start(answer_command(desk, "event-of-another-run"))
    desk.start(answer_command(desk, "event-of-another-run", allowance_kw=60.0, id="with-cap"))
    assert [(reply.outcome, reply.reason) for reply in desk.of(GUN_REPLY)] == [(Outcome.EXPIRED, Reason.EXPIRED)] * 2
    assert not desk.wire.sent
    assert desk.of(GUN_STATE) == []


def test_unplugged_after_asking() -> None:
    desk = Desk().ready()
    desk.wire.say(swiped())
    desk.wire.say(realtime(1, plugged=0))
    assert desk.last(GUN_STATE).state is GunState.IDLE
    refuse(desk, question(desk), Reason.GUN_NOT_PLUGGED)
    assert confirmations(desk) == [(0, 5)]
    assert desk.last(GUN_STATE).state is GunState.IDLE


def test_both_guns_at_once() -> None:
    desk = Desk().ready()
    desk.wire.say(realtime(2, plugged=1))
    desk.wire.say(swiped(), seq=b"\x01\x00")
    desk.wire.say(swiped(OTHER_CARD, gun=2), seq=b"\x02\x00")
    one, two = question(desk, 1), question(desk, 2)
    assert one != two
    desk.start(answer_command(desk, two, serial=SERIAL_2), gun=2)
    assert seq_of_last(desk) == b"\x02\x00"
    refuse(desk, one, Reason.IN_DEBT)
    assert seq_of_last(desk) == b"\x01\x00"
    assert [(told.gun_no, told.trade_no, told.fail_reason) for told in desk.wire.told(ykc.StartConfirmation)] == [
        ("02", SERIAL_2, 0),
        ("01", "0" * 32, 4),
    ]
    assert desk.last(GUN_STATE, 2).state is GunState.STARTING
    assert desk.of(GUN_STATE, 1) == []


def test_a_no_after_the_yes_changes_nothing() -> None:
    desk = Desk().ready()
    desk.wire.say(swiped())
    request = question(desk)
    desk.start(answer_command(desk, request))
    refuse(desk, request, Reason.CARD_BLOCKED)
    assert [reply.outcome for reply in desk.of(PILE_REPLY)] == [Outcome.EXPIRED]
    assert confirmations(desk) == [(1, 0)]
    assert desk.last(GUN_STATE).state is GunState.STARTING


def test_an_app_start_and_a_card_do_not_meet() -> None:
    desk = Desk().ready()
    desk.wire.say(swiped())
    desk.start(desk.start_command("app"))
    [told] = desk.wire.told(ykc.RemoteStart)
    assert told.trade_no == SERIAL
    desk.start(answer_command(desk, question(desk), serial=OTHER_SERIAL))
    assert [(reply.id == "app", reply.reason) for reply in desk.of(GUN_REPLY)] == [(False, Reason.GUN_BUSY)]
    assert confirmations(desk) == [(0, 5)]


def test_a_question_of_a_gun_that_is_not_configured_is_dropped() -> None:
    desk = Desk().ready()
    desk.wire.say(swiped(gun=7))
    assert asked(desk) == []
    assert desk.tally.dropped["unknown_gun"] == 1


def test_a_pile_that_asks_without_end_is_turned_away_by_the_bridge_alone() -> None:
    """Each question becomes rows in the database: a pile gone mad must not fill it."""
    desk = Desk().ready()
    for n in range(100):
        desk.wire.say(swiped(f"{n + 1:016x}"))
    assert len(asked(desk)) == 12
    assert len(confirmations(desk)) == 88
    assert {ok for ok, _ in confirmations(desk)} == {0}
    desk.keep_alive(61)
    desk.wire.say(swiped())
    assert len(asked(desk)) == 13
