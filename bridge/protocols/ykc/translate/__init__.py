"""YKC messages ⇄ the bridge's words: past this package a voltage is volts and a time is UTC.

Each module here contributes its `HEAR` and `TELL`; one message or one word in two of them fails at import.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from bridge import words
from bridge.dialect import Described, Encoded
from bridge.protocols.base import CrcOrder, Frame, UnknownFrame
from bridge.protocols.fields import Enum8
from bridge.protocols.ykc import describe as people
from bridge.protocols.ykc import messages as ykc
from bridge.protocols.ykc import power, secrets
from bridge.protocols.ykc.framing import YkcSplitter
from bridge.protocols.ykc.protocol import Ykc
from bridge.protocols.ykc.translate import (
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
from bridge.protocols.ykc.translate.common import Hear, Tell

MODULES = (
    login,
    tariff,
    reading,
    start,
    card_start,
    bms,
    record,
    settings,
    balance,
    offline_cards,
    ground_lock,
    remote,
)
FORGIVEN_KW = Decimal("0.0001")

V = TypeVar("V")

CODED: dict[type, tuple[str, ...]] = {
    message: names
    for message in ykc.REGISTRY
    if (names := tuple(place.name for place in message.plan.places if isinstance(place.codec, Enum8)))
}
"""Message → its fields of named codes."""


def joined(tables: Iterable[Mapping[Any, V]]) -> dict[Any, V]:
    """One table of several; TypeError where a key stands in two."""
    whole: dict[Any, V] = {}
    for table in tables:
        twice = whole.keys() & table.keys()
        if twice:
            raise TypeError(f"translated twice: {', '.join(sorted(kind.__name__ for kind in twice))}")
        whole |= table
    return whole


HEAR: Hear = joined(module.HEAR for module in MODULES)
TELL: Tell = joined(module.TELL for module in MODULES)


def hear(message: ykc.YkcMessage | UnknownFrame) -> words.Said | words.NotUnderstood:
    """Message → words; what only the platform may say is not understood."""
    if isinstance(message, UnknownFrame):
        return words.NotUnderstood(message.code)
    translate = HEAR.get(type(message))
    return words.NotUnderstood(message.code) if translate is None else translate(message)


def tell(told: words.Told) -> ykc.YkcMessage:
    """Words → message; FrameError where YKC cannot express them."""
    return TELL[type(told)](told)


class YkcDialect:
    """YKC as a link uses it: frames in, words out, and back."""

    name = "ykc"
    power_control = power.POWER_CONTROL
    cards_per_frame = offline_cards.CARDS_PER_FRAME

    def __init__(self, protocol: Ykc | None = None) -> None:
        self._protocol = protocol or Ykc()

    def splitter(self) -> YkcSplitter:
        """A fresh splitter for a new connection."""
        return self._protocol.splitter()

    def hear(self, frame: Frame, odd: Callable[[str], None]) -> words.Said | words.NotUnderstood:
        """Frame → words; FrameError where the body is too short or its values make no sense."""
        if not ykc.is_from_pile(frame.code):
            return words.NotUnderstood(frame.code)
        message = self._protocol.decode(frame)
        for name in CODED.get(type(message), ()):
            if type(getattr(message, name)) is int:  # a code that we know is a member of its enumeration
                odd(name)
        return hear(message)

    def tell(self, told: words.Told, seq: bytes | int, crc_order: CrcOrder | None = None) -> Encoded:
        """Words → frame; FrameError where YKC cannot express them."""
        message = tell(told)
        return Encoded(self._protocol.encode(message, seq, crc_order), message.code)

    def describe(self, raw: bytes) -> Described:
        """A whole frame, either way, for people."""
        return people.describe(raw, self._protocol.splitter())

    def redacted(self, raw: bytes) -> bytes:
        """A frame with zeros for its passwords; its CRC is then wrong, as it should be."""
        return secrets.redacted(raw)

    def for_log(self, raw: bytes) -> bytes:
        """A frame with zeros for its passwords and for the numbers of cards."""
        return secrets.for_log(raw)

    def units_of(self, allowance_kw: float, rated_kw: float) -> int:
        """Whole percent of the rating. A tenth of a watt is forgiven: what was rounded on its way loses no percent."""
        return power.percent_of(Decimal(str(round(allowance_kw, 4))) + FORGIVEN_KW, Decimal(str(rated_kw)))

    def kw_of(self, units: int, rated_kw: float) -> float:
        """Percent → kW."""
        return float(power.allowance_of(units, Decimal(str(rated_kw))))
