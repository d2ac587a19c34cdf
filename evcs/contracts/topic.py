"""One row of the table of topics: its string, its subscriptions, its checked payload."""

import re
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from evcs.contracts.envelope import Decoder, encode
from evcs.contracts.ids import is_level, shard_of

P = TypeVar("P")

_FIELD = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Address:
    """The levels that a topic's string names; what the topic does not have is empty (gun: 0)."""

    shard: str = ""
    station: str = ""
    pile: str = ""
    gun: int = 0
    transformer: str = ""
    bridge: str = ""
    name: str = ""
    instance: str = ""
    alarm: str = ""
    serial: str = ""
    version: str = ""
    protocol: str = ""


class TopicError(ValueError):
    """A topic string that is not of its topic, or a level that may not stand in one."""


@dataclass(frozen=True, slots=True, eq=False)
class Topic(Generic[P]):
    """One row of the table: one right, one payload type."""

    leaf: str
    """Short name, unique in the table."""
    pattern: str
    payload: type[P]
    by: tuple[str, ...]
    to: tuple[str, ...]
    decoder: Decoder
    qos: int = 1
    retained: bool = False
    title: str = ""
    """What it is for, in English."""
    zh: str = ""
    """The same in Chinese."""
    last_will: bool = False
    """The broker publishes its last message when the publisher's connection breaks."""

    @property
    def levels(self) -> tuple[str, ...]:
        """The names of the levels that vary, from left to right."""
        return tuple(_FIELD.findall(self.pattern))

    def at(self, **levels: str | int) -> str:
        """The topic's string; the shard is computed from `station` and need not be given.

        Raises TopicError for a level that is missing or may not stand in a topic.
        """
        if "station" in levels and "shard" not in levels:
            levels["shard"] = shard_of(str(levels["station"]))
        try:
            text = {name: str(levels[name]) for name in self.levels}
        except KeyError as missing:
            raise TopicError(f"{self.leaf}: level {missing} is missing") from missing
        for name, level in text.items():
            if not is_level(level):
                raise TopicError(f"{self.leaf}: {level!r} may not stand as {name}")
        return self.pattern.format(**text)

    @property
    def everywhere(self) -> str:
        """The subscription to all of them."""
        return _FIELD.sub("+", self.pattern)

    def in_shard(self, shard: str) -> str:
        """The subscription to one shard; only for topics under a station."""
        return _FIELD.sub("+", self.pattern.replace("{shard}", shard))

    def subscriptions(self, owner: int, owners: int) -> tuple[str, ...]:
        """What owner n of m subscribes to: all where it is the only one, else one per shard of its own."""
        if owners == 1 or "{shard}" not in self.pattern:
            return (self.everywhere,)
        return tuple(self.in_shard(f"{shard:02x}") for shard in range(64) if shard % owners + 1 == owner)

    def parse(self, topic: str) -> Address | None:
        """The levels of a string of this topic, or None where it is of another."""
        want = self.pattern.split("/")
        have = topic.split("/")
        if len(want) != len(have):
            return None
        found: dict[str, Any] = {}
        for pattern, level in zip(want, have, strict=True):
            if pattern.startswith("{"):
                name = pattern[1:-1]
                if name == "gun":
                    if not level.isdigit() or level.startswith("0"):
                        return None
                    found[name] = int(level)
                else:
                    found[name] = level
            elif pattern != level:
                return None
        return Address(**found)

    def encode(self, payload: P) -> bytes:
        """JSON bytes of a payload of this topic."""
        return encode(cast(Any, payload))

    def decode(self, raw: bytes) -> P:
        """The checked payload; raises ContractError."""
        return cast(P, self.decoder(raw))
