"""Cars at the guns: plugged and pulled by hand, or coming, starting and leaving by themselves."""

from bridge.protocols.ykc.codes import PLUG_PULLED, StartFailure, StartKind
from bridge.simulator.arrivals import Visit, draw_visit
from bridge.simulator.card_starts import CardStarts
from bridge.simulator.charging import Charging
from bridge.simulator.core import Core
from bridge.simulator.ground_locks import GroundLocks
from bridge.simulator.gun import Car, Gun, Phase
from bridge.simulator.reports import Reports
from bridge.simulator.starts import RemoteStarts

NOT_CONNECTED = 0x4B
LOOK_AGAIN_MS = 60_000


class Cars:
    """Who stands where, and for how long."""

    def __init__(
        self,
        core: Core,
        reports: Reports,
        charging: Charging,
        starts: RemoteStarts,
        card_starts: CardStarts,
        locks: GroundLocks,
    ) -> None:
        self._core = core
        self._reports = reports
        self._charging = charging
        self._starts = starts
        self._card_starts = card_starts
        self._locks = locks
        self._linger_ms: dict[int, int] = {}
        self._second: dict[int, int] = {}
        """First gun → second gun of a car that takes two."""
        core.on_ended.append(self._ended)

    def begin(self, now_ms: int) -> None:
        """From here cars arrive, if the options let them."""
        if self._core.options.arrivals_per_hour > 0:
            for gun in self._core.guns.values():
                self._expect(gun, now_ms, first=True)

    def plug(self, gun: Gun, car: Car, now_ms: int) -> None:
        """A car is plugged in."""
        gun.car, gun.shown = car, ""
        self._locks.occupied(gun, now_ms)
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
        self._card_starts.unplugged(gun)
        gun.car = None
        self._reports.report(gun, now_ms)
        self._locks.left(gun, now_ms)

    def _expect(self, gun: Gun, now_ms: int, *, first: bool = False) -> None:
        visit = draw_visit(gun.dice, self._core.options, first=first)
        self._core.timers.set(("arrive", gun.number), now_ms + visit.gap_ms, lambda at: self._arrive(gun, visit, at))

    def _arrive(self, gun: Gun, visit: Visit, now_ms: int) -> None:
        if gun.car is not None:  # somebody plugged by hand meanwhile, or a car took two
            self._expect(gun, now_ms)
            return
        guns = [gun]
        second = self._free_beside(gun) if visit.takes_two else None
        if second is not None:
            guns.append(second)
            self._second[gun.number] = second.number
        self._linger_ms[gun.number] = visit.linger_ms
        self._leave_after(gun, visit.patience_ms, now_ms)
        for each in guns:
            self.plug(each, visit.car, now_ms)
        if visit.kind is not StartKind.APP:
            card = visit.card if visit.kind is StartKind.CARD else None
            asked = tuple(guns)
            key, due_ms = ("swipe", gun.number), now_ms + visit.swipe_ms
            self._core.timers.set(key, due_ms, lambda at: self._card_starts.swipe(asked, card, at))

    def _free_beside(self, gun: Gun) -> Gun | None:
        if not self._core.knows_joint:
            return None
        free = (other for other in self._core.guns.values() if other is not gun and other.car is None)
        return next((other for other in free if not other.faulty), None)

    def _leave_after(self, gun: Gun, wait_ms: int, now_ms: int) -> None:
        self._core.timers.set(("leave", gun.number), now_ms + wait_ms, lambda at: self._leave(gun, at))

    def _leave(self, gun: Gun, now_ms: int) -> None:
        second = self._core.guns.get(self._second.get(gun.number, 0))
        guns = (gun,) if second is None else (gun, second)
        if any(each.session is not None for each in guns):  # patience is over, but it charges: see `_ended`
            self._leave_after(gun, LOOK_AGAIN_MS, now_ms)
            return
        self._second.pop(gun.number, None)
        for each in guns:
            self.unplug(each, now_ms)
        self._expect(gun, now_ms)

    def _ended(self, gun: Gun, now_ms: int) -> None:
        first = next((one for one, two in self._second.items() if two == gun.number), gun.number)
        if self._core.timers.holds(("leave", first)):
            self._leave_after(self._core.guns[first], self._linger_ms[first], now_ms)
