"""Recharges by hand: alone up to a limit and so much a day, above it by two persons; the books stay right."""

from datetime import timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from tests.webapi.http.world import World
from webapi.audit.models import AuditEntry
from webapi.database import sessions
from webapi.ledger.invariants import check
from webapi.recharges.models import Recharge, RechargeRequest
from webapi.users.models import Role

LARGE = {"amount_fen": 800_000, "reason": "对公转账", "voucher": "回单 0012"}


def wallet(world: World, customer: int) -> int:
    return int(world.call("GET", f"/customers/{customer}").json["wallet"]["available_fen"])


def ask(world: World, body: dict[str, Any] | None = None) -> int:
    """Finance asks for a large recharge of our customer."""
    answer = world.call(
        "POST",
        f"/customers/{world.ours.customer}/recharge-requests",
        body or LARGE,
        token=world.ours.tokens[Role.FINANCE],
    )
    assert answer.status_code == 201, answer.json
    assert answer.json["state"] == "waiting"
    return int(answer.json["id"])


def decide(world: World, request: int, deed: str, role: Role = Role.TENANT_ADMIN, **more: Any) -> Any:
    token = world.ours.tokens[role]
    return world.call("POST", f"/recharge-requests/{request}/{deed}", {"reason": "核对"}, token=token, **more)


def test_a_recharge_keeps_the_balance_before_and_after_it(world: World) -> None:
    path = f"/customers/{world.ours.customer}/recharges"
    world.call("POST", path, {"amount_fen": 1000, "reason": "现金"})
    made = world.call("POST", path, {"amount_fen": 2500, "reason": "现金", "voucher": "收据 7"}).json
    assert (made["before"]["available_fen"], made["after"]["available_fen"]) == (1000, 3500)
    with sessions(world.engine)() as session:
        kept = session.get_one(Recharge, made["id"])
        assert (kept.before_fen, kept.after_fen) == (1000, 3500)


def test_a_large_recharge_is_credited_once_another_person_approved(world: World) -> None:
    customer = world.ours.customer
    refused = world.call("POST", f"/customers/{customer}/recharges", LARGE)
    assert (refused.status_code, refused.json["code"]) == (409, "recharge_needs_second")
    assert "5000.00" in refused.json["detail"]
    request = ask(world)
    assert wallet(world, customer) == 0
    own = decide(world, request, "approve", Role.FINANCE)
    assert (own.status_code, own.json["code"]) == (409, "recharge_same_person")
    assert decide(world, request, "approve", Role.OPERATOR).status_code == 403
    approved = decide(world, request, "approve", key="one")
    assert approved.status_code == 200, approved.json
    assert (approved.json["before"]["available_fen"], approved.json["after"]["available_fen"]) == (0, 800_000)
    assert decide(world, request, "approve", key="one").json == approved.json
    for deed in ("approve", "reject"):
        assert decide(world, request, deed).json["code"] == "recharge_decided"
    assert wallet(world, customer) == 800_000
    listed = world.call("GET", f"/recharge-requests?customer={customer}&state=approved").json["items"]
    assert [(one["id"], one["recharge_id"]) for one in listed] == [(request, approved.json["id"])]
    finance, admin = world.ours.users[Role.FINANCE], world.ours.users[Role.TENANT_ADMIN]
    assert (listed[0]["asked_by"], listed[0]["decided_by"]) == (f"user:{finance}", f"user:{admin}")
    with sessions(world.engine)() as session:
        assert check(session) == []
        deeds = session.scalars(select(AuditEntry.action).where(AuditEntry.action.like("recharge%"))).all()
        assert [deed for deed in deeds if deed != "recharge"] == ["recharge_ask", "recharge_approve"]


def test_what_is_rejected_or_too_old_is_never_credited(world: World) -> None:
    rejected, old = ask(world), ask(world)
    assert decide(world, rejected, "reject").json["state"] == "rejected"
    assert decide(world, rejected, "approve").json["code"] == "recharge_decided"
    world.clock.advance(timedelta(hours=24).total_seconds())
    assert decide(world, old, "approve").json["code"] == "recharge_expired"
    states = [(one["id"], one["state"]) for one in world.call("GET", "/recharge-requests").json["items"]]
    assert states == [(old, "expired"), (rejected, "rejected")]
    for state, ids in (("expired", [old]), ("waiting", []), ("rejected", [rejected])):
        found = world.call("GET", f"/recharge-requests?state={state}").json["items"]
        assert [one["id"] for one in found] == ids
    assert wallet(world, world.ours.customer) == 0


def test_one_person_recharges_only_so_much_in_a_beijing_day(world: World) -> None:
    path = f"/customers/{world.ours.customer}/recharges"
    for _ in range(5):
        ask(world, {**LARGE, "amount_fen": 900_000})
    token = world.ours.tokens[Role.FINANCE]
    assert world.call("POST", path, {"amount_fen": 400_000, "reason": "x"}, token=token).status_code == 201
    over = world.call("POST", path, {"amount_fen": 100_001, "reason": "x"}, token=token)
    assert (over.status_code, over.json["code"]) == (409, "recharge_over_day")
    assert "1000.00" in over.json["detail"]
    assert world.call("POST", path, {"amount_fen": 100_000, "reason": "x"}, token=token).status_code == 201
    asked = world.call("POST", f"{path[:-1]}-requests", LARGE, token=token)
    assert asked.json["code"] == "recharge_over_day"
    assert world.call("POST", path, {"amount_fen": 500, "reason": "x"}).status_code == 201, "somebody else's day"
    # 20:50 in Beijing: midnight is 190 minutes away
    world.clock.advance(timedelta(minutes=191).total_seconds())
    assert world.call("POST", path, {"amount_fen": 500_000, "reason": "x"}, token=token).status_code == 201


def test_two_recharges_at_once_do_not_both_use_the_rest_of_the_day(world: World) -> None:
    for _ in range(5):
        ask(world, {**LARGE, "amount_fen": 920_000})
    both, answers = Barrier(2), []

    def recharge(customer: int) -> None:
        both.wait()
        body = {"amount_fen": 300_000, "reason": "x"}
        token = world.ours.tokens[Role.FINANCE]
        answers.append(world.call("POST", f"/customers/{customer}/recharges", body, token=token).status_code)

    threads = [Thread(target=recharge, args=(one,)) for one in (world.ours.customer, world.ours.second_customer)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [201, 409]


def test_the_database_itself_wants_two_persons(world: World) -> None:
    request = ask(world)
    with sessions(world.engine)() as session, pytest.raises(IntegrityError):
        session.execute(
            update(RechargeRequest)
            .where(RechargeRequest.id == request)
            .values(state="rejected", decided_by=RechargeRequest.asked_by)
        )


def test_another_operators_requests_are_not_there(world: World) -> None:
    request = ask(world)
    token = world.theirs.tokens[Role.TENANT_ADMIN]
    assert world.call("GET", "/recharge-requests", token=token).json["items"] == []
    for deed in ("approve", "reject"):
        answer = world.call("POST", f"/recharge-requests/{request}/{deed}", {"reason": "x"}, token=token)
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")
