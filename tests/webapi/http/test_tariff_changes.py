"""Changing prices over HTTP: a new tariff, an unused band refused by name, a comparison, a change cancelled."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from tests.webapi.http.test_tariffs import DEEP, FLAT, VERSION, make, tariff_of
from tests.webapi.http.world import NOW, World
from webapi.audit.models import AuditEntry
from webapi.database import sessions
from webapi.piles.models import Pile
from webapi.tariffs.push import scheduled, take_effect
from webapi.users.models import Role

PEAK = {"band": "peak", "energy_price_e5": 100_000, "service_price_e5": 50_000}
LATER = NOW + timedelta(days=1)


@pytest.fixture
def tariff(world: World) -> str:
    return f"/tariffs/{tariff_of(world, world.ours.tenant)}"


def test_a_tariff_is_made_with_its_first_version(world: World) -> None:
    made = world.call("POST", "/tariffs", {"name": "夏季", "version": VERSION})
    assert made.status_code == 201
    assert made.headers["Location"] == f"/api/v1/tariffs/{made.json['id']}"
    [version] = made.json["versions"]
    assert (made.json["name"], version["prices"], version["wanted_piles"]) == ("夏季", [FLAT], 0)
    body = {"version": version["id"], "piles": [world.ours.pile]}
    assigned = world.call("POST", f"/tariffs/{made.json['id']}/assignments", body)
    assert assigned.json["items"][0]["assigned"] is True


def test_a_tariff_belongs_to_the_operator_of_who_makes_it(world: World) -> None:
    platform = world.ours.tokens[Role.PLATFORM_ADMIN]
    body = {"name": "x", "version": VERSION}
    assert world.call("POST", "/tariffs", body, token=platform).json["errors"][0]["field"] == "tenant"
    assert world.call("POST", "/tariffs", {**body, "tenant": 999_999}, token=platform).status_code == 404
    theirs = world.call("POST", "/tariffs", {**body, "tenant": world.theirs.tenant}, token=platform)
    assert theirs.status_code == 201
    assert world.call("POST", "/tariffs", {**body, "tenant": world.theirs.tenant}).status_code == 404
    assert world.call("GET", f"/tariffs/{theirs.json['id']}").status_code == 404
    assert world.call("POST", "/tariffs", body, token=world.ours.tokens[Role.FINANCE]).status_code == 403


def test_a_band_that_no_half_hour_uses_is_refused_by_name(world: World, tariff: str) -> None:
    version = {**VERSION, "prices": [FLAT, DEEP, PEAK]}
    for path, body, field in (
        (f"{tariff}/versions", version, "prices"),
        ("/tariffs", {"name": "x", "version": version}, "version.prices"),
    ):
        refused = world.call("POST", path, body)
        [error] = refused.json["errors"]
        assert (refused.status_code, error["field"]) == (422, field)
        assert error["message"].startswith("峰、深谷有价格") or error["message"].startswith("深谷、峰有价格")
    english = world.call("POST", "/tariffs", {"name": "x", "version": version}, headers={"Accept-Language": "en"})
    assert "deep valley" in english.json["errors"][0]["message"]
    assert len(world.call("GET", "/tariffs").json["items"]) == 1


def test_two_versions_are_compared_over_the_whole_day(world: World, tariff: str) -> None:
    made = make(world, tariff, slots=["flat"] * 16 + ["peak"] * 6 + ["flat"] * 26, prices=[FLAT, PEAK])
    shown = world.call("GET", f"{tariff}/compare?before=v-a&after={made}").json
    assert (shown["before"], shown["after"], shown["changed_slots"]) == ("v-a", made, 48)
    assert [(one["start"], one["end"], one["after"]["band"], one["difference_e5"]) for one in shown["intervals"]] == [
        ("00:00", "08:00", "flat", 10_000),
        ("08:00", "11:00", "peak", 40_000),
        ("11:00", "24:00", "flat", 10_000),
    ]
    [same] = world.call("GET", f"{tariff}/compare?before=v-a&after=v-a").json["intervals"]
    assert (same["start"], same["end"], same["changed"], same["difference_e5"]) == ("00:00", "24:00", False, 0)
    theirs = world.call("GET", f"{tariff}/compare?before=v-a&after=v-b")
    assert (theirs.status_code, theirs.json["errors"][0]["field"]) == (404, "after")
    assert world.call("GET", f"{tariff}/compare?before=v-a").status_code == 422


def scheduled_at(world: World, tariff: str) -> dict[str, Any]:
    return {one["pile"]: one["scheduled"] for one in world.call("GET", f"{tariff}/rollout").json["items"]}


def test_a_scheduled_change_is_cancelled_at_the_piles_chosen(world: World, tariff: str) -> None:
    made = make(world, tariff, valid_from=LATER.isoformat())
    path = f"{tariff}/versions/{made}/schedule"
    world.call("POST", f"{tariff}/assignments", {"version": made, "piles": [world.ours.pile, world.ours.other_pile]})
    assert world.call("DELETE", f"{path}?pile={world.ours.pile}").status_code == 204
    left = scheduled_at(world, tariff)
    assert left[world.ours.pile] is None
    assert left[world.ours.other_pile] == {"version": made, "at": LATER.isoformat()}
    assert world.call("DELETE", path).status_code == 204
    assert world.call("DELETE", path).status_code == 204, "nothing is left to cancel: that is no error"
    assert scheduled_at(world, tariff) == {world.ours.pile: None, world.ours.other_pile: None}
    with sessions(world.engine)() as session:
        assert scheduled(session, at=LATER, most=10) == []
        assert session.get_one(Pile, world.ours.pile).wanted_tariff_version_id == "v-a"
        entries = session.scalars(select(AuditEntry).where(AuditEntry.action == "tariff_unschedule")).all()
    assert [world.ours.pile in (entry.details_json or "") for entry in entries] == [True, False, False]


def test_what_is_in_force_already_cannot_be_cancelled(world: World, tariff: str) -> None:
    made = make(world, tariff, valid_from=LATER.isoformat())
    world.call("POST", f"{tariff}/assignments", {"version": made, "piles": [world.ours.pile]})
    with sessions(world.engine)() as session:
        take_effect(session, world.ours.pile, at=LATER)
        session.commit()
    assert world.call("DELETE", f"{tariff}/versions/{made}/schedule?pile={world.ours.pile}").status_code == 204
    with sessions(world.engine)() as session:
        assert session.get_one(Pile, world.ours.pile).wanted_tariff_version_id == made


def test_who_may_cancel_and_where(world: World, tariff: str) -> None:
    made = make(world, tariff, valid_from=LATER.isoformat())
    world.call("POST", f"{tariff}/assignments", {"version": made, "piles": [world.ours.pile]})
    path = f"{tariff}/versions/{made}/schedule"
    assert world.call("DELETE", path, token=world.ours.tokens[Role.OPERATOR]).status_code == 403
    assert world.call("DELETE", path, token=world.theirs.tokens[Role.TENANT_ADMIN]).status_code == 404
    assert world.call("DELETE", f"{path}?pile={world.ours.pile},{world.theirs.pile}").status_code == 404
    assert world.call("DELETE", f"{tariff}/versions/v-b/schedule").status_code == 404
    assert scheduled_at(world, tariff)[world.ours.pile] is not None
