"""One simulated pile: bytes | time | hand → what it sends. Pure: no socket, no clock, all chance from its seed."""

from bridge.protocols.base import Frame, FrameError
from bridge.protocols.ykc.codes import CONTROL_SYSTEM_FAULT, EMERGENCY_STOP, MANUAL_STOP, RecordResult, StartFailure
from bridge.protocols.ykc.messages import (
    HeartbeatAnswer,
    LoginAnswer,
    ReadRealtime,
    RecordConfirmation,
    RemoteStart,
    RemoteStop,
    TariffCheckAnswer,
    TariffModel,
    TimeSync,
    WorkParameters,
    YkcMessage,
)
from bridge.simulator.actions import Action, Received
from bridge.simulator.arrivals import draw_car
from bridge.simulator.cars import Cars
from bridge.simulator.charging import Charging
from bridge.simulator.core import Core
from bridge.simulator.flow import Flow
from bridge.simulator.gun import Car, Gun, Phase
from bridge.simulator.login import LoginTalk
from bridge.simulator.memory import PileMemory, recall, remember
from bridge.simulator.options import PileOptions, Troubles
from bridge.simulator.records import RecordBook
from bridge.simulator.reports import Reports
from bridge.simulator.starts import RemoteStarts
from bridge.simulator.upkeep import Upkeep

CHARGING_TICK_MS = 500


class Pile:
    """Conversation and state of one pile. All times are milliseconds of the caller's wall clock.

    Every call returns what to do, in order. `due_ms` says when `tick` is wanted next.
    """

    def __init__(
        self,
        number: str,
        guns: int,
        seed: int,
        options: PileOptions,
        *,
        memory: PileMemory | None = None,
        troubles: Troubles | None = None,
    ) -> None:
        self.core = core = Core(number, guns, seed, options, troubles or Troubles())
        self._reports = Reports(core)
        self._login = LoginTalk(core, self._reports)
        self._charging = Charging(core, self._reports)
        self._starts = RemoteStarts(core, self._charging, self._login)
        self._cars = Cars(core, self._reports, self._charging, self._starts)
        self._upkeep = Upkeep(core)
        self._flow = Flow(core, self._charging.end)
        self._splitter = core.protocol.splitter()
        if memory is not None:
            recall(core, memory)

    # — from outside ————————————————————————————————————————————————————————————————————————————————

    @property
    def number(self) -> str:
        return self.core.number

    @property
    def guns(self) -> dict[int, Gun]:
        return self.core.guns

    @property
    def records(self) -> RecordBook:
        """What was not confirmed yet."""
        return self.core.records

    @property
    def model(self) -> TariffModel | None:
        """The tariff that it holds."""
        return self.core.model

    @property
    def logged_in(self) -> bool:
        """Whether the platform accepted the login of the present connection."""
        return self.core.logged_in

    @property
    def max_power_pct(self) -> int:
        """What 0x52 left of the rated power."""
        return self.core.max_power_pct

    def begin(self, now_ms: int) -> None:
        """Power on: from here cars arrive, if the options let them."""
        self._flow.begin(now_ms)
        self._cars.begin(now_ms)

    def connected(self, now_ms: int) -> list[Action]:
        """The TCP connection stands."""
        self._splitter = self.core.protocol.splitter()
        self.core.begin_sequence()
        self.core.connected = True
        self._login.connected(now_ms)
        return self.tick(now_ms)

    def lost(self, now_ms: int) -> list[Action]:
        """The TCP connection is gone; what charges goes on charging."""
        self.core.connected = self.core.logged_in = False
        self._login.lost()
        self._reports.stop()
        return self.tick(now_ms)

    def received(self, data: bytes, now_ms: int) -> list[Action]:
        """Bytes from the platform."""
        self._advance(now_ms)
        for frame in self._splitter.feed(data):
            try:
                message = self.core.protocol.decode(frame)
            except FrameError:
                continue  # like the piles of the field: a frame with a wrong length is dropped without a word
            self.core.actions.append(Received(message, frame.raw))
            if isinstance(message, YkcMessage):
                self._understand(message, frame, now_ms)
        return self._done(now_ms)

    def tick(self, now_ms: int) -> list[Action]:
        """Time has passed."""
        self._advance(now_ms)
        return self._done(now_ms)

    def due_ms(self, now_ms: int) -> int:
        """When to call `tick` next."""
        core = self.core
        due = [core.timers.next_ms(), core.records.next_ms() if core.logged_in else None]
        if any(gun.is_drawing for gun in core.guns.values()):
            due.append(now_ms + CHARGING_TICK_MS)
        return min((at for at in due if at is not None), default=now_ms + 60_000)

    def plug(
        self, gun_number: int, now_ms: int, *, need_kwh: float | None = None, car: Car | None = None
    ) -> list[Action]:
        """A car is plugged in by hand; a car that already stands there is replaced by nobody."""
        self._advance(now_ms)
        gun = self.guns[gun_number]
        if gun.car is None:
            self._cars.plug(gun, car or draw_car(gun.dice, self.core.options, need_kwh), now_ms)
        return self._done(now_ms)

    def unplug(self, gun_number: int, now_ms: int) -> list[Action]:
        """The plug is pulled; a running session ends at once."""
        self._advance(now_ms)
        self._cars.unplug(self.guns[gun_number], now_ms)
        return self._done(now_ms)

    def press_stop(self, gun_number: int, now_ms: int) -> list[Action]:
        """The driver presses stop at the pile."""
        self._advance(now_ms)
        self._charging.stop(self.guns[gun_number], MANUAL_STOP, now_ms)
        return self._done(now_ms)

    def fail(self, gun_number: int, bits: int, now_ms: int, reason: int = EMERGENCY_STOP) -> list[Action]:
        """A hardware fault: bits into 0x13, state fault, a running session ends with `reason`."""
        self._advance(now_ms)
        gun = self.guns[gun_number]
        gun.fault_bits, gun.faulty = bits, True
        if gun.session is None:
            self._reports.report(gun, now_ms)
        elif gun.session.phase is Phase.STARTING:
            self._charging.start_failed(gun, StartFailure.DEVICE_FAULT, CONTROL_SYSTEM_FAULT, now_ms)
        else:
            self._charging.end(gun, reason, now_ms)
        return self._done(now_ms)

    def repair(self, gun_number: int, now_ms: int) -> list[Action]:
        """The fault is gone."""
        self._advance(now_ms)
        gun = self.guns[gun_number]
        gun.fault_bits, gun.faulty = 0, False
        self._reports.report(gun, now_ms)
        return self._done(now_ms)

    def memory(self, now_ms: int) -> PileMemory:
        """What survives the loss of power: registers, tariff, unconfirmed records, and running sessions as records."""
        return remember(self.core, self.core.pile_ms(now_ms))

    # — inside ——————————————————————————————————————————————————————————————————————————————————————

    def _advance(self, now_ms: int) -> None:
        self._flow.advance(now_ms)
        self.core.timers.fire(now_ms)
        self._send_records(now_ms)

    def _done(self, now_ms: int) -> list[Action]:
        self._send_records(now_ms)
        actions, self.core.actions = self.core.actions, []
        return actions

    def _send_records(self, now_ms: int) -> None:
        core = self.core
        if not core.logged_in:
            return
        for record in core.records.take_due(now_ms):
            for _ in range(2 if core.troubles.record_twice else 1):
                core.send(record)

    def _understand(self, message: YkcMessage, frame: Frame, now_ms: int) -> None:
        core, seq = self.core, frame.seq
        if getattr(message, "pile_no", core.number) != core.number:
            return  # a pile ignores what is meant for another
        match message:
            case LoginAnswer():
                self._login.answered(message, now_ms)
            case HeartbeatAnswer():
                self._login.heard()
            case TariffCheckAnswer():
                self._login.checked(message, now_ms)
            case TariffModel():
                self._login.tariff_came(message)
            case TimeSync():
                self._upkeep.set_clock(message, seq, now_ms)
            case ReadRealtime():
                self._reports.wanted(message, seq, now_ms)
            case RemoteStart():
                self._starts.wanted(message, seq, now_ms)
            case RemoteStop():
                self._charging.stop_wanted(message, seq, now_ms)
            case WorkParameters():
                self._upkeep.set_power(message, seq, now_ms)
            case RecordConfirmation():
                if not core.troubles.ignore_confirmation:
                    core.records.confirmed(message.trade_no, stored=message.result == RecordResult.STORED)
            case _:
                pass  # answers nobody asked for, and types that a platform does not send
