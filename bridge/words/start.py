"""Starting and stopping a charge from the platform."""

from dataclasses import dataclass

from evcs.contracts.reasons import Reason


@dataclass(frozen=True, slots=True)
class Answered:
    """The pile's answer to a start or a stop; a refusal comes with its code, words and our reason."""

    ok: bool
    code: int
    reason: Reason | None
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class StartAnswered:
    pile: str
    gun: int
    serial: str
    answer: Answered
    not_plugged: bool
    """The refusal that a later plug-in takes back (YKC: within 60 s)."""


@dataclass(frozen=True, slots=True)
class StopAnswered:
    pile: str
    gun: int
    answer: Answered


@dataclass(frozen=True, slots=True)
class StartTold:
    pile: str
    gun: int
    serial: str
    balance_fen: int
    card: str | None
    """物理卡号, 16 hex digits."""
    printed_card: str = ""
    """逻辑卡号, at most 16 digits."""
    joint_number: str | None = None
    """Of two guns on one car (并充)."""


@dataclass(frozen=True, slots=True)
class StopTold:
    pile: str
    gun: int


Said = StartAnswered | StopAnswered
Told = StartTold | StopTold
