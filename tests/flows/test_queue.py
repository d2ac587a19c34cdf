"""Waiting for the band through every room: queued, the place shown, started by itself, and the money when it ends."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bridge.protocols.ykc.messages import RemoteStart, TransactionRecord
from bridge.simulator.link import SimulatedPile
from evcs.contracts import topics
from evcs.contracts.states import OrderState
from evcs.contracts.waits import VERDICT_S
from tests.flows.books import proved
from tests.flows.charges import in_state
from tests.flows.meter import LoadMeter, give_meter, metered
from tests.flows.platform import Platform, running
from tests.flows.town import Town
from tests.servers import Broker

pytestmark = [pytest.mark.flow, pytest.mark.timeout(240)]

RECHARGED = 50_000
OVER_KVA, UNDER_KVA = 530.0, 200.0
"""Of 630 kVA: 84 and 32 %."""
SMALL = {"kind": "amount", "amount_fen": 1_200}

Found = Callable[..., Town]


async def blocked(platform: Platform) -> None:
    """Await that the gate has seen the load."""
    await platform.wait(topics.POLICY, lambda policy: policy.band == "blocked")


async def waits(platform: Platform, pile: SimulatedPile) -> str:
    """Plug in, order with leave to wait, and await that the order waits; its serial."""
    await platform.plugged(pile, 1)
    answer = await platform.call(
        "POST",
        "/orders",
        {"customer_id": platform.town.customer, "pile": pile.number, "gun": 1, "goal": SMALL, "may_queue": True},
    )
    assert answer.status == 201, answer
    serial = str(answer.body["serial"])
    await in_state(platform, serial, OrderState.QUEUED)
    return serial


def at_place(position: int) -> Callable[[dict[str, Any]], bool]:
    return lambda order: (order.get("queue") or {}).get("position") == position


def let_it_fall(meter: LoadMeter) -> None:
    meter.load_kva = UNDER_KVA


async def test_two_wait_and_start_by_themselves_in_order(
    broker: Broker, database_url: str, found: Found, tmp_path: Path
) -> None:
    town = found(guns=1)
    give_meter(database_url, blocked_release_s=3)
    async with metered(broker.port, OVER_KVA) as meter, running(broker, database_url, tmp_path, town) as platform:
        piles = [await platform.pile(number, guns=1) for number in town.piles]
        await platform.recharge(RECHARGED)
        await blocked(platform)
        serials = [await waits(platform, pile) for pile in piles]
        for position, serial in enumerate(serials, 1):
            order = await platform.order_until(serial, at_place(position))
            assert order["queue"]["since"] < order["queue"]["until"]
            assert order["hold_fen"] == 1_200
        assert not any(pile.all_of(RemoteStart) for pile in piles)
        let_it_fall(meter)
        for pile, serial in zip(piles, serials, strict=True):
            await pile.sent(TransactionRecord, lambda record, serial=serial: record.trade_no == serial, within_s=90)
            order = await in_state(platform, serial, OrderState.SETTLED)
            assert order["queue"] is None
            assert 1_100 <= order["total_fen"] <= 1_200
            assert len(pile.all_of(RemoteStart)) == 1
        started = [(await platform.call("GET", f"/orders/{serial}")).body["admitted_at"] for serial in serials]
        assert started == sorted(started)
        assert len(set(started)) == 2
        assert proved(database_url, town.customer).held_fen == 0
        await platform.wait(topics.QUEUE, lambda level: level.waiting == (), after=_last_queue(platform))


def _last_queue(platform: Platform) -> int:
    """The number of the last level in which somebody waits."""
    return max(number for number, _, level in platform.observer.of(topics.QUEUE) if level.waiting)


async def test_unplugged_the_wait_is_over_and_the_money_is_back(
    broker: Broker, database_url: str, found: Found, tmp_path: Path
) -> None:
    town = found(guns=1)
    give_meter(database_url, blocked_release_s=3)
    async with metered(broker.port, OVER_KVA), running(broker, database_url, tmp_path, town) as platform:
        unplugged, cancelled = [await platform.pile(number, guns=1) for number in town.piles]
        await platform.recharge(RECHARGED)
        await blocked(platform)
        serials = [await waits(platform, pile) for pile in (unplugged, cancelled)]
        unplugged.unplug(1)
        order = await in_state(platform, serials[0], OrderState.REFUSED)
        assert order["refusal"]["code"] == "gun_not_plugged"
        await platform.order_until(serials[1], at_place(1))
        assert (await platform.call("POST", f"/orders/{serials[1]}/stop")).status == 200
        await in_state(platform, serials[1], OrderState.CANCELLED)
        books = proved(database_url, town.customer)
        assert (books.held_fen, books.available_fen) == (0, RECHARGED)
        await platform.wait(topics.QUEUE, lambda level: level.waiting == (), after=_last_queue(platform))
        assert not unplugged.all_of(RemoteStart)
        assert not cancelled.all_of(RemoteStart)


async def test_with_rules_away_the_wait_ends_by_itself_and_the_money_is_back(
    broker: Broker, database_url: str, found: Found, tmp_path: Path
) -> None:
    town = found(guns=1)
    give_meter(database_url, blocked_release_s=3, queue_s=120)
    async with metered(broker.port, OVER_KVA), running(broker, database_url, tmp_path, town) as platform:
        pile = await platform.pile(town.piles[0], guns=1)
        await platform.recharge(RECHARGED)
        await blocked(platform)
        serial = await waits(platform, pile)
        platform.services["rules"].kill()
        platform.advance(120)
        order = (await platform.call("GET", f"/orders/{serial}")).body
        assert (order["state"], order["hold_fen"]) == ("queued", 1_200)
        platform.advance(VERDICT_S + 1)
        order = await in_state(platform, serial, OrderState.REFUSED)
        assert order["refusal"]["code"] == "queue_expired"
        assert proved(database_url, town.customer).available_fen == RECHARGED
        assert not pile.all_of(RemoteStart)


@pytest.mark.parametrize("lost", ["rules", "the broker's store"])
async def test_a_restart_keeps_everybody_in_order(
    lost: str, broker: Broker, database_url: str, found: Found, tmp_path: Path
) -> None:
    town = found(guns=1)
    give_meter(database_url, blocked_release_s=3)
    async with running(broker, database_url, tmp_path, town) as platform, metered(broker.port, OVER_KVA) as meter:
        piles = [await platform.pile(number, guns=1) for number in town.piles]
        await platform.recharge(RECHARGED)
        await blocked(platform)
        serials = [await waits(platform, pile) for pile in piles]
        await platform.order_until(serials[1], at_place(2))
        after = platform.observer.count
        platform.services["rules"].kill()
        if lost != "rules":
            broker.kill()
            broker.lose_store()
            broker.start()
        platform.services["rules"].start()
        level = await platform.wait(topics.QUEUE, lambda level: len(level.waiting) == 2, after=after, within_s=60)
        assert [one.serial for one in level.waiting] == serials
        assert [(await platform.call("GET", f"/orders/{serial}")).body["state"] for serial in serials] == ["queued"] * 2
        let_it_fall(meter)
        await asyncio.gather(*(in_state(platform, serial, OrderState.SETTLED, within_s=120) for serial in serials))
        started = [(await platform.call("GET", f"/orders/{serial}")).body["admitted_at"] for serial in serials]
        assert started == sorted(started)
        assert [len(pile.all_of(RemoteStart)) for pile in piles] == [1, 1]
        assert proved(database_url, town.customer).held_fen == 0


async def test_an_order_that_may_not_wait_is_refused_as_before(
    broker: Broker, database_url: str, found: Found, tmp_path: Path
) -> None:
    town = found(guns=1)
    give_meter(database_url, blocked_release_s=3)
    async with metered(broker.port, OVER_KVA), running(broker, database_url, tmp_path, town) as platform:
        waiting, other = [await platform.pile(number, guns=1) for number in town.piles]
        await platform.recharge(RECHARGED)
        await blocked(platform)
        serial = await waits(platform, waiting)
        await platform.plugged(other, 1)
        answer = await platform.order(other.number, 1, SMALL)
        refused = await in_state(platform, str(answer.body["serial"]), OrderState.REFUSED)
        assert refused["refusal"]["code"] == "band_blocked"
        assert (await platform.order_until(serial, at_place(1)))["state"] == "queued"
