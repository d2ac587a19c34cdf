"""What a pile is told by `P/command`: one frame, one reply, and what stands against it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from bridge.protocols.ykc import codes
from bridge.protocols.ykc import messages as ykc
from evcs.contracts.config import Dialect
from evcs.contracts.pile import (
    FirmwareUpdate,
    LockAction,
    Outcome,
    PileCommand,
    PileCommandKind,
    PileReply,
    QrKind,
    QrPrefix,
    RunWhen,
)
from evcs.contracts.reasons import Reason
from evcs.contracts.topics import PILE_REPLY
from evcs.contracts.waits import PILE_ANSWER_S, UPDATE_ANSWER_S
from tests.bridge.kit import OTHER_SERIAL, PILE, SERIAL, Desk, Wire, charging, login, pile_config, realtime

Kind = PileCommandKind
CARD = "00000000D14B0A54"
UPDATE = FirmwareUpdate(server="10.0.0.9", user="ftp", password="geheim", path="/fw/ev2.bin", timeout_min=20)
QR = QrPrefix(prefix="https://c.example/q/", kind=QrKind.GUN)


def command(desk: Desk, kind: Kind, command_id: str = "c-1", *, expires_in_s: float = 60, **fields: Any) -> PileCommand:
    values: dict[str, Any] = {"bridge": "b1", "link": desk.pile.link, **fields}
    expires_at = desk.clock.now() + timedelta(seconds=expires_in_s)
    return PileCommand(id=command_id, kind=kind, expires_at=expires_at, **values)


def give(desk: Desk, kind: Kind, command_id: str = "c-1", **fields: Any) -> None:
    desk.fleet.command(PILE, command(desk, kind, command_id, **fields), desk.now)


def replies(desk: Desk) -> list[PileReply]:
    return desk.of(PILE_REPLY)


def outcomes(desk: Desk) -> list[tuple[Outcome, Reason | None]]:
    return [(reply.outcome, reply.reason) for reply in replies(desk)]


ASKED: list[tuple[Kind, dict[str, Any], ykc.YkcMessage, ykc.YkcMessage, ykc.YkcMessage]] = [
    (
        Kind.RESTART,
        {"when": RunWhen.AT_ONCE},
        ykc.Restart(pile_no=PILE, mode=codes.RunMode.AT_ONCE),
        ykc.RestartAnswer(pile_no=PILE, result=1),
        ykc.RestartAnswer(pile_no=PILE, result=0),
    ),
    (
        Kind.UPDATE,
        {"update": UPDATE},
        ykc.Update(
            pile_no=PILE,
            model=codes.UpdateModel.DC,
            power=120,
            server="10.0.0.9",
            port=21,
            user="ftp",
            password="geheim",
            path="/fw/ev2.bin",
            mode=codes.RunMode.WHEN_IDLE,
            timeout_min=20,
        ),
        ykc.UpdateAnswer(pile_no=PILE, status=0),
        ykc.UpdateAnswer(pile_no=PILE, status=3),
    ),
    (
        Kind.QR_PREFIX,
        {"qr": QR},
        ykc.QrPrefix(pile_no=PILE, kind=codes.QrKind.GUN, prefix_len=20, prefix="https://c.example/q/"),
        ykc.QrPrefixAnswer(pile_no=PILE, result=0),
        ykc.QrPrefixAnswer(pile_no=PILE, result=1),
    ),
    (
        Kind.GROUND_LOCK,
        {"gun": 2, "lock": LockAction.LOWER},
        ykc.GroundLockCommand(pile_no=PILE, gun_no=2, action=codes.LockAction.LOWER),
        ykc.GroundLockAnswer(pile_no=PILE, gun_no=2, result=1),
        ykc.GroundLockAnswer(pile_no=PILE, gun_no=2, result=0),
    ),
    (
        Kind.BALANCE,
        {"gun": 1, "serial": SERIAL, "balance_fen": 12_345, "card": CARD},
        ykc.BalanceUpdate(pile_no=PILE, gun_no="01", physical_card=CARD.lower(), balance=Decimal("123.45")),
        ykc.BalanceUpdateAnswer(pile_no=PILE, physical_card=CARD.lower(), result=0),
        ykc.BalanceUpdateAnswer(pile_no=PILE, physical_card=CARD.lower(), result=2),
    ),
]


def desk_for(kind: Kind) -> Desk:
    desk = Desk().ready()
    if kind is Kind.BALANCE:
        desk.wire.say(charging())
    desk.forget_all()
    return desk


@pytest.mark.parametrize(("kind", "fields", "frame", "ok", "failed"), ASKED, ids=[str(row[0]) for row in ASKED])
def test_a_command_is_one_frame_and_its_answer_one_reply(
    kind: Kind, fields: dict[str, Any], frame: ykc.YkcMessage, ok: ykc.YkcMessage, failed: ykc.YkcMessage
) -> None:
    for answer, outcome, reason in (
        (ok, Outcome.ACCEPTED, None),
        (failed, Outcome.REFUSED, Reason.PILE_REFUSED),
    ):
        desk = desk_for(kind)
        give(desk, kind, **fields)
        assert desk.wire.sent == [frame]
        assert replies(desk) == []
        desk.wire.say(answer)
        [reply] = replies(desk)
        assert (reply.id, reply.outcome, reply.reason) == ("c-1", outcome, reason)
        assert reply.frame_hex.startswith("68")
        if reason is not None:
            assert reply.pile_code is not None
        give(desk, kind, **fields)  # the sender did not see it
        assert replies(desk) == [reply, reply]
        desk.wire.say(answer)
        assert len(desk.wire.sent) == 1
        assert desk.tally.dropped["unexpected"] == 1


@pytest.mark.parametrize(("kind", "fields", "frame", "ok", "failed"), ASKED, ids=[str(row[0]) for row in ASKED])
def test_an_unanswered_command_times_out_and_one_lost_with_the_link_says_so(
    kind: Kind, fields: dict[str, Any], frame: ykc.YkcMessage, ok: ykc.YkcMessage, failed: ykc.YkcMessage
) -> None:
    desk = desk_for(kind)
    give(desk, kind, **fields)
    wait_s = PILE_ANSWER_S if kind is not Kind.UPDATE else UPDATE.timeout_min * 60 + 300
    desk.keep_alive(wait_s + 1)
    assert outcomes(desk) == [(Outcome.TIMED_OUT, Reason.TIMED_OUT)]
    desk = desk_for(kind)
    give(desk, kind, **fields)
    desk.wire.cut()
    if kind is Kind.UPDATE:
        assert replies(desk) == []  # a pile that installs a program starts anew, and answers afterwards
        desk.wire = Wire(desk)
        desk.log_in()
        desk.wire.say(ok)
        assert outcomes(desk) == [(Outcome.ACCEPTED, None)]
    else:
        assert outcomes(desk) == [(Outcome.TIMED_OUT, Reason.LINK_LOST)]


def test_a_command_lost_with_a_replaced_connection_says_so_too() -> None:
    desk = desk_for(Kind.RESTART)
    give(desk, Kind.RESTART)
    give(desk, Kind.RESTART, "c-2")  # waits its turn
    Wire(desk).say(login())
    assert outcomes(desk) == [(Outcome.TIMED_OUT, Reason.LINK_LOST)] * 2


REFUSALS: list[tuple[str, Kind, dict[str, Any], Outcome, Reason]] = [
    ("late", Kind.RESTART, {"expires_in_s": -1}, Outcome.EXPIRED, Reason.EXPIRED),
    ("a login that is over", Kind.RESTART, {"link": "old-1"}, Outcome.REFUSED, Reason.LINK_LOST),
    ("no update", Kind.UPDATE, {}, Outcome.REFUSED, Reason.VALUE_NOT_ALLOWED),
    (
        "text that is not ASCII",
        Kind.UPDATE,
        {"update": replace(UPDATE, user="用户")},
        Outcome.REFUSED,
        Reason.VALUE_NOT_ALLOWED,
    ),
    ("no prefix", Kind.QR_PREFIX, {}, Outcome.REFUSED, Reason.VALUE_NOT_ALLOWED),
    ("a prefix in Chinese", Kind.QR_PREFIX, {"qr": QrPrefix(prefix="充电")}, Outcome.REFUSED, Reason.VALUE_NOT_ALLOWED),
    ("no gun", Kind.GROUND_LOCK, {"lock": LockAction.RAISE}, Outcome.REFUSED, Reason.VALUE_NOT_ALLOWED),
    ("no such gun", Kind.GROUND_LOCK, {"gun": 3, "lock": LockAction.RAISE}, Outcome.REFUSED, Reason.VALUE_NOT_ALLOWED),
    ("no action", Kind.GROUND_LOCK, {"gun": 1}, Outcome.REFUSED, Reason.VALUE_NOT_ALLOWED),
    ("no such gun to poll", Kind.POLL, {"gun": 3}, Outcome.REFUSED, Reason.VALUE_NOT_ALLOWED),
    ("no cards", Kind.CARDS_STORE, {}, Outcome.REFUSED, Reason.VALUE_NOT_ALLOWED),
    ("no balance", Kind.BALANCE, {"gun": 1, "serial": SERIAL}, Outcome.REFUSED, Reason.VALUE_NOT_ALLOWED),
    (
        "a balance below nothing",
        Kind.BALANCE,
        {"gun": 1, "serial": SERIAL, "balance_fen": -1},
        Outcome.REFUSED,
        Reason.VALUE_NOT_ALLOWED,
    ),
    (
        "a balance too large",
        Kind.BALANCE,
        {"gun": 1, "serial": SERIAL, "balance_fen": 1 << 32},
        Outcome.REFUSED,
        Reason.VALUE_NOT_ALLOWED,
    ),
    (
        "another charge",
        Kind.BALANCE,
        {"gun": 1, "serial": OTHER_SERIAL, "balance_fen": 1},
        Outcome.REFUSED,
        Reason.NOT_CHARGING,
    ),
    (
        "a gun at rest",
        Kind.BALANCE,
        {"gun": 2, "serial": SERIAL, "balance_fen": 1},
        Outcome.REFUSED,
        Reason.NOT_CHARGING,
    ),
    (
        "a question that is not open",
        Kind.REFUSE_CARD,
        {"gun": 1, "card_request": "e-1", "reason": Reason.CARD_UNKNOWN},
        Outcome.EXPIRED,
        Reason.EXPIRED,
    ),
    ("no question", Kind.REFUSE_CARD, {"gun": 1}, Outcome.REFUSED, Reason.VALUE_NOT_ALLOWED),
]


@pytest.mark.parametrize(
    ("kind", "fields", "outcome", "reason"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS]
)
def test_what_cannot_be_done_is_said_at_once_and_nothing_is_told(
    kind: Kind, fields: dict[str, Any], outcome: Outcome, reason: Reason
) -> None:
    desk = desk_for(Kind.BALANCE)
    give(desk, kind, **fields)
    assert outcomes(desk) == [(outcome, reason)]
    assert desk.wire.sent == []
    give(desk, kind, **fields)
    assert len({reply.receipt for reply in replies(desk)}) == 1  # the same reply again


def test_a_pile_that_is_not_online_gets_no_command_and_the_sender_is_told() -> None:
    desk = Desk().ready()
    late = command(desk, Kind.RESTART)
    desk.wire.cut()
    desk.fleet.command(PILE, late, desk.now)
    assert outcomes(desk) == [(Outcome.REFUSED, Reason.PILE_OFFLINE)]
    desk.fleet.command(PILE, replace(late, id="c-2", bridge="b2"), desk.now)
    desk.fleet.command("55031412000009", replace(late, id="c-3"), desk.now)
    assert len(replies(desk)) == 1  # another bridge's, and nobody's


def test_commands_of_a_kind_wait_for_one_another_and_others_do_not() -> None:
    desk = desk_for(Kind.RESTART)
    give(desk, Kind.RESTART, "c-1")
    give(desk, Kind.RESTART, "c-2", when=RunWhen.AT_ONCE)
    give(desk, Kind.RESTART, "c-3", expires_in_s=5)
    give(desk, Kind.QR_PREFIX, "c-4", qr=QR)
    assert [frame.code for frame in desk.wire.sent] == [0x92, 0xF0]
    desk.wait(6)
    assert [(reply.id, reply.outcome) for reply in replies(desk)] == [("c-3", Outcome.EXPIRED)]
    desk.wire.say(ykc.RestartAnswer(pile_no=PILE, result=0))
    assert [frame.mode for frame in desk.wire.told(ykc.Restart)] == [codes.RunMode.WHEN_IDLE, codes.RunMode.AT_ONCE]
    desk.wire.say(ykc.RestartAnswer(pile_no=PILE, result=1))
    said = [(reply.id, reply.outcome) for reply in replies(desk)]
    assert said[1:] == [("c-1", Outcome.REFUSED), ("c-2", Outcome.ACCEPTED)]


def test_too_many_of_a_kind_are_refused() -> None:
    desk = desk_for(Kind.RESTART)
    for number in range(18):
        give(desk, Kind.RESTART, f"c-{number}")
    assert outcomes(desk) == [(Outcome.REFUSED, Reason.PILE_BUSY)]


def test_a_late_answer_is_not_taken_for_the_next_commands() -> None:
    desk = desk_for(Kind.RESTART)
    give(desk, Kind.RESTART, "c-1")
    old = desk.wire.frames[-1][2:4]
    desk.wait(PILE_ANSWER_S + 1)
    give(desk, Kind.RESTART, "c-2")
    desk.wire.say(ykc.RestartAnswer(pile_no=PILE, result=1), old)
    assert outcomes(desk) == [(Outcome.TIMED_OUT, Reason.TIMED_OUT)]
    desk.wire.say(ykc.RestartAnswer(pile_no=PILE, result=0))  # with a number of its own, as some piles do
    assert [(reply.id, reply.outcome) for reply in replies(desk)][1:] == [("c-2", Outcome.REFUSED)]


def test_a_lock_answers_for_its_own_gun() -> None:
    desk = desk_for(Kind.GROUND_LOCK)
    give(desk, Kind.GROUND_LOCK, gun=1, lock=LockAction.RAISE)
    desk.wire.say(ykc.GroundLockAnswer(pile_no=PILE, gun_no=2, result=1))
    assert replies(desk) == []
    desk.wire.say(ykc.GroundLockAnswer(pile_no=PILE, gun_no=1, result=1))
    assert outcomes(desk) == [(Outcome.ACCEPTED, None)]


def test_a_loss_after_a_restart_is_expected_and_one_after_the_next_login_is_not() -> None:
    desk = desk_for(Kind.RESTART)
    give(desk, Kind.RESTART)
    desk.wire.say(ykc.RestartAnswer(pile_no=PILE, result=1))
    with capture_logs() as logs:
        desk.wire.cut()
        desk.wire = Wire(desk)
        desk.log_in()
        desk.wire.cut()
    assert [line["was_expected"] for line in logs if line["event"] == "pile_offline"] == [True, False]


def with_dialect(dialect: Dialect) -> Desk:
    return Desk(replace(pile_config(), dialect=dialect)).ready()


@pytest.mark.parametrize(("code", "outcome"), [(0, Outcome.REFUSED), (1, Outcome.ACCEPTED)])
def test_which_code_of_a_qr_answer_means_done_is_the_models(code: int, outcome: Outcome) -> None:
    desk = with_dialect(Dialect(qr_ok_code=1))
    give(desk, Kind.QR_PREFIX, qr=QR)
    desk.wire.say(ykc.QrPrefixAnswer(pile_no=PILE, result=code))
    assert [reply.outcome for reply in replies(desk)] == [outcome]


def test_an_update_answer_that_is_not_final_comes_soon_and_says_only_that_the_order_was_taken() -> None:
    desk = with_dialect(Dialect(update_answer_is_final=False))
    give(desk, Kind.UPDATE, update=UPDATE)
    desk.wire.say(ykc.UpdateAnswer(pile_no=PILE, status=0))
    [reply] = replies(desk)
    assert reply.outcome is Outcome.ACCEPTED
    assert "took the order" in reply.pile_text_en
    give(desk, Kind.UPDATE, "c-2", update=UPDATE)
    desk.keep_alive(PILE_ANSWER_S + 1)
    assert replies(desk)[1].outcome is Outcome.TIMED_OUT


def test_no_update_is_waited_for_beyond_the_bound() -> None:
    desk = desk_for(Kind.UPDATE)
    give(desk, Kind.UPDATE, update=replace(UPDATE, timeout_min=255))
    desk.keep_alive(UPDATE_ANSWER_S - 20)
    assert replies(desk) == []
    desk.keep_alive(30)
    assert outcomes(desk) == [(Outcome.TIMED_OUT, Reason.TIMED_OUT)]


def test_a_refused_balance_names_the_piles_reason() -> None:
    desk = desk_for(Kind.BALANCE)
    give(desk, Kind.BALANCE, gun=1, serial=SERIAL, balance_fen=100)
    [frame] = desk.wire.told(ykc.BalanceUpdate)
    assert frame.physical_card == "0" * 16
    desk.wire.say(ykc.BalanceUpdateAnswer(pile_no=PILE, physical_card="0" * 16, result=2))
    [reply] = replies(desk)
    assert (reply.pile_code, reply.pile_text_zh) == (2, "卡号错误")


def test_a_poll_of_all_guns_asks_each_and_the_first_reading_answers() -> None:
    desk = desk_for(Kind.POLL)
    give(desk, Kind.POLL)
    assert [frame.gun_no for frame in desk.wire.told(ykc.ReadRealtime)] == ["01", "02"]
    desk.wire.say(realtime(2))
    assert outcomes(desk) == [(Outcome.ACCEPTED, None)]
