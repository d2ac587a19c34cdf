"""The bridge at the broker: restarts of it are no takeovers, and a former level of the bridge is outbid."""

import asyncio

from bridge.worker import Worker
from evcs.contracts.bridge import BridgeStatus
from evcs.contracts.topics import BRIDGE_STATUS
from tests.bridge.kit import pile_config
from tests.bridge.office import bridge_at, office_at
from tests.servers import Broker


async def connected_again(bridge: Worker, after: int) -> None:
    async with asyncio.timeout(20):
        while not (bridge.session.connected and bridge.session.connection > after):  # noqa: ASYNC110 - no event for it
            await asyncio.sleep(0.01)


async def test_a_broker_that_restarts_three_times_ends_no_bridge(broker: Broker) -> None:
    ended: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: ended.append(context))
    async with office_at(broker.port, pile_config()), bridge_at(broker.port) as bridge:
        for _ in range(3):
            before = bridge.session.connection
            await asyncio.to_thread(broker.kill)
            await asyncio.to_thread(broker.start)
            await connected_again(bridge, before)
    assert not [one for one in ended if "bridge-b1" in str(one)]  # the office has one session, and takes it for that


async def test_a_former_level_from_a_fast_clock_is_outbid_and_the_will_still_ends_ours(broker: Broker) -> None:
    async with office_at(broker.port, pile_config()) as office:
        now = office.clock.now()
        former = BridgeStatus(
            version=office.clock.now_ms() + 60_000, bridge="b1", online=False, started_ms=1, since=now, address="-"
        )
        await office.say(BRIDGE_STATUS, former, bridge="b1")
        async with bridge_at(broker.port) as bridge:
            level = await office.wait(
                BRIDGE_STATUS, lambda status: status.online and status.version > former.version, within_s=10
            )
            will = BRIDGE_STATUS.decode(bridge._will().payload)
            assert bridge.session.connection >= 2
            assert will.version > level.version
