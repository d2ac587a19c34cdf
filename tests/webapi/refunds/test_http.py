"""Refunds over HTTP: a driver asks, a clerk approves, another one confirms the transfer; the books stay right."""

from typing import Any

import pytest
from sqlalchemy import select

from evcs.contracts.states import GunState
from tests.webapi.http.conftest import world
from tests.webapi.http.world import World
from webapi.audit.models import AuditEntry
from webapi.database import sessions
from webapi.ledger.invariants import check
from webapi.users.models import Role

__all__ = ["world"]


def ask(world: World, amount_fen: int = 4_000, *, token: str | None = None) -> Any:
    path = f"/customers/{world.ours.customer}/withdrawals"
    return world.call("POST", path, {"amount_fen": amount_fen, "reason": "不再使用"}, token=token)


def do(world: World, path: str, role: Role, body: Any = None, **more: Any) -> Any:
    return world.call("POST", path, body or {"reason": "核对"}, token=world.ours.tokens[role], **more)


def available(world: World) -> int:
    return int(world.call("GET", f"/customers/{world.ours.customer}").json["wallet"]["available_fen"])


@pytest.mark.parametrize(("succeeded", "left"), [(True, 6_000), (False, 10_000)])
def test_a_driver_asks_a_clerk_approves_another_confirms(world: World, succeeded: bool, left: int) -> None:
    world.recharge(world.ours.customer, 10_000)
    asked = ask(world, token=world.ours.driver_token)
    assert asked.status_code == 201, asked.json
    request = asked.json["id"]
    assert (asked.json["state"], asked.json["parts"][0]["state"]) == ("waiting", "requested")
    assert available(world) == 10_000
    approve = f"/refunds/{request}/approve"
    assert world.call("POST", approve, {}, token=world.ours.driver_token).status_code == 403
    assert do(world, approve, Role.OPERATOR).status_code == 403
    approved = do(world, approve, Role.FINANCE, key="once")
    assert approved.status_code == 200, approved.json
    assert do(world, approve, Role.FINANCE, key="once").json == approved.json
    assert do(world, approve, Role.FINANCE).json["code"] == "refund_decided"
    (part,) = approved.json["parts"]
    assert (part["state"], available(world)) == ("submitted", 6_000)
    confirm = f"/refund-parts/{part['id']}/confirm"
    said = {"succeeded": succeeded, "reason": "网银回单 0031"}
    assert do(world, confirm, Role.FINANCE, said).json["code"] == "refund_same_person"
    confirmed = do(world, confirm, Role.TENANT_ADMIN, said)
    assert confirmed.json["parts"][0]["state"] == ("succeeded" if succeeded else "failed")
    assert do(world, confirm, Role.TENANT_ADMIN, said).json["code"] == "refund_decided"
    assert available(world) == left
    own = world.call("GET", "/refunds", token=world.ours.driver_token).json["items"]
    assert [one["id"] for one in own] == [request]
    with sessions(world.engine)() as session:
        assert check(session) == []
        deeds = session.scalars(select(AuditEntry.action).where(AuditEntry.action.like("refund%"))).all()
        assert deeds == ["refund_ask", "refund_approve", "refund_paid" if succeeded else "refund_failed"]


def test_who_asked_for_a_transfer_by_hand_cannot_approve_it(world: World) -> None:
    world.recharge(world.ours.customer, 10_000)
    request = ask(world).json["id"]
    own = do(world, f"/refunds/{request}/approve", Role.TENANT_ADMIN)
    assert (own.status_code, own.json["code"]) == (409, "refund_same_person")
    assert do(world, f"/refunds/{request}/reject", Role.FINANCE).json["parts"][0]["state"] == "failed"
    assert available(world) == 10_000


def test_only_free_principal_that_nobody_asked_for_yet(world: World) -> None:
    world.recharge(world.ours.customer, 10_000)
    first = ask(world, 6_000).json["id"]
    over = ask(world, 4_001)
    assert (over.status_code, over.json["code"]) == (409, "refund_over_principal")
    assert "40.00" in over.json["detail"]
    do(world, f"/refunds/{first}/reject", Role.FINANCE)
    assert ask(world, 10_000).status_code == 201


def test_not_while_an_order_holds_money(world: World) -> None:
    world.recharge(world.ours.customer, 10_000)
    request = ask(world).json["id"]
    world.level(world.ours.pile, 1, GunState.PLUGGED)
    world.order(world.ours)
    assert ask(world).json["code"] == "refund_hold_open"
    assert do(world, f"/refunds/{request}/approve", Role.FINANCE).json["code"] == "refund_hold_open"


def test_another_operators_refunds_are_not_there(world: World) -> None:
    world.recharge(world.ours.customer, 10_000)
    request = ask(world).json
    token = world.theirs.tokens[Role.TENANT_ADMIN]
    assert world.call("GET", "/refunds", token=token).json["items"] == []
    assert world.call("GET", f"/refunds/{request['id']}", token=token).status_code == 404
    for path, body in (
        (f"/refunds/{request['id']}/approve", {}),
        (f"/refunds/{request['id']}/reject", {"reason": "x"}),
        (f"/refund-parts/{request['parts'][0]['id']}/confirm", {"succeeded": True, "reason": "x"}),
        (f"/customers/{world.ours.customer}/withdrawals", {"amount_fen": 1, "reason": "x"}),
        (f"/orders/{'9' * 32}/refunds", {"service_fen": 1, "reason": "x"}),
    ):
        assert world.call("POST", path, body, token=token).status_code == 404
    assert world.call("GET", f"/refunds/{request['id']}", token=world.theirs.driver_token).status_code == 404
