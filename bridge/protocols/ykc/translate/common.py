"""What several translations share: numbers of guns, times, transactions, cards, and the tables' types."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from bridge import words
from bridge.protocols.base import FrameError
from bridge.protocols.ykc import codes
from bridge.protocols.ykc import messages as ykc
from evcs.contracts.states import TariffBand

Hear = dict[type[ykc.YkcMessage], Callable[[Any], words.Said]]
"""Message from a pile → what it says by it."""
Tell = dict[type, Callable[[Any], ykc.YkcMessage]]
"""What a pile is told → message."""

BANDS = {
    codes.Band.SHARP: TariffBand.SHARP,
    codes.Band.PEAK: TariffBand.PEAK,
    codes.Band.FLAT: TariffBand.FLAT,
    codes.Band.VALLEY: TariffBand.VALLEY,
    codes.Band.DEEP: TariffBand.DEEP_VALLEY,
}


def gun(text: str) -> int:
    """Two digits → 1 to 99; FrameError for what is no gun."""
    if not text.isdecimal() or not 1 <= int(text) <= 99:
        raise FrameError(f"gun {text!r} is not 1 to 99")
    return int(text)


def utc(time: datetime | bytes) -> datetime | None:
    """Beijing → UTC; None where the bytes were no time."""
    return None if isinstance(time, bytes) else time.astimezone(UTC)


def serial(trade_no: str) -> str | None:
    """Transaction number; None for the zeros that stand for none."""
    return None if trade_no == ykc.NO_TRADE else trade_no


def temperature(value: int) -> int | None:
    """°C; None where there is no sensor."""
    return None if value == ykc.NO_TEMPERATURE else value


def card(raw: str) -> str:
    """Card as on the wire; empty for the zeros that stand for none."""
    return "" if raw == ykc.NO_CARD else raw


def vin(raw: str) -> str:
    """A VIN as people write it; empty where the field holds none (zeros, blanks, 0xFF), or what cannot be one."""
    text = raw.strip(" \0\xff").upper()
    return text if text.isascii() and text.isalnum() and text.strip("0") else ""
