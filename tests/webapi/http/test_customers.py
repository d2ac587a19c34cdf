"""Customers over HTTP: found by what the caller on the phone can name, blocked and let go on, with the reason kept."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.webapi.http.world import NOW, World, order_body
from webapi.audit.models import AuditEntry
from webapi.database import sessions
from webapi.ledger.invariants import check
from webapi.users.models import Role

VIN = "LSVAU2180N2183294"


def found(world: World, q: str, token: str | None = None) -> list[int]:
    answer = world.call("GET", f"/customers?q={q}", token=token)
    assert answer.status_code == 200, answer.json
    return [one["id"] for one in answer.json["items"]]


def bind(world: World, what: str, body: dict[str, str], customer: int) -> int:
    answer = world.call("POST", f"/customers/{customer}/{what}", body)
    assert answer.status_code == 201, answer.json
    return int(answer.json["id"])


def test_a_customer_is_found_by_name_phone_card_plate_and_vin(world: World) -> None:
    ours = world.ours
    card = bind(world, "cards", {"uid": "d1:4b:0a:54", "printed_no": "8800000000000042"}, ours.customer)
    bind(world, "vehicles", {"vin": VIN, "plate": "浙A12345"}, ours.customer)
    bind(world, "vehicles", {"vin": VIN[:-1] + "5", "plate": "浙B99999"}, ours.second_customer)
    for q in ("王", "13800000001", "00000001", "D14B0A54", "540A4BD100000000", "0000000042", "A123", VIN, "2183294"):
        assert found(world, q) == [ours.customer], q
    assert found(world, "浙") == [ours.second_customer, ours.customer]
    finance = ours.tokens[Role.FINANCE]
    assert found(world, VIN, finance) == found(world, "浙a12345", finance) == [ours.customer]
    assert found(world, "2183294", finance) == found(world, "A123", finance) == [], "parts could be tried out"
    assert found(world, VIN, world.theirs.tokens[Role.TENANT_ADMIN]) == []
    assert world.call("POST", f"/cards/{card}/unbind", {"reason": "退卡"}).status_code == 200
    assert found(world, "D14B0A54") == []


def test_a_blocked_customer_starts_nothing_until_unblocked(world: World) -> None:
    ours = world.ours
    world.recharge(ours.customer)
    path = f"/customers/{ours.customer}"
    blocked = world.call("POST", f"{path}/block", {"reason": "恶意欠费"})
    assert blocked.status_code == 200
    assert blocked.json["blocked_at"] is not None
    assert blocked.json["blocked_reason"] == "恶意欠费"
    again = world.call("POST", f"{path}/block", {"reason": "盗刷"}).json
    assert (again["blocked_at"], again["blocked_reason"]) == (blocked.json["blocked_at"], "盗刷")
    assert [one["id"] for one in world.call("GET", "/customers?blocked=true").json["items"]] == [ours.customer]
    assert [one["id"] for one in world.call("GET", "/customers?blocked=false").json["items"]] == [ours.second_customer]
    for token in (None, ours.driver_token):
        refused = world.call("POST", "/orders", order_body(ours), token=token)
        assert (refused.status_code, refused.json["code"]) == (409, "customer_blocked")
    free = world.call("POST", f"{path}/unblock", {"reason": "查明"}).json
    assert (free["blocked_at"], free["blocked_reason"]) == (None, None)
    world.order(ours)
    with sessions(world.engine)() as session:
        kept = session.execute(
            select(AuditEntry.action, AuditEntry.details_json).where(AuditEntry.action.like("customer_%block"))
        ).all()
        assert [action for action, _ in kept] == ["customer_block", "customer_block", "customer_unblock"]
        assert "恶意欠费" in kept[0][1]
        assert "查明" in kept[2][1]
        assert check(session) == []


@pytest.mark.parametrize("deed", ["block", "unblock"])
def test_who_may_block_and_whom(still: World, deed: str) -> None:
    path = f"/customers/{still.ours.customer}/{deed}"
    for token in (still.ours.tokens[Role.FINANCE], still.ours.tokens[Role.VIEWER], still.ours.driver_token):
        assert still.call("POST", path, {"reason": "x"}, token=token).status_code == 403
    theirs = still.call("POST", f"/customers/{still.theirs.customer}/{deed}", {"reason": "x"})
    nothing = still.call("POST", f"/customers/999999/{deed}", {"reason": "x"})
    assert (
        (theirs.status_code, theirs.json["code"]) == (nothing.status_code, nothing.json["code"]) == (404, "not_found")
    )
    assert still.call("POST", path, {"reason": ""}).status_code == 422


def test_a_statement_has_the_four_balances_after_each_line_whatever_is_left_out(world: World) -> None:
    ours = world.ours
    world.recharge(ours.customer, 10_000)
    world.clock.advance(60)
    world.order(ours)
    world.recharge(ours.customer, 700)
    world.recharge(ours.second_customer, 5)
    path = f"/customers/{ours.customer}/statement"
    lines = world.call("GET", path).json["items"]
    assert [(line["kind"], line["change_fen"], line["balance_fen"]) for line in lines] == [
        ("recharge", 700, 10_700),
        ("recharge", 10_000, 10_000),
    ]
    assert lines[0]["after"] == {"available_fen": 9_200, "held_fen": 1_500, "gift_fen": 0, "debt_fen": 0}
    assert lines[1]["after"] == {"available_fen": 10_000, "held_fen": 0, "gift_fen": 0, "debt_fen": 0}
    wallet = world.call("GET", f"/customers/{ours.customer}").json["wallet"]
    assert lines[0]["after"] == wallet
    later = NOW + timedelta(seconds=30)
    since, until = (f"{path}?{name}={later.isoformat().replace('+', '%2B')}" for name in ("since", "until"))
    assert world.call("GET", since).json["items"] == lines[:1]
    assert world.call("GET", until).json["items"] == lines[1:]
    assert world.call("GET", f"{path}?kind=settlement").json["items"] == []
    assert world.call("GET", f"{path}?kind=recharge&kind=settlement").json["items"] == lines
    first = world.call("GET", f"{path}?limit=1").json
    assert first["items"] + world.call("GET", f"{path}?limit=1&cursor={first['next']}").json["items"] == lines
