"""One simulated pile: bytes | time | hand → what it sends. Pure: no socket, no clock, all chance from its seed."""

from bridge.protocols.base import Frame, FrameError
from bridge.protocols.ykc.codes import EMERGENCY_STOP, MANUAL_STOP
from bridge.protocols.ykc.messages import (
    BalanceUpdate,
    GroundLockCommand,
    HeartbeatAnswer,
    LoginAnswer,
    OfflineCardClear,
    OfflineCardQuery,
    OfflineCardSync,
    ParallelStartConfirmation,
    QrPrefix,
    ReadRealtime,
    RecordConfirmation,
    RemoteParallelStart,
    RemoteStart,
    RemoteStop,
    Restart,
    StartConfirmation,
    TariffCheckAnswer,
    TariffModel,
    TariffPush,
    TimeSync,
    Update,
    WorkParameters,
    YkcMessage,
)
from bridge.simulator.actions import Action, Received
from bridge.simulator.arrivals import draw_car
from bridge.simulator.bookkeeping import Bookkeeping
from bridge.simulator.card_starts import CardStarts
from bridge.simulator.cars import Cars
from bridge.simulator.charging import Charging
from bridge.simulator.core import Core
from bridge.simulator.flow import Flow
from bridge.simulator.ground_locks import GroundLocks
from bridge.simulator.gun import Car, Gun
from bridge.simulator.login import LoginTalk
from bridge.simulator.maintenance import Maintenance
from bridge.simulator.memory import PileMemory, recall, remember
from bridge.simulator.mishaps import Mishaps
from bridge.simulator.options import Card, PileOptions
from bridge.simulator.records import RecordBook
from bridge.simulator.reports import Reports
from bridge.simulator.starts import RemoteStarts
from bridge.simulator.troubles import Trouble, Troubles
from bridge.simulator.upkeep import Upkeep


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
        self.locks = GroundLocks(core)
        self._book = Bookkeeping(core)
        self._reports = Reports(core)
        self._login = LoginTalk(core, self._reports, self.locks)
        self._charging = Charging(core, self._reports, self._book)
        self._starts = RemoteStarts(core, self._charging, self._login)
        self._card_starts = CardStarts(core, self._charging)
        self._cars = Cars(core, self._reports, self._charging, self._starts, self._card_starts, self.locks)
        self._upkeep = Upkeep(core)
        self._maintenance = Maintenance(core, self._charging)
        self._mishaps = Mishaps(core, self._charging, self._reports)
        self._flow = Flow(core, self._charging.end)
        self._splitter = core.protocol.splitter()
        if memory is not None:
            recall(core, memory)

    # — what it is ——————————————————————————————————————————————————————————————————————————————————

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

    def memory(self, now_ms: int) -> PileMemory:
        """What survives the loss of power: registers, tariff, unconfirmed records, and running sessions as records."""
        return remember(self.core, self.core.pile_ms(now_ms))

    def due_ms(self, now_ms: int) -> int:
        """When to call `tick` next."""
        core = self.core
        due = [core.timers.next_ms(), core.records.next_ms() if core.logged_in else None]
        if any(gun.is_drawing for gun in core.guns.values()):
            due.append(now_ms + round(core.options.step_s * 2000))
        return min((at for at in due if at is not None), default=now_ms + 60_000)

    # — wire and time ———————————————————————————————————————————————————————————————————————————————

    def begin(self, now_ms: int) -> None:
        """Power on: from here cars arrive, if the options let them."""
        self.core.clock.begin(now_ms)
        self._flow.begin(now_ms)
        self._cars.begin(now_ms)

    def connected(self, now_ms: int) -> list[Action]:
        """The TCP connection stands."""
        self._splitter = self.core.protocol.splitter()
        self.core.connect()
        self._login.connected(now_ms)
        return self.tick(now_ms)

    def lost(self, now_ms: int) -> list[Action]:
        """The TCP connection is gone; what charges goes on charging."""
        self.core.disconnect()
        self._login.lost()
        self._reports.stop()
        self.locks.lost()
        return self.tick(now_ms)

    def received(self, data: bytes, now_ms: int) -> list[Action]:
        """Bytes from the platform."""
        self._advance(now_ms)
        for frame in self._splitter.feed(data):
            if self.core.is_deaf or not self.core.hears(frame):
                continue
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

    # — by hand —————————————————————————————————————————————————————————————————————————————————————

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

    def swipe(self, gun_numbers: tuple[int, ...], card: Card | None, now_ms: int) -> list[Action]:
        """A card is held to the reader for one gun, or two on one car; None: the car asks by its VIN."""
        self._advance(now_ms)
        self._card_starts.swipe(tuple(self.guns[number] for number in gun_numbers), card, now_ms)
        return self._done(now_ms)

    def press_stop(self, gun_number: int, now_ms: int) -> list[Action]:
        """The driver presses stop at the pile."""
        self._advance(now_ms)
        self._charging.stop(self.guns[gun_number], MANUAL_STOP, now_ms)
        return self._done(now_ms)

    def fail(self, gun_number: int, bits: int, now_ms: int, reason: int = EMERGENCY_STOP) -> list[Action]:
        """A hardware fault: bits into 0x13, state fault, a running session ends with `reason`."""
        self._advance(now_ms)
        self._mishaps.fail(self.guns[gun_number], bits, reason, now_ms)
        return self._done(now_ms)

    def repair(self, gun_number: int, now_ms: int) -> list[Action]:
        """The fault is gone."""
        self._advance(now_ms)
        self._mishaps.repair(self.guns[gun_number], now_ms)
        return self._done(now_ms)

    def befall(self, trouble: Trouble, gun_number: int, now_ms: int) -> list[Action]:
        """One of the troubles of a charge (`MID_CHARGE`), now."""
        self._advance(now_ms)
        self.core.troubles.happened[trouble] += 1
        self._mishaps.befall(self.guns[gun_number], trouble, now_ms)
        return self._done(now_ms)

    # — inside ——————————————————————————————————————————————————————————————————————————————————————

    def _advance(self, now_ms: int) -> None:
        self._flow.advance(now_ms)
        self.core.timers.fire(now_ms)
        self._book.send_due(now_ms)

    def _done(self, now_ms: int) -> list[Action]:
        self._book.send_due(now_ms)
        actions, self.core.actions = self.core.actions, []
        return actions

    def _understand(self, message: YkcMessage, frame: Frame, now_ms: int) -> None:
        seq = frame.seq
        if getattr(message, "pile_no", self.number) != self.number:
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
            case ReadRealtime():
                self._reports.wanted(message, seq, now_ms)
            case RecordConfirmation():
                self._book.confirmed(message, now_ms)
            case RemoteStart():
                self._starts.wanted(message, seq, now_ms)
            case RemoteParallelStart():
                self._starts.joint_wanted(message, seq, now_ms)
            case StartConfirmation() | ParallelStartConfirmation():
                self._card_starts.confirmed(message, seq, now_ms)
            case RemoteStop():
                self._charging.stop_wanted(message, seq, now_ms)
            case TimeSync():
                self._upkeep.set_clock(message, seq, now_ms)
            case WorkParameters():
                self._upkeep.set_power(message, seq, now_ms)
            case TariffPush():
                self._upkeep.set_tariff(message, seq, now_ms)
            case BalanceUpdate():
                self._upkeep.set_balance(message, seq, now_ms)
            case OfflineCardSync() | OfflineCardClear() | OfflineCardQuery():
                self._upkeep.keep_cards(message, seq, now_ms)
            case QrPrefix():
                self._upkeep.set_qr_prefix(message, seq, now_ms)
            case Restart():
                self._maintenance.restart_wanted(message, seq, now_ms)
            case Update():
                self._maintenance.update_wanted(message, seq, now_ms)
            case GroundLockCommand():
                self.locks.wanted(message, seq, now_ms)
            case _:
                pass  # answers nobody asked for, and types that a platform does not send
