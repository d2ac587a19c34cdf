"""0x34: what a pile makes of a remote start, with the plug already in or within 60 s (YKC V1.6, remote start)."""

from collections.abc import Callable

from bridge.protocols.ykc.codes import Outcome, StartFailure
from bridge.protocols.ykc.messages import RemoteStart, RemoteStartAnswer
from bridge.simulator.charging import Charging
from bridge.simulator.core import Core
from bridge.simulator.gun import Gun
from bridge.simulator.login import LoginTalk


class RemoteStarts:
    """Starts from the platform."""

    def __init__(self, core: Core, charging: Charging, login: LoginTalk) -> None:
        self._core = core
        self._charging = charging
        self._login = login
        self._waiting: dict[int, RemoteStart] = {}

    def wanted(self, start: RemoteStart, seq: bytes, now_ms: int) -> None:
        """0x34: a plugged gun begins its start sequence; else the refusal goes out at once."""
        core = self._core
        if core.troubles.silent_starts:
            return
        gun = core.gun_of(start.gun_no)
        if core.model is None:
            self._refuse(start, StartFailure.DEVICE_FAULT, seq, now_ms, then=self._login.fetch_tariff)
        elif gun is None or gun.faulty or core.disabled or start.trade_no in core.executed:
            self._refuse(start, StartFailure.DEVICE_FAULT, seq, now_ms)
        elif gun.session is not None:
            self._refuse(start, StartFailure.ALREADY_CHARGING, seq, now_ms)
        elif not gun.is_plugged:
            self._waiting[gun.number] = start
            core.after(("window", gun.number), core.options.plug_window_s, now_ms, lambda _: self._forget(gun.number))
            self._refuse(start, StartFailure.NOT_PLUGGED, seq, now_ms)
        else:
            self._forget(gun.number)
            self._charging.accept(gun, start, seq, now_ms)

    def plugged(self, gun: Gun, now_ms: int) -> bool:
        """A plug came: whether a start was waiting for it."""
        start = self._waiting.get(gun.number)
        if start is None:
            return False
        self._forget(gun.number)
        self._charging.accept(gun, start, self._core.own_seq(), now_ms)
        return True

    def _forget(self, gun_number: int) -> None:
        self._waiting.pop(gun_number, None)
        self._core.timers.cancel(("window", gun_number))

    def _refuse(
        self,
        start: RemoteStart,
        failure: StartFailure,
        seq: bytes,
        now_ms: int,
        then: Callable[[int], None] | None = None,
    ) -> None:
        answer = RemoteStartAnswer(
            trade_no=start.trade_no,
            pile_no=self._core.number,
            gun_no=start.gun_no,
            result=Outcome.FAILED,
            fail_reason=failure,
        )
        self._core.answer(answer, seq, now_ms, then)
