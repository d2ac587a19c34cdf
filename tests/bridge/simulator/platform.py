"""A tiny platform for tests: answers what a pile needs, and can command it; over a socket or by hand."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

from bridge.protocols.ykc.codes import LoginResult, Outcome, RecordResult, StartRefusal, TariffCheck, WorkPermission
from bridge.protocols.ykc.messages import (
    NO_CARD,
    FiveBandRecord,
    Heartbeat,
    HeartbeatAnswer,
    Login,
    LoginAnswer,
    ReadRealtime,
    RecordConfirmation,
    RemoteStart,
    RemoteStop,
    StartConfirmation,
    StartRequest,
    TariffCheckAnswer,
    TariffCheckRequest,
    TariffModel,
    TariffRequest,
    TimeSync,
    TransactionRecord,
    WorkParameters,
    YkcMessage,
    gun_no,
)
from bridge.protocols.ykc.protocol import Ykc

M = TypeVar("M", bound=YkcMessage)


def tariff(pile: str, model_no: str = "0007", slots: tuple[int, ...] = (2,) * 48) -> TariffModel:
    """A tariff of four prices with five decimals each."""
    price = Decimal
    return TariffModel(
        pile_no=pile,
        model_no=model_no,
        sharp_energy_price=price("1.42345"),
        sharp_service_price=price("0.40000"),
        peak_energy_price=price("1.12345"),
        peak_service_price=price("0.40000"),
        flat_energy_price=price("0.72345"),
        flat_service_price=price("0.40000"),
        valley_energy_price=price("0.32345"),
        valley_service_price=price("0.40000"),
        loss_ratio=0,
        slots=slots,
    )


def start_of(pile: str, serial: str, gun: int = 1, balance: str = "100.00") -> RemoteStart:
    """0x34 of an app start."""
    return RemoteStart(
        trade_no=serial,
        pile_no=pile,
        gun_no=gun_no(gun),
        logical_card=NO_CARD,
        physical_card=NO_CARD,
        balance=Decimal(balance),
    )


def stop_of(pile: str, gun: int = 1) -> RemoteStop:
    """0x36."""
    return RemoteStop(pile_no=pile, gun_no=gun_no(gun))


def cap_of(pile: str, percent: int, disabled: WorkPermission = WorkPermission.ALLOWED) -> WorkParameters:
    """0x52."""
    return WorkParameters(pile_no=pile, disabled=disabled, max_power_pct=percent)


def read_of(pile: str, gun: int = 1) -> ReadRealtime:
    """0x12."""
    return ReadRealtime(pile_no=pile, gun_no=gun_no(gun))


class Script:
    """What the platform answers by itself. `confirm` decides on records; None: silence."""

    def __init__(self) -> None:
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.confirm: RecordResult | None = RecordResult.STORED
        self.refuse_login = False
        self.deaf_to_heartbeats = False
        self.slots: tuple[int, ...] = (2,) * 48
        self.card_serial: str | None = None
        """What a 0x31 is confirmed with; None: no answer."""

    def answers(self, message: YkcMessage) -> list[YkcMessage]:
        """Answers to one frame of the pile."""
        match message:
            case Login():
                refused = LoginResult.REFUSED if self.refuse_login else LoginResult.OK
                answer = LoginAnswer(pile_no=message.pile_no, result=refused)
                return [answer] if self.refuse_login else [answer, TimeSync(pile_no=message.pile_no, time=self.now())]
            case Heartbeat() if not self.deaf_to_heartbeats:
                return [HeartbeatAnswer(pile_no=message.pile_no, gun_no=message.gun_no, ack=0)]
            case TariffCheckRequest():
                same = TariffCheck.SAME if message.model_no == "0007" else TariffCheck.DIFFERENT
                return [TariffCheckAnswer(pile_no=message.pile_no, model_no=message.model_no, result=same)]
            case TariffRequest():
                return [tariff(message.pile_no, slots=self.slots)]
            case StartRequest() if self.card_serial is not None:
                return [
                    StartConfirmation(
                        trade_no=self.card_serial,
                        pile_no=message.pile_no,
                        gun_no=message.gun_no,
                        logical_card=NO_CARD,
                        balance=Decimal("50.00"),
                        auth_ok=Outcome.OK,
                        fail_reason=StartRefusal.NONE,
                    )
                ]
            case TransactionRecord() | FiveBandRecord() if self.confirm is not None:
                return [RecordConfirmation(trade_no=message.trade_no, result=self.confirm)]
            case _:
                return []


class Platform:
    """The script behind a real listening socket; one pile at a time is enough for these tests."""

    def __init__(self) -> None:
        self.script = Script()
        self.connections = 0
        self.heard: list[type] = []
        """Kinds of frames, in the order in which they came."""
        self.segments: list[list[type]] = []
        """The same, by what one read gave."""
        self._changed = asyncio.Condition()
        self._protocol = Ykc()
        self._writer: asyncio.StreamWriter | None = None
        self._server: asyncio.Server | None = None
        self._seq = 0
        self._open: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> "Platform":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._open:
            writer.close()
        await asyncio.gather(*self._serving, return_exceptions=True)

    @property
    def port(self) -> int:
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        assert isinstance(port, int)
        return port

    @property
    def open_connections(self) -> int:
        """Those that the piles have not closed."""
        return len(self._open)

    async def until(self, holds: Callable[[], bool], within_s: float = 20) -> None:
        """Wait until something holds; looked at after every read."""
        async with self._changed:
            await asyncio.wait_for(self._changed.wait_for(holds), within_s)

    def say(self, message: YkcMessage) -> None:
        """Send a command of one's own."""
        assert self._writer is not None
        self._seq += 1
        self._writer.write(self._protocol.encode(message, self._seq))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writer = writer
        self._open.add(writer)
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        splitter = self._protocol.splitter()
        while data := await _read(reader):
            frames = splitter.feed(data)
            messages = [self._protocol.decode(frame) for frame in frames]
            self.segments.append([type(message) for message in messages])
            self.heard += self.segments[-1]
            for message, frame in zip(messages, frames, strict=True):
                if isinstance(message, YkcMessage):
                    for answer in self.script.answers(message):
                        writer.write(self._protocol.encode(answer, frame.seq))
            await self._tell()
        self._open.discard(writer)
        writer.close()
        await self._tell()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


async def _read(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read(4096)
    except ConnectionError:
        return b""
