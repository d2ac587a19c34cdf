"""A simulated pile on a real socket against the tiny platform."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from bridge.protocols.ykc.codes import GunState, Outcome, RecordResult, RunMode, StartKind
from bridge.protocols.ykc.messages import (
    BmsDemand,
    BmsInformation,
    ChargeHandshake,
    ChargeParameters,
    Heartbeat,
    Login,
    RealtimeData,
    RecordConfirmation,
    RemoteStart,
    RemoteStartAnswer,
    Restart,
    RestartAnswer,
    StartRequest,
    TransactionRecord,
    WorkParametersAnswer,
)
from bridge.simulator.link import SimulatedPile
from bridge.simulator.memory import MemoryFile
from bridge.simulator.options import Card, PileOptions
from bridge.simulator.troubles import Trouble
from tests.bridge.simulator.platform import Platform, cap_of, start_of, stop_of

NUMBER = "55031412000001"
SERIAL = f"{NUMBER}012603021200000001"
QUICK = PileOptions(
    energy_factor=100,
    speed=15,
    start_delay_s=(0.05, 0.1),
    ramp_s=0.1,
    stop_s=0.1,
    record_delay_s=0.05,
    resend_s=(0, 0.1, 0.2, 0.3, 3600),
    reconnect_s=(0.05, 0.2),
    cold_share=0,
    manual_stop_share=0,
)


@asynccontextmanager
async def running(pile: SimulatedPile) -> AsyncIterator[SimulatedPile]:
    """The pile at work; its power is cut at the end."""
    task = asyncio.create_task(pile.run())
    try:
        yield pile
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_login_start_charge_stop_record_repeated_and_confirmed() -> None:
    async with Platform() as platform:
        pile = SimulatedPile("127.0.0.1", platform.port, NUMBER, options=QUICK)
        async with running(pile):
            await pile.online()
            pile.plug(need_kwh=30)
            platform.script.confirm = None
            platform.say(cap_of(NUMBER, 50))
            assert (await pile.sent(WorkParametersAnswer)).result == Outcome.OK
            platform.say(start_of(NUMBER, SERIAL))
            await pile.received(RemoteStart)
            assert (await pile.sent(RemoteStartAnswer)).result == Outcome.OK
            reading = await pile.sent(RealtimeData, lambda data: data.state == GunState.CHARGING and data.kwh > 1)
            assert reading.trade_no == SERIAL
            assert reading.voltage * reading.current <= 60_000
            platform.say(stop_of(NUMBER))
            record = await pile.sent(TransactionRecord)
            again = pile.counted
            repeated = await pile.sent(TransactionRecord, since=again)
            assert repeated == record
            assert record.total_kwh == record.meter_end - record.meter_start > 1
            platform.say(RecordConfirmation(trade_no=SERIAL, result=RecordResult.STORED))
            await pile.received(RecordConfirmation)
            assert len(pile.pile.records) == 0
            raws = [entry.raw for entry in pile.frames if isinstance(entry.message, TransactionRecord)]
            assert len({raw[2:4] for raw in raws}) == len(raws)  # each repetition has a number of its own


async def test_a_lost_link_comes_back_and_brings_the_unconfirmed_record() -> None:
    async with Platform() as platform:
        platform.script.confirm = None
        pile = SimulatedPile("127.0.0.1", platform.port, NUMBER, options=replace(QUICK, resend_s=(0, 3600)))
        async with running(pile):
            await pile.online()
            pile.plug(need_kwh=1)
            platform.say(start_of(NUMBER, SERIAL))
            await pile.sent(TransactionRecord)
            dropped = pile.counted
            pile.drop_link(hold=True)
            await asyncio.sleep(0)
            platform.script.confirm = RecordResult.STORED
            pile.restore_link()
            await pile.sent(Login, since=dropped)
            await pile.sent(TransactionRecord, since=dropped)
            await pile.received(RecordConfirmation, since=dropped)
            assert pile.connections == 2
            numbers = [entry.raw[2:4] for entry in pile.frames if isinstance(entry.message, Login)]
            assert numbers == [b"\0\0", b"\0\0"]  # the sequence begins at 0 on each connection


async def test_a_pile_waits_for_a_platform_that_is_not_there_yet() -> None:
    async with Platform() as first:
        port = first.port
    pile = SimulatedPile("127.0.0.1", port, NUMBER, options=QUICK)
    async with running(pile):
        with pytest.raises(TimeoutError, match="Login"):
            await pile.sent(Login, within_s=0.2)
        assert not pile.is_online


async def test_noise_on_the_line_does_no_harm() -> None:
    async with Platform() as platform:
        pile = SimulatedPile("127.0.0.1", platform.port, NUMBER, options=replace(QUICK, heartbeat_s=0.05))
        async with running(pile):
            await pile.online()
            seen = pile.counted
            pile.send_raw(b"\x00\x68\x02noise")
            await pile.sent(Heartbeat, since=seen)
            await pile.until(lambda it: it.counted > seen + 4)
            assert pile.connections == 1


@pytest.mark.parametrize("trouble", [Trouble.SPLIT, Trouble.MERGE, Trouble.NOISE, Trouble.SWAPPED_CRC])
async def test_a_bad_line_changes_nothing_that_is_said(trouble: Trouble) -> None:
    async with Platform() as platform:
        pile = SimulatedPile("127.0.0.1", platform.port, NUMBER, options=QUICK)
        setattr(pile.troubles, trouble, True)
        async with running(pile):
            await pile.online()
            pile.plug(need_kwh=1)
            platform.say(start_of(NUMBER, SERIAL))
            await pile.received(RecordConfirmation)
            assert pile.connections == 1
            kinds = [type(entry.message) for entry in pile.frames if entry.direction == "sent"]
            assert kinds == platform.heard[: len(kinds)]


async def test_what_is_said_together_leaves_in_one_segment() -> None:
    async with Platform() as platform:
        pile = SimulatedPile("127.0.0.1", platform.port, NUMBER, options=QUICK)
        async with running(pile):
            await pile.online()
            pile.plug(need_kwh=10)
            platform.say(start_of(NUMBER, SERIAL))
            await pile.sent(BmsInformation)
            await platform.until(lambda: BmsInformation in platform.heard)
            together = next(kinds for kinds in platform.segments if ChargeHandshake in kinds)
            wanted = [RemoteStartAnswer, ChargeHandshake, ChargeParameters, RealtimeData, BmsDemand, BmsInformation]
            assert together[-6:] == wanted


async def test_a_pile_that_vanishes_leaves_its_connection_open_and_comes_back_on_another() -> None:
    async with Platform() as platform:
        options = replace(QUICK, away_s=(1.0, 1.5), report_s=1.0)
        pile = SimulatedPile("127.0.0.1", platform.port, NUMBER, options=options)
        async with running(pile):
            await pile.online()
            pile.plug(need_kwh=500)
            platform.say(start_of(NUMBER, SERIAL))
            await pile.sent(RealtimeData, lambda data: data.state == GunState.CHARGING)
            seen = pile.counted
            pile.befall(Trouble.VANISH)
            assert not pile.is_online
            await pile.sent(RealtimeData, lambda data: data.state == GunState.CHARGING, since=seen)
            assert pile.connections == platform.connections == 2
            assert platform.open_connections == 2  # nobody told the first one


async def test_a_restart_closes_the_connection_and_logs_in_again() -> None:
    async with Platform() as platform:
        options = replace(QUICK, restart_s=(0.1, 0.2), speed=1)
        pile = SimulatedPile("127.0.0.1", platform.port, NUMBER, options=options)
        async with running(pile):
            await pile.online()
            seen = pile.counted
            platform.say(Restart(pile_no=NUMBER, mode=RunMode.AT_ONCE))
            await pile.sent(RestartAnswer)
            await pile.sent(Login, since=seen)
            assert pile.connections == 2
            await platform.until(lambda: platform.open_connections == 1)


async def test_power_lost_in_a_charge_brings_its_record_on_the_next_connection() -> None:
    async with Platform() as platform:
        options = replace(QUICK, away_s=(1.0, 1.5))
        pile = SimulatedPile("127.0.0.1", platform.port, NUMBER, options=options)
        async with running(pile):
            await pile.online()
            pile.plug(need_kwh=500)
            platform.say(start_of(NUMBER, SERIAL))
            await pile.sent(RealtimeData, lambda data: data.kwh > 1)
            pile.befall(Trouble.POWER_LOSS)
            record = await pile.sent(TransactionRecord)
            assert record.stop_reason == 0x83
            assert pile.connections == 2


async def test_a_card_over_the_wire() -> None:
    async with Platform() as platform:
        platform.script.card_serial = SERIAL
        pile = SimulatedPile("127.0.0.1", platform.port, NUMBER, options=QUICK)
        async with running(pile):
            await pile.online()
            pile.plug(need_kwh=1)
            pile.swipe(Card("00000000D14B0001"))
            assert (await pile.sent(StartRequest)).account_or_card == "00000000d14b0001"
            record = await pile.sent(TransactionRecord)
            assert (record.trade_no, record.trade_flag) == (SERIAL, StartKind.CARD)


async def test_registers_and_records_survive_the_process(tmp_path: Path) -> None:
    async with Platform() as platform:
        platform.script.confirm = None
        memory = MemoryFile(tmp_path, NUMBER)
        pile = SimulatedPile("127.0.0.1", platform.port, NUMBER, options=QUICK, memory_file=memory)
        async with running(pile):
            await pile.online()
            pile.plug(need_kwh=500)
            platform.say(start_of(NUMBER, SERIAL))
            await pile.sent(RealtimeData, lambda data: data.kwh > 1)
        again = SimulatedPile("127.0.0.1", platform.port, NUMBER, options=QUICK, memory_file=memory)
        async with running(again):
            record = await again.sent(TransactionRecord)
            assert (record.trade_no, record.stop_reason) == (SERIAL, 0x83)
            assert record.total_kwh > 1
            assert record.meter_end == Decimal(pile.pile.guns[1].register).scaleb(-4)
