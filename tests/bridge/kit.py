"""What the bridge's tests share: configurations, commands, and the frames of a pile by hand."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from bridge.actions import Action, Close, CloseReason, Note, Publish, Send, Took
from bridge.fleet import Fleet
from bridge.link import Link
from bridge.moment import Moment
from bridge.pile import Pile
from bridge.protocols.base import UnknownFrame
from bridge.protocols.ykc import messages as ykc
from bridge.protocols.ykc.codes import GunHome, GunState, Network, Outcome, PileType, StartFailure, StopFailure
from bridge.protocols.ykc.protocol import Ykc
from bridge.protocols.ykc.translate import YkcDialect
from bridge.tally import Tally
from bridge.voice import BridgeRun
from bridge.words import LoginSaid
from evcs.contracts.config import BandPrice, GunConfig, Lockout, PileConfig, TariffRef, TariffTable
from evcs.contracts.gun import Start, Stop
from evcs.contracts.ids import shard_of
from evcs.contracts.pile import PowerAllowance
from evcs.contracts.reasons import Reason
from evcs.contracts.states import TariffBand
from evcs.contracts.topics import TABLE, Topic
from evcs.runtime.clock import ManualClock

M = TypeVar("M", bound=ykc.YkcMessage)

PILE = "55031412000001"
STATION = "HZ001"
SERIAL = PILE + "01" + "260302120000" + "0001"
OTHER_SERIAL = PILE + "01" + "260302130000" + "0002"
NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
"""12:00 in Beijing."""
V1 = TariffRef(version="hz-1", model_no="0001")
V2 = TariffRef(version="hz-2", model_no="0002")


def table(ref: TariffRef = V1, slots: tuple[TariffBand, ...] = (TariffBand.FLAT,) * 48) -> TariffTable:
    """A tariff with all four bands."""
    return TariffTable(
        version=1,
        tariff_version=ref.version,
        model_no=ref.model_no,
        prices=tuple(
            BandPrice(band=band, energy_price_e5=100_000 - 10_000 * place, service_price_e5=40_000)
            for place, band in enumerate((TariffBand.SHARP, TariffBand.PEAK, TariffBand.FLAT, TariffBand.VALLEY))
        ),
        slots=slots,
    )


def pile_config(
    number: str = PILE,
    *,
    version: int = 1,
    guns: int = 2,
    kind: str = "dc",
    wanted: TariffRef | None = V1,
    confirmed: TariffRef | None = None,
    delivered: tuple[TariffRef, ...] = (),
    networks: tuple[str, ...] = ("127.0.0.0/8",),
    lockout: Lockout | None = None,
    gun_lockout: Lockout | None = None,
    station: str = STATION,
) -> PileConfig:
    """A pile of 120 kW."""
    return PileConfig(
        version=version,
        pile=number,
        station=station,
        shard=shard_of(station),
        kind=kind,
        rated_kw=120.0,
        guns=tuple(
            GunConfig(gun=gun, rated_kw=120.0, lockout=gun_lockout if gun == 1 else None) for gun in range(1, guns + 1)
        ),
        wanted_tariff=wanted,
        confirmed_tariff=confirmed,
        delivered_models=delivered,
        number_only_networks=networks,
        lockout=lockout,
    )


def locked_out(until: datetime | None = None) -> Lockout:
    return Lockout(who="王工", why="检修", since=NOON, until=until)


class Desk:
    """A fleet under a clock of one's own with one connection, and everything that it wants done, by kind."""

    def __init__(self, config: PileConfig | None = None, *, tariff: TariffTable | None = None) -> None:
        self.clock = ManualClock(NOON)
        self.tally = Tally()
        self.published: list[Publish] = []
        self.forgotten: list[str] = []
        self.cleared: list[str] = []
        self.notes: list[Note] = []
        self.fleet = Fleet(BridgeRun("b1", self.clock.now_ms()), {"ykc": YkcDialect()}, self, self.tally)
        self.config = config or pile_config()
        self.fleet.tariff(tariff or table(), self.now)
        self.fleet.configured(self.config, self.now)
        self.wire = Wire(self)

    # --- the outlet's side

    def send(self, message: Publish) -> None:
        self.published.append(message)

    def forget(self, topics: Iterable[str]) -> None:
        self.forgotten += topics

    def clear(self, topics: Iterable[str]) -> None:
        self.cleared += topics

    # --- the test's side

    @property
    def now(self) -> Moment:
        return Moment(self.clock.now_ms(), self.clock.monotonic())

    @property
    def pile(self) -> Pile:
        return self.fleet.piles[self.config.pile]

    def of(self, topic: Topic[Any], gun: int | None = None) -> list[Any]:
        """Everything published on a topic, decoded, oldest first."""
        found = []
        for message in self.published:
            address = topic.parse(message.topic)
            if address is not None and (gun is None or address.gun == gun):
                found.append(topic.decode(message.payload))
        return found

    def last(self, topic: Topic[Any], gun: int | None = None) -> Any:
        found = self.of(topic, gun)
        assert found, f"nothing on {topic.leaf}; there was {[leaf_of(message.topic) for message in self.published]}"
        return found[-1]

    def wait(self, seconds: float, step: float = 0.5) -> None:
        """Let time pass as the listener does; the pile says nothing meanwhile."""
        left = seconds
        while left > 0:
            self.clock.advance(min(step, left))
            left -= step
            self.wire.tick()
            self.fleet.tick(self.now)

    def keep_alive(self, seconds: float) -> None:
        """Let time pass with a heartbeat every 10 s."""
        left = seconds
        while left > 0:
            self.wait(min(10.0, left))
            left -= 10.0
            if self.wire.link.is_logged_in:
                self.wire.say(heartbeat())

    def log_in(self, guns: int = 2) -> None:
        """The usual beginning: login, tariff, clock."""
        self.wire.say(login(guns=guns))
        self.wire.say(ykc.TariffCheckRequest(pile_no=self.config.pile, model_no="0000"))
        self.wire.say(ykc.TariffRequest(pile_no=self.config.pile))

    def ready(self) -> "Desk":
        """Logged in with a tariff, a car plugged at gun 1, nothing at gun 2, what came so far forgotten."""
        self.log_in()
        self.wire.say(realtime(1, plugged=1))
        self.wire.say(realtime(2))
        self.forget_all()
        return self

    def forget_all(self) -> None:
        self.published.clear()
        self.wire.sent.clear()
        self.notes.clear()

    def start(self, command: Start, gun: int = 1) -> None:
        self.fleet.start(self.config.pile, gun, command, self.now)

    def stop(self, command: Stop, gun: int = 1) -> None:
        self.fleet.stop(self.config.pile, gun, command, self.now)

    def power(self, command: PowerAllowance) -> None:
        self.fleet.power(self.config.pile, command, self.now)

    def start_command(
        self,
        command_id: str = "start-1",
        serial: str = SERIAL,
        *,
        allowance_kw: float | None = None,
        tariff: str = "hz-1",
        link: str | None = None,
        bridge: str = "b1",
        expires_in_s: float = 20.0,
    ) -> Start:
        return Start(
            id=command_id,
            bridge=bridge,
            link=self.pile.link if link is None else link,
            serial=serial,
            balance_fen=5_000,
            allowance_kw=allowance_kw,
            tariff_version=tariff,
            expires_at=self.clock.now() + timedelta(seconds=expires_in_s),
        )

    def stop_command(
        self, command_id: str = "stop-1", serial: str | None = SERIAL, *, expires_in_s: float = 30.0
    ) -> Stop:
        return Stop(
            id=command_id,
            bridge="b1",
            link=self.pile.link,
            serial=serial,
            why=Reason.STOPPED_BY_PERSON,
            expires_at=self.clock.now() + timedelta(seconds=expires_in_s),
        )

    def power_command(self, allowance_kw: float, command_id: str = "power-1") -> PowerAllowance:
        return PowerAllowance(
            id=command_id,
            bridge="b1",
            link=self.pile.link,
            allowance_kw=allowance_kw,
            expires_at=self.clock.now() + timedelta(seconds=30),
        )


class Wire:
    """One connection without a socket: the fleet's view of it, and the pile's end."""

    def __init__(self, desk: Desk, address: str = "127.0.0.1") -> None:
        self.desk = desk
        self.link = Link(YkcDialect(), desk.fleet.gate, address, desk.tally, desk.now)
        self.sent: list[ykc.YkcMessage] = []
        self.frames: list[bytes] = []
        self.closed: str | None = None
        self._seq = 0
        self._splitter = Ykc().splitter()

    def act(self, actions: Iterable[Action]) -> None:
        for action in actions:
            self._do(action)

    def _do(self, action: Action) -> None:
        match action:
            case Send(frame):
                self.frames.append(frame)
                for one in self._splitter.feed(frame):
                    message = Ykc().decode(one)
                    assert not isinstance(message, UnknownFrame)
                    self.sent.append(message)
            case Publish():
                self.desk.send(action)
            case Note():
                self.desk.notes.append(action)
            case Close(reason):
                self.end(reason)
            case Took(pile):
                self.desk.fleet.took(pile, self)

    def end(self, reason: CloseReason) -> None:
        self.closed = str(reason)

    def say(self, message: ykc.YkcMessage, seq: int | bytes | None = None) -> None:
        """The pile sends a frame."""
        self._seq += 1
        self.raw(Ykc().encode(message, self._seq if seq is None else seq))

    def raw(self, data: bytes) -> None:
        self.act(self.link.received(data, self.desk.now))

    def tick(self) -> None:
        if self.closed is None:
            self.act(self.link.tick(self.desk.now))

    def cut(self) -> None:
        """The socket is gone."""
        self.closed = "cut"
        self.desk.fleet.gone(self, "peer", self.desk.now)

    def told(self, kind: type[M]) -> list[M]:
        return [message for message in self.sent if isinstance(message, kind)]

    def answer_cap(self, ok: bool = True) -> None:
        """0x51 to the newest 0x52."""
        frame = next(frame for frame in reversed(self.frames) if frame[5] == 0x52)
        result = Outcome.OK if ok else Outcome.FAILED
        self.say(ykc.WorkParametersAnswer(pile_no=self.desk.config.pile, result=result), frame[2:4])


def leaf_of(topic: str) -> str:
    return next(one.leaf for one in TABLE if one.parse(topic) is not None)


def login(number: str = PILE, guns: int = 2) -> ykc.Login:
    return ykc.Login(
        pile_no=number,
        pile_type=PileType.DC,
        gun_count=guns,
        protocol_version=0x10,
        software_version="EV1.0",
        network=Network.LAN,
        sim="0" * 20,
        operator=4,
    )


def login_said(number: str = PILE, guns: int = 2) -> LoginSaid:
    return LoginSaid(number, "dc", guns, "ykc1.6", "EV1.0")


def heartbeat(number: str = PILE, gun: int = 1) -> ykc.Heartbeat:
    return ykc.Heartbeat(pile_no=number, gun_no=ykc.gun_no(gun), gun_state=0)


def realtime(
    gun: int = 1,
    state: GunState | int = GunState.IDLE,
    *,
    number: str = PILE,
    serial: str = ykc.NO_TRADE,
    plugged: int = 0,
    kwh: str = "0",
    voltage: str = "0",
    current: str = "0",
    soc: int = 0,
    cable_temp: int = -50,
    battery_temp: int = -50,
    amount: str = "0",
    fault_bits: int = 0,
) -> ykc.RealtimeData:
    return ykc.RealtimeData(
        trade_no=serial,
        pile_no=number,
        gun_no=ykc.gun_no(gun),
        state=state,
        gun_home=GunHome.HOME,
        plugged=plugged,
        voltage=Decimal(voltage),
        current=Decimal(current),
        cable_temp=cable_temp,
        cable_code="0" * 16,
        soc=soc,
        battery_temp_max=battery_temp,
        charged_min=0,
        remain_min=0,
        kwh=Decimal(kwh),
        kwh_loss=Decimal(kwh),
        amount=Decimal(amount),
        fault_bits=fault_bits,
    )


def charging(serial: str = SERIAL, kwh: str = "1.2345", **other: Any) -> ykc.RealtimeData:
    """A charging frame of gun 1: 400 V, 100 A."""
    values: dict[str, Any] = {
        "voltage": "400.0",
        "current": "100.0",
        "soc": 40,
        "cable_temp": 31,
        "battery_temp": 28,
        "amount": "1.23",
    }
    return realtime(1, GunState.CHARGING, serial=serial, plugged=1, kwh=kwh, **{**values, **other})


def start_answer(
    serial: str = SERIAL, *, ok: bool = True, why: StartFailure | int = StartFailure.NONE, gun: int = 1
) -> ykc.RemoteStartAnswer:
    return ykc.RemoteStartAnswer(
        trade_no=serial,
        pile_no=PILE,
        gun_no=ykc.gun_no(gun),
        result=Outcome.OK if ok else Outcome.FAILED,
        fail_reason=why,
    )


def stop_answer(*, ok: bool = True, why: StopFailure | int = StopFailure.NONE, gun: int = 1) -> ykc.RemoteStopAnswer:
    return ykc.RemoteStopAnswer(
        pile_no=PILE, gun_no=ykc.gun_no(gun), result=Outcome.OK if ok else Outcome.FAILED, fail_reason=why
    )


def record(serial: str = SERIAL, kwh: str = "9.8765", *, stop: int = 0x40, gun: int = 1) -> ykc.TransactionRecord:
    """A record with everything in the flat band."""
    none, energy = Decimal(0), Decimal(kwh)
    return ykc.TransactionRecord(
        trade_no=serial,
        pile_no=PILE,
        gun_no=ykc.gun_no(gun),
        start_time=NOON,
        end_time=NOON + timedelta(minutes=30),
        sharp_price=none,
        sharp_kwh=none,
        sharp_kwh_loss=none,
        sharp_amount=none,
        peak_price=none,
        peak_kwh=none,
        peak_kwh_loss=none,
        peak_amount=none,
        flat_price=Decimal("1.20000"),
        flat_kwh=energy,
        flat_kwh_loss=energy,
        flat_amount=Decimal("11.8518"),
        valley_price=none,
        valley_kwh=none,
        valley_kwh_loss=none,
        valley_amount=none,
        meter_start=Decimal("100.0000"),
        meter_end=Decimal("100.0000") + energy,
        total_kwh=energy,
        total_kwh_loss=energy,
        total_amount=Decimal("11.8518"),
        vin="LSVAU2180N2183294",
        trade_flag=1,
        trade_time=NOON + timedelta(minutes=30),
        stop_reason=stop,
        physical_card="0" * 16,
    )
