"""Tariffs over HTTP: versions for ever, who shall have them, and how far each pile has come, with the reason."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from evcs.contracts.states import GunState
from tests.webapi.http.world import NOW, World, order_body
from webapi.audit.models import AuditEntry
from webapi.database import sessions
from webapi.piles.models import Pile
from webapi.tariffs.models import Tariff, TariffVersion
from webapi.users.models import Role

FLAT = {"band": "flat", "energy_price_e5": 80_000, "service_price_e5": 40_000}
DEEP = {"band": "deep_valley", "energy_price_e5": 20_000, "service_price_e5": 40_000}
VERSION = {"slots": ["flat"] * 48, "prices": [FLAT]}
DEEP_VERSION = {"slots": ["deep_valley"] * 8 + ["flat"] * 40, "prices": [FLAT, DEEP]}


def tariff_of(world: World, tenant: int) -> int:
    with sessions(world.engine)() as session:
        return session.scalars(select(Tariff.id).where(Tariff.tenant_id == tenant)).one()


@pytest.fixture
def tariff(world: World) -> str:
    """The address of our tariff."""
    return f"/tariffs/{tariff_of(world, world.ours.tenant)}"


def make(world: World, tariff: str, **more: Any) -> str:
    answer = world.call("POST", f"{tariff}/versions", {**VERSION, **more})
    assert answer.status_code == 201, answer.json
    return str(answer.json["versions"][0]["id"])


def states(world: World, tariff: str) -> dict[str, str]:
    answer = world.call("GET", f"{tariff}/rollout")
    assert answer.status_code == 200, answer.json
    assert sum(count["piles"] for count in answer.json["counts"]) == len(answer.json["items"])
    for item in answer.json["items"]:
        assert item["sentence"]["zh"]
        assert item["sentence"]["en"]
    return {item["pile"]: item["state"] for item in answer.json["items"]}


def test_a_tariff_shows_its_versions_newest_first(world: World, tariff: str) -> None:
    made = make(world, tariff)
    shown = world.call("GET", tariff).json
    assert [version["id"] for version in shown["versions"]] == [made, "v-a"]
    assert shown["versions"][0]["prices"] == [FLAT]
    assert shown["versions"][0]["slots"] == ["flat"] * 48
    assert [(version["wanted_piles"], version["confirmed_piles"]) for version in shown["versions"]] == [(0, 0), (2, 2)]
    assert [one["id"] for one in world.call("GET", "/tariffs").json["items"]] == [shown["id"]]
    with sessions(world.engine)() as session:
        assert session.get_one(TariffVersion, made).created_by == f"user:{world.ours.users[Role.TENANT_ADMIN]}"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "slots"),
        ({**VERSION, "slots": ["flat"] * 47}, "slots"),
        ({**VERSION, "slots": ["noon"] * 48}, "slots.0"),
        ({**VERSION, "prices": [FLAT, FLAT]}, ""),
        ({**VERSION, "slots": ["peak"] * 48}, ""),
        ({**VERSION, "prices": [{**FLAT, "energy_price_e5": -1}]}, "prices.0.energy_price_e5"),
        ({**VERSION, "prices": [{**FLAT, "energy_price_e5": 1.5}]}, "prices.0.energy_price_e5"),
        ({**VERSION, "name": "x"}, "name"),
    ],
)
def test_a_version_that_nobody_could_bill_by_is_not_made(still: World, body: Any, field: str) -> None:
    path = f"/tariffs/{tariff_of(still, still.ours.tenant)}/versions"
    answer = still.call("POST", path, body)
    assert answer.status_code == 422
    assert field in [error["field"] for error in answer.json["errors"]]


def test_assigning_wants_it_everywhere_and_the_roll_out_says_where_each_pile_stands(world: World, tariff: str) -> None:
    assert states(world, tariff) == {world.ours.pile: "confirmed", world.ours.other_pile: "confirmed"}
    made = make(world, tariff)
    world.level(world.ours.pile, 1, GunState.PLUGGED)
    body = {"version": made, "piles": [world.ours.pile, world.ours.other_pile]}
    answer = world.call("POST", f"{tariff}/assignments", body)
    assert [(item["pile"], item["assigned"], item["reason"]) for item in answer.json["items"]] == [
        (world.ours.pile, True, None),
        (world.ours.other_pile, True, None),
    ]
    assert states(world, tariff) == {world.ours.pile: "not_tried", world.ours.other_pile: "offline"}
    pushed = world.call("POST", f"/piles/{world.ours.pile}/commands/tariff-push")
    assert pushed.json["params"]["tariff_version"] == made
    assert states(world, tariff)[world.ours.pile] == "pushing"
    (item,) = world.call("GET", f"{tariff}/rollout?state=pushing").json["items"]
    assert (item["wanted"], item["confirmed"], item["tries"]) == (made, "v-a", 1)
    assert item["command"] == pushed.json["id"]
    with sessions(world.engine)() as session:
        assert session.get_one(Pile, world.ours.pile).revision == 2
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "tariff_assign")).one()
    assert (entry.object_id, entry.address) == (made, "127.0.0.1")
    assert '"assigned":2' in (entry.details_json or "")


def test_while_a_car_charges_it_waits_and_says_so(world: World, tariff: str) -> None:
    made = make(world, tariff)
    world.recharge(world.ours.customer)
    world.level(world.ours.pile, 1, GunState.PLUGGED)
    assert world.call("POST", "/orders", order_body(world.ours)).status_code == 201
    world.call("POST", f"{tariff}/assignments", {"version": made, "piles": [world.ours.pile]})
    assert states(world, tariff)[world.ours.pile] == "charging"
    refused = world.call("POST", f"/piles/{world.ours.pile}/commands/tariff-push")
    assert (refused.status_code, refused.json["code"]) == (409, "pile_busy")


def test_a_whole_station_is_assigned_and_what_its_piles_cannot_express_is_told(world: World, tariff: str) -> None:
    deep = make(world, tariff, **DEEP_VERSION)
    answer = world.call("POST", f"{tariff}/assignments", {"version": deep, "station": world.ours.station}).json
    ((item),) = answer["items"]
    assert (item["pile"], item["assigned"], item["reason"]) == (world.ours.pile, False, "tariff_not_expressible")
    assert "深谷" in item["sentence"]["zh"]
    assert states(world, tariff)[world.ours.pile] == "confirmed", "it keeps what it has"


def test_a_version_of_a_later_day_is_scheduled(world: World, tariff: str) -> None:
    later = NOW + timedelta(days=1)
    made = make(world, tariff, valid_from=later.isoformat())
    answer = world.call("POST", f"{tariff}/assignments", {"version": made, "piles": [world.ours.pile]})
    assert answer.json["items"][0]["from_at"] == later.isoformat()
    item = world.call("GET", f"{tariff}/rollout").json["items"][0]
    assert (item["state"], item["wanted"]) == ("confirmed", "v-a")
    assert item["scheduled"] == {"version": made, "at": later.isoformat()}


def test_what_is_behind_may_be_tried_again_at_once(world: World, tariff: str) -> None:
    made = make(world, tariff)
    world.call("POST", f"{tariff}/assignments", {"version": made, "piles": [world.ours.pile]})
    assert world.call("POST", f"{tariff}/rollout/push", {}).json == {"piles": [world.ours.pile]}
    named = world.call("POST", f"{tariff}/rollout/push", {"piles": [world.ours.other_pile]})
    assert (named.status_code, named.json) == (202, {"piles": []})
    assert world.call("POST", f"{tariff}/rollout/push", {"piles": ["none"]}).status_code == 404


def test_the_roll_out_is_paged(world: World, tariff: str) -> None:
    first = world.call("GET", f"{tariff}/rollout?limit=1").json
    second = world.call("GET", f"{tariff}/rollout?limit=1&cursor={first['next']}").json
    assert [first["items"][0]["pile"], second["items"][0]["pile"]] == [world.ours.pile, world.ours.other_pile]
    assert second["next"] is None
    assert first["counts"] == second["counts"] == [{"state": "confirmed", "piles": 2}]
    assert world.call("GET", f"{tariff}/rollout?state=asleep").status_code == 422


@pytest.mark.parametrize("role", list(Role))
def test_prices_are_set_by_administrators(still: World, role: Role) -> None:
    path = f"/tariffs/{tariff_of(still, still.ours.tenant)}"
    token = still.ours.tokens[role]
    may = role in (Role.PLATFORM_ADMIN, Role.TENANT_ADMIN)
    body = {"version": "v-a", "piles": ["none"]}
    answer = still.call("POST", f"{path}/assignments", body, token=token)
    assert answer.json["code"] == ("not_found" if may else "not_allowed")
    assert (still.call("POST", f"{path}/versions", {}, token=token).status_code == 422) == may
    assert still.call("GET", path, token=token).status_code == 200


def test_what_is_another_operators_is_not_there(world: World, tariff: str) -> None:
    theirs = f"/tariffs/{tariff_of(world, world.theirs.tenant)}"
    nothing = "/tariffs/999999"
    for method, path, body in (
        ("GET", "", None),
        ("GET", "/rollout", None),
        ("POST", "/rollout/push", {}),
        ("POST", "/versions", VERSION),
        ("POST", "/assignments", {"version": "v-b", "piles": [world.ours.pile]}),
    ):
        seen, absent = (world.call(method, where + path, body) for where in (theirs, nothing))
        assert seen.status_code == absent.status_code == 404
        assert seen.json["detail"] == absent.json["detail"]
        assert seen.json["errors"] == absent.json["errors"]
    for body in (
        {"version": "v-b", "piles": [world.ours.pile]},
        {"version": "v-a", "piles": [world.ours.pile, world.theirs.pile]},
        {"version": "v-a", "station": world.theirs.station},
    ):
        assert world.call("POST", f"{tariff}/assignments", body).status_code == 404
        platform = world.ours.tokens[Role.PLATFORM_ADMIN]
        assert world.call("POST", f"{tariff}/assignments", body, token=platform).status_code == 404
    seen_by = world.call("GET", f"{tariff}/rollout", token=world.ours.limited_token).json
    assert [item["pile"] for item in seen_by["items"]] == [world.ours.pile]
