"""Frames as a bad line or a bad firmware makes them. Pure."""

from dataclasses import replace
from typing import Any, TypeVar

from bridge.protocols.ykc.messages import Login, YkcMessage
from bridge.simulator.troubles import Trouble, Troubles

M = TypeVar("M", bound=YkcMessage)

NOISE_AT_MOST = 12
FOREIGN = "99"
"""The last digits of a number that stands for another pile."""


def foreign(number: str) -> str:
    """The number of a pile that nobody knows, of the same length."""
    return number[: -len(FOREIGN) * 2] + FOREIGN * 2


def renamed(message: M, troubles: Troubles) -> M:
    """The message under a wrong pile number, where that trouble happens."""
    if isinstance(message, Login) or not hasattr(message, "pile_no"):
        return message
    if not troubles.happens(Trouble.WRONG_PILE):
        return message
    changes: dict[str, Any] = {"pile_no": foreign(message.pile_no)}
    return replace(message, **changes)


def spoiled(raw: bytes, troubles: Troubles) -> bytes:
    """A frame with whatever happens to it on the way."""
    if troubles.happens(Trouble.BAD_CRC):
        raw = raw[:-2] + bytes((raw[-2] ^ 0x5A, raw[-1] ^ 0x35))
    if troubles.happens(Trouble.SWAPPED_CRC):
        raw = raw[:-2] + raw[-1:] + raw[-2:-1]
    if troubles.happens(Trouble.WRONG_LENGTH):
        raw = raw[:1] + bytes((raw[1] - 4,)) + raw[2:]
    if troubles.happens(Trouble.NOISE):
        raw = troubles.dice.randbytes(troubles.dice.randint(1, NOISE_AT_MOST)) + raw
    return raw
