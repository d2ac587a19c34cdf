"""A street gets its power back: 500 piles log in at once while others charge, start and are told things."""

import asyncio
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.protocols.ykc.messages import TimeSync, TransactionRecord
from bridge.simulator.link import SimulatedPile
from bridge.simulator.options import PileOptions
from bridge.simulator.wheel import Wheel
from evcs.contracts import topics
from evcs.contracts.states import OrderState
from tests.flows.books import proved
from tests.flows.charges import RECHARGED, begun, confirmed, in_state
from tests.flows.platform import Platform, running
from tests.flows.sums import fen_of
from tests.flows.town import Town
from tests.servers import Broker

pytestmark = [pytest.mark.flow, pytest.mark.timeout(600)]

CROWD = 500
WITHIN_S = 240.0
"""A bound for a machine that has much else to do; on an idle one they are there in a few seconds."""

Found = Callable[..., Town]


async def everybody_online(platform: Platform, numbers: set[str]) -> None:
    """Await `P/status` online, with a tariff, of each."""
    missing = set(numbers)

    def last_one(status: object) -> bool:
        if getattr(status, "online", False) and getattr(status, "tariff_version", None) is not None:
            missing.discard(getattr(status, "pile", ""))
        return not missing

    await platform.wait(topics.PILE_STATUS, last_one, within_s=WITHIN_S)


async def told_the_time(platform: Platform, pile: SimulatedPile) -> None:
    """A command that is given now reaches its pile."""
    since = pile.counted
    key = uuid.uuid4().hex
    for _ in range(5):  # as the API asks for: a database that is busy answers 503, and the same key is sent again
        answer = await platform.call("POST", f"/piles/{pile.number}/commands/clock", key=key)
        if answer.status != 503:
            break
    assert answer.status == 202, answer
    await pile.received(TimeSync, since=since, within_s=WITHIN_S)


async def charge(platform: Platform, pile: SimulatedPile, need_kwh: float) -> int:
    """One charge from its start to its settlement; what it cost."""
    serial = await begun(platform, pile, need_kwh=need_kwh)
    return await paid(platform, pile, serial)


async def paid(platform: Platform, pile: SimulatedPile, serial: str) -> int:
    """Await record, settlement and 0x40."""
    record = await pile.sent(TransactionRecord, lambda one: one.trade_no == serial, within_s=WITHIN_S)
    order = await in_state(platform, serial, OrderState.SETTLED, within_s=WITHIN_S)
    await confirmed(pile, serial)
    assert order["total_fen"] == fen_of(record)
    assert not order["provisional"]
    return int(order["total_fen"])


async def test_500_piles_log_in_while_orders_run(
    broker: Broker, database_url: str, found: Found, tmp_path: Path
) -> None:
    town = found(piles=CROWD + 4, guns=1, rated_kva=2_000_000)
    async with running(broker, database_url, tmp_path, town) as platform:
        busy = [await platform.pile(number, guns=1) for number in town.piles[:4]]
        running_before = await asyncio.gather(*(begun(platform, pile, need_kwh=30) for pile in busy[:2]))

        wheel = Wheel()
        crowd = [
            SimulatedPile("127.0.0.1", platform.bridge_port, number, 1, options=PileOptions(), keep=0, wheel=wheel)
            for number in town.piles[4:]
        ]
        tasks = [asyncio.create_task(pile.run()) for pile in crowd]
        try:
            _, _, costs = await asyncio.gather(
                everybody_online(platform, {pile.number for pile in crowd}),
                told_the_time(platform, busy[3]),
                asyncio.gather(
                    *(paid(platform, pile, serial) for pile, serial in zip(busy, running_before, strict=False)),
                    *(charge(platform, pile, need_kwh=6) for pile in busy[2:]),
                ),
            )
            assert all(pile.is_online for pile in crowd)
            assert {pile.connections for pile in crowd} == {1}
            books = proved(database_url, town.customer)
            assert (books.held_fen, books.available_fen) == (0, 4 * RECHARGED - sum(costs))
            assert sorted(books.settlements.values()) == [1, 1, 1, 1]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
