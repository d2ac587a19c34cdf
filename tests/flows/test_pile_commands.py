"""What an operator tells a pile through the API, carried out by a pile on the wire; a tariff that follows a charge."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge.protocols.ykc.messages import GroundLockCommand, Restart, TariffPush, Update
from bridge.simulator.link import SimulatedPile
from evcs.contracts import topics
from evcs.contracts.states import GunState, OrderState
from tests.flows.platform import LIVELY, Platform, running
from tests.flows.town import Town
from tests.servers import Broker

pytestmark = [pytest.mark.flow, pytest.mark.timeout(180)]

LOCKED = replace(LIVELY, has_ground_locks=True, lock_move_s=0.2, update_s=(1.0, 2.0), restart_s=(1.0, 2.0))
CARD, STRANGER = "00000000D14B0A54", "00000000D14B0A55"
WITHIN_S = 40.0

Found = Callable[..., Town]


async def until(look: Callable[[], Any], what: str, within_s: float = WITHIN_S) -> Any:
    """Ask the API until it says what is wanted: it announces nothing by itself."""
    deadline = time.monotonic() + within_s
    while True:
        found = await look()
        if found:
            return found
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.2)


async def give(platform: Platform, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """A command that is accepted for sending, once it has an answer."""
    answer = await platform.call("POST", path, body)
    assert answer.status == 202, answer

    async def look() -> dict[str, Any] | None:
        seen = (await platform.call("GET", f"/commands/{answer.body['id']}")).body
        return None if seen["state"] == "waiting" else seen

    return dict(await until(look, f"{path} has an answer\n{platform.logs()}"))


async def test_every_command_is_carried_out_and_answered(
    broker: Broker, database_url: str, found: Found, tmp_path: Path
) -> None:
    async with running(broker, database_url, tmp_path, found()) as platform:
        number = platform.town.piles[0]
        at, lock = f"/piles/{number}/commands", f"/piles/{number}/guns/1/commands/ground-lock"
        away = await platform.call("POST", f"{at}/clock")
        assert (away.status, away.body["code"]) == (409, "pile_offline")
        pile = await platform.pile(number, options=LOCKED)

        traced = await give(platform, f"{at}/trace", {"on": True, "minutes": 5})
        assert traced["state"] == "accepted"
        for path in (f"{at}/poll", f"/piles/{number}/guns/2/commands/poll", f"{at}/clock", f"{at}/tariff-push"):
            done = await give(platform, path)
            assert done["state"] == "accepted", done
        assert pile.all_of(TariffPush)
        done = await give(platform, f"{at}/qr-prefix", {"prefix": "https://ev.example.com/q/"})
        assert done["state"] == "accepted", done

        cards = {"cards": [{"uid": CARD, "printed_no": "1000000573"}]}
        stored = await give(platform, f"{at}/cards-store", cards)
        assert (stored["state"], stored["cards"][0]["ok"]) == ("accepted", True)
        asked = await give(platform, f"{at}/cards-query", {"cards": [{"uid": CARD}, {"uid": STRANGER}]})
        assert [(card["uid"], card["ok"]) for card in asked["cards"]] == [(CARD, True), (STRANGER, False)]
        cleared = await give(platform, f"{at}/cards-clear", {"cards": [{"uid": CARD}]})
        assert cleared["state"] == "accepted", cleared
        asked = await give(platform, f"{at}/cards-query", {"cards": [{"uid": CARD}]})
        assert asked["cards"][0]["ok"] is False

        assert (await give(platform, lock, {"action": "lower"}))["state"] == "accepted"
        assert pile.all_of(GroundLockCommand)

        async def lowered() -> bool:
            gun = (await platform.call("GET", f"/piles/{number}/guns/1")).body
            return gun["ground_lock"] is not None and gun["ground_lock"]["state"] == "lowered"

        await until(lowered, "the lock has reported that it is down")
        frames = (await platform.call("GET", f"/piles/{number}/frames?limit=200")).body["items"]
        assert {"0x58", "0x57", "0x44", "0x43", "0x62", "0x63"} <= {frame["frame_type"] for frame in frames}

        update = {"server": "10.0.0.8", "user": "ota", "password": "hush-hush-4711", "path": "/fw/V9.bin"}
        done = await give(platform, f"{at}/update", {**update, "when": "at_once"})
        assert done["state"] == "accepted", done
        assert pile.all_of(Update)[0].password == update["password"]
        frames = (await platform.call("GET", f"/piles/{number}/frames?limit=200")).body["items"]
        raw = update["password"].encode().hex()
        assert all(raw not in frame["frame_hex"] for frame in frames)
        assert not any(update["password"] in str(frame["fields"]) for frame in frames)
        assert update["password"] not in platform.logs()

        async def updated() -> bool:
            live = (await platform.call("GET", f"/piles/{number}")).body["live"]
            return bool(live["online"] and live["firmware"] == "V9")

        await until(updated, "the pile has logged in with the new program")
        restarted = await give(platform, f"{at}/restart", {"when": "when_idle"})
        assert restarted["state"] == "accepted", restarted
        assert pile.all_of(Restart)
        listed = (await platform.call("GET", f"{at}?limit=200")).body["items"]
        assert [one["kind"] for one in listed][:2] == ["restart", "update"]
        assert {one["state"] for one in listed} == {"accepted"}


async def test_a_tariff_changed_while_a_car_charges_reaches_the_pile_after_the_charge(
    broker: Broker, database_url: str, found: Found, tmp_path: Path
) -> None:
    async with running(broker, database_url, tmp_path, found()) as platform:
        number, idle_number = platform.town.piles[:2]
        pile, idle = await platform.pile(number), await platform.pile(idle_number, seed=2)
        (tariff,) = (await platform.call("GET", "/tariffs")).body["items"]
        address = f"/tariffs/{tariff['id']}"
        price = {"band": "flat", "energy_price_e5": 99_000, "service_price_e5": 40_000}
        made = await platform.call("POST", f"{address}/versions", {"slots": ["flat"] * 48, "prices": [price]})
        version = made.body["versions"][0]["id"]

        await platform.recharge(50_000)
        await platform.plugged(pile, 1)
        placed = await platform.order(number, 1, {"kind": "full"})
        serial = placed.body["serial"]
        await platform.wait(
            topics.GUN_STATE, lambda level: level.serial == serial and level.state is GunState.CHARGING, within_s=60
        )
        assigned = await platform.call(
            "POST", f"{address}/assignments", {"version": version, "piles": [number, idle_number]}
        )
        assert [one["assigned"] for one in assigned.body["items"]] == [True, True]
        platform.advance(35)

        async def state(of: str) -> str:
            items = (await platform.call("GET", f"{address}/rollout")).body["items"]
            return str(next(item["state"] for item in items if item["pile"] == of))

        async def idle_has_it() -> bool:
            return await state(idle_number) == "confirmed"

        await until(idle_has_it, "the idle pile has confirmed the new version")
        assert idle.all_of(TariffPush)
        assert await state(number) == "charging"
        assert not pile.all_of(TariffPush)

        assert (await platform.call("POST", f"/orders/{serial}/stop")).status == 200
        order = await platform.order_until(serial, lambda o: o.get("state") == OrderState.SETTLED, within_s=45)
        assert (order["tariff_version"], order["bills"][0]["tariff_version"]) == ("hz-1", "hz-1")

        async def has_it() -> bool:
            return await state(number) == "confirmed"

        await until(has_it, "the pile has confirmed the new version after its charge")
        assert [push.model_no for push in pile.all_of(TariffPush)] == [made.body["versions"][0]["model_no"]]
        again = await platform.order(number, 1, {"kind": "amount", "amount_fen": 500})
        assert again.status == 201, again
        detail = (await platform.call("GET", f"/orders/{again.body['serial']}")).body
        assert detail["tariff_version"] == version


async def test_a_pile_that_has_gone_is_told_nothing_and_one_that_goes_says_so(
    broker: Broker, database_url: str, found: Found, tmp_path: Path
) -> None:
    async with running(broker, database_url, tmp_path, found(piles=1)) as platform:
        number = platform.town.piles[0]
        pile: SimulatedPile = await platform.pile(number)
        done = await give(platform, f"/piles/{number}/commands/restart", {"when": "at_once"})
        assert done["state"] == "accepted", done
        await platform.wait(topics.PILE_STATUS, lambda status: status.pile == number and not status.online)
        assert pile.all_of(Restart)
