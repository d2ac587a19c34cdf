"""Cards that a pile may accept while the platform is away (YKC V1.6: 0x44 to 0x48). Pure."""

from collections.abc import Iterable, Mapping

from bridge.protocols.ykc.codes import CardClearFailure, CardPresence, CardStoreFailure, Outcome
from bridge.protocols.ykc.messages import (
    NO_CARD,
    OfflineCardClear,
    OfflineCardClearAnswer,
    OfflineCardQuery,
    OfflineCardQueryAnswer,
    OfflineCardSync,
    OfflineCardSyncAnswer,
)

HALF = 16
"""Hex digits of each of the two numbers of an entry."""


class CardStore:
    """Physical number → printed number, at most `room` cards; a frame is kept whole or not at all."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._cards: dict[str, str] = {}

    def __contains__(self, uid: str) -> bool:
        return uid.lower() in self._cards

    def printed(self, uid: str) -> str:
        """The number that the screen shows."""
        return self._cards.get(uid.lower(), NO_CARD)

    def all(self) -> Mapping[str, str]:
        """What it holds."""
        return self._cards

    def restore(self, cards: Mapping[str, str]) -> None:
        """What it held before power was lost."""
        self._cards = dict(cards)

    def sync(self, message: OfflineCardSync) -> OfflineCardSyncAnswer:
        """0x44 → 0x43."""
        found = {entry[HALF:]: entry[:HALF] for entry in message.cards}
        failure = CardStoreFailure.NONE
        if NO_CARD in found or not all(printed.isdecimal() for printed in found.values()):
            failure = CardStoreFailure.BAD_NUMBER
        elif len(self._cards | found) > self._room:
            failure = CardStoreFailure.NO_SPACE
        else:
            self._cards |= found
        result = Outcome.OK if failure is CardStoreFailure.NONE else Outcome.FAILED
        return OfflineCardSyncAnswer(pile_no=message.pile_no, result=result, fail_reason=failure)

    def clear(self, message: OfflineCardClear) -> OfflineCardClearAnswer:
        """0x46 → 0x45: a card that is not there counts as cleared."""
        return OfflineCardClearAnswer(pile_no=message.pile_no, cards=tuple(self._cleared(message.cards)))

    def query(self, message: OfflineCardQuery) -> OfflineCardQueryAnswer:
        """0x48 → 0x47."""
        marks = (CardPresence.PRESENT if uid in self else CardPresence.ABSENT for uid in message.cards)
        return OfflineCardQueryAnswer(
            pile_no=message.pile_no,
            cards=tuple(f"{uid}{mark:02x}" for uid, mark in zip(message.cards, marks, strict=True)),
        )

    def _cleared(self, uids: Iterable[str]) -> Iterable[str]:
        for uid in uids:
            if uid == NO_CARD:
                yield f"{uid}{Outcome.FAILED:02x}{CardClearFailure.BAD_NUMBER:02x}"
            else:
                self._cards.pop(uid, None)
                yield f"{uid}{Outcome.OK:02x}{CardClearFailure.NONE:02x}"
