"""Start and stop from the platform, and their answers (YKC V1.6 §4.4)."""

from decimal import Decimal

from bridge import words
from bridge.protocols.ykc import codes
from bridge.protocols.ykc import messages as ykc
from bridge.protocols.ykc.translate.common import Hear, Tell, gun
from evcs.contracts.reasons import Reason

_START_REASONS: dict[int, Reason] = {
    codes.StartFailure.ALREADY_CHARGING: Reason.GUN_BUSY,
    codes.StartFailure.DEVICE_FAULT: Reason.GUN_FAULTED,
    codes.StartFailure.DEVICE_OFFLINE: Reason.PILE_OFFLINE,
    codes.StartFailure.NOT_PLUGGED: Reason.GUN_NOT_PLUGGED,
}
_STOP_REASONS: dict[int, Reason] = {codes.StopFailure.NOT_CHARGING: Reason.NOT_CHARGING}


def _answered(result: int, code: int, reasons: dict[int, Reason], said: codes.Words) -> words.Answered:
    if result == codes.Outcome.OK:
        return words.Answered(True, code, None, "", "")
    return words.Answered(False, code, reasons.get(code, Reason.PILE_REFUSED), said.zh, said.en)


def _start_answer(message: ykc.RemoteStartAnswer | ykc.RemoteParallelStartAnswer) -> words.StartAnswered:
    answer = _answered(
        message.result, int(message.fail_reason), _START_REASONS, codes.start_failure(int(message.fail_reason))
    )
    return words.StartAnswered(
        pile=message.pile_no,
        gun=gun(message.gun_no),
        serial=message.trade_no,
        answer=answer,
        not_plugged=not answer.ok and message.fail_reason == codes.StartFailure.NOT_PLUGGED,
    )


def _stop_answer(message: ykc.RemoteStopAnswer) -> words.StopAnswered:
    return words.StopAnswered(
        pile=message.pile_no,
        gun=gun(message.gun_no),
        answer=_answered(
            message.result, int(message.fail_reason), _STOP_REASONS, codes.stop_failure(int(message.fail_reason))
        ),
    )


def _start(told: words.StartTold) -> ykc.RemoteStart | ykc.RemoteParallelStart:
    printed = told.printed_card.zfill(16)
    card = told.card.lower() if told.card else ykc.NO_CARD
    balance = Decimal(told.balance_fen) / 100
    if told.joint_number is None:
        return ykc.RemoteStart(
            trade_no=told.serial,
            pile_no=told.pile,
            gun_no=ykc.gun_no(told.gun),
            logical_card=printed,
            physical_card=card,
            balance=balance,
        )
    return ykc.RemoteParallelStart(
        trade_no=told.serial,
        pile_no=told.pile,
        gun_no=ykc.gun_no(told.gun),
        logical_card=printed,
        physical_card=card,
        balance=balance,
        parallel_no=told.joint_number,
    )


HEAR: Hear = {
    ykc.RemoteStartAnswer: _start_answer,
    ykc.RemoteParallelStartAnswer: _start_answer,
    ykc.RemoteStopAnswer: _stop_answer,
}
TELL: Tell = {
    words.StartTold: _start,
    words.StopTold: lambda told: ykc.RemoteStop(pile_no=told.pile, gun_no=ykc.gun_no(told.gun)),
}
