"""Signing in: nothing tells whether a user exists, sessions end on the server, everything is audited."""

from datetime import timedelta

from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from tests.webapi.http.world import PASSWORD, World
from webapi.audit.models import AuditEntry
from webapi.database import sessions
from webapi.users.models import Role, User, UserSession
from webapi.users.sessions import IDLE, LIFE
from webapi.users.throttle import FREE_HERE


def enter(
    client: FlaskClient, username: str = "operator-a", password: str = PASSWORD, address: str = "10.0.0.1"
) -> TestResponse:
    """Try to sign in from an address."""
    typed = {"username": username, "password": password}
    return client.post("/api/v1/sign-in", json=typed, environ_overrides={"REMOTE_ADDR": address})


def test_wrong_password_unknown_and_disabled_user_answer_alike(world: World) -> None:
    with sessions(world.engine)() as session:
        session.execute(update(User).where(User.username == "viewer-a").values(disabled_at=world.clock.now()))
        session.commit()
    client = world.app.test_client()
    answers = [
        enter(client, password="wrong"),
        enter(client, username="nobody"),
        enter(client, username="viewer-a"),
        enter(client, username="viewer-a", password="wrong"),
    ]
    bodies = [{**answer.json, "request_id": ""} for answer in answers]
    assert {answer.status_code for answer in answers} == {401}
    assert all(body == bodies[0] for body in bodies)
    assert not any("Set-Cookie" in answer.headers for answer in answers)


def test_guessing_is_slowed_for_known_and_unknown_alike_and_the_right_password_waits_too(world: World) -> None:
    client = world.app.test_client()
    for username in ("operator-a", "nobody"):
        address = f"10.0.1.{len(username)}"
        for _ in range(FREE_HERE):
            assert enter(client, username, "wrong", address).status_code == 401
        slowed = enter(client, username, PASSWORD, address)
        assert (slowed.status_code, slowed.json["code"]) == (429, "too_many_attempts")
        assert slowed.headers["Retry-After"] == "1"
    assert enter(client, address="10.0.2.1").status_code == 200
    world.clock.advance(1)
    assert enter(client, address="10.0.1.10").status_code == 200


def test_sign_ins_are_audited_and_hold_no_secret(world: World) -> None:
    client = world.app.test_client()
    enter(client, password="wrong-secret")
    enter(client)
    with sessions(world.engine)() as session:
        entries = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "sign_in").order_by(AuditEntry.id)
        ).all()
    actor = f"user:{world.ours.users[Role.OPERATOR]}"
    assert [(e.actor, e.outcome, e.object_id, e.address) for e in entries] == [
        (actor, "wrong_credentials", "operator-a", "10.0.0.1"),
        (actor, "done", "operator-a", "10.0.0.1"),
    ]
    assert "secret" not in str([vars(entry) for entry in entries])


def test_session_ends_when_idle_and_at_the_latest_after_its_life(world: World) -> None:
    client = world.app.test_client()
    enter(client)
    for _ in range(5):
        world.clock.advance(IDLE.total_seconds() - 60)
        assert client.get("/api/v1/me").status_code == 200
    world.clock.advance(IDLE.total_seconds())
    assert client.get("/api/v1/me").status_code == 401
    enter(client)
    for _ in range(int(LIFE / timedelta(hours=1)) - 1):
        world.clock.advance(3600)
        assert client.get("/api/v1/me").status_code == 200
    world.clock.advance(3600)
    assert client.get("/api/v1/me").status_code == 401


def test_disabled_user_is_out_at_once(world: World) -> None:
    client = world.app.test_client()
    enter(client)
    with sessions(world.engine)() as session:
        session.execute(update(User).where(User.username == "operator-a").values(disabled_at=world.clock.now()))
        session.commit()
    assert client.get("/api/v1/me").status_code == 401


def test_only_hashes_of_cookies_and_tokens_are_kept(world: World) -> None:
    client = world.app.test_client()
    cookie = enter(client).headers["Set-Cookie"].partition("=")[2].partition(";")[0]
    with sessions(world.engine)() as session:
        kept = session.scalars(select(UserSession.token_hash)).all()
    assert cookie not in kept
    assert all(len(one) == 64 for one in kept)


def test_token_cannot_make_tokens_and_ends_with_its_time(world: World) -> None:
    token = world.ours.limited_token
    assert world.call("POST", "/tokens", {}, token=token).json["code"] == "not_allowed"
    world.clock.advance(86_400)
    assert world.call("GET", "/me", token=token).status_code == 401


def test_sign_out_ends_the_token_of_a_customer_too(world: World) -> None:
    driver = world.ours.driver_token
    assert world.call("GET", "/me", token=driver).status_code == 200
    assert world.call("POST", "/sign-out", token=driver).status_code == 204
    assert world.call("GET", "/me", token=driver).status_code == 401


def test_tokens_of_another_user_cannot_be_seen_or_revoked(world: World) -> None:
    admin, viewer = world.ours.tokens[Role.TENANT_ADMIN], world.ours.tokens[Role.VIEWER]
    [own] = world.call("GET", "/tokens", token=viewer).json["items"]
    assert "token" not in own
    assert world.call("DELETE", f"/tokens/{own['id']}", token=admin).status_code == 404
    assert world.call("GET", "/me", token=viewer).status_code == 200
    assert world.call("DELETE", f"/tokens/{own['id']}", token=viewer).status_code == 204
    assert world.call("GET", "/me", token=viewer).status_code == 401
