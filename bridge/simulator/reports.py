"""0x13: at once on a change, every 15 s while charging, every 5 min at rest (YKC V1.6, real-time data)."""

from bridge.protocols.ykc.messages import ReadRealtime
from bridge.simulator.core import Core
from bridge.simulator.gun import Gun


class Reports:
    """The real-time data of a pile's guns."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def report(self, gun: Gun, now_ms: int, seq: bytes | None = None) -> None:
        """0x13 now; its period begins anew."""
        core, options = self._core, self._core.options
        if not core.logged_in:
            return
        core.send(gun.realtime(now_ms), seq)
        if gun.is_drawing:
            period_s = max(0.5, options.report_s / options.speed)
        else:
            period_s = max(5.0, options.idle_report_s / options.speed)
        core.after(("report", gun.number), period_s, now_ms, lambda at: self.report(gun, at))

    def wanted(self, message: ReadRealtime, seq: bytes, now_ms: int) -> None:
        """0x12: the answer repeats its sequence number."""
        gun = self._core.gun_of(message.gun_no)
        if gun is not None:
            self.report(gun, now_ms, seq)

    def stop(self) -> None:
        """The link is gone."""
        for gun in self._core.guns:
            self._core.timers.cancel(("report", gun))
