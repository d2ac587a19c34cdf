"""What piles say and are told, whatever their protocol: the words between a conversation and its translation."""

from dataclasses import dataclass

from bridge.words import bms, card_start, login, reading, record, settings, start, tariff
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
from bridge.words.login import HeartbeatAnswer, HeartbeatSaid, LoginAnswer, LoginSaid
from bridge.words.reading import ReadGun, Reading, WireState
from bridge.words.record import RecordConfirmed, RecordSaid
from bridge.words.settings import ClockSaid, ClockSet, PowerAnswered, PowerTold
from bridge.words.start import Answered, StartAnswered, StartTold, StopAnswered, StopTold
from bridge.words.tariff import TariffAnswer, TariffAsked, TariffChecked, TariffTold


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """A well-formed frame that this bridge has no use for: an unknown type, or one of the other direction."""

    code: int


Said = bms.Said | card_start.Said | login.Said | tariff.Said | reading.Said | start.Said | record.Said | settings.Said
"""A module of words adds its own here."""
Told = card_start.Told | login.Told | tariff.Told | reading.Told | start.Told | record.Told | settings.Told

__all__ = [
    "AbortSaid",
    "Answered",
    "BatterySaid",
    "BmsErrorSaid",
    "CardAllowed",
    "CardAsked",
    "CardRefused",
    "ClockSaid",
    "ClockSet",
    "DemandSaid",
    "EndingSaid",
    "HeartbeatAnswer",
    "HeartbeatSaid",
    "LimitsSaid",
    "LoginAnswer",
    "LoginSaid",
    "NotUnderstood",
    "PowerAnswered",
    "PowerTold",
    "ReadGun",
    "Reading",
    "RecordConfirmed",
    "RecordSaid",
    "Said",
    "StartAnswered",
    "StartTold",
    "StopAnswered",
    "StopTold",
    "TariffAnswer",
    "TariffAsked",
    "TariffChecked",
    "TariffTold",
    "Told",
    "VehicleSaid",
    "WireState",
]
