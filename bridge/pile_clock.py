"""Pure: a pile's clock: set after each login and daily, its error flagged (YKC 0x56, 0x55; promise P6)."""

from bridge.moment import Moment
from bridge.pile_level import PileLevel
from bridge.pile_voice import PileVoice
from bridge.words import ClockSaid, ClockSet
from evcs.contracts.pile import PileEventKind

CLOCK_WRONG_S = 60.0
"""From this error on a pile is flagged, and its charges are billed by marks (domain 4.2)."""
CLOCK_EVERY_S = 86_400.0
"""YKC V1.6 §6: daily, besides after each login."""


class PileClock:
    """What is known of the clock on one pile's wall."""

    __slots__ = (
        "_level",
        "_next",
        "_says",
    )

    def __init__(self, says: PileVoice, level: PileLevel) -> None:
        self._says = says
        self._level = level
        self._next = 0.0

    @property
    def offset_s(self) -> float | None:
        """Pile clock minus receive time at its last word, s."""
        return self._level.clock_offset_s

    def setting(self, now: Moment) -> ClockSet:
        """What to tell it now; the next time is a day later."""
        self._next = now.mono + CLOCK_EVERY_S
        return ClockSet(self._says.pile, now.at)

    def set(self, now: Moment) -> None:
        """Tell it the time."""
        self._says.voice.tell(self.setting(now))

    def said(self, said: ClockSaid, raw: bytes, now: Moment) -> None:
        """0x55: the pile's time after the setting."""
        if said.time is None:
            return
        offset_s = round((said.time - now.at).total_seconds(), 3)
        before = self._level.clock_offset_s
        self._level.clock_offset_s = offset_s
        if before is None or abs(offset_s - before) > 1:
            self._level.publish(now)
        if abs(offset_s) > CLOCK_WRONG_S:
            self._says.event(PileEventKind.CLOCK_WRONG, now, clock_offset_s=offset_s, frame_hex=raw.hex())

    def tick(self, now: Moment) -> None:
        """Only while the pile is online."""
        if now.mono >= self._next:
            self.set(now)
