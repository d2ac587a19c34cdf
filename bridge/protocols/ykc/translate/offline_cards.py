"""Cards that a pile accepts by itself (YKC V1.6 §4.5: 0x43 to 0x48)."""

from collections.abc import Iterable

from bridge import words
from bridge.dialect import CardsPerFrame
from bridge.protocols.ykc import codes
from bridge.protocols.ykc import messages as ykc
from bridge.protocols.ykc.translate.common import Hear, Tell

CARDS_PER_FRAME = CardsPerFrame(stored=ykc.MOST_STORED, cleared=18, asked=21)
"""0x46 and 0x48 carry 23 cards, but their answers (10 and 9 bytes a card) stay below a length byte of 201 only so."""


def _stored(message: ykc.OfflineCardSyncAnswer) -> words.CardsStored:
    said = codes.CardStoreFailure.words(message.fail_reason)
    is_ok = message.result == codes.Outcome.OK
    return words.CardsStored(message.pile_no, is_ok, int(message.fail_reason), said.zh, said.en)


def _answers(results: Iterable[ykc.CardResult]) -> tuple[words.CardAnswer, ...]:
    return tuple(words.CardAnswer(one.physical.upper(), one.ok, one.code) for one in results)


def _store(told: words.StoreCards) -> ykc.OfflineCardSync:
    cards = tuple(ykc.stored_card(card.printed_no, card.uid) for card in told.cards)
    return ykc.OfflineCardSync(pile_no=told.pile, count=len(cards), cards=cards)


HEAR: Hear = {
    ykc.OfflineCardSyncAnswer: _stored,
    ykc.OfflineCardClearAnswer: lambda message: words.CardsCleared(
        message.pile_no, _answers(ykc.cleared_cards(message.cards))
    ),
    ykc.OfflineCardQueryAnswer: lambda message: words.CardsFound(
        message.pile_no, _answers(ykc.queried_cards(message.cards))
    ),
}
TELL: Tell = {
    words.StoreCards: _store,
    words.ClearCards: lambda told: ykc.OfflineCardClear(
        pile_no=told.pile, count=len(told.cards), cards=tuple(card.uid.lower() for card in told.cards)
    ),
    words.FindCards: lambda told: ykc.OfflineCardQuery(
        pile_no=told.pile, count=len(told.cards), cards=tuple(card.uid.lower() for card in told.cards)
    ),
}
