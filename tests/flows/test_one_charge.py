"""One paid charge through every room: recharge → order → 0x34 → telemetry → 0x3B → settlement → 0x40."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge.protocols.ykc.codes import GunState as WireState
from bridge.protocols.ykc.messages import (
    RealtimeData,
    RecordConfirmation,
    RemoteStart,
    TransactionRecord,
    WorkParameters,
    WorkParametersAnswer,
)
from bridge.simulator.link import SimulatedPile
from evcs.contracts import topics
from evcs.contracts.states import GunState, OrderState
from evcs.contracts.waits import PROVISIONAL_S, VERDICT_S
from tests.flows.books import proved, telemetry_of
from tests.flows.conftest import ALL
from tests.flows.platform import LIVELY, Platform, running
from tests.flows.sums import fen_of
from tests.flows.town import PRICES, Town
from tests.servers import Broker

pytestmark = [pytest.mark.flow, pytest.mark.timeout(180)]

RECHARGED = 50_000
"""Fen on the wallet before a scenario's order."""

SLOWER = replace(LIVELY, energy_factor=25)
"""Slow enough that a service is gone and back within one charge."""

Found = Callable[..., Town]


async def charged(platform: Platform, pile: SimulatedPile, goal: dict[str, Any], *, need_kwh: float = 40) -> str:
    """Recharge, plug in, order, and await that the gun charges; the order's serial."""
    await platform.recharge(RECHARGED)
    await platform.plugged(pile, 1, need_kwh=need_kwh)
    answer = await platform.order(pile.number, 1, goal)
    assert answer.status == 201, answer
    serial = str(answer.body["serial"])
    await platform.wait(
        topics.GUN_STATE, lambda level: level.serial == serial and level.state is GunState.CHARGING, within_s=60
    )
    return serial


async def gate_says(platform: Platform, pile: SimulatedPile, gun: int = 1) -> dict[str, Any]:
    """Ask the gate about a start, and await what it says or that it is silent."""
    asked = await platform.call("POST", "/asks", {"pile": pile.number, "gun": gun})
    assert asked.status == 201, asked
    for _ in range(500):  # an answer is announced to nobody: who asked looks, as a page does
        said = (await platform.call("GET", f"/asks/{asked.body['id']}")).body
        if said["state"] != "asked":
            return said
        await asyncio.sleep(0.02)
    raise AssertionError(f"the gate's answer never came: {asked}")


async def settled(platform: Platform, pile: SimulatedPile, serial: str, within_s: float = 60) -> dict[str, Any]:
    """Await record, settlement and 0x40; the order, after everything that must be true of it was looked at."""
    record = await pile.sent(TransactionRecord, lambda r: r.trade_no == serial, within_s=within_s)
    order = await platform.order_until(serial, lambda o: o.get("state") == OrderState.SETTLED, within_s=45)
    await pile.received(RecordConfirmation, lambda c: c.trade_no == serial and c.result == 0, within_s=15)
    assert order["electricity_fen"] + order["service_fen"] == fen_of(record)
    assert order["total_fen"] == fen_of(record) - order["discount_fen"]
    books = proved(platform.database_url, platform.town.customer)
    assert books.held_fen == 0
    assert books.available_fen == RECHARGED - order["total_fen"]
    assert books.settlements_of(serial) == 1
    return order


async def curve_is_complete(platform: Platform, pile: SimulatedPile, serial: str, *, lost_at_most: int = 0) -> None:
    """Every charging 0x13 that the pile sent stands in the store once, and in the order's curve over HTTP."""
    sent = [
        frame for frame in pile.all_of(RealtimeData) if frame.trade_no == serial and frame.state == WireState.CHARGING
    ]
    assert sent
    points = await telemetry_of(platform, pile.number, 1, serial, at_least=len(sent) - lost_at_most)
    assert len(sent) - lost_at_most <= len(points) <= len(sent)
    assert {point.energy_kwh for point in points} <= {float(frame.kwh) for frame in sent}
    curve = (await platform.call("GET", f"/orders/{serial}/curve")).body
    assert len(curve["points"]) >= len(points)


@pytest.mark.parametrize("kind", ALL, indirect=True)
async def test_a_charge_for_an_amount(broker: Broker, database_url: str, found: Found, tmp_path: Path) -> None:
    async with running(broker, database_url, tmp_path, found()) as platform:
        pile = await platform.pile(platform.town.piles[0])
        serial = await charged(platform, pile, {"kind": "amount", "amount_fen": 1500})
        start = await pile.received(RemoteStart)
        assert start.trade_no == serial
        assert start.balance * 100 == 1500
        assert not pile.all_of(WorkParameters)
        order = await settled(platform, pile, serial)
        assert 1400 <= order["total_fen"] <= 1500
        await curve_is_complete(platform, pile, serial)


async def test_a_charge_for_an_energy(broker: Broker, database_url: str, found: Found, tmp_path: Path) -> None:
    async with running(broker, database_url, tmp_path, found()) as platform:
        pile = await platform.pile(platform.town.piles[0])
        serial = await charged(platform, pile, {"kind": "energy", "energy_kwh": "6"})
        order = await settled(platform, pile, serial)
        assert float(order["energy_kwh"]) >= 5.5
        assert order["stop_reason"] == "goal_reached"
        await curve_is_complete(platform, pile, serial)


async def test_a_charge_for_a_time(broker: Broker, database_url: str, found: Found, tmp_path: Path) -> None:
    async with running(broker, database_url, tmp_path, found()) as platform:
        pile = await platform.pile(platform.town.piles[0])
        serial = await charged(platform, pile, {"kind": "time", "duration_s": 10})
        order = await settled(platform, pile, serial)
        assert order["stop_reason"] == "goal_reached"
        record = pile.all_of(TransactionRecord)[0]
        assert 6 <= (record.end_time - record.start_time).total_seconds() <= 15  # type: ignore[operator]


async def test_a_charge_until_the_car_is_full(broker: Broker, database_url: str, found: Found, tmp_path: Path) -> None:
    async with running(broker, database_url, tmp_path, found()) as platform:
        pile = await platform.pile(platform.town.piles[0])
        serial = await charged(platform, pile, {"kind": "full"}, need_kwh=6)
        order = await settled(platform, pile, serial)
        assert abs(float(order["energy_kwh"]) - 6) < 0.5
        assert order["stop_code"] == 0x41


async def test_a_person_stops_a_charge(broker: Broker, database_url: str, found: Found, tmp_path: Path) -> None:
    async with running(broker, database_url, tmp_path, found()) as platform:
        pile = await platform.pile(platform.town.piles[0])
        serial = await charged(platform, pile, {"kind": "full"})
        answer = await platform.call("POST", f"/orders/{serial}/stop")
        assert answer.status in (200, 202), answer
        order = await settled(platform, pile, serial)
        assert order["stop_code"] == 0x40
        assert order["stop_reason"] == "stopped_by_person"


async def test_over_half_load_a_start_is_capped_before_it_starts(
    broker: Broker, database_url: str, found: Found, tmp_path: Path
) -> None:
    async with running(broker, database_url, tmp_path, found(base_load_kw=310)) as platform:
        pile = await platform.pile(platform.town.piles[0])
        serial = await charged(platform, pile, {"kind": "amount", "amount_fen": 1500})
        cap = await pile.received(WorkParameters)
        confirmed = await pile.sent(WorkParametersAnswer)
        start = await pile.received(RemoteStart)
        assert cap.max_power_pct == 50
        order_of = [pile.entry_of(frame).index for frame in (cap, confirmed, start)]
        assert order_of == sorted(order_of)
        said = await gate_says(platform, pile, gun=2)
        assert (said["state"], said["reason"]) == ("refused", "gun_not_plugged")
        await settled(platform, pile, serial)
        drawn = [frame.voltage * frame.current for frame in pile.all_of(RealtimeData)]
        assert 30_000 < max(drawn) <= 60_000


async def test_over_eighty_per_cent_a_start_is_refused_with_its_reason(
    broker: Broker, database_url: str, found: Found, tmp_path: Path
) -> None:
    async with running(broker, database_url, tmp_path, found(base_load_kw=490)) as platform:
        pile = await platform.pile(platform.town.piles[0])
        await platform.recharge(RECHARGED)
        await platform.plugged(pile, 1)
        said = await gate_says(platform, pile)
        assert (said["state"], said["reason"]) == ("refused", "band_blocked")
        assert "81.9%" in said["text"]["zh"]
        answer = await platform.order(pile.number, 1, {"kind": "amount", "amount_fen": 1500})
        assert answer.status == 201, answer
        serial = answer.body["serial"]
        order = await platform.order_until(serial, lambda o: o.get("state") == OrderState.REFUSED)
        assert order["refusal"]["code"] == "band_blocked"
        assert "81.9%" in order["refusal"]["zh"]
        assert "80" in order["refusal"]["en"]
        assert proved(database_url, platform.town.customer).available_fen == RECHARGED
        assert not pile.all_of(RemoteStart)


async def test_a_record_sent_twice_is_settled_once_and_confirmed_twice(
    broker: Broker, database_url: str, found: Found, tmp_path: Path
) -> None:
    async with running(broker, database_url, tmp_path, found()) as platform:
        pile = await platform.pile(platform.town.piles[0])
        pile.troubles.record_twice = True
        serial = await charged(platform, pile, {"kind": "amount", "amount_fen": 1200})
        await settled(platform, pile, serial)
        await pile.until(lambda p: len(p.all_of(RecordConfirmation)) >= 2, within_s=20)
        assert proved(database_url, platform.town.customer).settlements_of(serial) == 1


async def test_the_same_key_orders_once(broker: Broker, database_url: str, found: Found, tmp_path: Path) -> None:
    async with running(broker, database_url, tmp_path, found()) as platform:
        pile = await platform.pile(platform.town.piles[0])
        await platform.recharge(RECHARGED)
        await platform.plugged(pile, 1)
        goal = {"kind": "amount", "amount_fen": 1200}
        answers = await asyncio.gather(*(platform.order(pile.number, 1, goal, key="tap-1") for _ in range(5)))
        serials = {answer.body["serial"] for answer in answers if answer.status == 201}
        assert len(serials) == 1
        assert {answer.status for answer in answers} <= {201, 409}
        await settled(platform, pile, serials.pop())
        assert len(pile.all_of(RemoteStart)) == 1


@pytest.mark.parametrize("module", ["webapi.worker", "rules", "ingest", "webapi", "bridge"])
async def test_a_service_killed_in_the_middle_costs_nothing(
    module: str, broker: Broker, database_url: str, found: Found, tmp_path: Path
) -> None:
    async with running(broker, database_url, tmp_path, found()) as platform:
        pile = await platform.pile(platform.town.piles[0], options=SLOWER)
        serial = await charged(platform, pile, {"kind": "amount", "amount_fen": 1200})
        await platform.wait(topics.TELEMETRY, lambda t: t.serial == serial and (t.energy_kwh or 0) > 1)
        platform.restart(module)
        if module == "webapi":
            await platform.http_ready()
        await settled(platform, pile, serial, within_s=80)
        lost = len(pile.frames) if module == "bridge" else 0  # what a pile says while nobody listens is lost with it
        await curve_is_complete(platform, pile, serial, lost_at_most=lost)


@pytest.mark.parametrize("store", ["kept", "lost"])
async def test_the_broker_killed_in_the_middle_costs_no_money(
    store: str, broker: Broker, database_url: str, found: Found, tmp_path: Path
) -> None:
    async with running(broker, database_url, tmp_path, found()) as platform:
        pile = await platform.pile(platform.town.piles[0], options=SLOWER)
        serial = await charged(platform, pile, {"kind": "amount", "amount_fen": 1200})
        await platform.wait(topics.TELEMETRY, lambda t: t.serial == serial and (t.energy_kwh or 0) > 1)
        broker.kill()
        if store == "lost":
            broker.lose_store()
        broker.start()
        await settled(platform, pile, serial, within_s=80)
        # What the broker had acknowledged since its last save is the documented window; the rest comes again.
        await curve_is_complete(platform, pile, serial, lost_at_most=5)


async def test_while_rules_is_away_nothing_starts_and_anybody_can_stop(
    broker: Broker, database_url: str, found: Found, tmp_path: Path
) -> None:
    async with running(broker, database_url, tmp_path, found()) as platform:
        pile = await platform.pile(platform.town.piles[0])
        serial = await charged(platform, pile, {"kind": "full"})
        await platform.plugged(pile, 2)
        said = await gate_says(platform, pile, gun=2)
        assert (said["state"], said["cap_kw"]) == ("admitted", None)
        platform.services["rules"].kill()
        waiting = await platform.order(pile.number, 2, {"kind": "amount", "amount_fen": 1200})
        assert waiting.status == 201, waiting
        assert (await platform.call("POST", f"/orders/{serial}/stop")).status == 200
        await pile.sent(TransactionRecord, lambda record: record.trade_no == serial)
        await platform.order_until(serial, lambda order: order.get("state") == OrderState.SETTLED)
        platform.advance(VERDICT_S + 1)
        refused = await platform.order_until(
            waiting.body["serial"], lambda order: order.get("state") == OrderState.REFUSED
        )
        assert refused["refusal"]["code"] == "engine_away"
        assert len(pile.all_of(RemoteStart)) == 1
        assert proved(database_url, platform.town.customer).held_fen == 0


async def test_a_charge_without_a_record_is_settled_by_its_marks(
    broker: Broker, database_url: str, found: Found, tmp_path: Path
) -> None:
    async with running(broker, database_url, tmp_path, found()) as platform:
        # Marks that no car could draw in their time are not billed, so this pile brings true energies.
        pile = await platform.pile(platform.town.piles[0], options=replace(LIVELY, energy_factor=1))
        pile.troubles.lose_record = True
        serial = await charged(platform, pile, {"kind": "time", "duration_s": 15})
        ended = await platform.order_until(serial, lambda order: order.get("state") == OrderState.ENDED, 60)
        assert not ended["provisional"]
        platform.advance(PROVISIONAL_S + 1)
        order = await platform.order_until(serial, lambda order: order.get("state") == OrderState.SETTLED)
        assert order["provisional"]
        drawn = max(frame.kwh for frame in pile.all_of(RealtimeData) if frame.trade_no == serial)
        cheapest, dearest = (choose(map(sum, PRICES.values())) for choose in (min, max))
        assert drawn > 0
        assert int(drawn * cheapest / 1000) - 1 <= order["total_fen"] <= int(drawn * dearest / 1000) + 2
        books = proved(database_url, platform.town.customer)
        assert (books.held_fen, books.available_fen) == (0, RECHARGED - order["total_fen"])
