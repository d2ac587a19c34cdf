"""Pure: what the parking locks of one pile report → `G/event` (YKC 0x61: at once on a change, else every 5 min)."""

from bridge.moment import Moment
from bridge.voice import Voice
from bridge.words import GroundLockSaid
from evcs.contracts.gun import GroundLock, GunEvent, GunEventKind
from evcs.contracts.topics import GUN_EVENT


class GroundLocks:
    """The last report of each lock: one that says nothing new is no event."""

    __slots__ = (
        "_last",
        "_voice",
    )

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._last: dict[int, GroundLock] = {}

    def logged_in(self) -> None:
        """Whoever reads may have missed something: the first report of a login is told in any case."""
        self._last.clear()

    def said(self, said: GroundLockSaid, raw: bytes, now: Moment) -> None:
        """0x61."""
        if self._last.get(said.gun) == said.lock:
            return
        self._last[said.gun] = said.lock
        receipt = self._voice.receipt(GUN_EVENT)
        event = GunEvent(
            id=self._voice.message_id(GUN_EVENT, receipt),
            receipt=receipt,
            kind=GunEventKind.GROUND_LOCK,
            received_at=now.at,
            link=self._voice.link,
            ground_lock=said.lock,
            frame_hex=raw.hex(),
        )
        self._voice.publish(GUN_EVENT, event, said.gun)
