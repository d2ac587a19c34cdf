"""The same key and body: the same answer and one effect."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from tests.databases import PostgresForTests
from tests.webapi.http.world import NOW, World, order_body
from webapi.database import open_database, sessions
from webapi.http import idempotency
from webapi.http.idempotency import Answered, Asked, once
from webapi.http.models import IdempotencyKey
from webapi.http.problems import Problem
from webapi.ledger.invariants import check
from webapi.orders.models import Order
from webapi.recharges.models import Recharge
from webapi.recharges.place import RechargeOrder, place_recharge
from webapi.users.models import Role

CLIENTS = 8


def count(world: World, table: Any) -> int:
    """Rows of a table, after the proof that the books are in order."""
    with sessions(world.engine)() as session:
        assert check(session) == []
        return int(session.scalar(select(func.count()).select_from(table)) or 0)


def at_once(world: World, path: str, body: Any, keys: list[str]) -> list[TestResponse]:
    """The same call from several clients at the same time."""
    with ThreadPoolExecutor(len(keys)) as pool:
        return list(pool.map(lambda key: world.call("POST", path, body, key=key), keys))


def test_many_clients_with_one_key_recharge_once_and_all_get_the_same_answer(world: World) -> None:
    path = f"/customers/{world.ours.customer}/recharges"
    answers = at_once(world, path, {"amount_fen": 500, "reason": "x"}, ["tap"] * CLIENTS)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.data for answer in answers}) == 1
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == CLIENTS - 1
    assert count(world, Recharge) == 1


def test_many_clients_with_one_key_order_once(world: World) -> None:
    world.recharge(world.ours.customer)
    answers = at_once(world, "/orders", order_body(world.ours), ["tap"] * CLIENTS)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json["serial"] for answer in answers}) == 1
    assert {answer.headers["Location"] for answer in answers} == {f"/api/v1/orders/{answers[0].json['serial']}"}
    assert count(world, Order) == 1


def test_many_clients_with_many_keys_cannot_use_the_same_fen_or_gun(world: World) -> None:
    world.recharge(world.ours.customer, 2000)
    bodies = [order_body(world.ours, gun) for gun in (1, 2)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = list(pool.map(lambda n: world.call("POST", "/orders", bodies[n % 2]), range(CLIENTS)))
    assert [answer.status_code for answer in answers].count(201) == 1
    refused = {answer.json["code"] for answer in answers if answer.status_code == 409}
    assert refused == {"goal_over_balance", "gun_reserved_by_order"}
    assert count(world, Order) == 1


def test_another_body_under_the_key_is_refused_and_the_order_of_fields_is_no_other_body(world: World) -> None:
    path = f"/customers/{world.ours.customer}/recharges"
    first = world.call("POST", path, {"amount_fen": 500, "reason": "x"}, key="k")
    assert world.call("POST", path, {"reason": "x", "amount_fen": 500}, key="k").data == first.data
    other = world.call("POST", path, {"amount_fen": 501, "reason": "x"}, key="k")
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")
    elsewhere = world.call(
        "POST", f"/customers/{world.ours.second_customer}/recharges", {"amount_fen": 500, "reason": "x"}, key="k"
    )
    assert elsewhere.json["code"] == "idempotency_key_reused"
    assert count(world, Recharge) == 1


def test_keys_of_two_owners_never_meet(world: World) -> None:
    path = f"/customers/{world.ours.customer}/recharges"
    for role in (Role.TENANT_ADMIN, Role.FINANCE):
        body = {"amount_fen": 100, "reason": role.value}
        assert world.call("POST", path, body, key="k", token=world.ours.tokens[role]).status_code == 201
    assert count(world, Recharge) == 2


def test_a_refusal_is_repeated_although_the_reason_is_gone(world: World) -> None:
    refused = world.call("POST", "/orders", order_body(world.ours), key="k")
    assert refused.json["code"] == "goal_over_balance"
    world.recharge(world.ours.customer)
    again = world.call("POST", "/orders", order_body(world.ours), key="k")
    assert (again.status_code, again.data, again.mimetype) == (409, refused.data, "application/problem+json")
    assert world.call("POST", "/orders", order_body(world.ours), key="k2").status_code == 201


@pytest.mark.parametrize("wrong", [{"gun": 77}, {"goal": {"kind": "x"}}])
def test_a_request_that_was_not_right_uses_up_no_key(world: World, wrong: dict[str, Any]) -> None:
    world.recharge(world.ours.customer)
    assert world.call("POST", "/orders", {**order_body(world.ours), **wrong}, key="k").status_code in (404, 422)
    assert world.call("POST", "/orders", order_body(world.ours), key="k").status_code == 201


def test_a_crash_before_the_commit_leaves_neither_key_nor_effect(world: World) -> None:
    asked = Asked("user:1", "k", "digest")

    def work_and_die() -> Answered:
        place_recharge(session, RechargeOrder(world.ours.customer, 5, "n", "x"), at=world.clock.now(), by="user:1")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), sessions(world.engine)() as session:
        once(session, asked, work_and_die, at=world.clock.now())
    before = count(world, IdempotencyKey), count(world, Recharge)
    assert before == (0, 0)
    with sessions(world.engine)() as session:
        answer, repeated = once(session, asked, lambda: Answered(201, "{}", "application/json"), at=world.clock.now())
        session.commit()
    assert (answer.status, repeated) == (201, False)


def test_who_waits_too_long_for_the_first_request_is_told(
    postgres: PostgresForTests, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite has one writer: there the database itself is busy, a 503."""
    monkeypatch.setattr(idempotency, "WAIT_MS", 50)
    engine = open_database(postgres.fresh())
    asked = Asked("user:1", "k", "digest")
    answer = Answered(201, "{}", "application/json")

    def ask_again() -> Answered:
        with pytest.raises(Problem) as told, sessions(engine)() as second:
            once(second, asked, lambda: answer, at=NOW)
        assert (told.value.status, told.value.code) == (409, "idempotency_key_in_flight")
        return answer

    with sessions(engine)() as session:
        assert once(session, asked, ask_again, at=NOW) == (answer, False)
        session.commit()
    engine.dispose()
