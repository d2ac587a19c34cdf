"""What a fleet has said and heard, in figures."""

from collections import Counter
from dataclasses import dataclass, field

from bridge.protocols.base import UnknownFrame
from bridge.protocols.ykc.messages import YkcMessage


@dataclass(slots=True)
class Counts:
    """Since the process began, over all its piles."""

    sent: int = 0
    received: int = 0
    logins: int = 0
    connections: int = 0
    sent_kinds: Counter[type] = field(default_factory=Counter)

    def said(self, message: YkcMessage) -> None:
        """A frame went out."""
        self.sent += 1
        self.sent_kinds[type(message)] += 1

    def heard(self, _: YkcMessage | UnknownFrame) -> None:
        """A frame came in."""
        self.received += 1
