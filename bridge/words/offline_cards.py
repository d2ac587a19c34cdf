"""Cards that a pile keeps for charging without the platform: stored, cleared, asked for."""

from dataclasses import dataclass

from evcs.contracts.pile import OfflineCard


@dataclass(frozen=True, slots=True)
class CardAnswer:
    """What the pile says of one card: cleared or present (`ok`), or not, and its code."""

    uid: str
    ok: bool
    code: int


@dataclass(frozen=True, slots=True)
class CardsStored:
    """One answer for all cards of a frame; a refusal comes with its code and words."""

    pile: str
    ok: bool
    code: int
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class CardsCleared:
    pile: str
    cards: tuple[CardAnswer, ...]


@dataclass(frozen=True, slots=True)
class CardsFound:
    pile: str
    cards: tuple[CardAnswer, ...]


@dataclass(frozen=True, slots=True)
class StoreCards:
    pile: str
    cards: tuple[OfflineCard, ...]


@dataclass(frozen=True, slots=True)
class ClearCards:
    pile: str
    cards: tuple[OfflineCard, ...]


@dataclass(frozen=True, slots=True)
class FindCards:
    pile: str
    cards: tuple[OfflineCard, ...]


Said = CardsStored | CardsCleared | CardsFound
Told = StoreCards | ClearCards | FindCards
