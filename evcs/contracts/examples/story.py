"""The charge that the examples tell: one pile, one car, one card, as a real pile's frames recorded them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from evcs.contracts.envelope import Receipt
from evcs.contracts.times import to_ms
from evcs.contracts.topics import Topic

P = TypeVar("P")

STATION = "HZ-001"
TRANSFORMER = "HZ-001-T1"
PILE = "32010600019236"
GUN = 1
BRIDGE = "b1"
TARIFF = "HZ-001-2026-11"
MODEL_NO = "0200"
SERIAL = "32010600019236012411241608120001"
"""As the recorded pile wrote it; ours begin the same way: pile, gun, time, counter."""
NEIGHBOUR = "32010600019236022411241610050002"
"""The order of gun 2."""
CARD = "00000000D14B0A54"
PRINTED_CARD = "0000001000000573"
VIN = "LGXC14AA5M0123456"
REQUEST = "83cf9918136d413abcdb798a3ea00e84"
LINK = "1a20e5b7c10-1"
CARD_REQUEST = "gun_event-af19e63fe7796f368320de7f"


def at(hour: int, minute: int, second: int = 0, ms: int = 0) -> datetime:
    """A time of 24 November 2026, UTC; Beijing is eight hours ahead."""
    return datetime(2026, 11, 24, hour, minute, second, ms * 1000, tzinfo=UTC)


STARTED_MS = to_ms(at(0, 0, 3, 120))
"""The bridge's start."""
LOGIN_MS = to_ms(at(7, 58, 41, 40))


def receipt(n: int) -> Receipt:
    """Number `n` of its leaf in the bridge's present run."""
    return Receipt(bridge=BRIDGE, started_ms=STARTED_MS, n=n)


@dataclass(frozen=True, slots=True, eq=False)
class Example(Generic[P]):
    """A message as it stands on the broker: where, what, and what it tells."""

    topic: Topic[P]
    name: str
    """Unique within its topic."""
    address: str
    """The topic's string."""
    payload: P
    zh: str
    en: str


def of_bridge(topic: Topic[P], name: str, payload: P, zh: str, en: str) -> Example[P]:
    """An example under `B`."""
    return Example(topic, name, topic.at(bridge=BRIDGE), payload, zh, en)


def of_pile(topic: Topic[P], name: str, payload: P, zh: str, en: str) -> Example[P]:
    """An example under `P`."""
    return Example(topic, name, topic.at(station=STATION, pile=PILE), payload, zh, en)


def of_gun(topic: Topic[P], name: str, payload: P, zh: str, en: str) -> Example[P]:
    """An example under `G`."""
    return Example(topic, name, topic.at(station=STATION, pile=PILE, gun=GUN), payload, zh, en)


def of_transformer(topic: Topic[P], name: str, payload: P, zh: str, en: str) -> Example[P]:
    """An example under `T`."""
    return Example(topic, name, topic.at(station=STATION, transformer=TRANSFORMER), payload, zh, en)
