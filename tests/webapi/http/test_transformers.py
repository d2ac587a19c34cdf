"""Transformers over HTTP: what the engine said, configuration that fits together, two people for degraded mode."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select

from evcs.contracts.states import Band
from tests.webapi.http.world import NOW, World
from webapi.audit.models import AuditEntry
from webapi.database import sessions
from webapi.stations.models import Station
from webapi.transformers.models import Transformer, TransformerLive
from webapi.users.models import Role
from webapi.worker.configuration import levels
from webapi.worker.shards import Shards


def path(world: World, more: str = "") -> str:
    return f"/transformers/{world.ours.station}-t{more}"


def revision(world: World) -> int:
    with sessions(world.engine)() as session:
        return session.get_one(Station, world.ours.station).revision


def told(world: World) -> Any:
    """The transformer as the engine is told of it."""
    with sessions(world.engine)() as session:
        for level in levels(session, Shards(1, 1)):
            if level.topic.endswith(f"/config/station/{world.ours.station}"):
                return json.loads(level.payload)
    raise AssertionError("the station is not configured")


def audits(world: World, action: str) -> list[AuditEntry]:
    with sessions(world.engine)() as session:
        return list(session.scalars(select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)))


def meter(world: World, *, band: Band = Band.UNKNOWN, age_s: float | None = 120.0, told_s: float = 1.0) -> None:
    """The engine says something of a transformer that has a meter."""
    at = world.clock.now()
    with sessions(world.engine).begin() as session:
        row = session.get_one(Transformer, f"{world.ours.station}-t")
        row.has_meter = True
        session.merge(
            TransformerLive(
                transformer_code=row.code,
                version=1,
                told_at=at - timedelta(seconds=told_s),
                band=band,
                since=NOW,
                load_pct=None,
                planned_pct=None,
                guns_kw=37.5,
                source="meter",
                why_zh="电表无读数",
                why_en="no reading",
                meter_at=None if age_s is None else at - timedelta(seconds=age_s),
                limited_pct=50.0,
                blocked_pct=80.0,
                estimate_kva=44.0,
                curtailed=2,
            )
        )


def test_list_and_detail_show_configuration_and_what_the_engine_said(world: World) -> None:
    meter(world)
    (first, second) = world.call("GET", "/transformers").json["items"]
    assert [one["code"] for one in (first, second)] == [
        f"{world.ours.station}-t",
        f"{world.ours.other_station}-t",
    ]
    assert second["live"] is None
    shown = world.call("GET", path(world)).json
    assert shown == first
    assert (shown["rated_kva"], shown["limited_pct"], shown["blocked_pct"]) == (630, 50, 80)
    live = shown["live"]
    assert (live["band"], live["load_pct"], live["estimate_kva"], live["curtailed"]) == ("unknown", None, 44.0, 2)
    assert live["why"] == {"zh": "电表无读数", "en": "no reading"}
    assert (live["limited_pct"], live["blocked_pct"], live["age_s"]) == (50.0, 80.0, 1.0)
    only = world.call("GET", f"/transformers?station={world.ours.other_station}&limit=1").json
    assert ([one["code"] for one in only["items"]], only["next"]) == ([f"{world.ours.other_station}-t"], None)
    page = world.call("GET", "/transformers?limit=1").json
    assert world.call("GET", f"/transformers?cursor={page['next']}").json["items"][0]["code"] == second["code"]


def test_a_change_reaches_the_engine_and_the_audit_with_old_and_new(world: World) -> None:
    before = revision(world)
    change = {
        "rated_kva": 800,
        "limited_pct": 60,
        "limited_release_pct": "55.5",
        "max_base_load_kw": 40.5,
        "is_shared": True,
        "share_target_pct": 70,
        "queue_most": 0,
        "releases_caps": False,
        "overload_stop_after_s": 120,
        "degraded_blocked_pct": 50,
    }
    answer = world.call("PATCH", path(world), change)
    assert answer.status_code == 200, answer.json
    assert {name: answer.json[name] for name in change} == {**change, "limited_release_pct": 55.5}
    assert revision(world) == before + 1
    config = told(world)
    assert config["version"] == before + 1
    (transformer,) = config["transformers"]
    assert {name: transformer[name] for name in change} == {**change, "limited_release_pct": 55.5}
    (entry,) = audits(world, "transformer_change")
    assert entry.object_id == f"{world.ours.station}-t"
    assert entry.details_json is not None
    changes = {one["field"]: (one["old"], one["new"]) for one in json.loads(entry.details_json)["changes"]}
    assert set(changes) == set(change)
    assert changes["is_shared"] == (False, True)
    assert [Decimal(value) for value in changes["rated_kva"]] == [630, 800]

    same = world.call("PATCH", path(world), {"rated_kva": 800})
    assert same.status_code == 200
    assert revision(world) == before + 1, "what changes nothing raises nothing"
    assert len(audits(world, "transformer_change")) == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"limited_pct": 45}, "limited_release_pct"),
        ({"limited_release_pct": 50}, "limited_release_pct"),
        ({"limited_release_pct": 0}, "limited_release_pct"),
        ({"limited_pct": 81}, "limited_pct"),
        ({"blocked_pct": 49, "blocked_release_pct": 40}, "limited_pct"),
        ({"blocked_release_pct": 80}, "blocked_release_pct"),
        ({"blocked_pct": 101}, "blocked_pct"),
        ({"overload_pct": 79}, "overload_pct"),
        ({"degraded_blocked_pct": 81}, "degraded_blocked_pct"),
        ({"share_target_pct": 81}, "share_target_pct"),
        ({"cap_share": 0}, "cap_share"),
        ({"cap_share": 1.01}, "cap_share"),
        ({"rated_kva": 0}, "rated_kva"),
        ({"rated_kva": -1}, "rated_kva"),
        ({"rated_kva": "NaN"}, "rated_kva"),
        ({"rated_kva": 630.0001}, "rated_kva"),
        ({"power_factor": 0}, "power_factor"),
        ({"base_load_kw": 50, "max_base_load_kw": 49}, "max_base_load_kw"),
        ({"queue_most": -1}, "queue_most"),
        ({"limited_release_s": 1.5}, "limited_release_s"),
        ({"is_shared": "yes"}, "is_shared"),
        ({"rated_kva": None}, "rated_kva"),
        ({"code": "x"}, "code"),
        ({}, ""),
    ],
)
def test_what_does_not_fit_together_is_named_in_both_languages(still: World, change: Any, field: str) -> None:
    zh = still.call("PATCH", path(still), change)
    en = still.call("PATCH", path(still), change, headers={"Accept-Language": "en"})
    assert (zh.status_code, en.status_code) == (422, 422), zh.json
    assert field in [error["field"] for error in zh.json["errors"]]
    assert zh.json["errors"] != en.json["errors"]


def test_at_exactly_the_same_threshold_and_at_100_it_fits(world: World) -> None:
    assert world.call("PATCH", path(world), {"limited_pct": 80}).status_code == 200
    assert world.call("PATCH", path(world), {"blocked_pct": 100}).status_code == 200


def test_thresholds_are_set_by_administrators_and_degraded_mode_also_by_operators(world: World) -> None:
    tokens = world.ours.tokens
    for role in (Role.OPERATOR, Role.FINANCE, Role.VIEWER):
        assert world.call("PATCH", path(world), {"rated_kva": 1}, token=tokens[role]).status_code == 403
    assert world.call("GET", path(world), token=tokens[Role.VIEWER]).status_code == 200
    body = {"reason": "x"}
    for role in (Role.FINANCE, Role.VIEWER):
        assert world.call("POST", path(world, "/degraded"), body, token=tokens[role]).status_code == 403
    assert world.call("GET", "/transformers", token=world.ours.driver_token).status_code == 403


# --- degraded mode


def test_two_people_put_degraded_mode_in_force(world: World) -> None:
    meter(world)
    before = revision(world)
    operator = world.ours.tokens[Role.OPERATOR]
    asked = world.call("POST", path(world, "/degraded"), {"reason": "电表烧毁", "minutes": 90}, token=operator)
    assert asked.status_code == 200, asked.json
    shown = asked.json["degraded"]
    assert (shown["state"], shown["minutes"], shown["reason"]) == ("asked", 90, "电表烧毁")
    assert shown["asked_by"] == f"user:{world.ours.users[Role.OPERATOR]}"
    assert told(world)["transformers"][0]["degraded_until"] is None
    assert revision(world) == before

    alone = world.call("POST", path(world, "/degraded/confirm"), token=operator)
    assert (alone.status_code, alone.json["code"]) == (409, "degraded_same_person")
    world.clock.set(NOW + timedelta(minutes=9))
    meter(world)
    done = world.call("POST", path(world, "/degraded/confirm"))
    assert done.status_code == 200, done.json
    assert (done.json["degraded"]["state"], done.json["degraded"]["until"]) == ("on", "2026-11-24T14:29:00+00:00")
    assert done.json["degraded"]["confirmed_by"] == f"user:{world.ours.users[Role.TENANT_ADMIN]}"
    assert told(world)["transformers"][0]["degraded_until"] == "2026-11-24T14:29:00Z"
    assert revision(world) == before + 1
    assert [(e.actor, e.outcome) for e in audits(world, "degraded_confirm")] == [
        (f"user:{world.ours.users[Role.OPERATOR]}", "degraded_same_person"),
        (f"user:{world.ours.users[Role.TENANT_ADMIN]}", "done"),
    ]
    again = world.call("POST", path(world, "/degraded/confirm"))
    assert (again.status_code, again.json["code"]) == (409, "degraded_not_asked")

    assert world.call("DELETE", path(world, "/degraded"), token=operator).status_code == 204
    assert world.call("GET", path(world)).json["degraded"]["state"] == "off"
    assert told(world)["transformers"][0]["degraded_until"] is None
    assert revision(world) == before + 2
    assert world.call("DELETE", path(world, "/degraded"), token=operator).status_code == 204
    assert len(audits(world, "degraded_end")) == 1, "there was nothing to end"


def test_degraded_mode_is_over_by_itself(world: World) -> None:
    meter(world)
    world.call("POST", path(world, "/degraded"), {"reason": "x"}, token=world.ours.tokens[Role.OPERATOR])
    assert world.call("POST", path(world, "/degraded/confirm")).json["degraded"]["state"] == "on"
    world.clock.set(NOW + timedelta(minutes=120))
    assert world.call("GET", path(world)).json["degraded"]["state"] == "off"


def test_a_request_of_more_than_ten_minutes_ago_is_not_confirmed(world: World) -> None:
    meter(world)
    world.call("POST", path(world, "/degraded"), {"reason": "x"}, token=world.ours.tokens[Role.OPERATOR])
    world.clock.set(NOW + timedelta(minutes=10, seconds=1))
    late = world.call("POST", path(world, "/degraded/confirm"))
    assert (late.status_code, late.json["code"]) == (409, "degraded_expired")
    assert "10" in late.json["detail"]
    assert world.call("GET", path(world)).json["degraded"]["state"] == "off"


def test_an_outsider_is_not_one_of_the_two(world: World) -> None:
    meter(world)
    outsider = world.ours.tokens[Role.PLATFORM_ADMIN]
    refused = world.call("POST", path(world, "/degraded"), {"reason": "x"}, token=outsider)
    assert (refused.status_code, refused.json["code"]) == (409, "degraded_other_operator")
    world.call("POST", path(world, "/degraded"), {"reason": "x"})
    refused = world.call("POST", path(world, "/degraded/confirm"), token=outsider)
    assert (refused.status_code, refused.json["code"]) == (409, "degraded_other_operator")


@pytest.mark.parametrize(
    ("given", "needed"),
    [
        ({"band": Band.NORMAL, "age_s": 60.0}, False),
        ({"band": Band.UNKNOWN, "age_s": 61.0}, True),
        ({"band": Band.NORMAL, "age_s": None}, False),
        ({"band": Band.UNKNOWN, "age_s": None}, True),
        ({"band": Band.NORMAL, "age_s": 1.0, "told_s": 31.0}, True),
        (None, False),
    ],
)
def test_degraded_mode_only_where_a_meter_is_dead(world: World, given: dict[str, Any] | None, needed: bool) -> None:
    if given is not None:
        meter(world, **given)
    answer = world.call("POST", path(world, "/degraded"), {"reason": "x"})
    assert answer.status_code == (200 if needed else 409), answer.json
    if not needed:
        assert answer.json["code"] == "degraded_not_needed"


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "x", "minutes": 121}, {"reason": "x", "minutes": 0}])
def test_degraded_mode_has_a_reason_and_two_hours_at_most(still: World, body: Any) -> None:
    assert still.call("POST", path(still, "/degraded"), body).status_code == 422


def test_the_same_key_asks_once(world: World) -> None:
    meter(world)
    first = world.call("POST", path(world, "/degraded"), {"reason": "x"}, key="k")
    again = world.call("POST", path(world, "/degraded"), {"reason": "x"}, key="k")
    assert (again.status_code, again.json) == (first.status_code, first.json)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(audits(world, "degraded_ask")) == 1


# --- feeders


def feeder(world: World, parent: str | None = None, name: str = "F") -> str:
    answer = world.call("POST", path(world, "/feeders"), {"name": name, "limit_kw": 240, "parent": parent})
    assert answer.status_code == 201, answer.json
    return str(answer.json["code"])


def test_feeders_are_a_tree_that_the_engine_is_told(world: World) -> None:
    before = revision(world)
    top = feeder(world)
    below = feeder(world, top)
    placed = world.call("PUT", f"/piles/{world.ours.pile}/feeder", {"feeder": below})
    assert placed.status_code == 200, placed.json
    assert {one["code"]: (one["parent"], one["piles"]) for one in placed.json["feeders"]} == {
        top: (None, []),
        below: (top, [world.ours.pile]),
    }
    config = told(world)
    assert {one["feeder"]: one["parent"] for one in config["transformers"][0]["feeders"]} == {top: None, below: top}
    assert [pile["feeder"] for pile in config["piles"]] == [below]
    assert revision(world) == before + 3

    cycle = world.call("PATCH", f"/feeders/{top}", {"parent": below})
    assert (cycle.status_code, cycle.json["errors"][0]["field"]) == (422, "parent")
    assert world.call("PATCH", f"/feeders/{top}", {"parent": top}).status_code == 422
    changed = world.call("PATCH", f"/feeders/{below}", {"parent": None, "limit_kw": 120.5, "name": "二"})
    assert (changed.json["parent"], changed.json["limit_kw"], changed.json["name"]) == (None, 120.5, "二")
    assert len(audits(world, "feeder_change")) == 1

    assert world.call("DELETE", f"/feeders/{top}").status_code == 204
    used = world.call("DELETE", f"/feeders/{below}")
    assert (used.status_code, used.json["code"]) == (409, "feeder_in_use")
    assert world.call("PUT", f"/piles/{world.ours.pile}/feeder", {"feeder": None}).status_code == 200
    assert world.call("DELETE", f"/feeders/{below}").status_code == 204
    assert world.call("GET", f"/feeders/{below}").status_code == 404
    assert told(world)["transformers"][0]["feeders"] == []


def test_a_feeder_of_another_transformer_is_none_of_this(world: World) -> None:
    elsewhere = world.call(
        "POST", f"/transformers/{world.ours.other_station}-t/feeders", {"name": "F", "limit_kw": 1}
    ).json["code"]
    theirs = world.call(
        "POST",
        f"/transformers/{world.theirs.station}-t/feeders",
        {"name": "F", "limit_kw": 1},
        token=world.theirs.tokens[Role.TENANT_ADMIN],
    ).json["code"]
    mine = feeder(world)
    for other in (elsewhere, theirs, "none", "\x00"):
        for method, where, body in (
            ("POST", path(world, "/feeders"), {"name": "F", "limit_kw": 1, "parent": other}),
            ("PATCH", f"/feeders/{mine}", {"parent": other}),
            ("PUT", f"/piles/{world.ours.pile}/feeder", {"feeder": other}),
        ):
            answer = world.call(method, where, body)
            assert answer.status_code == 422, (where, other, answer.json)
    with sessions(world.engine)() as session:
        assert (
            session.scalar(select(func.count()).select_from(AuditEntry).where(AuditEntry.action == "pile_feeder")) == 0
        )
