"""A transformer's load rises and falls by its meter: what new and running charges hear on the wire in each band."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from bridge.protocols.ykc.messages import (
    RemoteStart,
    RemoteStop,
    StartConfirmation,
    StartRequest,
    WorkParameters,
    WorkParametersAnswer,
)
from bridge.simulator.link import SimulatedPile
from bridge.simulator.options import Card
from evcs.contracts import topics
from evcs.contracts.states import Band, GunState, OrderState
from evcs.contracts.transformer import TransformerPolicy
from tests.flows.books import proved
from tests.flows.charges import FULL, RECHARGED, begun, in_state
from tests.flows.meter import give_meter, metered
from tests.flows.observer import Observer
from tests.flows.platform import LIVELY, Platform, running
from tests.flows.town import TRANSFORMER, Town
from tests.servers import Broker

pytestmark = [pytest.mark.flow, pytest.mark.timeout(400)]

WITHIN_S = 90.0
PATIENT = replace(LIVELY, energy_factor=1)
"""No charge of these scenarios ends by itself."""
NEED_KWH = 60
UID = "00000000D14B0A54"

RATED_KVA = 1600
LOW_KVA, OVER_HALF_KVA, OVER_KVA, BACK_KVA = 160.0, 900.0, 1360.0, 1000.0
"""10, 56.25, 85 and 62.5 %; a full gun is 8.4 %."""
HALF, FREE = 50, 100
STATION_FULL = 0x08
"""0x32 `fail_reason`: 电站电容不足 (YKC V1.6 0x32)."""
RELEASE_APART_S = 2

Found = Callable[..., Town]


async def band(platform: Platform, wanted: Band, after: int) -> TransformerPolicy:
    """The first policy with this band since message number `after`."""
    policy = await platform.wait(topics.POLICY, lambda one: one.band is wanted, after=after, within_s=WITHIN_S)
    assert isinstance(policy, TransformerPolicy)
    return policy


def in_order(pile: SimulatedPile, *frames: Any) -> bool:
    """Whether these went over the wire one after the other."""
    places = [pile.entry_of(frame).index for frame in frames]
    return places == sorted(places)


async def test_the_load_goes_up_and_comes_down_again(
    broker: Broker, database_url: str, found: Found, tmp_path: Path
) -> None:
    town = found(piles=5, guns=1, rated_kva=RATED_KVA)
    give_meter(database_url, blocked_release_s=2, limited_release_s=3, release_apart_s=RELEASE_APART_S)
    async with metered(broker.port, LOW_KVA) as meter, running(broker, database_url, tmp_path, town) as platform:
        piles = await asyncio.gather(*(platform.pile(number, guns=1, options=PATIENT) for number in town.piles))
        free, capped, refused, carded, later = piles
        body = {"uid": UID, "printed_no": "8800000000000042"}
        assert (await platform.call("POST", f"/customers/{town.customer}/cards", body)).status == 201

        normal = await band(platform, Band.NORMAL, 0)
        assert normal.source == "meter"
        serials = [await begun(platform, free, need_kwh=NEED_KWH)]
        assert not free.all_of(WorkParameters)

        seen = platform.observer.count
        meter.load_kva = OVER_HALF_KVA
        limited = await band(platform, Band.LIMITED, seen)
        assert "56.2%" in limited.why_zh
        assert "50%" in limited.why_en
        serials.append(await begun(platform, capped, need_kwh=NEED_KWH))
        cap = await capped.received(WorkParameters)
        assert cap.max_power_pct == HALF
        answer = await capped.sent(WorkParametersAnswer)
        assert in_order(capped, cap, answer, await capped.received(RemoteStart))

        seen = platform.observer.count
        meter.load_kva = OVER_KVA
        await band(platform, Band.BLOCKED, seen)
        await _nothing_starts(platform, refused, carded)

        seen = platform.observer.count
        meter.load_kva = BACK_KVA
        await band(platform, Band.LIMITED, seen)
        serials.append(await _starts_by_card(carded, platform))

        # What ran before is left alone in every band.
        assert not free.all_of(WorkParameters)
        assert [one.max_power_pct for one in capped.all_of(WorkParameters)] == [HALF]

        seen = platform.observer.count
        meter.load_kva = LOW_KVA
        await band(platform, Band.NORMAL, seen)
        lifted_at_ms = []
        for pile in (capped, carded):
            said = await pile.received(WorkParameters, lambda one: one.max_power_pct == FREE, within_s=WITHIN_S)
            lifted_at_ms.append(pile.entry_of(said).at_ms)
        # The oldest first, one at a time; a second is left for the way to the piles.
        assert lifted_at_ms[1] - lifted_at_ms[0] > 1000 * (RELEASE_APART_S - 1)
        serials.append(await begun(platform, later, need_kwh=NEED_KWH))
        assert not later.all_of(WorkParameters)

        _bands_came_in_order(platform)
        for serial in serials:
            assert (await platform.call("POST", f"/orders/{serial}/stop")).status == 200
        for serial in serials:
            await in_state(platform, serial, OrderState.SETTLED)
        assert proved(database_url, town.customer).held_fen == 0


async def _nothing_starts(platform: Platform, ordered: SimulatedPile, carded: SimulatedPile) -> None:
    """Neither an order nor a card; each reads why, with the figures."""
    await platform.recharge(RECHARGED)
    await platform.plugged(ordered, 1)
    answer = await platform.order(ordered.number, 1, FULL)
    assert answer.status == 201, answer
    order = await in_state(platform, str(answer.body["serial"]), OrderState.REFUSED)
    assert order["refusal"]["code"] == "band_blocked"
    for sentence in (order["refusal"]["zh"], order["refusal"]["en"]):
        assert "85.0%" in sentence
        assert "80" in sentence

    await platform.plugged(carded, 1, need_kwh=NEED_KWH)
    carded.swipe(Card(UID))
    said = await carded.received(StartConfirmation, within_s=WITHIN_S)
    assert (said.auth_ok, said.fail_reason) == (0, STATION_FULL)
    for pile in (ordered, carded):
        assert not pile.all_of(RemoteStart)
        assert not pile.all_of(WorkParameters)


async def _starts_by_card(pile: SimulatedPile, platform: Platform) -> str:
    """0x31 → 0x52 → 0x51 → 0x32; the serial."""
    asked = len(pile.all_of(StartRequest))
    pile.swipe(Card(UID))
    said = await pile.received(StartConfirmation, lambda one: one.auth_ok == 1, within_s=WITHIN_S)
    assert len(pile.all_of(StartRequest)) > asked
    cap = await pile.received(WorkParameters)
    assert cap.max_power_pct == HALF
    assert in_order(pile, pile.all_of(StartRequest)[asked], cap, await pile.sent(WorkParametersAnswer), said)
    await platform.wait(
        topics.GUN_STATE,
        lambda level: level.serial == said.trade_no and level.state is GunState.CHARGING,
        within_s=WITHIN_S,
    )
    return str(said.trade_no)


def _bands_came_in_order(platform: Platform) -> None:
    """On the topic, each with its sentence in both languages; before the first reading nothing is known."""
    policies = [policy for _, _, policy in platform.observer.of(topics.POLICY) if policy.band is not Band.UNKNOWN]
    assert all(policy.why_zh and policy.why_en for policy in policies)
    bands = [came for came, _ in groupby(policy.band for policy in policies)]
    assert bands == [Band.NORMAL, Band.LIMITED, Band.BLOCKED, Band.LIMITED, Band.NORMAL]


OVERLOAD_KVA, CALM_KVA = 756.0, 60.0
"""Of 630 kVA: 120 and 9.5 %."""


async def test_an_overload_lowers_what_runs_then_stops_the_newest(
    broker: Broker, database_url: str, found: Found, tmp_path: Path
) -> None:
    town = found(guns=1)
    give_meter(database_url, blocked_release_s=2, overload_s=3, overload_stop_after_s=5, overload_stop_apart_s=3600)
    async with metered(broker.port, CALM_KVA) as meter, running(broker, database_url, tmp_path, town) as platform:
        older, newer = [await platform.pile(number, guns=1, options=PATIENT) for number in town.piles]
        await band(platform, Band.NORMAL, 0)
        first = await begun(platform, older, need_kwh=NEED_KWH)
        second = await begun(platform, newer, need_kwh=NEED_KWH)
        assert not older.all_of(WorkParameters) + newer.all_of(WorkParameters)

        meter.load_kva = OVERLOAD_KVA
        for pile in (older, newer):
            said = await pile.received(WorkParameters, within_s=WITHIN_S)
            assert said.max_power_pct < FREE
        policy = await platform.wait(topics.POLICY, lambda one: one.curtailed == 2, within_s=WITHIN_S)
        assert policy.over_since is not None
        level = await platform.wait(
            topics.SESSION,
            lambda one: one.held is not None and one.held.serial == first and one.held.bound_by == "overload",
            within_s=WITHIN_S,
        )
        assert level.held.cap_kw < 120
        name, raised = _raised(platform)
        assert raised.value is not None
        assert raised.value > 100
        assert raised.zh
        assert raised.en
        assert await asyncio.to_thread(_is_retained, broker.port, name)

        await newer.received(RemoteStop, within_s=WITHIN_S)
        order = await in_state(platform, second, OrderState.SETTLED, within_s=WITHIN_S)
        assert order["stop_reason"] == "overload_stopped"
        assert not older.all_of(RemoteStop)

        meter.load_kva = CALM_KVA
        await older.received(WorkParameters, lambda one: one.max_power_pct == FREE, within_s=WITHIN_S)
        seen = platform.observer.count
        await platform.wait(
            topics.ALARM, lambda one: one.code == "overload" and not one.open, after=seen, within_s=2 * WITHIN_S
        )
        await _gone(platform, name)
        assert not await asyncio.to_thread(_is_retained, broker.port, name)
        assert (await platform.call("GET", f"/orders/{first}")).body["state"] == OrderState.CHARGING
        assert (await platform.call("POST", f"/orders/{first}/stop")).status == 200
        await in_state(platform, first, OrderState.SETTLED)


def _raised(platform: Platform) -> tuple[str, Any]:
    """The open alarm of the overload and its topic."""
    found = [(address, alarm) for _, address, alarm in platform.observer.of(topics.ALARM) if alarm.code == "overload"]
    address, alarm = found[0]
    assert alarm.open
    assert alarm.transformer == TRANSFORMER
    return topics.ALARM.at(station=address.station, alarm=alarm.alarm), alarm


def _is_retained(port: int, name: str) -> bool:
    """Whether somebody who subscribes now is given the level; a policy comes to him in any case, and often."""
    newcomer = Observer(port, "newcomer")
    try:
        number, _ = newcomer.wait(topics.POLICY, lambda _: True, timeout=WITHIN_S)
        # A policy of now is behind everything that was retained.
        newcomer.wait(topics.POLICY, lambda _: True, after=number + 1, timeout=WITHIN_S)
        return any(one.topic == name and one.retained and one.payload for one in newcomer.all)
    finally:
        newcomer.close()


async def _gone(platform: Platform, name: str) -> None:
    """Await that the level is cleared: an empty payload on its topic."""
    deadline = time.monotonic() + WITHIN_S
    while not any(one.topic == name and not one.payload for one in platform.observer.all):
        assert time.monotonic() < deadline, f"{name} stands\n{platform.logs()}"
        await asyncio.sleep(0.1)
