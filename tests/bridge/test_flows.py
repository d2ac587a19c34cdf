"""The bridge over real sockets: a simulated pile on one side, a real broker on the other."""

import asyncio

import pytest

from bridge.protocols.ykc import messages as ykc
from bridge.protocols.ykc.framing import pack
from evcs.contracts.gun import GunEventKind, MarkReason
from evcs.contracts.pile import Outcome, PileEventKind
from evcs.contracts.reasons import Reason
from evcs.contracts.states import GunState
from evcs.contracts.topics import (
    BRIDGE_STATUS,
    GUN_EVENT,
    GUN_REPLY,
    GUN_STATE,
    METER,
    PILE_EVENT,
    PILE_STATUS,
    RECORD,
    TELEMETRY,
    UNKNOWN_PILE,
)
from tests.bridge.kit import PILE, SERIAL, heartbeat, login, pile_config, record, table
from tests.bridge.office import bridge_at, office_at, pile_at
from tests.servers import Broker

pytestmark = pytest.mark.flow


async def test_one_charge_from_login_to_confirmation(broker: Broker) -> None:
    async with (
        office_at(broker.port, pile_config(), tables=(table(),)) as office,
        bridge_at(broker.port) as bridge,
        pile_at(bridge, PILE) as pile,
    ):
        await pile.online()
        status = await office.online(PILE)
        assert status.tariff_version == "hz-1"
        assert status.protocol == "ykc1.6"
        confirmed = await office.wait(PILE_EVENT, lambda event: event.kind is PileEventKind.TARIFF_CONFIRMED)
        assert confirmed.tariff_version == "hz-1"
        pile.plug(1)
        await office.wait(GUN_STATE, lambda level: level.gun == 1 and level.state is GunState.PLUGGED)

        await office.start(status, SERIAL, allowance_kw=60.0)
        reply = await office.wait(GUN_REPLY, lambda reply: reply.command == "start")
        assert (reply.outcome, reply.allowance_kw) == (Outcome.ACCEPTED, 60.0)
        await office.wait(GUN_STATE, lambda level: level.state is GunState.CHARGING and level.serial == SERIAL)
        point = await office.wait(TELEMETRY, lambda point: bool(point.energy_kwh and point.energy_kwh > 0.5))
        assert point.serial == SERIAL
        assert point.power_kw is not None
        assert point.power_kw <= 60.5
        cap = pile.all_of(ykc.WorkParameters)[-1]
        start = pile.all_of(ykc.RemoteStart)[0]
        answer = next(entry for entry in pile.frames if isinstance(entry.message, ykc.WorkParametersAnswer))
        assert cap.max_power_pct == 50
        assert pile.entry_of(cap).index < answer.index < pile.entry_of(start).index

        await office.stop(status, SERIAL)
        stopped = await office.wait(GUN_REPLY, lambda reply: reply.command == "stop")
        assert stopped.outcome is Outcome.ACCEPTED
        finished = await office.wait(GUN_STATE, lambda level: level.state is GunState.FINISHED)
        assert finished.serial == SERIAL
        bill = await office.wait(RECORD)
        assert bill.serial == SERIAL
        assert bill.energy_kwh > 0
        assert not pile.all_of(ykc.RecordConfirmation)  # 0x40 never before the confirmation
        await office.confirm(PILE, SERIAL)
        await pile.received(ykc.RecordConfirmation, lambda frame: frame.trade_no == SERIAL)
        sent = await office.wait(GUN_EVENT, lambda event: event.kind is GunEventKind.CONFIRM_SENT)
        assert (sent.id, sent.serial) == ("confirm-1", SERIAL)
        marks = [mark.why for _, mark in office.of(METER)]
        assert marks[0] is MarkReason.BEGIN
        assert marks[-1] is MarkReason.END
        pile.unplug(1)
        await office.wait(GUN_STATE, lambda level: level.state is GunState.IDLE and level.gun == 1)
        assert [reply.id for _, reply in office.of(GUN_REPLY)] == [f"start-{SERIAL[-4:]}", "stop-1"]


async def test_a_repeated_start_is_written_once_and_answered_alike(broker: Broker) -> None:
    async with (
        office_at(broker.port, pile_config(), tables=(table(),)) as office,
        bridge_at(broker.port) as bridge,
        pile_at(bridge, PILE) as pile,
    ):
        await pile.online()
        status = await office.online(PILE)
        pile.plug(1)
        await office.wait(GUN_STATE, lambda level: level.state is GunState.PLUGGED)
        await office.start(status, SERIAL)
        first = await office.wait(GUN_REPLY)
        seen = len(office.seen)
        await office.start(status, SERIAL)
        again = await office.wait(GUN_REPLY, after=seen)
        assert again == first
        assert len(pile.all_of(ykc.RemoteStart)) == 1
        await office.start(status, SERIAL, id="for-another-link", link="gone")
        await office.start(status, SERIAL, id="late", expires_at=status.since)
        late = await office.wait(GUN_REPLY, lambda reply: reply.id == "late")
        assert late.outcome is Outcome.EXPIRED
        assert not [reply for _, reply in office.of(GUN_REPLY) if reply.id == "for-another-link"]
        assert len(pile.all_of(ykc.RemoteStart)) == 1


async def test_a_start_whose_cap_is_not_answered_is_never_written(broker: Broker) -> None:
    async with (
        office_at(broker.port, pile_config(), tables=(table(),)) as office,
        bridge_at(broker.port) as bridge,
        pile_at(bridge, PILE) as pile,
    ):
        await pile.online()
        status = await office.online(PILE)
        pile.plug(1)
        await office.wait(GUN_STATE, lambda level: level.state is GunState.PLUGGED)
        pile.troubles.refuse_caps = True
        await office.start(status, SERIAL, allowance_kw=60.0)
        reply = await office.wait(GUN_REPLY)
        assert (reply.outcome, reply.reason) == (Outcome.REFUSED, Reason.CAP_NOT_CONFIRMED)
        assert not pile.all_of(ykc.RemoteStart)


async def test_an_unknown_pile_is_refused_and_quarantined(broker: Broker) -> None:
    stranger = "99999999000001"
    async with (
        office_at(broker.port, pile_config(), tables=(table(),)) as office,
        bridge_at(broker.port) as bridge,
        pile_at(bridge, stranger) as pile,
    ):
        refused = await pile.received(ykc.LoginAnswer)
        assert refused.result == 1
        unknown = await office.wait(UNKNOWN_PILE)
        assert (unknown.number, unknown.reason) == (stranger, Reason.PILE_UNKNOWN)
        assert unknown.frames_hex[0].startswith("6822")
        await pile.until(lambda it: it.connections > 1)  # it was closed, and comes again
        assert not office.of(PILE_STATUS)


async def test_strangers_disturb_nobody(broker: Broker) -> None:
    async with (
        office_at(broker.port, pile_config(), tables=(table(),)) as office,
        bridge_at(broker.port, bridge_unlogged_per_address=20) as bridge,
        pile_at(bridge, PILE) as pile,
    ):
        await pile.online()
        port = bridge.listener.port
        # Garbage until it is cut off, a frame that never ends, a frame before the login, an empty connection.
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(bytes(range(256)) * 64)
        assert await closed(reader)
        reader, first = await asyncio.open_connection("127.0.0.1", port)
        first.write(pack(0x03, 1, heartbeat().encode()))
        assert await closed(reader)
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(20)]
        idle[0][1].write(b"\x68\xff")
        reader, _ = await asyncio.open_connection("127.0.0.1", port)
        assert await closed(reader)  # one too many from this address
        # A frame of another pile on this pile's connection changes nothing but a counter.
        before = bridge.fleet.tally.dropped["foreign_pile"]
        pile.send_raw(pack(0x3B, 9, record().encode().replace(bytes.fromhex(PILE), bytes.fromhex("55031412000009"))))
        pile.send_raw(b"\x68\x0d\x00\x00\x00\x03" + bytes(11))
        pile.plug(2)
        await office.wait(GUN_STATE, lambda level: level.gun == 2 and level.state is GunState.PLUGGED)
        assert bridge.fleet.tally.dropped["foreign_pile"] == before + 1
        assert bridge.fleet.tally.dropped["crc"] >= 1
        assert not office.of(RECORD)
        assert pile.connections == 1
        for _, writer in idle:
            writer.close()


async def closed(reader: asyncio.StreamReader) -> bool:
    """Whether the other side ends the connection."""
    async with asyncio.timeout(5):
        try:
            while await reader.read(4096):
                pass
        except ConnectionError:
            pass
    return True


async def test_a_newer_connection_of_the_pile_replaces_the_older(broker: Broker) -> None:
    async with (
        office_at(broker.port, pile_config(), tables=(table(),)) as office,
        bridge_at(broker.port) as bridge,
        pile_at(bridge, PILE) as pile,
    ):
        await pile.online()
        first = await office.online(PILE)
        pile.wants_link.clear()
        reader, writer = await asyncio.open_connection("127.0.0.1", bridge.listener.port)
        writer.write(pack(0x01, 0, login().encode()))
        assert (await reader.readexactly(16))[5] == 0x02
        await office.wait(PILE_EVENT, lambda event: event.kind is PileEventKind.CONNECTION_REPLACED)
        second = await office.wait(PILE_STATUS, lambda status: status.link not in ("", first.link))
        assert second.online
        await pile.until(lambda it: not it.is_online)
        assert not [status for _, status in office.of(PILE_STATUS) if not status.online]
        writer.close()
        offline = await office.wait(PILE_STATUS, lambda status: not status.online)
        assert offline.link == ""


async def test_with_the_broker_away_telemetry_gives_way_and_the_record_arrives(broker: Broker) -> None:
    async with (
        office_at(broker.port, pile_config(), tables=(table(),), clean=False) as office,
        bridge_at(broker.port, bridge_held_telemetry=20, bridge_window=5) as bridge,
        pile_at(bridge, PILE) as pile,
    ):
        await pile.online()
        status = await office.online(PILE)
        pile.plug(1)
        await office.wait(GUN_STATE, lambda level: level.state is GunState.PLUGGED)
        await office.start(status, SERIAL)
        await office.wait(GUN_STATE, lambda level: level.state is GunState.CHARGING)
        broker.kill()
        since = pile.counted
        for _ in range(60):
            pile.send_raw(pack(0x13, 0, pile.all_of(ykc.RealtimeData)[-1].encode()))
        pile.press_stop(1)
        await pile.sent(ykc.TransactionRecord, since=since)
        broker.start()
        bill = await office.wait(RECORD, within_s=40)
        assert bill.serial == SERIAL
        await office.wait(GUN_STATE, lambda level: level.state is GunState.FINISHED and level.serial == SERIAL)
        assert bridge.session.outgoing.dropped > 20
        ended = [mark for _, mark in office.of(METER) if mark.why is MarkReason.END]
        assert ended
        assert pile.connections == 1
        numbers = [point.receipt.n for _, point in office.of(TELEMETRY)]
        assert max(numbers) - min(numbers) + 1 > len(set(numbers))  # the gap has a name: receipts are missing


async def test_when_too_much_waits_for_the_broker_the_piles_wait_and_nothing_is_lost(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        office_at(broker.port, pile_config(), tables=(table(),)) as office,
        bridge_at(broker.port, bridge_held_messages=30) as bridge,
        pile_at(bridge, PILE) as pile,
    ):
        await pile.online()
        await office.online(PILE)
        held, released = asyncio.Event(), asyncio.Event()
        hold, release = bridge.listener.hold, bridge.listener.release
        monkeypatch.setattr(bridge.listener, "hold", lambda: (held.set(), hold())[1])
        monkeypatch.setattr(bridge.listener, "release", lambda: (released.set(), release())[1])
        broker.kill()
        serials = [f"{SERIAL[:28]}{n:04d}" for n in range(300)]
        for serial in serials:
            pile.send_raw(pack(0x3B, 0, record(serial).encode()))
        await asyncio.wait_for(held.wait(), 5)
        assert bridge.outlet.unsent < 300
        broker.start()
        await office.wait(RECORD, lambda bill: bill.serial == serials[-1], within_s=40)
        assert {bill.serial for _, bill in office.of(RECORD)} >= set(serials)
        while bridge.listener.is_held:  # the broker's last answers may still be on their way
            released.clear()
            await asyncio.wait_for(released.wait(), 5)


async def test_a_flood_is_read_at_the_pace_of_the_broker_and_arrives_whole(broker: Broker) -> None:
    async with (
        office_at(broker.port, pile_config(), tables=(table(),)) as office,
        bridge_at(broker.port, bridge_window=20, bridge_held_telemetry=300) as bridge,
        pile_at(bridge, PILE) as pile,
    ):
        await pile.online()
        await office.online(PILE)
        pile.plug(1)
        await office.wait(GUN_STATE, lambda level: level.gun == 1 and level.state is GunState.PLUGGED)
        reading = await office.wait(TELEMETRY, lambda point: point.gun == 1)
        frame = pack(0x13, 0, pile.all_of(ykc.RealtimeData)[-1].encode())
        pile.send_raw(frame * 900)  # 61 KB: within what a pile may send at once, three times what may wait
        last = reading.receipt.n + 900
        await office.wait(TELEMETRY, lambda point: point.receipt.n >= last)
        assert bridge.session.outgoing.dropped == 0
        assert not bridge.listener.is_held


async def test_a_restart_says_offline_and_the_next_login_brings_everything_back(broker: Broker) -> None:
    async with office_at(broker.port, pile_config(), tables=(table(),)) as office:
        async with bridge_at(broker.port) as bridge, pile_at(bridge, PILE) as pile:
            await pile.online()
            await office.online(PILE)
            await bridge.session.leave(60)  # as killed: no farewell
            old = bridge.fleet.run.started_ms
            seen = len(office.seen)
            async with bridge_at(broker.port) as second:
                offline = await office.wait(PILE_STATUS, lambda status: not status.online, after=seen)
                assert offline.bridge_started_ms == second.fleet.run.started_ms > old
                assert offline.protocol == "ykc1.6"
                async with pile_at(second, PILE, memory=pile.pile.memory(0)) as again:
                    await again.online()
                    await office.wait(
                        PILE_STATUS,
                        lambda status: status.online and status.bridge_started_ms == second.fleet.run.started_ms,
                        after=seen,
                    )
        last = await office.wait(BRIDGE_STATUS, lambda status: not status.online, after=seen)
        assert last.bridge == "b1"
