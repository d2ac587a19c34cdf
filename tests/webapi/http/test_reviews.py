"""The review queue over HTTP: both calculations side by side, one decision, by who may, of what they see."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from tests.webapi.books import FLAT, changed, record
from tests.webapi.http.world import NOW, Operator, World
from webapi.audit.models import AuditEntry
from webapi.database import sessions
from webapi.ledger.invariants import check
from webapi.orders import life
from webapi.orders.advance import lock_order, observe
from webapi.orders.settle import settle_record
from webapi.users.models import Role

LATER = NOW + timedelta(hours=3)
DECISION = {"take": "pile", "reason": "客户认可桩上金额"}


@pytest.fixture
def disputed(world: World) -> str:
    """An order of ours: 11.00 yuan by us, 13.00 by its pile."""
    return dispute(world, world.ours)


def dispute(world: World, operator: Operator, gun: int = 1) -> str:
    world.recharge(operator.customer)
    serial = world.order(operator, gun)
    said = changed(record(serial, ((FLAT, Decimal(10)),), 130_000, gun=gun), pile=operator.pile)
    with sessions(world.engine)() as session:
        settled = settle_record(session, said, at=LATER)
        order = lock_order(session, serial)
        assert order is not None
        assert settled.outcome is not None
        observe(session, order, life.RecordStored(settled.outcome, has_energy=True, ended_at=order.ended_at), at=LATER)
        session.commit()
    return serial


def decide(world: World, serial: str, etag: str, body: Any = None, **how: Any) -> Any:
    return world.call("POST", f"/reviews/{serial}/decision", body or DECISION, headers={"If-Match": etag}, **how)


def test_a_review_is_shown_and_decided_once(world: World, disputed: str) -> None:
    token = world.ours.tokens[Role.FINANCE]
    [one] = world.call("GET", "/reviews", token=token).json["items"]
    assert one == world.call("GET", f"/reviews/{disputed}", token=token).json
    assert (one["serial"], one["reason"], one["billed_fen"], one["held_fen"]) == (disputed, "amount_differs", 1100, 200)
    assert (one["platform"]["total_fen"], one["pile_side"]["total_fen"], one["difference_fen"]) == (1100, 1300, 200)
    assert (one["since"], one["deadline"]) == (LATER.isoformat(), (LATER + timedelta(days=7)).isoformat())
    [band] = one["bands"]
    assert (band["band"], band["energy_kwh"], band["price_e5"], band["amount_fen"]) == (
        "flat",
        10,
        110_000,
        1100,
    )
    assert (band["pile_energy_kwh"], band["pile_price_e5"]) == (10, 112_345)

    done = decide(world, disputed, one["etag"], token=token, key="k")
    assert (done.status_code, done.json["state"], done.json["total_fen"]) == (200, "settled", 1300)
    assert decide(world, disputed, one["etag"], token=token, key="k").data == done.data
    again = decide(world, disputed, one["etag"], {**DECISION, "take": "platform"}, token=token)
    assert (again.status_code, again.json["code"]) == (412, "changed_meanwhile")
    assert world.call("GET", "/reviews", token=token).json["items"] == []
    assert world.call("GET", f"/orders/{disputed}/explanation").json["is_right"] is True
    with sessions(world.engine)() as session:
        assert check(session) == []
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "review_decide")).one()
        assert (entry.outcome, entry.object_id, entry.actor) == (
            "pile",
            disputed,
            f"user:{world.ours.users[Role.FINANCE]}",
        )


def test_a_decision_says_what_it_has_seen_and_why(world: World, disputed: str) -> None:
    missing = world.call("POST", f"/reviews/{disputed}/decision", DECISION)
    assert (missing.status_code, missing.json["code"]) == (428, "if_match_missing")
    etag = world.call("GET", f"/reviews/{disputed}").json["etag"]
    for body in ({"take": "pile"}, {"take": "both", "reason": "x"}, {"take": "pile", "reason": ""}):
        assert decide(world, disputed, etag, body).status_code == 422
    assert world.call("GET", f"/orders/{disputed}").json["state"] == "review"


def test_two_clerks_at_once_decide_once(world: World, disputed: str) -> None:
    etag = world.call("GET", f"/reviews/{disputed}").json["etag"]

    def clerk(n: int) -> Any:
        take = ("platform", "pile")[n % 2]
        role = (Role.FINANCE, Role.TENANT_ADMIN)[n % 2]
        return decide(world, disputed, etag, {"take": take, "reason": "x"}, token=world.ours.tokens[role])

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(clerk, range(6)))
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412, 412]
    [won] = [answer for answer in answers if answer.status_code == 200]
    assert world.call("GET", f"/orders/{disputed}").json["total_fen"] == won.json["total_fen"]
    with sessions(world.engine)() as session:
        assert check(session) == []


def test_decision_and_expiry_at_once_leave_one_of_them(world: World, disputed: str) -> None:
    etag = world.call("GET", f"/reviews/{disputed}").json["etag"]

    def expire(_: int) -> None:
        with sessions(world.engine)() as session:
            order = lock_order(session, disputed)
            assert order is not None
            observe(session, order, life.DeadlinePassed(), at=LATER + timedelta(days=8))
            session.commit()

    with ThreadPoolExecutor(2) as pool:
        decided, expired = pool.submit(decide, world, disputed, etag), pool.submit(expire, 0)
        answer = decided.result()
        expired.result()
    order = world.call("GET", f"/orders/{disputed}").json
    assert (answer.status_code, order["total_fen"]) in ((200, 1300), (412, 1100))
    assert (order["state"], order["hold_fen"]) == ("settled", 0)
    seen = decide(world, disputed, f'"v{version_of(world, disputed)}"')
    assert (seen.status_code, seen.json["code"]) == (409, "review_over")
    with sessions(world.engine)() as session:
        assert check(session) == []


def version_of(world: World, serial: str) -> int:
    with sessions(world.engine)() as session:
        order = lock_order(session, serial)
        assert order is not None
        return order.version


def test_who_may_and_what_they_see(world: World, disputed: str) -> None:
    theirs = dispute(world, world.theirs)
    for role in (Role.OPERATOR, Role.VIEWER):
        for answer in (
            world.call("GET", "/reviews", token=world.ours.tokens[role]),
            decide(world, disputed, '"v1"', token=world.ours.tokens[role]),
        ):
            assert (answer.status_code, answer.json["code"]) == (403, "not_allowed")
    assert world.call("GET", "/reviews", token=world.ours.driver_token).status_code == 403
    seen = {one["serial"] for one in world.call("GET", "/reviews").json["items"]}
    assert seen == {disputed}
    everything = world.call("GET", "/reviews", token=world.ours.tokens[Role.PLATFORM_ADMIN]).json["items"]
    assert {one["serial"] for one in everything} == {disputed, theirs}
    for serial in (theirs, "9" * 32):
        assert world.call("GET", f"/reviews/{serial}").status_code == 404
        answer = decide(world, serial, '"v4"')
        assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    assert world.call("GET", f"/reviews?station={world.theirs.station}").json["items"] == []


def test_the_queue_is_walked_page_by_page(world: World, disputed: str) -> None:
    second = dispute(world, world.ours, gun=2)
    first_page = world.call("GET", "/reviews?limit=1").json
    next_page = world.call("GET", f"/reviews?limit=1&cursor={first_page['next']}").json
    assert [one["serial"] for one in (*first_page["items"], *next_page["items"])] == sorted((disputed, second))
    assert next_page["next"] is None
