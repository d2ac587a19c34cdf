"""The last frames of a connection, for the log; and every frame of a pile, for whoever watches it (`P/frame`)."""

from collections import deque

from bridge.moment import Moment
from bridge.voice import Voice
from evcs.contracts.pile import PileFrame
from evcs.contracts.times import Instant
from evcs.contracts.topics import PILE_FRAME

FRAMES = 16


class Trace:
    """A short memory: frame types with their direction, newest last."""

    __slots__ = ("_frames",)

    def __init__(self) -> None:
        self._frames: deque[tuple[bool, int]] = deque(maxlen=FRAMES)

    def came(self, code: int) -> None:
        self._frames.append((True, code))

    def went(self, code: int) -> None:
        self._frames.append((False, code))

    def __str__(self) -> str:
        return " ".join(f"{'<' if came else '>'}{code:02X}" for came, code in self._frames)


class FrameTrace:
    """Publishes the frames of one pile while somebody watches, over all of its links; lost ones are not repeated."""

    def __init__(self, voice: Voice) -> None:
        self._voice = voice
        self._until: Instant | None = None

    def publish_until(self, until: Instant | None) -> None:
        """Watch until then; None: no more."""
        self._until = until

    def is_on(self, now: Moment) -> bool:
        """Whether a frame of now is to be published; ends by itself."""
        if self._until is None:
            return False
        if now.at >= self._until:
            self._until = None
            return False
        return True

    def publish(self, raw: bytes, now: Moment, *, from_pile: bool, problem: str = "") -> None:
        """One whole frame; `problem`: why it did not count."""
        told = self._voice.dialect.describe(raw)
        frame = PileFrame(
            pile=self._voice.pile,
            received_at=now.at,
            from_pile=from_pile,
            frame_type=told.frame_type,
            title_zh=told.title_zh,
            title_en=told.title_en,
            fields=told.fields,
            problem=problem or told.problem,
            frame_hex=self._voice.dialect.redacted(raw).hex(),
        )
        self._voice.publish(PILE_FRAME, frame)
