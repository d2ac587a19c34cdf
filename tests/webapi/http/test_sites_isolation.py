"""Transformers, lockouts, stops and limits of another answer like what does not exist, and change nothing."""

from typing import Any

import pytest
from sqlalchemy import func, select

from tests.webapi.http.test_isolation import without_id
from tests.webapi.http.world import Operator, World
from webapi.audit.models import AuditEntry
from webapi.database import sessions
from webapi.users.models import Role

WHY = {"reason": "x"}
NONE_PILE = "55031412999999"


def calls(station: str, pile: str, feeder: str, setting: int) -> list[tuple[str, str, Any]]:
    """Every way to reach something of a station."""
    return [
        ("GET", f"/transformers?station={station}", None),
        ("GET", f"/transformers/{station}-t", None),
        ("PATCH", f"/transformers/{station}-t", {"rated_kva": 1}),
        ("POST", f"/transformers/{station}-t/degraded", WHY),
        ("POST", f"/transformers/{station}-t/degraded/confirm", None),
        ("DELETE", f"/transformers/{station}-t/degraded", None),
        ("POST", f"/transformers/{station}-t/feeders", {"name": "x", "limit_kw": 1}),
        ("GET", f"/feeders/{feeder}", None),
        ("PATCH", f"/feeders/{feeder}", {"limit_kw": 1}),
        ("DELETE", f"/feeders/{feeder}", None),
        ("PUT", f"/piles/{pile}/feeder", {"feeder": None}),
        ("PUT", f"/stations/{station}/lockout", WHY),
        ("DELETE", f"/stations/{station}/lockout", None),
        ("PUT", f"/piles/{pile}/lockout", WHY),
        ("DELETE", f"/piles/{pile}/lockout", None),
        ("PUT", f"/piles/{pile}/guns/1/lockout", WHY),
        ("DELETE", f"/piles/{pile}/guns/1/lockout", None),
        ("POST", f"/stations/{station}/stop", {"reason": "x", "confirm": True}),
        ("GET", f"/stations/{station}/stop", None),
        ("DELETE", f"/stations/{station}/stop", None),
        ("POST", "/power-settings", {"guns": [{"pile": pile, "gun": 1}], "limit": {"kw": 60}, "reason": "x"}),
        ("GET", f"/power-settings/{setting}", None),
        ("POST", f"/power-settings/{setting}/retry", None),
    ]


def seeded(world: World, operator: Operator, station: str, pile: str) -> tuple[str, int]:
    """A feeder and a limit of theirs."""
    token = operator.tokens[Role.TENANT_ADMIN]
    made = world.call("POST", f"/transformers/{station}-t/feeders", {"name": "x", "limit_kw": 9}, token=token)
    body = {"guns": [{"pile": pile, "gun": 1}], "limit": {"kw": 60}, "reason": "x"}
    limited = world.call("POST", "/power-settings", body, token=token)
    assert (made.status_code, limited.status_code) == (201, 201), (made.json, limited.json)
    return made.json["code"], limited.json["id"]


@pytest.mark.parametrize("whose", ["another operator", "another station"])
def test_what_is_not_ones_own_answers_like_nothing(world: World, whose: str) -> None:
    if whose == "another operator":
        operator, station, pile = world.theirs, world.theirs.station, world.theirs.pile
        token = world.ours.tokens[Role.TENANT_ADMIN]
    else:
        operator, station, pile = world.ours, world.ours.other_station, world.ours.other_pile
        token = world.ours.limited_token
    feeder, setting = seeded(world, operator, station, pile)
    with sessions(world.engine)() as session:
        before = session.scalar(select(func.count()).select_from(AuditEntry).where(AuditEntry.outcome == "done"))
    seen = calls(station, pile, feeder, setting)
    nothing = calls("none", NONE_PILE, "none", 999_999)
    for (method, path, body), (_, nowhere, absent) in zip(seen, nothing, strict=True):
        there, not_there = world.call(method, path, body, token=token), world.call(method, nowhere, absent, token=token)
        may_not = token == world.ours.limited_token and there.status_code == 403
        assert may_not or there.status_code == 404, (method, path, there.json)
        assert without_id(there) == without_id(not_there), (method, path)
    with sessions(world.engine)() as session:
        after = session.scalar(select(func.count()).select_from(AuditEntry).where(AuditEntry.outcome == "done"))
    assert after == before


def test_lists_hold_only_what_is_ones_own(world: World) -> None:
    ours = seeded(world, world.ours, world.ours.station, world.ours.pile)[1]
    elsewhere = seeded(world, world.ours, world.ours.other_station, world.ours.other_pile)[1]
    theirs = seeded(world, world.theirs, world.theirs.station, world.theirs.pile)[1]

    def keys(path: str, field: str, token: str) -> list[Any]:
        return [item[field] for item in world.call("GET", path, token=token).json["items"]]

    admin, limited = world.ours.tokens[Role.TENANT_ADMIN], world.ours.limited_token
    platform = world.ours.tokens[Role.PLATFORM_ADMIN]
    assert keys("/transformers", "code", admin) == ["s-a1-t", "s-a2-t"]
    assert keys("/transformers", "code", limited) == ["s-a1-t"]
    assert keys("/transformers", "code", platform) == ["s-a1-t", "s-a2-t", "s-b1-t", "s-b2-t"]
    assert keys("/power-settings", "id", admin) == [elsewhere, ours]
    assert keys("/power-settings", "id", limited) == [ours]
    assert keys("/power-settings", "id", platform) == [theirs, elsewhere, ours]
    assert keys(f"/power-settings?station={world.theirs.station}", "id", admin) == []
