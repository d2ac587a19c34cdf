"""The last frames of a connection, both ways: what the log shows when it ends in trouble."""

from collections import deque

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
