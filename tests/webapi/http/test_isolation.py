"""A user sees the own stations, and nothing else; what is another's answers exactly like what does not exist."""

from typing import Any

import pytest

from evcs.contracts.states import GunState
from tests.webapi.http.world import World, order_body
from webapi.users.models import Role

ABSENT_PILE = "55031412999999"
ABSENT_SERIAL = "9" * 32
ABSENT_ROW = 999_999
ABSENT_COMMAND = "0" * 32
COMMANDS: dict[str, Any] = {
    "commands/restart": {},
    "commands/update": {"server": "10.0.0.8", "path": "/x"},
    "commands/qr-prefix": {"prefix": "x"},
    "commands/cards-store": {"cards": [{"uid": "00000000D14B0A54"}]},
    "commands/cards-clear": {"cards": [{"uid": "00000000D14B0A54"}]},
    "commands/cards-query": {"cards": [{"uid": "00000000D14B0A54"}]},
    "commands/poll": None,
    "commands/clock": None,
    "commands/tariff-push": None,
    "commands/trace": {"on": True},
    "guns/1/commands/poll": None,
    "guns/1/commands/ground-lock": {"action": "raise"},
}


def without_id(answer: Any) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Status, body and headers, without what differs in every answer."""
    body = dict(answer.json)
    body.pop("request_id")
    headers = {name: value for name, value in answer.headers.items() if name != "X-Request-Id"}
    return answer.status_code, body, headers


def pairs(theirs: dict[str, Any]) -> list[tuple[str, str, str, Any, Any]]:
    """(method, path of theirs, path of nothing, body naming theirs, body naming nothing)."""
    order = {"customer_id": theirs["own_customer"], "pile": theirs["own_pile"], "gun": 1, "goal": {"kind": "full"}}
    recharge = {"amount_fen": 5, "reason": "x"}
    return [
        ("GET", f"/stations/{theirs['station']}", "/stations/none", None, None),
        ("GET", f"/piles/{theirs['pile']}", f"/piles/{ABSENT_PILE}", None, None),
        ("GET", f"/piles?station={theirs['station']}", "/piles?station=none", None, None),
        ("GET", f"/guns?station={theirs['station']}", "/guns?station=none", None, None),
        ("GET", f"/guns?pile={theirs['pile']}", f"/guns?pile={ABSENT_PILE}", None, None),
        ("GET", f"/piles/{theirs['pile']}/guns/1", f"/piles/{ABSENT_PILE}/guns/1", None, None),
        ("GET", f"/customers/{theirs['customer']}", f"/customers/{ABSENT_ROW}", None, None),
        ("GET", f"/customers/{theirs['customer']}/statement", f"/customers/{ABSENT_ROW}/statement", None, None),
        (
            "POST",
            f"/customers/{theirs['customer']}/recharges",
            f"/customers/{ABSENT_ROW}/recharges",
            recharge,
            recharge,
        ),
        ("POST", "/orders", "/orders", {**order, "pile": theirs["pile"]}, {**order, "pile": ABSENT_PILE}),
        (
            "POST",
            "/orders",
            "/orders",
            {**order, "customer_id": theirs["customer"]},
            {**order, "customer_id": ABSENT_ROW},
        ),
        (
            "POST",
            "/customers",
            "/customers",
            {"name": "x", "first_station": theirs["station"]},
            {"name": "x", "first_station": "none"},
        ),
        ("GET", f"/orders/{theirs['serial']}", f"/orders/{ABSENT_SERIAL}", None, None),
        *(
            ("GET", f"/orders/{theirs['serial']}/{what}", f"/orders/{ABSENT_SERIAL}/{what}", None, None)
            for what in ("curve", "explanation", "timeline")
        ),
        ("POST", f"/orders/{theirs['serial']}/stop", f"/orders/{ABSENT_SERIAL}/stop", None, None),
        *(
            ("GET", f"/piles/{theirs['pile']}/{what}", f"/piles/{ABSENT_PILE}/{what}", None, None)
            for what in ("commands", "events", "frames")
        ),
        *(
            ("POST", f"/piles/{theirs['pile']}/{what}", f"/piles/{ABSENT_PILE}/{what}", body, body)
            for what, body in COMMANDS.items()
        ),
        ("GET", f"/commands/{theirs['command']}", f"/commands/{ABSENT_COMMAND}", None, None),
    ]


@pytest.fixture
def busy(world: World) -> World:
    """Both operators have an order."""
    for operator in (world.ours, world.theirs):
        world.recharge(operator.customer)
    return world


def command_at(world: World, pile: str) -> str:
    """A command that the pile was given."""
    world.level(pile, 1, GunState.PLUGGED)
    answer = world.call("POST", f"/piles/{pile}/commands/clock", token=world.ours.tokens[Role.PLATFORM_ADMIN])
    assert answer.status_code == 202
    return str(answer.json["id"])


def theirs_of(world: World, serial: str, *, of_other_station: bool = False) -> dict[str, Any]:
    """What must not be seen: the other operator's, or the own operator's other station's."""
    whose = world.ours if of_other_station else world.theirs
    return {
        "station": whose.other_station if of_other_station else whose.station,
        "pile": whose.other_pile if of_other_station else whose.pile,
        "customer": whose.second_customer if of_other_station else whose.customer,
        "serial": serial,
        "command": command_at(world, whose.other_pile if of_other_station else whose.pile),
        "own_customer": world.ours.customer,
        "own_pile": world.ours.pile,
    }


def test_what_another_operator_has_answers_like_nothing(busy: World) -> None:
    serial = busy.order(busy.theirs)
    for method, path, nowhere, body, absent in pairs(theirs_of(busy, serial)):
        seen, nothing = busy.call(method, path, body), busy.call(method, nowhere, absent)
        assert seen.status_code == 404, (method, path, seen.json)
        assert without_id(seen) == without_id(nothing), (method, path)


def test_what_another_station_has_answers_like_nothing_to_who_sees_one(busy: World) -> None:
    token = busy.ours.limited_token
    admin = busy.ours.tokens[Role.TENANT_ADMIN]
    busy.recharge(busy.ours.second_customer)
    body = {"customer_id": busy.ours.second_customer, "pile": busy.ours.other_pile, "gun": 1, "goal": {"kind": "full"}}
    serial = busy.call("POST", "/orders", body, token=admin).json["serial"]
    for method, path, nowhere, wanted, absent in pairs(theirs_of(busy, serial, of_other_station=True)):
        if path.endswith("/recharges"):
            continue  # an operator may not recharge at all
        seen = busy.call(method, path, wanted, token=token)
        nothing = busy.call(method, nowhere, absent, token=token)
        assert seen.status_code == 404, (method, path, seen.json)
        assert without_id(seen) == without_id(nothing), (method, path)


def test_lists_hold_only_what_is_ones_own(busy: World) -> None:
    ours, theirs = busy.order(busy.ours), busy.order(busy.theirs)
    limited, admin = busy.ours.limited_token, busy.ours.tokens[Role.TENANT_ADMIN]
    platform = busy.ours.tokens[Role.PLATFORM_ADMIN]

    def keys(path: str, field: str, token: str) -> list[Any]:
        return [item[field] for item in busy.call("GET", path, token=token).json["items"]]

    assert keys("/stations", "code", admin) == ["s-a1", "s-a2"]
    assert keys("/stations", "code", limited) == ["s-a1"]
    assert keys("/stations", "code", platform) == ["s-a1", "s-a2", "s-b1", "s-b2"]
    assert set(keys("/piles", "station", admin)) == {"s-a1", "s-a2"}
    assert set(keys("/piles", "station", limited)) == {"s-a1"}
    assert set(keys("/guns", "station", admin)) == {"s-a1", "s-a2"}
    assert set(keys("/guns", "station", limited)) == {"s-a1"}
    assert set(keys("/customers", "id", admin)) == {busy.ours.customer, busy.ours.second_customer}
    assert keys("/customers", "id", limited) == [busy.ours.customer]
    assert keys("/orders", "serial", admin) == [ours]
    assert set(keys("/orders", "serial", platform)) == {ours, theirs}
    assert keys(f"/orders?station={busy.theirs.station}", "serial", admin) == []
    assert keys(f"/orders?customer={busy.theirs.customer}", "serial", admin) == []
    assert keys("/customers?q=13800000001", "id", admin) == [busy.ours.customer]


def test_customer_who_charged_at_ones_station_is_seen_without_the_orders_elsewhere(busy: World) -> None:
    admin, limited = busy.ours.tokens[Role.TENANT_ADMIN], busy.ours.limited_token
    path = f"/customers/{busy.ours.second_customer}"
    busy.recharge(busy.ours.second_customer)
    assert busy.call("GET", path, token=limited).status_code == 404
    body = {**order_body(busy.ours), "customer_id": busy.ours.second_customer}
    assert busy.call("POST", "/orders", body, token=admin).status_code == 201
    assert busy.call("GET", path, token=limited).status_code == 200


def test_driver_sees_the_own_orders_and_account_only(busy: World) -> None:
    token = busy.ours.driver_token
    body = {**order_body(busy.ours), "customer_id": busy.ours.second_customer}
    busy.recharge(busy.ours.second_customer)
    other = busy.call("POST", "/orders", body).json["serial"]
    assert busy.call("GET", "/orders", token=token).json["items"] == []
    assert [c["id"] for c in busy.call("GET", "/customers", token=token).json["items"]] == [busy.ours.customer]
    for method, path, nowhere in (
        ("GET", f"/orders/{other}", f"/orders/{ABSENT_SERIAL}"),
        ("POST", f"/orders/{other}/stop", f"/orders/{ABSENT_SERIAL}/stop"),
        ("GET", f"/customers/{busy.ours.second_customer}", f"/customers/{ABSENT_ROW}"),
        ("GET", f"/customers/{busy.ours.second_customer}/statement", f"/customers/{ABSENT_ROW}/statement"),
    ):
        seen, nothing = busy.call(method, path, token=token), busy.call(method, nowhere, token=token)
        assert seen.status_code == 404
        assert without_id(seen) == without_id(nothing)
    for_another = busy.call("POST", "/orders", {**body, "gun": 2}, token=token)
    for_nobody = busy.call("POST", "/orders", {**body, "gun": 2, "customer_id": ABSENT_ROW}, token=token)
    assert for_another.status_code == 404
    assert without_id(for_another) == without_id(for_nobody)
    at_theirs = busy.call(
        "POST", "/orders", {**order_body(busy.theirs), "customer_id": busy.ours.customer}, token=token
    )
    assert at_theirs.status_code == 404
    for path in ("/stations", "/piles", "/guns", "/tokens"):
        assert busy.call("GET", path, token=token).json["code"] == "not_allowed"


MAY: dict[Role, set[str]] = {
    Role.PLATFORM_ADMIN: {"sites", "orders", "accounts", "open", "recharge", "place"},
    Role.TENANT_ADMIN: {"sites", "orders", "accounts", "open", "recharge", "place"},
    Role.OPERATOR: {"sites", "orders", "accounts", "open", "place"},
    Role.FINANCE: {"sites", "orders", "accounts", "recharge"},
    Role.VIEWER: {"sites", "orders"},
}


@pytest.mark.parametrize("role", list(Role))
def test_roles_do_what_their_row_says(world: World, role: Role) -> None:
    token = world.ours.tokens[role]
    world.recharge(world.ours.customer)
    calls = {
        "sites": ("GET", "/stations", None),
        "orders": ("GET", "/orders", None),
        "accounts": ("GET", f"/customers/{world.ours.customer}", None),
        "open": ("POST", "/customers", {"name": "x", "first_station": "s-a1"}),
        "recharge": ("POST", f"/customers/{world.ours.customer}/recharges", {"amount_fen": 5, "reason": "x"}),
        "place": ("POST", "/orders", order_body(world.ours)),
    }
    for what, (method, path, body) in calls.items():
        answer = world.call(method, path, body, token=token)
        assert (answer.status_code < 400) == (what in MAY[role]), (what, answer.json)
        if what not in MAY[role]:
            assert (answer.status_code, answer.json["code"]) == (403, "not_allowed")


def test_refused_right_is_audited_with_who_what_and_from_where(world: World) -> None:
    from sqlalchemy import select

    from webapi.audit.models import AuditEntry
    from webapi.database import sessions

    world.call("POST", "/orders", order_body(world.ours), token=world.ours.tokens[Role.VIEWER])
    with sessions(world.engine)() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.outcome == "not_allowed")).one()
    assert entry.actor == f"user:{world.ours.users[Role.VIEWER]}"
    assert (entry.action, entry.address, entry.at) == ("POST /api/v1/orders", "127.0.0.1", world.clock.now())
    assert entry.request_id


@pytest.mark.parametrize(
    ("role", "phone"),
    [(Role.TENANT_ADMIN, "13800000001"), (Role.FINANCE, "13800000001"), (Role.OPERATOR, "138****0001")],
)
def test_phone_is_masked_for_who_does_not_need_it(world: World, role: Role, phone: str) -> None:
    world.recharge(world.ours.customer)
    serial = world.order(world.ours)
    token = world.ours.tokens[role]
    assert world.call("GET", f"/customers/{world.ours.customer}", token=token).json["phone"] == phone
    assert world.call("GET", f"/orders/{serial}", token=token).json["customer"]["phone"] == phone
    found = world.call("GET", "/customers?q=0001", token=token).json["items"]
    assert bool(found) == (role is not Role.OPERATOR)


def test_right_taken_away_ends_with_the_next_request(world: World) -> None:
    from webapi.database import sessions
    from webapi.users.models import User, UserStation

    token = world.ours.limited_token
    assert world.call("GET", "/stations/s-a1", token=token).status_code == 200
    with sessions(world.engine)() as session:
        session.query(UserStation).delete()
        session.commit()
    assert world.call("GET", "/stations/s-a1", token=token).status_code == 404
    with sessions(world.engine)() as session:
        session.get_one(User, world.ours.users[Role.VIEWER]).disabled_at = world.clock.now()
        session.commit()
    assert world.call("GET", "/me", token=world.ours.tokens[Role.VIEWER]).status_code == 401
