"""What became of a command, in a sentence that says what to do next."""

from evcs.contracts.reasons import Reason, Sentence, sentence
from webapi.piles.command_models import CommandState, PileCommandRow

WAITING = Sentence("已下发，等待桩应答。", "Sent; the pile's answer is awaited.")
ACCEPTED = Sentence("桩已执行。", "The pile accepted it.")
UNANSWERED = Sentence(
    "桩没有应答，不能确定是否已执行；请查看桩的状态，必要时重试。",
    "The pile did not answer; whether it did it is not known. Look at its state and try again if needed.",
)
LOST = Sentence(
    "连接中断，没有收到应答，不能确定是否已执行；请等桩上线后查看，必要时重试。",
    "The connection was lost before an answer; whether the pile did it is not known. Look when it is back.",
)
EXPIRED = Sentence(
    "指令在有效期内未能送达，桩没有执行；请重试。",
    "It did not reach the pile in time and was not carried out; try again.",
)
NOT_DONE = {Reason.TIMED_OUT: UNANSWERED, Reason.LINK_LOST: LOST, Reason.EXPIRED: EXPIRED}
"""The contract's own sentences for these speak of starts."""


def told(row: PileCommandRow) -> Sentence:
    """The sentence of a command's state."""
    if row.state is CommandState.WAITING:
        return WAITING
    if row.state is CommandState.ACCEPTED:
        return Sentence(row.pile_text_zh or ACCEPTED.zh, row.pile_text_en or ACCEPTED.en)
    reason = Reason(row.reason) if row.reason in set(Reason) else Reason.PILE_REFUSED
    if reason in NOT_DONE:
        return NOT_DONE[reason]
    code = "" if row.pile_code is None else str(row.pile_code)
    return Sentence(
        sentence(reason, pile_reason=row.pile_text_zh or code or "—").zh,
        sentence(reason, pile_reason=row.pile_text_en or code or "—").en,
    )
