"""A cable that grows too hot, from the frames of the pile to the frames that it gets: half the power, then the stop."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.protocols.ykc.messages import RemoteStop, WorkParameters
from evcs.contracts import topics
from evcs.contracts.states import OrderState
from tests.flows.charges import FULL, RECHARGED, begun, in_state
from tests.flows.platform import LIVELY, running
from tests.flows.town import Town
from tests.servers import Broker

pytestmark = [pytest.mark.flow, pytest.mark.timeout(300)]

PATIENT = replace(LIVELY, energy_factor=1)
"""No charge of this scenario ends by itself."""
WITHIN_S = 60.0
HALF = 50


@pytest.mark.parametrize("kind", ["nats-sqlite"], indirect=True)  # it waits for readings; one kind is enough
async def test_a_hot_cable_gets_half_the_power_and_then_the_stop(
    broker: Broker, database_url: str, found: Callable[..., Town], tmp_path: Path
) -> None:
    async with running(broker, database_url, tmp_path, found(piles=1, guns=1)) as platform:
        pile = await platform.pile(platform.town.piles[0], guns=1, options=PATIENT)
        serial = await begun(platform, pile, need_kwh=60)
        assert not pile.all_of(WorkParameters)

        pile.pile.guns[1].cable_c = 97
        cap = await pile.received(WorkParameters, within_s=WITHIN_S)
        assert cap.max_power_pct == HALF
        derated = await platform.wait(topics.ALARM, lambda one: one.code == "cable_hot_derate", within_s=WITHIN_S)
        assert (derated.value, derated.limit, derated.serial) == (97.0, 95.0, serial)
        assert not pile.all_of(RemoteStop)

        pile.pile.guns[1].cable_c = 107
        await pile.received(RemoteStop, within_s=WITHIN_S)
        settled = await in_state(platform, serial, OrderState.SETTLED)
        assert settled["stop_reason"] == "protection_stopped"

        await platform.recharge(RECHARGED)
        answer = await platform.order(pile.number, 1, FULL)
        refused = await in_state(platform, str(answer.body["serial"]), OrderState.REFUSED)
        assert refused["refusal"]["code"] == "protection_locked"
