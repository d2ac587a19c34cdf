"""The meter service against pymodbus's own server and against meters that misbehave, through real brokers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from bridge.meter.config import Meter, load_meters
from bridge.meter.line import Line, MeterAway, MeterRefuses
from bridge.meter.registers import Block
from bridge.meter.settings import Settings
from bridge.meter.worker import Worker
from evcs.contracts import topics
from evcs.contracts.transformer import TransformerReading
from evcs.runtime.clock import SystemClock
from tests.flows.observer import Observer
from tests.servers import Broker, Cut, free_port

MAP = """
maker = "m"
model = "m"
verified = true
source = "test"
[[registers]]
quantity = "apparent_kva"
address = 10
form = "u16"
[[registers]]
quantity = "active_kw"
address = 11
form = "s16"
function = 4
"""
METER = """
[[meter]]
station = "s1"
transformer = "{name}"
host = "127.0.0.1"
port = {port}
map = "map.toml"
period_s = 1
"""
HOLDING = Block(3, 10, 1)
WITHIN_S = 10.0


def config(folder: Path, **ports: int) -> Path:
    """A configuration of meters by transformer, all with the map above."""
    (folder / "map.toml").write_text(MAP)
    path = folder / "meters.toml"
    path.write_text("".join(METER.format(name=name, port=port) for name, port in ports.items()))
    return path


@asynccontextmanager
async def modbus_meter(port: int, kva: int, kw: int = 5) -> AsyncIterator[None]:
    """pymodbus's server with one holding and one input register of unit 1."""

    def words(address: int, value: int) -> list[SimData]:
        return [SimData(address, values=value, datatype=DataType.REGISTERS)]

    bits = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
    device = SimDevice(1, simdata=(bits, bits, words(10, kva), words(11, kw)))
    server = ModbusTcpServer(device, address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    try:
        yield
    finally:
        await server.shutdown()


@asynccontextmanager
async def answering(answer: Callable[[bytes], bytes]) -> AsyncIterator[int]:
    """A port at which each request is answered with some bytes."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await reader.read(300):
            writer.write(answer(request))
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def line(port: int, timeout_s: float = 0.5, unit: int = 1) -> Line:
    meter = Meter(station="s1", transformer="t1", host="127.0.0.1", port=port, unit=unit, map="map.toml")
    return Line(meter, timeout_s)


def reply(request: bytes, words: Sequence[int], *, unit: int = 1) -> bytes:
    """A good answer to a request for registers."""
    body = bytes([unit, request[7], 2 * len(words)]) + b"".join(word.to_bytes(2, "big") for word in words)
    return request[:4] + len(body).to_bytes(2, "big") + body


async def test_registers_of_both_functions_are_read_over_one_connection() -> None:
    port = free_port()
    reads = line(port)
    async with modbus_meter(port, kva=400, kw=380):
        for _ in range(2):
            words = await reads.read([HOLDING, Block(4, 11, 1)])
            assert [list(found) for found in words.values()] == [[400], [380]]
        reads.close()


@pytest.mark.parametrize("block", [Block(3, 500, 2), Block(4, 10, 1)])
async def test_an_address_that_the_meter_does_not_have_is_its_refusal(block: Block) -> None:
    port = free_port()
    reads = line(port)
    async with modbus_meter(port, kva=400):
        with pytest.raises(MeterRefuses, match=f"registers {block.address}"):
            await reads.read([block])
        assert list((await reads.read([HOLDING])).values()) == [[400]]  # the connection is still good
        reads.close()


@pytest.mark.parametrize(
    ("what", "answer"),
    [
        ("nothing", lambda _: b""),
        ("text", lambda _: b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        ("half an answer", lambda request: reply(request, [400])[:-1]),
        ("fewer registers", lambda request: reply(request, [])),
        ("more registers", lambda request: reply(request, [400, 400])),
        ("another transaction", lambda request: b"\x7f\xff" + reply(request, [400])[2:]),
        ("another unit", lambda request: reply(request, [400], unit=9)),
        ("ones", lambda _: b"\xff" * 260),
    ],
)
async def test_what_is_no_answer_is_a_meter_that_is_away(what: str, answer: Callable[[bytes], bytes]) -> None:
    async with answering(answer) as port:
        reads = line(port, timeout_s=0.3)
        with pytest.raises(MeterAway):
            await reads.read([HOLDING])
        reads.close()


async def test_a_late_answer_is_not_taken_for_the_next_ones() -> None:
    """After a timeout there is a new connection: what comes behind it belongs to nobody."""
    connections = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        first = connections == 1
        while request := await reader.read(300):
            if first:
                asyncio.get_running_loop().call_later(0.4, writer.write, reply(request, [1]))
            else:
                writer.write(reply(request, [400]))

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    reads = line(server.sockets[0].getsockname()[1], timeout_s=0.2)
    with pytest.raises(MeterAway):
        await reads.read([HOLDING])
    assert list((await reads.read([HOLDING])).values()) == [[400]]
    assert connections == 2
    reads.close()
    server.close()


async def test_nobody_at_the_port_is_a_meter_that_is_away() -> None:
    with pytest.raises(MeterAway, match="no connection"):
        await line(free_port()).read([HOLDING])


@asynccontextmanager
async def service(broker: Broker, path: Path) -> AsyncIterator[Worker]:
    """The running service, as `python -m bridge.meter` wires it."""
    settings = Settings(mqtt_port=broker.port, meter_config=path, meter_timeout_s=0.5, meter_backoff_s=1)
    worker = Worker(settings, load_meters(path), SystemClock())
    await worker.start()
    try:
        yield worker
    finally:
        await worker.stop()


def reading(observer: Observer, kva: float, transformer: str = "t1", after: int = 0) -> Awaitable[TransformerReading]:
    """Await a reading without stopping the loop in which the service runs."""

    def wait() -> TransformerReading:
        _, found = observer.wait(
            topics.READING,
            lambda one: one.transformer == transformer and one.apparent_kva == kva,
            timeout=WITHIN_S,
            after=after,
        )
        return found

    return asyncio.to_thread(wait)


@pytest.fixture
def observer(broker: Broker) -> Iterator[Observer]:
    made = Observer(broker.port)
    yield made
    made.close()


async def test_a_meter_s_registers_become_readings_on_the_topic(
    broker: Broker, observer: Observer, tmp_path: Path
) -> None:
    port = free_port()
    async with modbus_meter(port, kva=400, kw=0xFF38), service(broker, config(tmp_path, t1=port)) as worker:
        found = await reading(observer, 400)
        assert found.active_kw == -200
        assert worker.health().level == "ok"
        _, topic = observer.of(topics.READING)[0][:2]
        assert topic.station == "s1"


async def test_a_meter_that_restarts_is_read_again(broker: Broker, observer: Observer, tmp_path: Path) -> None:
    port = free_port()
    async with service(broker, config(tmp_path, t1=port)) as worker:
        async with modbus_meter(port, kva=400):
            await reading(observer, 400)
        await until(lambda: worker.health().reasons == ("t1: away",))
        async with modbus_meter(port, kva=500):
            await reading(observer, 500)
            assert worker.health().level == "ok"


async def test_a_hanging_meter_delays_no_other(broker: Broker, observer: Observer, tmp_path: Path) -> None:
    good, slow = free_port(), free_port()
    cut = Cut(slow)
    cut.start()
    cut.hang()
    async with (
        modbus_meter(good, kva=400),
        modbus_meter(slow, kva=300),
        service(broker, config(tmp_path, slow=cut.port, good=good)) as worker,
    ):
        for _ in range(3):
            found = await reading(observer, 400, "good", after=observer.count)
            assert found.transformer == "good"
        assert worker.health().reasons == ("slow: away",)
        assert not [one for _, _, one in observer.of(topics.READING) if one.transformer == "slow"]
        cut.cut_once()
        await reading(observer, 300, "slow")
    cut.stop()


async def test_an_impossible_value_is_no_reading(
    broker: Broker, observer: Observer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad, good = free_port(), free_port()
    path = config(tmp_path, bad=bad, good=good)
    async with modbus_meter(bad, kva=0xFFFF), modbus_meter(good, kva=400), service(broker, path) as worker:
        for _ in range(3):  # three periods of the bad one, too
            await reading(observer, 400, "good", after=observer.count)
        assert worker.health().reasons == ("bad: impossible",)
        assert {one.transformer for _, _, one in observer.of(topics.READING)} == {"good"}
    assert capsys.readouterr().out.count("meter_values_impossible") == 1


async def until(look: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not look():  # noqa: ASYNC110 - health has no event
            await asyncio.sleep(0.02)
