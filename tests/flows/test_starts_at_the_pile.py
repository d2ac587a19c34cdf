"""Charges that a driver or a car asks for at the pile: by card, by VIN, by two guns on one car, without a link."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bridge.protocols.ykc.codes import StartRefusal
from bridge.protocols.ykc.messages import (
    BalanceUpdate,
    OfflineCardSync,
    ParallelStartConfirmation,
    RecordConfirmation,
    RemoteParallelStart,
    StartConfirmation,
    TransactionRecord,
)
from bridge.simulator.arrivals import draw_car
from bridge.simulator.link import SimulatedPile
from bridge.simulator.options import Card
from evcs.contracts import topics
from evcs.contracts.states import GunState, OrderState
from tests.flows.books import proved
from tests.flows.platform import LIVELY, Platform, running
from tests.flows.sums import fen_of
from tests.flows.town import Town
from tests.servers import Broker

pytestmark = [pytest.mark.flow, pytest.mark.timeout(180)]

UID = "00000000D14B0A54"
VIN = "LSVAU2180N2183294"
RECHARGED = 50_000

Found = Callable[..., Town]


async def bound(platform: Platform, what: str, body: dict[str, Any]) -> int:
    """A card or car of the town's driver."""
    answer = await platform.call("POST", f"/customers/{platform.town.customer}/{what}", body)
    assert answer.status == 201, answer
    return int(answer.body["id"])


async def attempt(platform: Platform) -> dict[str, Any]:
    """The newest attempt in the list."""
    return dict((await platform.call("GET", "/card-attempts?limit=1")).body["items"][0])


async def until(look: Callable[[], bool], what: str, within_s: float = 60.0) -> None:
    """Look at the pile itself: with its link away it tells nobody."""
    deadline = time.monotonic() + within_s
    while not look():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.1)


async def charging(platform: Platform, gun: int = 1) -> str:
    """Await that the gun charges; its serial."""
    level = await platform.wait(
        topics.GUN_STATE, lambda one: one.gun == gun and one.state is GunState.CHARGING, within_s=60
    )
    return str(level.serial)


async def settled(platform: Platform, pile: SimulatedPile, serial: str) -> dict[str, Any]:
    """Await record, settlement and 0x40."""
    record = await pile.sent(TransactionRecord, lambda one: one.trade_no == serial, within_s=60)
    order = await platform.order_until(serial, lambda one: one.get("state") == OrderState.SETTLED, within_s=45)
    await pile.received(RecordConfirmation, lambda one: one.trade_no == serial and one.result == 0, within_s=15)
    assert order["total_fen"] == fen_of(record)
    assert proved(platform.database_url, platform.town.customer).settlements_of(serial) == 1
    return order


async def test_a_card_with_its_pin_charges(broker: Broker, database_url: str, found: Found, tmp_path: Path) -> None:
    async with running(broker, database_url, tmp_path, found()) as platform:
        await platform.recharge(RECHARGED)
        await bound(platform, "cards", {"uid": UID, "printed_no": "8800000000000042", "pin": "246810"})
        pile = await platform.pile(platform.town.piles[0])
        await platform.plugged(pile, 1, need_kwh=6)
        pile.swipe(Card(UID, "246810"))
        answer = await pile.received(StartConfirmation)
        assert (answer.auth_ok, answer.logical_card, answer.balance * 100) == (1, "8800000000000042", 20_000)
        serial = await charging(platform)
        assert answer.trade_no == serial
        order = await settled(platform, pile, serial)
        assert (order["source"], order["card"], order["goal"]["kind"]) == ("card", UID, "full")
        assert order["vehicle"] is not None
        assert order["limits"] is not None
        tried = await attempt(platform)
        assert (tried["serial"], tried["order_state"], tried["refusal"]) == (serial, "settled", None)


async def test_a_known_car_charges_by_itself(broker: Broker, database_url: str, found: Found, tmp_path: Path) -> None:
    async with running(broker, database_url, tmp_path, found()) as platform:
        await platform.recharge(RECHARGED)
        await bound(platform, "vehicles", {"vin": VIN, "plate": "浙A12345"})
        pile = await platform.pile(platform.town.piles[0])
        await _plug_known_car(platform, pile)
        pile.ask_by_vin()
        serial = await charging(platform)
        await platform.call("POST", f"/orders/{serial}/stop")
        order = await settled(platform, pile, serial)
        assert (order["source"], order["vin"], order["other_vin"]) == ("vin", VIN, None)


async def _plug_known_car(platform: Platform, pile: SimulatedPile) -> None:
    car = draw_car(Random(1), LIVELY)
    car.vin = VIN
    seen = platform.observer.count
    pile.plug(1, car=car)
    await platform.wait(topics.GUN_STATE, lambda one: one.state is GunState.PLUGGED, after=seen)


async def test_whoever_may_not_charge_reads_why_at_the_pile(
    broker: Broker, database_url: str, found: Found, tmp_path: Path
) -> None:
    async with running(broker, database_url, tmp_path, found()) as platform:
        pile = await platform.pile(platform.town.piles[0])
        await platform.plugged(pile, 1)

        async def refused(code: StartRefusal, reason: str, card: Card | None = None) -> None:
            before = len(pile.all_of(StartConfirmation))
            if card is None:
                pile.ask_by_vin()
            else:
                pile.swipe(card)
            await pile.received(StartConfirmation, lambda _: len(pile.all_of(StartConfirmation)) > before)
            answer = pile.all_of(StartConfirmation)[-1]
            assert (answer.auth_ok, answer.fail_reason) == (0, code), reason
            assert (await attempt(platform))["refusal"]["code"] == reason

        await refused(StartRefusal.ACCOUNT_UNKNOWN, "card_unknown", Card(UID))
        await refused(StartRefusal.VIN_UNKNOWN, "vin_unknown")
        card = await bound(platform, "cards", {"uid": UID, "pin": "246810"})
        await refused(StartRefusal.WRONG_PASSWORD, "wrong_password", Card(UID, "1234"))
        await refused(StartRefusal.BALANCE_TOO_LOW, "balance_too_low", Card(UID, "246810"))
        await platform.call("POST", f"/cards/{card}/block", {"reason": "挂失"})
        await refused(StartRefusal.ACCOUNT_FROZEN, "card_blocked", Card(UID, "246810"))
        assert proved(platform.database_url, platform.town.customer).held_fen == 0


async def test_two_guns_charge_one_car_from_the_app_and_from_the_pile(
    broker: Broker, database_url: str, found: Found, tmp_path: Path
) -> None:
    async with running(broker, database_url, tmp_path, found()) as platform:
        await platform.recharge(2 * RECHARGED)
        await bound(platform, "cards", {"uid": UID})
        app, reader = [await platform.pile(number) for number in platform.town.piles]
        for pile in (app, reader):
            for gun in (1, 2):
                await platform.plugged(pile, gun, need_kwh=20)
        body = {
            "customer_id": platform.town.customer,
            "pile": app.number,
            "gun": 1,
            "joint_gun": 2,
            "goal": {"kind": "amount", "amount_fen": 2_000},
        }
        placed = await platform.call("POST", "/orders", body)
        assert placed.status == 201, placed
        pair = [placed.body["serial"], placed.body["joint"]["serial"]]
        orders = [await settled_within(platform, app, serial) for serial in pair]
        assert sum(order["total_fen"] for order in orders) <= 2_000
        starts = app.all_of(RemoteParallelStart)
        assert {one.trade_no for one in starts} == set(pair)
        assert {one.parallel_no for one in starts} == {placed.body["joint"]["number"]}

        reader.swipe(Card(UID), 1, 2)
        await reader.received(ParallelStartConfirmation, lambda one: one.gun_no == "02" and one.auth_ok == 1)
        answers = reader.all_of(ParallelStartConfirmation)
        assert len({one.parallel_no for one in answers}) == 1
        for answer in answers:
            order = await settled(platform, reader, answer.trade_no)
            assert order["joint"]["number"] == answer.parallel_no


async def settled_within(platform: Platform, pile: SimulatedPile, serial: str) -> dict[str, Any]:
    """The same where a goal may give something back."""
    await pile.sent(TransactionRecord, lambda one: one.trade_no == serial, within_s=60)
    order = await platform.order_until(serial, lambda one: one.get("state") == OrderState.SETTLED, within_s=45)
    await pile.received(RecordConfirmation, lambda one: one.trade_no == serial and one.result == 0, within_s=15)
    return order


async def test_a_hold_that_runs_low_is_lengthened_while_it_charges(
    broker: Broker, database_url: str, found: Found, tmp_path: Path
) -> None:
    async with running(broker, database_url, tmp_path, found()) as platform:
        await platform.recharge(700)
        # So slow that what is held lasts for some twenty seconds: it is lengthened when a tenth of it is left.
        pile = await platform.pile(platform.town.piles[0], options=replace(LIVELY, energy_factor=15))
        # More than the first hold buys at the cheapest price of the day.
        await platform.plugged(pile, 1, need_kwh=12)
        # All that is there is held; the customer pays more in while it charges.
        answer = await platform.order(pile.number, 1, {"kind": "full"})
        assert (answer.status, answer.body["hold_fen"]) == (201, 700), answer
        await platform.recharge(RECHARGED)
        serial = answer.body["serial"]
        told = await pile.received(BalanceUpdate, within_s=120)
        assert told.balance * 100 == 20_700
        order = await settled(platform, pile, serial)
        assert order["total_fen"] > 700
        assert order["stop_reason"] is None
        commands = (await platform.call("GET", f"/piles/{pile.number}/commands")).body["items"]
        assert [(one["kind"], one["state"]) for one in commands if one["kind"] == "balance"] == [
            ("balance", "accepted")
        ]


async def test_a_card_charges_while_the_link_is_away_and_pays_when_it_is_back(
    broker: Broker, database_url: str, found: Found, tmp_path: Path
) -> None:
    async with running(broker, database_url, tmp_path, found()) as platform:
        await platform.recharge(RECHARGED)
        await bound(platform, "cards", {"uid": UID, "printed_no": "8800000000000042", "offline_allowed": True})
        pile = await platform.pile(platform.town.piles[0])
        stored = await platform.call(
            "POST",
            f"/piles/{pile.number}/commands/cards-store",
            {"cards": [{"uid": UID, "printed_no": "8800000000000042"}]},
        )
        assert stored.status == 202, stored
        await pile.received(OfflineCardSync)
        await platform.plugged(pile, 1, need_kwh=4)
        pile.drop_link(hold=True)
        await platform.wait(topics.PILE_STATUS, lambda one: not one.online)
        pile.swipe(Card(UID))
        gun = pile.pile.guns[1]
        await until(lambda: gun.session is not None, "it charges")
        await until(lambda: gun.session is None, "it has charged")
        pile.restore_link()
        record = await pile.sent(TransactionRecord, within_s=60)
        order = await platform.order_until(record.trade_no, lambda one: one.get("state") == "settled", within_s=45)
        assert (order["source"], order["customer"]["id"]) == ("offline_card", platform.town.customer)
        assert order["total_fen"] == fen_of(record)
        await pile.received(RecordConfirmation, lambda one: one.trade_no == record.trade_no, within_s=15)
        assert proved(platform.database_url, platform.town.customer).available_fen == RECHARGED - order["total_fen"]
