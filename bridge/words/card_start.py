"""A driver asks at the pile to start, and what the pile is answered (YKC 0x31 and 0x32, 0xA1 and 0xA2)."""

from dataclasses import dataclass, field

from evcs.contracts.gun import CardMode, Joint
from evcs.contracts.reasons import Reason


@dataclass(frozen=True, slots=True)
class CardAsked:
    """Whoever stands at the pile wants to charge. Two equal ones of a gun are one question, repeated."""

    pile: str
    gun: int
    mode: CardMode | int
    card: str
    """16 upper-case hex digits, all zero where it is no card."""
    vin: str
    """In reading order; empty where there is none."""
    password: str = field(repr=False)
    """Middle half of the MD5 hex digest, 16 lower-case digits; empty where none was asked."""
    joint: Joint | None = None


@dataclass(frozen=True, slots=True)
class CardAllowed:
    pile: str
    gun: int
    serial: str
    balance_fen: int
    printed_card: str
    joint_number: str | None = None


@dataclass(frozen=True, slots=True)
class CardRefused:
    pile: str
    gun: int
    reason: Reason
    joint_number: str | None = None


Said = CardAsked
Told = CardAllowed | CardRefused
