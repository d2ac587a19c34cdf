"""The clock on a pile's wall: off and drifting until 0x56 sets it (YKC V1.6, time sync). Pure."""


class PileClock:
    """Times in milliseconds; `ppm` is how much too fast it runs, also after it was set."""

    def __init__(self, offset_ms: int = 0, ppm: float = 0.0) -> None:
        self.offset_ms = offset_ms
        self._ppm = ppm
        self._since_ms: int | None = None

    def begin(self, now_ms: int) -> None:
        """Power on."""
        self._since_ms = now_ms

    def at(self, now_ms: int) -> int:
        """What it shows at a true time."""
        if self._ppm == 0 or self._since_ms is None:
            return now_ms + self.offset_ms
        return now_ms + self.offset_ms + round((now_ms - self._since_ms) * self._ppm / 1_000_000)

    def set(self, to_ms: int, now_ms: int) -> None:
        """0x56: from here it shows this, and drifts on."""
        self.offset_ms, self._since_ms = to_ms - now_ms, now_ms
