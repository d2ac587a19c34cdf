"""More money for a running charge (YKC V1.6 §4.5: 0x42, 0x41)."""

from decimal import Decimal

from bridge import words
from bridge.protocols.ykc import codes
from bridge.protocols.ykc import messages as ykc
from bridge.protocols.ykc.translate.common import Hear, Tell


def _answer(message: ykc.BalanceUpdateAnswer) -> words.BalanceAnswered:
    said = codes.BalanceResult.words(message.result)
    is_ok = message.result == codes.BalanceResult.OK
    return words.BalanceAnswered(message.pile_no, is_ok, int(message.result), said.zh, said.en)


HEAR: Hear = {ykc.BalanceUpdateAnswer: _answer}
TELL: Tell = {
    words.BalanceTold: lambda told: ykc.BalanceUpdate(
        pile_no=told.pile,
        gun_no=ykc.gun_no(told.gun),
        physical_card=(told.card or ykc.NO_CARD).lower(),
        balance=Decimal(told.balance_fen) / 100,
    ),
}
