"""YKC messages ⇄ the bridge's words: past this package a voltage is volts and a time is UTC.

Each module here contributes its `HEAR` and `TELL`; one message or one word in two of them fails at import.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from bridge import words
from bridge.dialect import Encoded
from bridge.protocols.base import Frame, UnknownFrame
from bridge.protocols.ykc import messages as ykc
from bridge.protocols.ykc import power
from bridge.protocols.ykc.framing import YkcSplitter
from bridge.protocols.ykc.protocol import Ykc
from bridge.protocols.ykc.translate import login, reading, record, settings, start, tariff
from bridge.protocols.ykc.translate.common import Hear, Tell

MODULES = (login, tariff, reading, start, record, settings)
FORGIVEN_KW = Decimal("0.0001")

V = TypeVar("V")


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

    def __init__(self, protocol: Ykc | None = None) -> None:
        self._protocol = protocol or Ykc()

    def splitter(self) -> YkcSplitter:
        """A fresh splitter for a new connection."""
        return self._protocol.splitter()

    def hear(self, frame: Frame) -> words.Said | words.NotUnderstood:
        """Frame → words; FrameError where the body is too short or its values make no sense."""
        if not ykc.is_from_pile(frame.code):
            return words.NotUnderstood(frame.code)
        return hear(self._protocol.decode(frame))

    def tell(self, told: words.Told, seq: bytes | int) -> Encoded:
        """Words → frame; FrameError where YKC cannot express them."""
        message = tell(told)
        return Encoded(self._protocol.encode(message, seq), message.code)

    def units_of(self, allowance_kw: float, rated_kw: float) -> int:
        """Whole percent of the rating. A tenth of a watt is forgiven: what was rounded on its way loses no percent."""
        return power.percent_of(Decimal(str(round(allowance_kw, 4))) + FORGIVEN_KW, Decimal(str(rated_kw)))

    def kw_of(self, units: int, rated_kw: float) -> float:
        """Percent → kW."""
        return float(power.allowance_of(units, Decimal(str(rated_kw))))
