"""0x13, with 0x23 and 0x25 where a DC pile charges: at once on a change, every 15 s in a charge, every 5 min at rest.

Source: YKC V1.6, real-time data and BMS frames.
"""

from bridge.protocols.ykc.messages import ReadRealtime
from bridge.simulator import bms
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
        if gun.session is not None and gun.car is not None and bms.is_told(gun):
            sign = options.is_demand_negative
            for message in bms.meanwhile(gun, gun.session, gun.car, now_ms, is_negative=sign):
                core.send(message)
        if gun.is_drawing:
            period_s = max(0.5, options.report_s / options.speed)
        else:
            period_s = max(5.0, options.idle_report_s / options.speed)
        core.after(("report", gun.number), period_s, now_ms, lambda at: self.report(gun, at))

    def began(self, gun: Gun, now_ms: int) -> None:
        """Current flows: 0x15 and 0x17 of a DC pile, then the first data, all in a row."""
        if self._core.logged_in and gun.session is not None and gun.car is not None and bms.is_told(gun):
            for message in bms.beginning(gun, gun.session, gun.car):
                self._core.send(message)
        self.report(gun, now_ms)

    def ending(self, gun: Gun, reason: int, now_ms: int) -> None:
        """0x19, 0x1B, 0x1D and 0x21 of a DC charge whose current is about to be cut."""
        if self._core.logged_in and gun.session is not None and gun.car is not None and bms.is_told(gun):
            for message in bms.ending(gun, gun.session, gun.car, reason, now_ms):
                self._core.send(message)

    def wanted(self, message: ReadRealtime, seq: bytes, now_ms: int) -> None:
        """0x12: the answer repeats its sequence number."""
        gun = self._core.gun_of(message.gun_no)
        if gun is not None:
            self.report(gun, now_ms, self._core.echoed(seq))

    def stop(self) -> None:
        """The link is gone."""
        for gun in self._core.guns:
            self._core.timers.cancel(("report", gun))
