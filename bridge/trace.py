"""The last frames of a connection, for the log; and every frame of a pile, for whoever watches it (`P/frame`)."""

from bridge.moment import Moment
from bridge.voice import Voice
from evcs.contracts.pile import PileFrame
from evcs.contracts.times import Instant
from evcs.contracts.topics import PILE_FRAME

FRAMES = 16
_CAME = tuple(bytes((1, code)) for code in range(256))
_WENT = tuple(bytes((0, code)) for code in range(256))


class Trace:
    """A short memory: frame types with their direction, newest last; two bytes each, as every connection has one."""

    __slots__ = ("_frames",)

    def __init__(self) -> None:
        self._frames = b""

    def came(self, code: int) -> None:
        self._frames = (self._frames + _CAME[code])[-2 * FRAMES :]

    def went(self, code: int) -> None:
        self._frames = (self._frames + _WENT[code])[-2 * FRAMES :]

    def __str__(self) -> str:
        pairs = zip(self._frames[::2], self._frames[1::2], strict=True)
        return " ".join(f"{'<' if came else '>'}{code:02X}" for came, code in pairs)


class FrameTrace:
    """Publishes the frames of one pile while somebody watches, over all of its links; lost ones are not repeated."""

    __slots__ = (
        "_until",
        "_voice",
    )

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
