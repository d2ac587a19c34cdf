"""0x34 and 0xA4: what a pile makes of a remote start (YKC V1.6, remote start and parallel charging).

A plug may come within 60 s of a 0x34; the guns of a joint charge must all be plugged and asked for together.
"""

from bridge.protocols.ykc.codes import GunRole, StartFailure
from bridge.protocols.ykc.messages import RemoteParallelStart, RemoteStart
from bridge.simulator.charging import Charging
from bridge.simulator.core import Core
from bridge.simulator.gun import AskedBy, Gun, Seat, StartOrder
from bridge.simulator.login import LoginTalk
from bridge.simulator.troubles import Trouble

JOINT_GUNS = 2

Waiting = tuple[str, StartOrder]
"""Gun digits on the wire, and what was asked for."""


class RemoteStarts:
    """Starts from the platform."""

    def __init__(self, core: Core, charging: Charging, login: LoginTalk) -> None:
        self._core = core
        self._charging = charging
        self._login = login
        self._waiting: dict[int, StartOrder] = {}
        self._joint: dict[str, list[Waiting]] = {}

    def wanted(self, start: RemoteStart, seq: bytes, now_ms: int) -> None:
        """0x34: a plugged gun begins its start sequence; else the refusal goes out at once."""
        core = self._core
        if core.troubles.happens(Trouble.SILENT_STARTS):
            return
        order = StartOrder(start.trade_no, int(start.balance * 10_000), card=start.physical_card, seq=seq)
        gun = core.gun_of(start.gun_no)
        failure = self._obstacle(gun, order)
        if gun is None or failure is not StartFailure.NONE:
            self._charging.refuse(start.gun_no, order, failure, now_ms)
            if core.model is None:
                self._login.fetch_tariff(now_ms)
            if gun is not None and failure is StartFailure.NOT_PLUGGED:
                number = gun.number
                self._waiting[number] = order
                core.after(("window", number), core.options.plug_window_s, now_ms, lambda _: self._forget(number))
            return
        self._forget(gun.number)
        self._charging.accept([(gun, order)], now_ms)

    def plugged(self, gun: Gun, now_ms: int) -> bool:
        """A plug came: whether a start was waiting for it."""
        order = self._waiting.get(gun.number)
        if order is None:
            return False
        self._forget(gun.number)
        self._charging.accept([(gun, order)], now_ms)
        return True

    def joint_wanted(self, start: RemoteParallelStart, seq: bytes, now_ms: int) -> None:
        """0xA4, one for each gun: when both have come, both start or both are refused."""
        core = self._core
        if not core.knows_joint or core.troubles.happens(Trouble.SILENT_STARTS):
            return
        number = start.parallel_no
        asked = self._joint.setdefault(number, [])
        if any(order.trade_no == start.trade_no for _, order in asked):
            return
        order = StartOrder(
            start.trade_no,
            int(start.balance * 10_000),
            card=start.physical_card,
            asked_by=AskedBy.PLATFORM_JOINT,
            seq=seq,
            seat=Seat(number, GunRole.AUXILIARY if asked else GunRole.MAIN),
        )
        asked.append((start.gun_no, order))
        if len(asked) < JOINT_GUNS:
            core.after(("joint", number), core.options.joint_wait_s, now_ms, lambda at: self._joint_alone(number, at))
            return
        core.timers.cancel(("joint", number))
        del self._joint[number]
        self._joint_begins(asked, now_ms)

    def _joint_begins(self, asked: list[Waiting], now_ms: int) -> None:
        guns: list[tuple[Gun, StartOrder]] = []
        for digits, order in asked:
            gun = self._core.gun_of(digits)
            failure = self._obstacle(gun, order)
            if gun is None or failure is not StartFailure.NONE:
                self._joint_refused(asked, failure, now_ms)
                return
            guns.append((gun, order))
        if guns[0][0] is guns[1][0]:
            self._joint_refused(asked, StartFailure.DEVICE_FAULT, now_ms)
            return
        self._charging.accept(guns, now_ms)

    def _joint_alone(self, number: str, now_ms: int) -> None:
        """The other gun was never asked for."""
        self._joint_refused(self._joint.pop(number, []), StartFailure.DEVICE_FAULT, now_ms)

    def _joint_refused(self, asked: list[Waiting], failure: StartFailure, now_ms: int) -> None:
        for digits, order in asked:
            self._charging.refuse(digits, order, failure, now_ms)

    def _obstacle(self, gun: Gun | None, order: StartOrder) -> StartFailure:
        core = self._core
        if gun is None or core.model is None or gun.faulty or core.disabled or core.has_executed(order.trade_no):
            return StartFailure.DEVICE_FAULT
        if gun.session is not None:
            return StartFailure.ALREADY_CHARGING
        return StartFailure.NONE if gun.is_plugged else StartFailure.NOT_PLUGGED

    def _forget(self, gun_number: int) -> None:
        self._waiting.pop(gun_number, None)
        self._core.timers.cancel(("window", gun_number))
