"""What a person does to equipment that charges, over real sockets: limit it, lock it out, stop a whole station."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge.protocols.ykc.messages import RemoteStart, RemoteStop, WorkParameters
from bridge.simulator.link import SimulatedPile
from evcs.contracts import topics
from evcs.contracts.states import OrderState
from tests.flows.charges import FULL, RECHARGED, begun, charging, in_state
from tests.flows.platform import LIVELY, Platform, running
from tests.flows.town import STATION, Town
from tests.servers import Broker

pytestmark = [pytest.mark.flow, pytest.mark.timeout(240)]

WITHIN_S = 60.0
PATIENT = replace(LIVELY, energy_factor=1)
"""No charge of these scenarios ends by itself."""
NEED_KWH = 60
LOCKED, FREE = 1, 0

Found = Callable[..., Town]


async def until(look: Callable[[], Any], what: str, within_s: float = WITHIN_S) -> Any:
    """Ask the API until it says what is wanted."""
    deadline = time.monotonic() + within_s
    while True:
        found = await look()
        if found:
            return found
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.2)


async def gun_result(platform: Platform, setting: int, state: str) -> dict[str, Any]:
    """The only gun of a limit, once it is in this state."""
    seen: dict[str, Any] = {}

    async def look() -> bool:
        seen.clear()
        seen.update((await platform.call("GET", f"/power-settings/{setting}")).body["guns"][0])
        return bool(seen["state"] == state)

    try:
        await until(look, "")
    except AssertionError:
        raise AssertionError(f"not {state}: {seen}\n{platform.logs()}") from None
    return seen


async def limit(platform: Platform, pile: SimulatedPile, how: dict[str, Any] | None) -> int:
    """Limit gun 1 over HTTP; the setting's id."""
    answer = await platform.call(
        "POST",
        "/power-settings",
        {"guns": [{"pile": pile.number, "gun": 1}], "limit": how, "reason": "夏季限电"},
    )
    assert answer.status == 201, answer
    return int(answer.body["id"])


async def shown(platform: Platform, path: str, state: str) -> None:
    """Await that a place's lockout shows this state."""

    async def look() -> bool:
        found = (await platform.call("GET", path)).body["lockout"]
        return found is not None and found["state"] == state

    await until(look, f"{path} is {state}\n{platform.logs()}")


async def refused(platform: Platform, pile: SimulatedPile, gun: int, reason: str) -> None:
    """Whoever orders here is refused for this reason, and the pile hears nothing of it.

    An engine that has just come back refuses too, because it is not sure yet: then somebody orders again.
    """
    heard = len(pile.all_of(RemoteStart))
    deadline = time.monotonic() + WITHIN_S
    code = "engine_not_sure"
    while code == "engine_not_sure" and time.monotonic() < deadline:
        answer = await platform.order(pile.number, gun, FULL)
        assert answer.status == 201, answer
        order = await in_state(platform, str(answer.body["serial"]), OrderState.REFUSED)
        code = order["refusal"]["code"]
    assert code == reason, platform.logs()
    assert len(pile.all_of(RemoteStart)) == heard


def forget_everything(broker: Broker) -> None:
    """The broker comes back without a single retained level."""
    broker.kill()
    broker.lose_store()
    broker.start()


async def test_a_limit_by_hand_reaches_a_charging_gun_and_outlives_the_brokers_store(
    broker: Broker, database_url: str, found: Found, tmp_path: Path
) -> None:
    async with running(broker, database_url, tmp_path, found()) as platform:
        pile = await platform.pile(platform.town.piles[0], options=PATIENT)
        serial = await begun(platform, pile, need_kwh=NEED_KWH)
        setting = await limit(platform, pile, {"pct": 50})
        await pile.received(WorkParameters, lambda said: said.max_power_pct == 50)
        done = await gun_result(platform, setting, "applied")
        assert (done["limit_kw"], done["effective_kw"], done["serial"], done["bound_by"]) == (60, 60, serial, "hand")
        power = (await platform.call("GET", f"/piles/{pile.number}/guns/1")).body["power"]
        assert (power["bound_by"], power["cap_state"], power["allowance_confirmed_kw"]) == ("hand", "applied", 60)

        seen = platform.observer.count
        forget_everything(broker)
        await platform.wait(
            topics.SESSION,
            lambda level: level.pile == pile.number and level.gun == 1 and level.hand_limit_kw == 60,
            after=seen,
            within_s=WITHIN_S,
        )
        assert pile.pile.max_power_pct == 50

        floor = await limit(platform, pile, {"kw": 12})
        await pile.received(WorkParameters, lambda said: said.max_power_pct == 30)
        done = await gun_result(platform, floor, "applied")
        assert (done["limit_kw"], done["effective_kw"]) == (12, 36)
        assert done["floor"] is not None

        free = await limit(platform, pile, None)
        await gun_result(platform, free, "applied")
        await pile.until(lambda _: pile.pile.max_power_pct == 100)
        assert (await platform.call("POST", f"/orders/{serial}/stop")).status == 200
        await in_state(platform, serial, OrderState.SETTLED)


async def test_a_lockout_stops_the_charge_first_and_nothing_starts_until_it_is_lifted(
    broker: Broker, database_url: str, found: Found, tmp_path: Path
) -> None:
    async with running(broker, database_url, tmp_path, found()) as platform:
        pile = await platform.pile(platform.town.piles[0], options=PATIENT)
        serial = await begun(platform, pile, need_kwh=NEED_KWH)
        path = f"/piles/{pile.number}"
        answer = await platform.call("PUT", f"{path}/lockout", {"reason": "更换模块", "while_charging": "stop"})
        assert (answer.status, answer.body["state"]) == (200, "stopping")
        await pile.received(RemoteStop)
        await shown(platform, path, "in_force")
        await pile.received(WorkParameters, lambda said: said.disabled == LOCKED)
        order = await in_state(platform, serial, OrderState.SETTLED)
        assert order["stop_reason"] == "lockout_stopped"
        await platform.recharge(RECHARGED)
        await refused(platform, pile, 1, "locked_out")

        forget_everything(broker)
        platform.restart("rules")
        platform.restart("webapi.worker")
        await shown(platform, path, "in_force")
        await refused(platform, pile, 1, "locked_out")

        assert (await platform.call("DELETE", f"{path}/lockout")).status == 204
        await pile.until(lambda _: pile.all_of(WorkParameters)[-1].disabled == FREE)
        pile.unplug(1)
        serial = await begun(platform, pile, need_kwh=NEED_KWH)
        await platform.call("POST", f"/orders/{serial}/stop")
        await in_state(platform, serial, OrderState.SETTLED)


async def test_a_station_stop_reaches_what_it_can_without_the_engine_and_names_the_pile_that_is_away(
    broker: Broker, database_url: str, found: Found, tmp_path: Path
) -> None:
    async with running(broker, database_url, tmp_path, found()) as platform:
        here, away = [await platform.pile(number, options=PATIENT) for number in platform.town.piles]
        serial = await begun(platform, here, need_kwh=NEED_KWH)
        other = await begun(platform, away, need_kwh=NEED_KWH)
        seen = platform.observer.count
        away.drop_link(hold=True)
        await platform.wait(
            topics.PILE_STATUS, lambda status: status.pile == away.number and not status.online, after=seen
        )
        platform.services["rules"].kill()

        path = f"/stations/{STATION}/stop"

        async def outcomes() -> dict[tuple[str, int], str]:
            guns = (await platform.call("GET", path)).body["guns"]
            return {(gun["pile"], gun["gun"]): gun["outcome"] for gun in guns}

        async def offline() -> bool:
            return bool((await platform.call("GET", f"/piles/{away.number}")).body["live"]["online"] is False)

        await until(offline, "the API shows that the pile is away")
        asked = time.monotonic()
        answer = await platform.call("POST", path, {"reason": "现场冒烟", "confirm": True})
        assert answer.status == 200, answer
        await here.received(RemoteStop)

        async def reached() -> bool:
            return (await outcomes())[here.number, 1] == "stopped"

        await until(reached, f"the charge is over\n{platform.logs()}", within_s=30)
        assert time.monotonic() - asked < 30
        assert await outcomes() == {
            (here.number, 1): "stopped",
            (here.number, 2): "idle",
            (away.number, 1): "not_reached",
            (away.number, 2): "not_reached",
        }
        named = (await platform.call("GET", path)).body["guns"]
        assert [(gun["reason"], gun["proof"]) for gun in named if gun["pile"] == away.number] == [
            ("pile_offline", None)
        ] * 2
        order = await in_state(platform, serial, OrderState.SETTLED)
        assert order["stop_reason"] == "station_stopped"

        # The pile comes back, charging: it is stopped then, with the broker's store lost meanwhile.
        forget_everything(broker)
        platform.services["rules"].start()
        away.restore_link()
        await away.received(RemoteStop, within_s=90)

        async def all_still() -> bool:
            return set((await outcomes()).values()) <= {"stopped", "idle"}

        await until(all_still, f"all is still\n{platform.logs()}", within_s=90)
        order = await in_state(platform, other, OrderState.SETTLED)
        assert order["stop_reason"] == "station_stopped"
        await platform.recharge(RECHARGED)
        await refused(platform, here, 1, "station_stopped")
        assert (await platform.call("DELETE", path)).status == 204
        here.unplug(1)
        serial = await begun(platform, here, need_kwh=NEED_KWH)
        await charging(platform, serial)
        await platform.call("POST", f"/orders/{serial}/stop")
        await in_state(platform, serial, OrderState.SETTLED)
