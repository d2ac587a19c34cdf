"""Cars at the guns: plugged and pulled by hand, or coming and leaving by themselves."""

from bridge.protocols.ykc.codes import PLUG_PULLED, StartFailure
from bridge.simulator.arrivals import Visit, draw_visit
from bridge.simulator.charging import Charging
from bridge.simulator.core import Core
from bridge.simulator.gun import Car, Gun, Phase
from bridge.simulator.reports import Reports
from bridge.simulator.starts import RemoteStarts

NOT_CONNECTED = 0x4B


class Cars:
    """Who stands where, and for how long."""

    def __init__(self, core: Core, reports: Reports, charging: Charging, starts: RemoteStarts) -> None:
        self._core = core
        self._reports = reports
        self._charging = charging
        self._starts = starts
        self._linger_ms: dict[int, int] = {}
        core.on_ended.append(self._ended)

    def begin(self, now_ms: int) -> None:
        """From here cars arrive, if the options let them."""
        if self._core.options.arrivals_per_hour > 0:
            for gun in self._core.guns.values():
                self._expect(gun, now_ms, first=True)

    def plug(self, gun: Gun, car: Car, now_ms: int) -> None:
        """A car is plugged in."""
        gun.car = car
        self._reports.report(gun, now_ms)
        self._starts.plugged(gun, now_ms)

    def unplug(self, gun: Gun, now_ms: int) -> None:
        """The plug is pulled; a running session ends at once."""
        if gun.car is None:
            return
        session = gun.session
        if session is not None and session.phase is Phase.STARTING:
            self._charging.start_failed(gun, StartFailure.NOT_PLUGGED, NOT_CONNECTED, now_ms)
        elif session is not None:
            self._charging.end(gun, session.stop_reason or PLUG_PULLED, now_ms)
        gun.car = None
        self._reports.report(gun, now_ms)

    def _expect(self, gun: Gun, now_ms: int, *, first: bool = False) -> None:
        visit = draw_visit(gun.dice, self._core.options, first=first)
        self._core.timers.set(("arrive", gun.number), now_ms + visit.gap_ms, lambda at: self._arrive(gun, visit, at))

    def _arrive(self, gun: Gun, visit: Visit, now_ms: int) -> None:
        if gun.car is not None:  # somebody plugged by hand meanwhile
            self._expect(gun, now_ms)
            return
        self._linger_ms[gun.number] = visit.linger_ms
        self._leave_after(gun, visit.patience_ms, now_ms)
        self.plug(gun, visit.car, now_ms)

    def _leave_after(self, gun: Gun, wait_ms: int, now_ms: int) -> None:
        self._core.timers.set(("leave", gun.number), now_ms + wait_ms, lambda at: self._leave(gun, at))

    def _leave(self, gun: Gun, now_ms: int) -> None:
        if gun.session is not None:  # patience is over, but it charges: `_ended` sets the time of leaving
            self._leave_after(gun, 60_000, now_ms)
            return
        self.unplug(gun, now_ms)
        self._expect(gun, now_ms)

    def _ended(self, gun: Gun, now_ms: int) -> None:
        if self._core.timers.holds(("leave", gun.number)):
            self._leave_after(gun, self._linger_ms[gun.number], now_ms)
