"""A transformer's meter dies: nothing starts, two people let the estimate count, and the meter comes back."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from bridge.protocols.ykc.messages import RemoteStart, WorkParameters
from evcs.contracts import topics
from evcs.contracts.states import Band, OrderState
from tests.flows.charges import FULL, RECHARGED, begun, charging, in_state
from tests.flows.meter import give_meter, metered
from tests.flows.platform import LIVELY, Platform, running
from tests.flows.town import PASSWORD, TRANSFORMER, Town
from tests.servers import Broker
from webapi.database import open_database, sessions
from webapi.tenants.models import Tenant
from webapi.users.models import Role, User

pytestmark = [pytest.mark.flow, pytest.mark.timeout(400)]

WITHIN_S = 90.0
PATIENT = replace(LIVELY, energy_factor=1)
"""No charge of these scenarios ends by itself."""
NEED_KWH = 60
CALM_KVA = 60.0
LARGEST_BASE_KW = 250
"""Of 598 kW: 41.8 %. With a gun at half power it is 52.5 %, with a second 63.2 %."""
DEAD_S = 90
"""Longer than a reading counts."""
SECOND = "second"

Found = Callable[..., Town]


def second_person(database_url: str) -> None:
    """Somebody else of the same operator."""
    engine = open_database(database_url)
    with sessions(engine).begin() as session:
        session.add(
            User(
                tenant_id=session.scalars(select(Tenant.id)).one(),
                username=SECOND,
                name="班长",
                password_hash=PasswordHasher().hash(PASSWORD),
                role=Role.OPERATOR,
                all_stations=True,
                created_at=datetime.now(UTC),
            )
        )
    engine.dispose()


async def alarm(platform: Platform, code: str, *, is_open: bool, after: int = 0) -> None:
    """Await that an alarm of this code is raised, or cleared."""
    await platform.wait(
        topics.ALARM, lambda one: one.code == code and one.open is is_open, after=after, within_s=WITHIN_S
    )


async def refused(platform: Platform, pile: str) -> dict[str, Any]:
    """Order, and the refusal."""
    answer = await platform.order(pile, 1, FULL)
    assert answer.status == 201, answer
    order = await in_state(platform, str(answer.body["serial"]), OrderState.REFUSED, within_s=WITHIN_S)
    return dict(order["refusal"])


async def test_without_its_meter_nothing_starts_until_two_people_say_so(
    broker: Broker, database_url: str, found: Found, tmp_path: Path
) -> None:
    town = found(guns=1)
    give_meter(database_url, blocked_release_s=2, max_base_load_kw=LARGEST_BASE_KW)
    second_person(database_url)
    async with (
        running(broker, database_url, tmp_path, town) as platform,
        metered(broker.port, CALM_KVA, platform.offset_file) as meter,
    ):
        first, other = [await platform.pile(number, guns=1, options=PATIENT) for number in town.piles]
        await platform.wait(topics.POLICY, lambda one: one.band is Band.NORMAL, within_s=WITHIN_S)
        await platform.recharge(RECHARGED)
        for pile in (first, other):
            await platform.plugged(pile, 1, need_kwh=NEED_KWH)

        meter.is_dead = True
        platform.advance(DEAD_S)
        unknown = await platform.wait(topics.POLICY, lambda one: one.meter_at is not None and one.band is Band.UNKNOWN)
        assert unknown.load_pct is None
        assert unknown.why_zh
        assert unknown.why_en
        await alarm(platform, "meter_stale", is_open=True)
        why = await refused(platform, first.number)
        assert why["code"] == "band_unknown"
        assert "60" in why["zh"]
        assert "60" in why["en"]
        assert not first.all_of(RemoteStart)

        await _agreed_by_two(platform)
        degraded = await platform.wait(topics.POLICY, lambda one: one.degraded_until is not None, within_s=WITHIN_S)
        assert (degraded.blocked_pct, degraded.source) == (60, "estimate")
        await alarm(platform, "degraded", is_open=True)
        answer = await platform.order(first.number, 1, FULL)
        assert answer.status == 201, answer
        serial = str(answer.body["serial"])
        await charging(platform, serial)
        assert [one.max_power_pct for one in first.all_of(WorkParameters)] == [50]
        why = await refused(platform, other.number)
        assert why["code"] == "no_headroom"
        assert "60" in why["en"]
        assert not other.all_of(RemoteStart)
        assert all(one.open for _, _, one in platform.observer.of(topics.ALARM) if one.code == "meter_stale")

        seen = platform.observer.count
        meter.is_dead = False
        await alarm(platform, "meter_stale", is_open=False, after=seen)
        await alarm(platform, "degraded", is_open=False, after=seen)
        back = await platform.wait(topics.POLICY, lambda one: one.degraded_until is None, after=seen)
        assert back.blocked_pct == 80
        other.unplug(1)
        serials = [serial, await begun(platform, other, need_kwh=NEED_KWH)]
        for serial in serials:
            assert (await platform.call("POST", f"/orders/{serial}/stop")).status == 200
            await in_state(platform, serial, OrderState.SETTLED, within_s=WITHIN_S)


async def _agreed_by_two(platform: Platform) -> None:
    """One asks, may not confirm it alone, and another confirms."""
    path = f"/transformers/{TRANSFORMER}/degraded"
    asked = await platform.call("POST", path, {"reason": "电表损坏，已报修", "minutes": 60})
    assert asked.status == 200, asked
    assert asked.body["degraded"]["state"] == "asked"
    alone = await platform.call("POST", f"{path}/confirm")
    assert (alone.status, alone.body["code"]) == (409, "degraded_same_person"), alone
    await platform.sign_in(SECOND)
    agreed = await platform.call("POST", f"{path}/confirm")
    assert agreed.status == 200, agreed
    assert agreed.body["degraded"]["state"] == "on"
    await platform.sign_in()
