"""What is answered instead: always a problem of RFC 9457 in the language asked for, never a 5xx but 503."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from evcs.runtime.clock import ManualClock
from evcs.store.open import open_reader
from tests.webapi.http.world import World, order_body
from webapi.app import create_app
from webapi.database import open_database, sessions
from webapi.http.call import Adapters

MEMBERS = {"type", "title", "status", "detail", "code", "errors", "figures", "request_id"}


def check(answer: Any, status: int, code: str) -> dict[str, Any]:
    """Everything that is true of every problem."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.mimetype == "application/problem+json"
    body: dict[str, Any] = answer.json
    assert set(body) == MEMBERS
    assert (body["status"], body["code"], body["type"]) == (status, code, f"urn:evcs:problem:{code}")
    assert body["request_id"] == answer.headers["X-Request-Id"]
    return body


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/stations/none", 404, "not_found"),
        ("GET", "/stations/a%00b", 404, "not_found"),
        ("GET", "/piles/none", 404, "not_found"),
        ("GET", "/piles?station=none", 404, "not_found"),
        ("GET", "/guns?pile=none", 404, "not_found"),
        ("GET", "/piles/55031412000001/guns/9", 404, "not_found"),
        ("GET", "/piles/55031412000001/guns/99999999999999999999999", 404, "not_found"),
        ("GET", "/piles/55031412000001/guns/99999999999", 404, "not_found"),
        ("GET", "/piles/none/commands", 404, "not_found"),
        ("GET", "/piles/none/events", 404, "not_found"),
        ("GET", "/piles/none/frames", 404, "not_found"),
        ("GET", "/commands/none", 404, "not_found"),
        ("POST", "/piles/none/commands/clock", 404, "not_found"),
        ("POST", "/piles/none/guns/1/commands/poll", 404, "not_found"),
        ("GET", "/tariffs/999999", 404, "not_found"),
        ("GET", "/tariffs/9007199254740991/rollout", 404, "not_found"),
        ("GET", "/piles/55031412000001/commands?cursor=%00", 422, "invalid"),
        ("GET", "/piles/55031412000001/events?cursor=WyJ4Il0", 422, "invalid"),
        ("GET", "/customers/9999", 404, "not_found"),
        ("GET", "/customers/9999/statement", 404, "not_found"),
        ("GET", "/orders/" + "1" * 32, 404, "not_found"),
        ("GET", "/orders/" + "1" * 31, 404, "not_found"),
        ("GET", "/orders/" + "1" * 32 + "/curve", 404, "not_found"),
        ("POST", "/orders/" + "1" * 32 + "/stop", 404, "not_found"),
        ("DELETE", "/tokens/9999", 404, "not_found"),
        ("PUT", "/orders", 405, "method_not_allowed"),
        ("GET", "/orders?state=flying", 422, "invalid"),
        ("GET", "/orders?limit=0", 422, "invalid"),
        ("GET", "/orders?limit=201", 422, "invalid"),
        ("GET", "/orders?cursor=%00", 422, "invalid"),
        ("GET", "/orders?cursor=WzEsMl0", 422, "invalid"),
        ("GET", "/stations?cursor=WyJ4XHUwMDAwIl0", 422, "invalid"),
        ("GET", "/orders?since=2026-11-24T12:00:00", 422, "invalid"),
        ("GET", "/orders?since=0001-01-01T00:00:00%2B14:00", 422, "invalid"),
        ("GET", "/orders?customer=99999999999999999999999", 422, "invalid"),
        ("GET", "/orders?page=2", 422, "invalid"),
        ("GET", "/customers?q=a%00b", 422, "invalid"),
    ],
)
def test_what_is_not_there_or_not_right(still: World, method: str, path: str, status: int, code: str) -> None:
    check(still.call(method, path), status, code)


ORDER = {"customer_id": 1, "pile": "55031412000001", "gun": 1, "goal": {"kind": "full"}}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/orders", {}, "pile"),
        ("/orders", {**ORDER, "color": "red"}, "color"),
        ("/orders", {**ORDER, "gun": "1"}, "gun"),
        ("/orders", {**ORDER, "gun": 0}, "gun"),
        ("/orders", {**ORDER, "gun": True}, "gun"),
        ("/orders", {**ORDER, "pile": "a/b"}, "pile"),
        ("/orders", {**ORDER, "customer_id": 2**70}, "customer_id"),
        ("/orders", {**ORDER, "customer_id": None}, "customer_id"),
        ("/orders", {**ORDER, "goal": None}, "goal"),
        ("/orders", {**ORDER, "goal": {"kind": "fast"}}, "goal.kind"),
        ("/orders", {**ORDER, "goal": {"kind": "full", "x": 1}}, "goal.x"),
        ("/orders", {**ORDER, "goal": {"kind": "amount"}}, "goal"),
        ("/orders", {**ORDER, "goal": {"kind": "full", "amount_fen": 5}}, "goal"),
        ("/orders", {**ORDER, "goal": {"kind": "amount", "amount_fen": 5, "duration_s": 5}}, "goal"),
        ("/orders", {**ORDER, "goal": {"kind": "amount", "amount_fen": 0}}, "goal.amount_fen"),
        ("/orders", {**ORDER, "goal": {"kind": "amount", "amount_fen": 12.5}}, "goal.amount_fen"),
        ("/orders", {**ORDER, "goal": {"kind": "energy", "energy_kwh": "NaN"}}, "goal.energy_kwh"),
        ("/orders", {**ORDER, "goal": {"kind": "energy", "energy_kwh": 1e308}}, "goal.energy_kwh"),
        ("/orders", {**ORDER, "goal": {"kind": "energy", "energy_kwh": 0.00001}}, "goal.energy_kwh"),
        ("/orders", {**ORDER, "goal": {"kind": "energy", "energy_kwh": 1.00001}}, "goal.energy_kwh"),
        ("/orders", [], ""),
        ("/orders", "text", ""),
        ("/customers", {"name": "a\x00b"}, "name"),
        ("/customers", {"name": ""}, "name"),
        ("/customers", {"name": "x" * 65}, "name"),
        ("/customers", {"name": "x", "phone": "12ab"}, "phone"),
        ("/customers/1/recharges", {"amount_fen": -5, "reason": "x"}, "amount_fen"),
        ("/customers/1/recharges", {"amount_fen": 5}, "reason"),
        ("/tokens", {"days": 9999}, "days"),
        ("/sign-in", {"username": "a"}, "password"),
        ("/sign-in", {"username": "a", "password": "b", "remember": True}, "remember"),
    ],
)
def test_a_body_that_is_not_right_names_the_field_in_both_languages(
    still: World, path: str, body: Any, field: str
) -> None:
    zh = check(still.call("POST", path, body), 422, "invalid")
    en = check(still.call("POST", path, body, headers={"Accept-Language": "en-GB,en;q=0.9"}), 422, "invalid")
    assert field in [error["field"] for error in zh["errors"]]
    assert [error["field"] for error in zh["errors"]] == [error["field"] for error in en["errors"]]
    assert zh["title"] != en["title"]
    assert all(error["message"] for error in zh["errors"])


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"{", {"Content-Type": "application/json"}, 400, "bad_request"),
        (b"\xff\xfe", {"Content-Type": "application/json"}, 400, "bad_request"),
        (b"[" * 30_000, {"Content-Type": "application/json"}, 400, "bad_request"),
        (b'{"a":' * 5_000, {"Content-Type": "application/json"}, 400, "bad_request"),
        (b'{"pile": "\\ud800"}', {"Content-Type": "application/json"}, 400, "bad_request"),
        (b'{"gun": ' + b"9" * 5000 + b"}", {"Content-Type": "application/json"}, None, None),
        (b'{"gun": NaN}', {"Content-Type": "application/json"}, 400, "bad_request"),
        (b"{}", {"Content-Type": "text/plain"}, 415, "not_json"),
        (b"pile=1", {"Content-Type": "application/x-www-form-urlencoded"}, 415, "not_json"),
        (b" " * 70_000, {"Content-Type": "application/json"}, 413, "body_too_large"),
    ],
)
def test_bytes_that_are_no_body(
    still: World, body: bytes, headers: Mapping[str, str], status: int | None, code: str | None
) -> None:
    bearer = {"Authorization": f"Bearer {still.ours.driver_token}", "Idempotency-Key": "k"}
    answer = still.app.test_client().post("/api/v1/orders", data=body, headers={**bearer, **headers})
    if status is None or code is None:
        assert 400 <= answer.status_code < 500
    else:
        check(answer, status, code)


def test_a_stop_takes_no_body(still: World) -> None:
    check(still.call("POST", f"/orders/{'1' * 32}/stop", {"why": "x"}), 422, "invalid")


def test_allow_stays_on_405_and_the_request_id_is_echoed(still: World) -> None:
    answer = still.call("PUT", "/orders", headers={"X-Request-Id": "abc-123"})
    body = check(answer, 405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) >= {"GET", "POST"}
    assert body["request_id"] == "abc-123"
    forged = still.call("GET", "/me", headers={"X-Request-Id": "<script>"})
    assert forged.headers["X-Request-Id"] != "<script>"


def test_every_answer_carries_the_security_headers(still: World) -> None:
    client = still.app.test_client()
    for path in ("/healthz", "/docs", "/openapi.json", "/api/v1/me", "/nothing"):
        headers = client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert client.get("/api/v1/me").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer x", "Basic YTpi", "Bearer \u00e4", "\x7f"])
def test_a_wrong_token_is_401_with_a_challenge(still: World, header: str) -> None:
    answer = still.app.test_client().get(
        "/api/v1/me", headers={"Authorization": header.encode("utf-8").decode("latin-1")}
    )
    check(answer, 401, "not_signed_in")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_key_is_needed_where_money_or_hardware_moves(still: World) -> None:
    bearer = {"Authorization": f"Bearer {still.ours.driver_token}"}
    client = still.app.test_client()
    answer = client.post("/api/v1/orders", json=order_body(still.ours), headers=bearer)
    check(answer, 400, "idempotency_key_missing")
    wrong = client.post("/api/v1/orders", json=order_body(still.ours), headers={**bearer, "Idempotency-Key": "a b"})
    check(wrong, 422, "idempotency_key_invalid")


def test_database_away_is_503_with_retry_after(tmp_path: Path) -> None:
    for url in ("postgresql://nobody@127.0.0.1:1/none", f"sqlite:///{tmp_path}"):
        engine = open_database(url)
        reader = open_reader(f"sqlite:///{tmp_path / 'telemetry.db'}")
        app = create_app(Adapters(engine, sessions(engine), reader, ManualClock()))
        client = app.test_client()
        bearer = {"Authorization": "Bearer x"}
        typed = {"username": "a", "password": "b"}
        for answer in (client.get("/api/v1/me", headers=bearer), client.post("/api/v1/sign-in", json=typed)):
            check(answer, 503, "database_away")
            assert answer.headers["Retry-After"] == "5"
        health = client.get("/healthz")
        assert (health.status_code, health.json["status"]) == (503, "down")
        assert health.json["reasons"][0].startswith("database")


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "1999-12-31T00:00:00Z"])
def test_cursor_at_the_end_of_the_calendar_is_none_of_ours(still: World, at: str) -> None:
    cursor = base64.urlsafe_b64encode(f'["{at}","1"]'.encode()).decode()
    check(still.call("GET", f"/orders?cursor={cursor}"), 422, "invalid")


def test_errors_of_the_database_name_no_value(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(SQLAlchemyError) as told, engine.begin() as connection:
        connection.execute(text("SELECT * FROM nothing WHERE phone = :phone"), {"phone": "13800000001"})
    assert "nothing" in str(told.value)
    assert "13800000001" not in str(told.value)
    engine.dispose()


def test_store_away_costs_only_curves_and_live_values(world: World, tmp_path: Path) -> None:
    from evcs.contracts.states import GunState

    world.recharge(world.ours.customer)
    serial = world.order(world.ours)
    world.level(world.ours.pile, 1, GunState.CHARGING, serial)
    world.telemetry.close()
    for file in tmp_path.glob("telemetry.db*"):
        file.unlink()
    check(world.call("GET", f"/orders/{serial}/curve"), 503, "store_away")
    gun = world.call("GET", f"/piles/{world.ours.pile}/guns/1").json
    assert (gun["state"], gun["live"], gun["live_available"]) == ("charging", None, False)
    assert world.app.test_client().get("/healthz").json["status"] == "degraded"
