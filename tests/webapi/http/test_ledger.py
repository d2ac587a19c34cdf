"""The books over HTTP: their proof with its first bad row, and payouts that empty a channel once."""

from typing import Any

import pytest
from sqlalchemy import select, text

from tests.webapi.http.world import World
from webapi.audit.models import AuditEntry
from webapi.database import sessions
from webapi.ledger.invariants import RULES, check
from webapi.users.models import Role, User

PAYOUT: dict[str, Any] = {"channel": "manual", "number": "缴款单:0031", "amount_fen": 30_000, "fee_fen": 180}


def proof(world: World) -> Any:
    answer = world.call("GET", "/ledger/proof", token=world.ours.tokens[Role.PLATFORM_ADMIN])
    assert answer.status_code == 200, answer.json
    return answer.json


def test_right_books_are_proved_rule_by_rule_with_their_figures(world: World) -> None:
    world.recharge(world.ours.customer)
    world.recharge(world.theirs.customer, 7_000)
    world.order(world.ours)
    shown = proof(world)
    assert shown["right"]
    assert [(one["rule"], one["wrong"], one["first"]) for one in shown["rules"]] == [(rule, 0, None) for rule in RULES]
    assert (shown["transactions"], shown["entries"], shown["wallets"]) == (3, 6, 4)
    sums = shown["sums"]
    assert (sums["paid_in_fen"], sums["available_fen"], sums["held_fen"]) == (57_000, 55_500, 1_500)
    assert sums["sources_fen"] == sums["uses_fen"] == 57_000


def test_the_first_bad_row_is_shown(world: World) -> None:
    world.recharge(world.ours.customer)
    world.order(world.ours)
    with world.engine.begin() as connection:
        connection.execute(text("UPDATE charging_order SET total_fen = 7, electricity_fen = 7"))
    shown = proof(world)
    assert not shown["right"]
    wrong = {one["rule"]: one["first"] for one in shown["rules"] if one["wrong"]}
    assert wrong.keys() == {"order totals are posted"}
    bad = wrong["order totals are posted"]
    assert (bad["rule"], bad["expected"], bad["found"]) == ("order_total_is_posted", 7, 0)


def test_who_sees_the_proof(world: World) -> None:
    own = world.ours.tokens
    for role in (Role.TENANT_ADMIN, Role.FINANCE):
        answer = world.call("GET", "/ledger/proof", token=own[role])
        assert (answer.status_code, answer.json["code"]) == (403, "proof_of_all"), role
    for token in (own[Role.OPERATOR], own[Role.VIEWER], world.ours.driver_token, world.ours.limited_token):
        assert world.call("GET", "/ledger/proof", token=token).json["code"] == "not_allowed"


def test_a_payout_empties_its_channel_once(world: World) -> None:
    world.recharge(world.ours.customer)
    world.recharge(world.theirs.customer, 7_000)
    finance = world.ours.tokens[Role.FINANCE]
    first = world.call("POST", "/ledger/payouts", PAYOUT, token=finance, key="k")
    assert first.status_code == 201, first.json
    assert (first.json["number"], first.json["received_fen"]) == ("缴款单:0031", 29_820)
    assert world.call("POST", "/ledger/payouts", PAYOUT, token=finance, key="k").json == first.json
    assert world.call("POST", "/ledger/payouts", PAYOUT, token=finance).json == first.json, "same number, other key"
    taken = world.call("POST", "/ledger/payouts", {**PAYOUT, "fee_fen": 181}, token=finance)
    assert (taken.status_code, taken.json["code"]) == (409, "payout_taken")
    listed = world.call("GET", "/ledger/payouts", token=finance).json
    assert listed["channels"] == [{"tenant": world.ours.tenant, "channel": "manual", "waiting_fen": 20_000}]
    assert (listed["items"], listed["next"]) == ([first.json], None)
    with sessions(world.engine)() as session:
        assert check(session) == []
        said = session.scalars(select(AuditEntry.details_json).where(AuditEntry.action == "payout")).all()
    assert ['"repeated":true' in (one or "") for one in said] == [False, True]


def test_payouts_are_seen_and_posted_within_the_own_operator(world: World) -> None:
    world.recharge(world.ours.customer)
    world.recharge(world.theirs.customer, 7_000)
    platform, theirs = world.ours.tokens[Role.PLATFORM_ADMIN], world.theirs.tokens[Role.FINANCE]
    foreign = {**PAYOUT, "tenant": world.ours.tenant}
    for token, body in ((theirs, foreign), (platform, PAYOUT), (platform, {**PAYOUT, "tenant": 999_999})):
        answer = world.call("POST", "/ledger/payouts", body, token=token)
        assert (answer.status_code, answer.json["errors"][0]["field"]) == (404, "tenant")
    assert world.call("POST", "/ledger/payouts", foreign, token=platform).status_code == 201
    assert world.call("GET", "/ledger/payouts", token=theirs).json["items"] == []
    whole = world.call("GET", "/ledger/payouts", token=platform).json
    assert [(one["tenant"], one["waiting_fen"]) for one in whole["channels"]] == [
        (world.ours.tenant, 20_000),
        (world.theirs.tenant, 7_000),
    ]
    with sessions(world.engine).begin() as session:
        session.get_one(User, world.theirs.users[Role.FINANCE]).all_stations = False
    assert world.call("GET", "/ledger/payouts", token=theirs).status_code == 403, "sees only some stations"
    assert world.call("GET", "/ledger/payouts", token=world.ours.tokens[Role.OPERATOR]).status_code == 403


@pytest.mark.parametrize(
    "wrong",
    [{"fee_fen": 30_001}, {"fee_fen": -1}, {"amount_fen": 0}, {"channel": "cheque"}, {"number": ""}],
)
def test_impossible_payouts_are_refused(world: World, wrong: dict[str, Any]) -> None:
    answer = world.call("POST", "/ledger/payouts", {**PAYOUT, **wrong})
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (422, next(iter(wrong)))
