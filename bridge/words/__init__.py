"""What piles say and are told, whatever their protocol: the words between a conversation and its translation."""

from dataclasses import dataclass

from bridge.words import (
    balance,
    bms,
    card_start,
    ground_lock,
    login,
    offline_cards,
    reading,
    record,
    remote,
    settings,
    start,
    tariff,
)
from bridge.words.balance import BalanceAnswered, BalanceTold
from bridge.words.bms import (
    AbortSaid,
    BatterySaid,
    BmsErrorSaid,
    DemandSaid,
    EndingSaid,
    LimitsSaid,
    VehicleSaid,
)
from bridge.words.card_start import CardAllowed, CardAsked, CardRefused
from bridge.words.ground_lock import GroundLockAnswered, GroundLockSaid, GroundLockTold
from bridge.words.login import HeartbeatAnswer, HeartbeatSaid, LoginAnswer, LoginSaid
from bridge.words.offline_cards import (
    CardAnswer,
    CardsCleared,
    CardsFound,
    CardsStored,
    ClearCards,
    FindCards,
    StoreCards,
)
from bridge.words.reading import ReadGun, Reading, WireState
from bridge.words.record import RecordConfirmed, RecordSaid
from bridge.words.remote import QrAnswered, QrTold, RestartAnswered, RestartTold, UpdateAnswered, UpdateTold
from bridge.words.settings import ClockSaid, ClockSet, PowerAnswered, PowerTold
from bridge.words.start import Answered, StartAnswered, StartTold, StopAnswered, StopTold
from bridge.words.tariff import TariffAnswer, TariffAsked, TariffChecked, TariffPushAnswered, TariffPushed, TariffTold


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """A well-formed frame that this bridge has no use for: an unknown type, or one of the other direction."""

    code: int


Said = (
    bms.Said
    | card_start.Said
    | login.Said
    | tariff.Said
    | reading.Said
    | start.Said
    | record.Said
    | settings.Said
    | balance.Said
    | offline_cards.Said
    | ground_lock.Said
    | remote.Said
)
"""A module of words adds its own here."""
Told = (
    card_start.Told
    | login.Told
    | tariff.Told
    | reading.Told
    | start.Told
    | record.Told
    | settings.Told
    | balance.Told
    | offline_cards.Told
    | ground_lock.Told
    | remote.Told
)

__all__ = [
    "AbortSaid",
    "Answered",
    "BalanceAnswered",
    "BalanceTold",
    "BatterySaid",
    "BmsErrorSaid",
    "CardAllowed",
    "CardAnswer",
    "CardAsked",
    "CardRefused",
    "CardsCleared",
    "CardsFound",
    "CardsStored",
    "ClearCards",
    "ClockSaid",
    "ClockSet",
    "DemandSaid",
    "EndingSaid",
    "FindCards",
    "GroundLockAnswered",
    "GroundLockSaid",
    "GroundLockTold",
    "HeartbeatAnswer",
    "HeartbeatSaid",
    "LimitsSaid",
    "LoginAnswer",
    "LoginSaid",
    "NotUnderstood",
    "PowerAnswered",
    "PowerTold",
    "QrAnswered",
    "QrTold",
    "ReadGun",
    "Reading",
    "RecordConfirmed",
    "RecordSaid",
    "RestartAnswered",
    "RestartTold",
    "Said",
    "StartAnswered",
    "StartTold",
    "StopAnswered",
    "StopTold",
    "StoreCards",
    "TariffAnswer",
    "TariffAsked",
    "TariffChecked",
    "TariffPushAnswered",
    "TariffPushed",
    "TariffTold",
    "Told",
    "UpdateAnswered",
    "UpdateTold",
    "VehicleSaid",
    "WireState",
]
