"""How a pile's firmware departs from its protocol: set over HTTP, audited, shown, and in what the bridge reads."""

from typing import Any

import pytest
from sqlalchemy import select

from evcs.contracts.config import Dialect, PileConfig, StationConfig
from tests.webapi.http.world import World
from webapi.audit.models import AuditEntry
from webapi.database import sessions
from webapi.piles.models import Pile
from webapi.users.models import Role
from webapi.worker.configuration import pile_config, station_config

USUAL = {
    "fault_bit_base": 0,
    "qr_ok_code": 0,
    "answers_in_peers_crc_order": False,
    "update_answer_is_final": True,
}


def at_pile(world: World, path: str = "") -> str:
    return f"/piles/{world.ours.pile}{path}"


def levels(world: World) -> tuple[PileConfig, StationConfig]:
    with sessions(world.engine)() as session:
        pile = session.get_one(Pile, world.ours.pile)
        pile.wanted_tariff_version_id = pile.confirmed_tariff_version_id = None
        return pile_config(pile, pile.station, {}, {}), station_config(pile.station)


def test_only_what_is_named_changes_and_the_bridge_reads_it(world: World) -> None:
    before, at_station = levels(world)
    assert world.call("GET", at_pile(world)).json["firmware"] == USUAL
    answer = world.call("POST", at_pile(world, "/firmware"), {"fault_bit_base": 1, "qr_ok_code": 1})
    assert (answer.status_code, answer.json["firmware"]) == (200, USUAL | {"fault_bit_base": 1, "qr_ok_code": 1})
    answer = world.call("POST", at_pile(world, "/firmware"), {"update_answer_is_final": False})
    assert world.call("GET", at_pile(world)).json == answer.json
    pile, station = levels(world)
    assert (pile.fault_bit_base, pile.dialect) == (1, Dialect(qr_ok_code=1, update_answer_is_final=False))
    assert pile.version == before.version + 2
    assert station.version == at_station.version + 1  # the fault bits stand there too, the rest does not
    assert [limits.fault_bit_base for limits in station.piles if limits.pile == world.ours.pile] == [1]
    with sessions(world.engine)() as session:
        entries = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "pile_firmware").order_by(AuditEntry.id)
        ).all()
    assert [(one.object_id, one.outcome) for one in entries] == [(world.ours.pile, "done")] * 2
    assert '"qr_ok_code":1' in (entries[0].details_json or "").split("after")[1]


def test_what_it_is_already_moves_no_level(world: World) -> None:
    before = levels(world)
    assert world.call("POST", at_pile(world, "/firmware"), USUAL).status_code == 200
    assert levels(world) == before


def test_back_at_the_protocol_nothing_is_kept(world: World) -> None:
    for code in (1, 0):
        assert world.call("POST", at_pile(world, "/firmware"), {"qr_ok_code": code}).status_code == 200
    with sessions(world.engine)() as session:
        assert session.get_one(Pile, world.ours.pile).dialect_json is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"fault_bit_base": 2},
        {"fault_bit_base": None},
        {"qr_ok_code": 256},
        {"qr_ok_code": -1},
        {"qr_ok_code": "1"},
        {"update_answer_is_final": "yes"},
        {"answers_in_peers_crc_order": 3},
        {"colour": 1},
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field(still: World, body: dict[str, Any]) -> None:
    answer = still.call("POST", at_pile(still, "/firmware"), body)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid")
    assert answer.json["errors"]


@pytest.mark.parametrize("role", list(Role))
def test_only_who_operates_piles_may(world: World, role: Role) -> None:
    may = role in (Role.PLATFORM_ADMIN, Role.TENANT_ADMIN, Role.OPERATOR)
    answer = world.call("POST", at_pile(world, "/firmware"), {"qr_ok_code": 1}, token=world.ours.tokens[role])
    assert answer.status_code == (200 if may else 403)
    assert levels(world)[0].dialect == Dialect(qr_ok_code=int(may))


def test_a_pile_of_somebody_else_is_not_there(world: World) -> None:
    answer = world.call("POST", f"/piles/{world.theirs.pile}/firmware", {"qr_ok_code": 1})
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")
