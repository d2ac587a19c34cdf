"""Pure counts of what links take, send and drop; the worker carries them into the metrics."""

from collections import Counter
from enum import StrEnum


class Drop(StrEnum):
    """Why a frame that was cut rightly was not used."""

    UNKNOWN_TYPE = "unknown_type"
    BAD_BODY = "bad_body"
    FOREIGN_PILE = "foreign_pile"
    UNKNOWN_GUN = "unknown_gun"
    UNEXPECTED = "unexpected"
    """An answer to nothing that was asked."""
    NOT_TOLD = "not_told"
    """Something that the protocol cannot express."""


class Tally:
    """Counted since the start of the bridge."""

    def __init__(self) -> None:
        self.frames_in: Counter[int] = Counter()
        self.frames_out: Counter[int] = Counter()
        self.dropped: Counter[str] = Counter()
        self.closed: Counter[str] = Counter()
        self.logins: Counter[str] = Counter()
        self.odd: Counter[str] = Counter()
        """What no table has: frame types (`0x77`) and codes of a field (`0x13 state`)."""
        self.confirms_without_pile = 0

    def drop(self, why: str, count: int = 1) -> None:
        self.dropped[why] += count
