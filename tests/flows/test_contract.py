"""A whole charge under the published access list: nobody needs more rights, and all that is said is as published."""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from evcs.contracts import topics
from evcs.contracts.topics import TABLE
from tests.evcs.contracts.published import complaints
from tests.flows.platform import Platform
from tests.flows.test_one_charge import charged, settled
from tests.flows.town import Town
from tests.guarded import PASSWORD, USERS, Guarded

pytestmark = [pytest.mark.flow, pytest.mark.timeout(180)]

ROLES = {"webapi.worker": "webapi", "webapi": "webapi", "rules": "rules", "ingest": "ingest", "bridge": "bridge"}

SPOKEN = {
    *("bridge_status", "service", "pile_status", "pile_event", "gun_state", "telemetry", "meter", "gun_event"),
    *("record", "confirm", "request", "verdict", "start", "gun_reply", "stop", "session", "policy", "order"),
    *("config_pile", "config_station", "config_tariff", "config_fault_codes"),
}
"""What a charge with a goal cannot do without."""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Guarded]:
    guarded = Guarded(tmp_path / "broker", onlookers=True)
    guarded.start()
    yield guarded
    guarded.kill()


@pytest.mark.parametrize("kind", ["mosquitto-sqlite"], indirect=True)
async def test_a_charge_needs_no_more_rights_and_says_nothing_that_is_not_published(
    broker: Guarded, database_url: str, found: Callable[..., Town], tmp_path: Path
) -> None:
    platform = Platform(broker, database_url, tmp_path, found())
    for module, service in platform.services.items():
        service.give({"EVCS_MQTT_USERNAME": USERS[ROLES[module]], "EVCS_MQTT_PASSWORD": PASSWORD})
    try:
        await platform.start()
        pile = await platform.pile(platform.town.piles[0])
        serial = await charged(platform, pile, {"kind": "energy", "energy_kwh": "6"})
        await settled(platform, pile, serial)
        await platform.wait(topics.GUN_EVENT, lambda event: event.kind == "confirm_sent")
    finally:
        await platform.close()

    said: Counter[str] = Counter()
    for message in platform.observer.all:
        rows = [topic for topic in TABLE if topic.parse(message.topic)]
        assert len(rows) == 1, message.topic
        if message.payload:
            assert complaints(rows[0].leaf, message.payload) == [], (message.topic, message.payload)
            said[rows[0].leaf] += 1
    assert said.keys() >= SPOKEN
