"""Pure: lists of offline cards, cut into frames that are told one after the other (YKC 0x44, 0x46, 0x48)."""

from collections.abc import Callable

from bridge.moment import Moment
from bridge.pile_voice import CommandFate
from bridge.words import CardsCleared, CardsFound, CardsStored, ClearCards, FindCards, Said, StoreCards, Told
from evcs.contracts.pile import CardResult, OfflineCard, Outcome
from evcs.contracts.reasons import Reason
from evcs.contracts.waits import PILE_ANSWER_S

Teller = Callable[[tuple[OfflineCard, ...]], Told]


class CardList:
    """One command over any number of cards. The reply names every card in the order asked, also after a failure."""

    wait_s = PILE_ANSWER_S
    outlives_link = False
    not_expressible = Reason.VALUE_NOT_ALLOWED

    def __init__(
        self, cards: tuple[OfflineCard, ...], per_frame: int, tell: Teller, answer: type, *, absence_is_failure: bool
    ) -> None:
        self.answer = answer
        self._cards = cards
        self._per_frame = per_frame
        self._tell = tell
        self._absence_is_failure = absence_is_failure
        self._done: list[CardResult] = []
        self._code: int | None = None
        self._zh, self._en = "", ""

    @property
    def _batch(self) -> tuple[OfflineCard, ...]:
        begin = len(self._done)
        return self._cards[begin : begin + self._per_frame]

    def asks(self) -> tuple[Told, ...]:
        """The next frame."""
        return (self._tell(self._batch),)

    def concerns(self, said: Said) -> bool:
        """0x43 names no card; 0x45 and 0x47 name those of the frame that is on its way."""
        return True

    def heard(self, said: Said, raw: bytes, now: Moment) -> CommandFate | None:
        """The answer to one frame; after a refused one the others still have their chance."""
        match said:
            case CardsStored():
                self._stored(said)
            case CardsCleared(cards=answers) | CardsFound(cards=answers):
                told = {answer.uid: answer for answer in answers}
                for card in self._batch:
                    # Some piles turn the eight bytes round (YKC reference §10).
                    answer = told.get(card.uid) or told.get(_reversed(card.uid))
                    is_ok = answer is not None and answer.ok
                    self._done.append(
                        CardResult(uid=card.uid, ok=is_ok, pile_code=0 if answer is None else answer.code)
                    )
        if len(self._done) < len(self._cards):
            return None
        if self._absence_is_failure and not all(card.ok for card in self._done):
            return self._fate(Outcome.REFUSED, Reason.PILE_REFUSED)
        return self._fate(Outcome.ACCEPTED, None)

    def _stored(self, said: CardsStored) -> None:
        if not said.ok:
            self._code, self._zh, self._en = said.code, said.zh, said.en
        code = 0 if said.ok else said.code
        self._done += [CardResult(uid=card.uid, ok=said.ok, pile_code=code) for card in self._batch]

    def failed(self, outcome: Outcome, reason: Reason) -> CommandFate:
        """What is not answered counts as not done; asked again, the pile says how it really is."""
        left = self._cards[len(self._done) :]
        self._done += [CardResult(uid=card.uid, ok=False) for card in left]
        return self._fate(outcome, reason)

    def _fate(self, outcome: Outcome, reason: Reason | None) -> CommandFate:
        return CommandFate(outcome, reason, self._code, self._zh, self._en, cards=tuple(self._done))


def _reversed(uid: str) -> str:
    return bytes.fromhex(uid)[::-1].hex().upper()


def storing(pile: str, cards: tuple[OfflineCard, ...], per_frame: int) -> CardList:
    """The pile keeps these."""
    return CardList(cards, per_frame, lambda batch: StoreCards(pile, batch), CardsStored, absence_is_failure=True)


def clearing(pile: str, cards: tuple[OfflineCard, ...], per_frame: int) -> CardList:
    """The pile forgets these."""
    return CardList(cards, per_frame, lambda batch: ClearCards(pile, batch), CardsCleared, absence_is_failure=True)


def finding(pile: str, cards: tuple[OfflineCard, ...], per_frame: int) -> CardList:
    """Which of these does it hold? That it does not hold one is an answer and no refusal."""
    return CardList(cards, per_frame, lambda batch: FindCards(pile, batch), CardsFound, absence_is_failure=False)
