"""Two real bridges on one broker and a pile that logs in at both: one holds it in the end; and what is swept."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest

from bridge.protocols.ykc import messages as ykc
from bridge.protocols.ykc.protocol import Ykc
from bridge.worker import Worker
from evcs.contracts.bridge import BridgeStatus
from evcs.contracts.envelope import Receipt
from evcs.contracts.gun import GunLevel
from evcs.contracts.pile import Outcome, PileCommand, PileCommandKind, PileEventKind, PileStatus
from evcs.contracts.reasons import Reason
from evcs.contracts.states import GunState
from evcs.contracts.topics import (
    BRIDGE_STATUS,
    GUN_STATE,
    PILE_COMMAND,
    PILE_EVENT,
    PILE_FRAME,
    PILE_REPLY,
    PILE_STATUS,
)
from evcs.runtime.mqtt import Delivery, view_session
from tests.bridge.kit import PILE, SERIAL, STATION, charging, heartbeat, login, pile_config, realtime, table
from tests.bridge.office import Office, bridge_at, office_at
from tests.servers import Broker

pytestmark = pytest.mark.flow

GONE = "55031412000077"


@dataclass
class Hand:
    """A pile's end of one connection, by hand."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def say(self, *messages: ykc.YkcMessage) -> None:
        self.writer.write(b"".join(Ykc().encode(message, 1) for message in messages))

    async def hear(self, kind: type[ykc.YkcMessage]) -> ykc.YkcMessage:
        """The next frame of a kind, over whatever else comes."""
        async with asyncio.timeout(10):
            while True:
                head = await self.reader.readexactly(2)
                rest = await self.reader.readexactly(head[1] + 2)
                [frame] = Ykc().splitter().feed(head + rest)
                message = Ykc().decode(frame)
                if isinstance(message, kind):
                    return message

    async def is_closed(self) -> bool:
        async with asyncio.timeout(10):
            try:
                while await self.reader.read(4096):
                    pass
            except ConnectionError:
                pass
        return True


@asynccontextmanager
async def hand_at(bridge: Worker) -> AsyncIterator[Hand]:
    hand = Hand(*await asyncio.open_connection("127.0.0.1", bridge.listener.port))
    try:
        yield hand
    finally:
        hand.writer.close()


async def retained(office: Office) -> dict[str, bytes]:
    """What stands at the broker now, for somebody who comes anew."""
    found: dict[str, bytes] = {}

    def take(delivery: Delivery) -> None:
        delivery.ack()
        found[delivery.topic] = delivery.payload

    view = view_session(office.session._settings, office.clock, client_id="newcomer")
    for topic in (PILE_STATUS, GUN_STATE):
        view.subscribe(topic.everywhere, 0, take)
    await view.start()
    await view.picture()
    await view.stop(0)
    return {topic: payload for topic, payload in found.items() if payload}


async def test_the_newer_of_two_bridges_holds_the_pile_and_the_older_closes_its_own_link(broker: Broker) -> None:
    async with (
        office_at(broker.port, pile_config(), tables=(table(),)) as office,
        bridge_at(broker.port) as old,
        bridge_at(broker.port, bridge_id="b2") as new,
        hand_at(old) as first,
        hand_at(new) as second,
    ):
        first.say(login(), charging())
        before = await office.wait(PILE_STATUS, lambda status: status.online and status.bridge == "b1")
        await office.wait(GUN_STATE, lambda level: level.state is GunState.CHARGING)
        mark = len(office.seen)

        second.say(login(), charging(kwh="1.3000"))
        assert await first.is_closed()
        after = await office.wait(PILE_STATUS, lambda status: status.online and status.bridge == "b2")
        assert after.version > before.version
        assert after.login_at is not None
        assert before.login_at is not None
        assert after.login_at > before.login_at
        event = await office.wait(PILE_EVENT, lambda event: event.kind is PileEventKind.CONNECTION_REPLACED)
        assert event.text == f"{before.link} 127.0.0.1 at b1; 1 in this hour"
        # A command for the older's login reaches nobody but the older, which says so.
        command = PileCommand(
            id="c-1",
            bridge="b1",
            link=before.link,
            kind=PileCommandKind.RESTART,
            expires_at=office.clock.now() + timedelta(seconds=30),
        )
        await office.say(PILE_COMMAND, command, station=STATION, pile=PILE)
        reply = await office.wait(PILE_REPLY)
        assert (reply.outcome, reply.reason) == (Outcome.REFUSED, Reason.PILE_OFFLINE)

        # The levels are said again by the newer, and the older has not said it offline.
        await office.wait(GUN_STATE, lambda level: level.state is GunState.CHARGING, after=mark)
        assert not [status for _, status in office.of(PILE_STATUS) if not status.online]
        standing = await retained(office)
        status = PILE_STATUS.decode(standing[PILE_STATUS.at(station=STATION, pile=PILE)])
        level = GUN_STATE.decode(standing[GUN_STATE.at(station=STATION, pile=PILE, gun=1)])
        assert (status.bridge, status.online, level.serial, level.state) == ("b2", True, SERIAL, GunState.CHARGING)
        second.say(heartbeat())
        await second.hear(ykc.HeartbeatAnswer)


async def test_an_older_status_that_arrives_late_is_outbid_by_the_newer_holder(broker: Broker) -> None:
    async with (
        office_at(broker.port, pile_config(), tables=(table(),)) as office,
        bridge_at(broker.port) as bridge,
        hand_at(bridge) as hand,
    ):
        hand.say(login())
        mine = await office.wait(PILE_STATUS, lambda status: status.online)
        late = PileStatus(
            receipt=Receipt(bridge="b0", started_ms=1, n=9),
            version=mine.version + 50,
            pile=PILE,
            online=True,
            since=mine.since,
            login_at=mine.since - timedelta(seconds=30),
            link="old",
            bridge="b0",
            bridge_started_ms=1,
            gun_count=2,
        )
        await office.say(PILE_STATUS, late, station=STATION, pile=PILE)
        again = await office.wait(PILE_STATUS, lambda status: status.bridge == "b1" and status.version > late.version)
        assert (again.online, again.link) == (True, mine.link)
        hand.say(heartbeat())
        await hand.hear(ykc.HeartbeatAnswer)


async def test_a_bridge_that_died_leaves_its_piles_to_whoever_they_come_to(broker: Broker) -> None:
    async with office_at(broker.port, pile_config(), tables=(table(),)) as office, bridge_at(broker.port) as bridge:
        dead = PileStatus(
            receipt=Receipt(bridge="b9", started_ms=1, n=9),
            version=office.clock.now_ms() + 60_000,
            pile=PILE,
            online=True,
            since=office.clock.now(),
            login_at=office.clock.now() + timedelta(seconds=60),
            link="dead",
            bridge="b9",
            bridge_started_ms=1,
            gun_count=2,
        )
        await office.say(BRIDGE_STATUS, _offline("b9", office), bridge="b9")
        await office.say(PILE_STATUS, dead, station=STATION, pile=PILE)
        async with hand_at(bridge) as hand:
            hand.say(login())
            status = await office.wait(PILE_STATUS, lambda one: one.bridge == "b1" and one.version > dead.version)
            assert status.online
            await office.say(PILE_STATUS, dead, station=STATION, pile=PILE)  # a broker that came back with an old store
            await office.wait(PILE_STATUS, lambda one: one.bridge == "b1" and one.version > status.version)
            hand.say(heartbeat())
            await hand.hear(ykc.HeartbeatAnswer)


def _offline(bridge: str, office: Office) -> BridgeStatus:
    return BridgeStatus(version=1, bridge=bridge, online=False, started_ms=1, since=office.clock.now())


def stray_levels(office: Office, number: str, station: str) -> list[tuple[str, bytes]]:
    now = office.clock.now()
    receipt = Receipt(bridge="b9", started_ms=1, n=1)
    status = PileStatus(
        receipt=receipt, version=1, pile=number, online=False, since=now, bridge="b9", bridge_started_ms=1
    )
    level = GunLevel(receipt=receipt, login_ms=1, version=1, pile=number, gun=1, state=GunState.OFFLINE, since=now)
    return [
        (PILE_STATUS.at(station=station, pile=number), PILE_STATUS.encode(status)),
        (GUN_STATE.at(station=station, pile=number, gun=1), GUN_STATE.encode(level)),
    ]


async def test_levels_of_piles_that_nobody_names_are_cleared_and_no_others(broker: Broker) -> None:
    async with office_at(broker.port, pile_config(), tables=(table(),)) as office:
        gone, moved = stray_levels(office, GONE, STATION), stray_levels(office, PILE, "HZ009")
        extra = GUN_STATE.at(station=STATION, pile=PILE, gun=7), gone[1][1]
        for topic, payload in (*gone, *moved, extra):
            await office.session.publish(topic, payload, retain=True)
        async with bridge_at(broker.port) as bridge, hand_at(bridge) as hand:
            hand.say(login(), realtime(1, plugged=1))
            await office.wait(GUN_STATE, lambda level: level.state is GunState.PLUGGED)
            strays = {topic for topic, _ in (*gone, *moved, extra)}
            async with asyncio.timeout(20):
                while strays & (await retained(office)).keys():  # noqa: ASYNC110 - what stands sends no event
                    await asyncio.sleep(0.1)
            standing = set(await retained(office))
            at = {"station": STATION, "pile": PILE}
            assert standing == {PILE_STATUS.at(**at), GUN_STATE.at(**at, gun=1), GUN_STATE.at(**at, gun=2)}
            assert await bridge._sweeper.sweep() == 0


async def test_a_pile_whose_configuration_is_gone_for_two_nights_is_let_go(broker: Broker) -> None:
    other = "55031412000002"
    async with (
        office_at(broker.port, pile_config(), pile_config(other), tables=(table(),)) as office,
        bridge_at(broker.port) as bridge,
    ):
        await office.wait(BRIDGE_STATUS, lambda status: status.online)
        fleet = bridge.fleet
        real, fleet.unconfigured = fleet.unconfigured, lambda *_: None  # type: ignore[method-assign]
        await office.session.publish("evcs/v1/config/pile/" + other, b"", retain=True)
        await bridge.session.confirm()
        fleet.unconfigured = real  # type: ignore[method-assign]  # as if the bridge had not been connected
        await bridge._sweeper.sweep(is_nightly=True)
        assert other in fleet.piles
        await bridge._sweeper.sweep(is_nightly=True)
        assert set(fleet.piles) == {PILE}


async def test_whoever_watches_a_pile_sees_its_frames_pass(broker: Broker) -> None:
    async with (
        office_at(broker.port, pile_config(), tables=(table(),)) as office,
        bridge_at(broker.port) as bridge,
        hand_at(bridge) as hand,
    ):
        hand.say(login())
        status = await office.wait(PILE_STATUS, lambda status: status.online)
        command = PileCommand(
            id="t-1",
            bridge=status.bridge,
            link=status.link,
            kind=PileCommandKind.TRACE,
            expires_at=office.clock.now() + timedelta(seconds=30),
            trace_until=office.clock.now() + timedelta(seconds=60),
        )
        await office.say(PILE_COMMAND, command, station=STATION, pile=PILE)
        await office.wait(PILE_REPLY, lambda reply: reply.outcome is Outcome.ACCEPTED)
        hand.say(heartbeat())
        await office.wait(PILE_FRAME, lambda frame: frame.from_pile and frame.frame_type == "0x03")
        await office.wait(PILE_FRAME, lambda frame: not frame.from_pile and frame.frame_type == "0x04")
