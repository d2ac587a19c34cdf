"""The demo's drivers as the fleet knows them: cards and VINs by a rule that the demo's seed shares. Pure."""

from bridge.simulator.options import Card

CARD_BASE = 0xD14B0000
"""Behind four bytes of zeros, like the four-byte chips of the field."""
VIN_BASE = "LSVEVCS00000"


def cards(first: int, last: int) -> tuple[Card, ...]:
    """The cards of customers `first` … `last`."""
    return tuple(Card(f"{CARD_BASE + customer:016X}") for customer in range(first, last + 1))


def vins(first: int, last: int) -> tuple[str, ...]:
    """The cars of customers `first` … `last`."""
    return tuple(f"{VIN_BASE}{customer:05d}" for customer in range(first, last + 1))
