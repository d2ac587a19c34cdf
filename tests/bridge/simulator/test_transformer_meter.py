"""A simulated meter: its load by the hour, its reading, its lag and loss, and its publications at a real broker."""

import asyncio
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from bridge.simulator.settings import Settings
from bridge.simulator.transformer_load import BEIJING, EFFICIENCY, POWER_FACTOR, TransformerLoad, base_share
from bridge.simulator.transformer_meter import MeterNature, MeterSpec, TransformerMeter, meter_specs
from evcs.contracts.topics import READING
from evcs.contracts.transformer import TransformerReading
from evcs.runtime.clock import ManualClock, SystemClock
from evcs.runtime.mqtt import AsyncSession, Delivery
from tests.servers import Broker

SPEC = MeterSpec("DEMO-B", "DEMO-B-T1", 4, 6, 630, 40)
NOON = datetime(2026, 3, 2, 12, 30, tzinfo=BEIJING)


def test_the_base_load_has_a_hump_at_noon_and_a_higher_one_in_the_evening() -> None:
    day = [base_share(minute / 60) for minute in range(24 * 60)]
    assert 0.3 < min(day) < 0.45
    assert day[4 * 60] == pytest.approx(min(day), abs=0.02)
    assert max(day) == day[19 * 60 + 30] == 1
    assert day[12 * 60 + 30] > day[16 * 60] < day[19 * 60]
    assert all(abs(later - one) < 0.01 for one, later in pairwise(day))  # no jumps, not at midnight either
    assert abs(day[0] - day[-1]) < 0.01


def test_guns_and_base_add_up_at_the_transformer_and_over_the_phases() -> None:
    load = TransformerLoad("T1", 630, 40, 1)
    now = load.load(94_000, NOON)
    assert now.guns_kw == pytest.approx(94 / EFFICIENCY)
    assert 20 < now.base_kw < 40
    reading = load.reading(now, NOON)
    assert reading.active_kw == pytest.approx(now.total_kw, abs=0.001)
    assert reading.apparent_kva == pytest.approx(now.total_kw / POWER_FACTOR, abs=0.001)
    assert reading.phase_kva is not None
    assert sum(reading.phase_kva) == pytest.approx(reading.apparent_kva, abs=0.01)
    assert reading.phase_voltage_v is not None
    assert reading.phase_current_a is not None
    for kva, volt, amp in zip(reading.phase_kva, reading.phase_voltage_v, reading.phase_current_a, strict=True):
        assert 215 < volt < 235
        assert kva == pytest.approx(volt * amp / 1000, rel=0.01)


def test_oil_warms_over_hours_and_the_base_load_wanders_a_little() -> None:
    load = TransformerLoad("T1", 630, 40, 1)
    load.load(0, NOON)
    cold = load.reading(load.load(0, NOON), NOON).oil_temp_c
    later = NOON
    seen = []
    for _ in range(240):
        later += timedelta(minutes=1)
        seen.append(load.load(550_000, later).base_kw / base_share((later.hour * 60 + later.minute) / 60) / 40)
    warm = load.reading(load.load(550_000, later), later).oil_temp_c
    assert cold is not None
    assert warm is not None
    assert warm > cold + 15
    assert 0.8 < min(seen) < 0.99 < 1.01 < max(seen) < 1.2


def test_same_seed_same_readings() -> None:
    def readings(seed: int) -> list[TransformerReading]:
        load = TransformerLoad("T1", 630, 40, seed)
        moments = [NOON + timedelta(seconds=3 * step) for step in range(50)]
        return [load.reading(load.load(1000 * step, at), at) for step, at in enumerate(moments)]

    assert readings(1) == readings(1)
    assert readings(1) != readings(2)


def test_specs_are_words() -> None:
    assert meter_specs("DEMO-B/DEMO-B-T1:4-6:630:40, S/T:1-1:100:0") == (SPEC, MeterSpec("S", "T", 1, 1, 100, 0))
    for wrong in ("DEMO-B", "S/T:6-4:630:40", "S/T:1-2:0:40", "S/T:a-2:630:40", "S:1-2:630:40"):
        with pytest.raises(ValueError, match="S"):
            meter_specs(wrong)


class Listener:
    """Reads the topic as rules and ingest do."""

    def __init__(self, port: int) -> None:
        self.readings: list[TransformerReading] = []
        self.topics: list[str] = []
        self._more = asyncio.Condition()
        self.session = AsyncSession(
            Settings(mqtt_port=port, mqtt_reconnect_s=0.2), SystemClock(), client_id="listener", clean=True
        )
        self.session.subscribe(READING.everywhere, 1, self._take)

    def _take(self, delivery: Delivery) -> None:
        delivery.ack()
        self.topics.append(delivery.topic)
        self.readings.append(READING.decode(delivery.payload))
        asyncio.get_running_loop().create_task(self._tell())

    async def _tell(self) -> None:
        async with self._more:
            self._more.notify_all()

    async def heard(self, count: int) -> list[TransformerReading]:
        async with self._more:
            await asyncio.wait_for(self._more.wait_for(lambda: len(self.readings) >= count), 20)
        return self.readings


async def test_it_publishes_what_the_guns_draw_at_a_real_broker(broker: Broker) -> None:
    listener = Listener(broker.port)
    await listener.session.start()
    drawn = [0.0]
    meter = TransformerMeter(
        SPEC, MeterNature(every_s=0.05), Settings(mqtt_port=broker.port), SystemClock(), 1, lambda: drawn[0]
    )
    task = asyncio.create_task(meter.run())
    first = (await listener.heard(1))[0]
    drawn[0] = 188_000.0
    await listener.heard(len(listener.readings) + 3)
    last = listener.readings[-1]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await listener.session.stop()
    assert set(listener.topics) == {READING.at(station="DEMO-B", transformer="DEMO-B-T1")}
    assert first.transformer == "DEMO-B-T1"
    assert first.active_kw is not None
    assert last.active_kw is not None
    assert last.active_kw - first.active_kw == pytest.approx(188 / EFFICIENCY, rel=0.1)


class Taken:
    """A session that is always there."""

    connected = True

    def __init__(self) -> None:
        self.readings: list[TransformerReading] = []

    def publish(self, topic: str, payload: bytes, *, droppable: bool = False) -> None:
        assert droppable
        self.readings.append(READING.decode(payload))


def by_hand(nature: MeterNature, guns_w: list[float]) -> tuple[TransformerMeter, Taken, ManualClock]:
    """A meter whose publications are kept, under a clock of one's own."""
    clock, taken = ManualClock(), Taken()
    meter = TransformerMeter(SPEC, nature, Settings(), clock, 1, lambda: guns_w[0])
    meter._session = taken  # type: ignore[assignment]
    return meter, taken, clock


def test_a_lag_shows_what_was_and_a_loss_leaves_readings_out() -> None:
    drawn = [0.0]
    meter, taken, clock = by_hand(MeterNature(every_s=3, lag_s=9), drawn)
    for step in range(8):
        if step == 2:
            drawn[0] = 94_000.0
        meter.read()
        clock.advance(3)
    shown = [reading.active_kw or 0 for reading in taken.readings]
    assert len(shown) == 5  # nothing before the first 9 s are over
    assert shown[1] < 50 < 100 < shown[2]  # what began at 6 s is seen at 15 s
    lossy, kept, clock = by_hand(MeterNature(every_s=3, loss=0.5), drawn)
    for _ in range(200):
        lossy.read()
        clock.advance(3)
    assert 70 < len(kept.readings) < 130
