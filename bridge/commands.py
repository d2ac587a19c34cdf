"""Pure: command ids seen, their expiry, and exactly one reply to each; a repetition gets the reply, never the deed."""

from collections import OrderedDict
from dataclasses import dataclass

from bridge.actions import Publish
from evcs.contracts.times import Instant

REMEMBERED = 512
"""Ids that one pile remembers at most; the oldest go first."""


@dataclass(slots=True)
class _Seen:
    reply: Publish | None = None


@dataclass(frozen=True, slots=True)
class Fresh:
    """Never seen and in time: carry it out."""


@dataclass(frozen=True, slots=True)
class Late:
    """Never seen, and its expiry is over: answer so."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """Seen before. The reply that it got goes out again; None: it is still under way and will get one."""

    reply: Publish | None


class Commands:
    """The command ids of one pile. They outlive its links: an id that comes again after a login is no new one."""

    __slots__ = (
        "_remembered",
        "_seen",
    )

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._seen: OrderedDict[str, _Seen] = OrderedDict()
        self._remembered = remembered

    def take(self, command_id: str, expires_at: Instant, at: Instant) -> Fresh | Late | Repeated:
        """Judge a command that arrives. A reply is remembered beyond the expiry: two different ones would be worse
        than a late one.
        """
        seen = self._seen.get(command_id)
        if seen is not None:
            return Repeated(seen.reply)
        self._seen[command_id] = _Seen()
        while len(self._seen) > self._remembered:
            self._seen.popitem(last=False)
        return Late() if at >= expires_at else Fresh()

    def has_reply(self, command_id: str) -> bool:
        """Whether the one reply was given."""
        seen = self._seen.get(command_id)
        return seen is not None and seen.reply is not None

    def answered(self, command_id: str, reply: Publish) -> None:
        """Keep the one reply of an id; a first one stands."""
        seen = self._seen.setdefault(command_id, _Seen())
        if seen.reply is None:
            seen.reply = reply
