"""Cards, vehicles, attempts, orphans and joint charges over HTTP: what is bound, masked, kept apart and audited."""

from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select

from evcs.contracts.envelope import Receipt
from evcs.contracts.gun import CardMode, CardRequest, ChargeRecord, GunEvent, GunEventKind
from evcs.contracts.states import StartSource
from evcs.contracts.times import BEIJING
from evcs.contracts.topics import Address
from tests.webapi.books import FLAT, changed, record
from tests.webapi.http.test_isolation import ABSENT_ROW, without_id
from tests.webapi.http.world import NOW, Operator, World, order_body
from webapi.audit.models import AuditEntry
from webapi.cards.models import Card
from webapi.cards.numbers import password_of
from webapi.database import sessions
from webapi.ledger.invariants import check
from webapi.orders import events
from webapi.orders.models import Order
from webapi.users.models import Role
from webapi.users.secrets_of import verify_password

UID = "00000000D14B0A54"
VIN = "LSVAU2180N2183294"
CARD = {"uid": "d1:4b:0a:54", "printed_no": "8800000000000042"}
VEHICLE = {"vin": VIN, "plate": "浙A12345"}


def bind(world: World, what: str, body: dict[str, Any], operator: Operator | None = None) -> dict[str, Any]:
    """Bind a card or vehicle to the operator's first customer."""
    operator = operator or world.ours
    answer = world.call(
        "POST", f"/customers/{operator.customer}/{what}", body, token=operator.tokens[Role.TENANT_ADMIN]
    )
    assert answer.status_code == 201, answer.json
    return dict(answer.json)


def ask(world: World, operator: Operator, *, id: str = "e-1", card: str = UID) -> None:
    """A driver holds a card against the operator's pile; the worker hears of it."""
    event = GunEvent(
        id=id,
        receipt=Receipt(bridge="b1", started_ms=7, n=1),
        kind=GunEventKind.CARD_REQUEST,
        received_at=NOW,
        link="l1",
        card_request=CardRequest(mode=CardMode.CARD, card=card, expires_at=NOW.replace(second=10)),
    )
    with sessions(world.engine).begin() as session:
        address = Address(station=operator.station, pile=operator.pile, gun=1)
        events.gun_event(session, address, event, NOW)


def orphan_of(operator: Operator, serial: str = "9" * 32) -> ChargeRecord:
    """A record that nobody explains: 10 kWh for 11 yuan."""
    said = record(serial, ((FLAT, Decimal("10.0000")),), 110_000, ended_at=NOW)
    return changed(said, pile=operator.pile, started_at=NOW.replace(hour=11), source=StartSource.CARD)


def keep(world: World, operator: Operator, said: ChargeRecord) -> None:
    with sessions(world.engine).begin() as session:
        events.record(session, Address(station=operator.station, pile=operator.pile, gun=1), said, NOW)


def test_a_card_is_bound_found_blocked_and_unbound_and_stays_in_the_history(world: World) -> None:
    card = bind(world, "cards", {**CARD, "pin": "246810", "offline_allowed": True})
    assert (card["uid"], card["printed_no"], card["state"]) == (UID, "8800000000000042", "bound")
    assert (card["has_password"], card["offline_allowed"]) == (True, True)
    for q in (UID, "D14B0A54", "540A4BD100000000", "0042", "王a"):
        assert [one["id"] for one in world.call("GET", f"/cards?q={q}").json["items"]] == [card["id"]], q
    assert world.call("GET", "/cards?q=AAAAAAAA").json["items"] == []
    path = f"/cards/{card['id']}"
    blocked = world.call("POST", f"{path}/block", {"reason": "挂失"}).json
    assert (blocked["state"], blocked["reason"]) == ("blocked", "挂失")
    assert world.call("POST", f"{path}/unblock").json["state"] == "bound"
    assert world.call("POST", f"{path}/password", {"pin": None}).json["has_password"] is False
    assert world.call("POST", f"{path}/offline", {"allowed": False}).json["offline_allowed"] is False
    assert world.call("POST", f"{path}/unbind", {"reason": "退卡"}).json["state"] == "unbound"
    assert world.call("GET", "/cards").json["items"] == []
    assert [one["id"] for one in world.call("GET", "/cards?state=unbound").json["items"]] == [card["id"]]
    changed_again = world.call("POST", f"{path}/block", {"reason": "x"})
    assert (changed_again.status_code, changed_again.json["code"]) == (409, "not_bound")
    again = bind(world, "cards", {"uid": "54 0A 4B D1"})
    assert (again["id"] != card["id"], again["has_password"]) == (True, False)
    with sessions(world.engine)() as session:
        actions = session.scalars(
            select(AuditEntry.action).where(AuditEntry.object_kind == "card").order_by(AuditEntry.id)
        )
        assert list(actions) == [
            "card_bind",
            "card_block",
            "card_unblock",
            "card_password",
            "card_offline_forbid",
            "card_unbind",
            "card_bind",
        ]


def test_a_pin_is_kept_as_the_hash_of_what_the_pile_sends_and_never_shown(world: World) -> None:
    card = bind(world, "cards", {**CARD, "pin": "246810"})
    assert "246810" not in str(card)
    with sessions(world.engine)() as session:
        kept = session.get_one(Card, card["id"]).password_hash
        details = [row.details_json or "" for row in session.scalars(select(AuditEntry))]
    assert verify_password(kept, password_of("246810"))
    assert not any("246810" in one or password_of("246810") in one or UID in one for one in details)


def test_a_number_in_use_is_not_bound_twice_in_any_spelling(world: World) -> None:
    bind(world, "cards", CARD)
    bind(world, "vehicles", VEHICLE)
    second = f"/customers/{world.ours.second_customer}"
    for uid in (UID, "540A4BD100000000", "00000000540a4bd1"):
        answer = world.call("POST", f"{second}/cards", {"uid": uid})
        assert (answer.status_code, answer.json["code"]) == (409, "card_taken"), uid
    answer = world.call("POST", f"{second}/vehicles", VEHICLE)
    assert (answer.status_code, answer.json["code"]) == (409, "vehicle_taken")
    bind(world, "cards", CARD, world.theirs)
    bind(world, "vehicles", VEHICLE, world.theirs)


def test_a_vehicle_is_bound_blocked_and_unbound(world: World) -> None:
    vehicle = bind(world, "vehicles", VEHICLE)
    assert (vehicle["vin"], vehicle["plate"], vehicle["plug_and_charge"]) == (VIN, "浙A12345", True)
    path = f"/vehicles/{vehicle['id']}"
    assert world.call("POST", f"{path}/plug-and-charge", {"allowed": False}).json["plug_and_charge"] is False
    assert world.call("POST", f"{path}/block", {"reason": "已出售"}).json["state"] == "blocked"
    assert world.call("POST", f"{path}/unblock").json["state"] == "bound"
    assert [one["id"] for one in world.call("GET", "/vehicles?q=a123").json["items"]] == [vehicle["id"]]
    assert world.call("POST", f"{path}/unbind", {"reason": "换车"}).json["state"] == "unbound"
    assert world.call("GET", path).json["state"] == "unbound"


@pytest.mark.parametrize(
    ("what", "body", "field"),
    [
        ("cards", {"uid": "D14B0A"}, "uid"),
        ("cards", {"uid": "D14B0A5Z"}, "uid"),
        ("cards", {"uid": "00000000"}, "uid"),
        ("cards", {"uid": "D14B0A54", "pin": "12"}, "pin"),
        ("cards", {"uid": "D14B0A54", "printed_no": "A1"}, "printed_no"),
        ("vehicles", {"vin": "LSVAU2180N218329"}, "vin"),
        ("vehicles", {"vin": "0" * 17}, "vin"),
        ("vehicles", {"vin": VIN, "tenant_id": 1}, "tenant_id"),
    ],
)
def test_what_is_no_card_or_car_is_refused_by_field(still: World, what: str, body: dict[str, Any], field: str) -> None:
    answer = still.call("POST", f"/customers/{still.ours.customer}/{what}", body)
    assert (answer.status_code, [one["field"] for one in answer.json["errors"]]) == (422, [field]), answer.json


def test_numbers_are_masked_for_who_does_not_bind_cards(world: World) -> None:
    card, vehicle = bind(world, "cards", CARD), bind(world, "vehicles", VEHICLE)
    world.recharge(world.ours.customer)
    ask(world, world.ours)
    finance = world.ours.tokens[Role.FINANCE]
    seen = world.call("GET", f"/cards/{card['id']}", token=finance).json
    assert (seen["uid"], seen["printed_no"]) == ("****0A54", "****0042")
    seen = world.call("GET", f"/vehicles/{vehicle['id']}", token=finance).json
    assert (seen["vin"], seen["plate"]) == ("LSV**********3294", "浙A***45")
    assert world.call("GET", "/cards?q=004", token=finance).json["items"] == [], "digits cannot be tried out"
    assert len(world.call("GET", "/cards?q=8800000000000042", token=finance).json["items"]) == 1
    viewer = world.ours.tokens[Role.VIEWER]
    (attempt,) = world.call("GET", "/card-attempts", token=viewer).json["items"]
    assert attempt["card"] == "****0A54"
    detail = world.call("GET", f"/orders/{attempt['serial']}", token=viewer).json
    assert (detail["card"], detail["printed_card"]) == ("****0A54", "****0042")
    mine = world.call("GET", "/cards", token=world.ours.driver_token).json["items"]
    assert [one["uid"] for one in mine] == [UID], "a driver knows the own card"


def test_why_a_car_did_not_charge_is_found_in_the_list(world: World) -> None:
    ask(world, world.ours, id="e-1", card="00000000AAAAAAAA")
    bind(world, "cards", CARD)
    ask(world, world.ours, id="e-2")
    world.recharge(world.ours.customer)
    ask(world, world.ours, id="e-3")
    attempts = world.call("GET", "/card-attempts").json["items"]
    assert [(one["id"], one["customer_id"]) for one in attempts] == [
        ("e-3", world.ours.customer),
        ("e-2", world.ours.customer),
        ("e-1", None),
    ]
    third, second, first = attempts
    assert (third["order_state"], third["refusal"]) == ("holding", None)
    assert (second["refusal"]["code"], first["refusal"]["code"]) == ("balance_too_low", "card_unknown")
    assert "0.00" in second["refusal"]["zh"]
    assert first["card"] == "00000000AAAAAAAA", "whoever binds cards binds it from here"
    world.call("POST", f"/orders/{third['serial']}/stop")
    refused = world.call("GET", "/card-attempts?refused=true").json["items"]
    assert [one["id"] for one in refused] == ["e-3", "e-2", "e-1"], "an order that came to nothing counts too"
    assert [one["id"] for one in world.call("GET", "/card-attempts?refused=false").json["items"]] == []
    found = world.call("GET", f"/card-attempts?card=AAAAAAAA&pile={world.ours.pile}&limit=1").json
    assert ([one["id"] for one in found["items"]], found["next"]) == (["e-1"], None)


def test_attempts_come_in_pages(world: World) -> None:
    for n in range(5):
        ask(world, world.ours, id=f"e-{n}", card="00000000AAAAAAAA")
    ids, cursor = [], ""
    while True:
        page = world.call("GET", f"/card-attempts?limit=2{cursor}").json
        ids += [one["id"] for one in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert ids == [f"e-{n}" for n in (4, 3, 2, 1, 0)]


def test_cards_of_another_operator_or_station_answer_like_nothing(world: World) -> None:
    theirs = {
        "cards": bind(world, "cards", CARD, world.theirs)["id"],
        "vehicles": bind(world, "vehicles", VEHICLE, world.theirs)["id"],
    }
    why, allowed = {"reason": "x"}, {"allowed": True}
    deeds: list[tuple[str, str, str, Any]] = [
        ("GET", "cards", "", None),
        ("POST", "cards", "/block", why),
        ("POST", "cards", "/unblock", None),
        ("POST", "cards", "/unbind", why),
        ("POST", "cards", "/password", {"pin": "1234"}),
        ("POST", "cards", "/offline", allowed),
        ("GET", "vehicles", "", None),
        ("POST", "vehicles", "/block", why),
        ("POST", "vehicles", "/unblock", None),
        ("POST", "vehicles", "/unbind", why),
        ("POST", "vehicles", "/plug-and-charge", allowed),
    ]
    for token in (world.ours.tokens[Role.TENANT_ADMIN], world.ours.limited_token):
        for method, what, deed, body in deeds:
            seen = world.call(method, f"/{what}/{theirs[what]}{deed}", body, token=token)
            nothing = world.call(method, f"/{what}/{ABSENT_ROW}{deed}", body, token=token)
            assert seen.status_code == 404, (what, deed)
            assert without_id(seen) == without_id(nothing)
    for what, body in (("cards", CARD), ("vehicles", VEHICLE)):
        seen = world.call("POST", f"/customers/{world.theirs.customer}/{what}", body)
        nothing = world.call("POST", f"/customers/{ABSENT_ROW}/{what}", body)
        assert seen.status_code == 404
        assert without_id(seen) == without_id(nothing)
        assert world.call("GET", f"/{what}").json["items"] == []
    ask(world, world.theirs)
    assert world.call("GET", "/card-attempts").json["items"] == []
    assert world.call("GET", f"/card-attempts?station={world.theirs.station}").json["items"] == []


@pytest.mark.parametrize(
    ("role", "may"), [(Role.OPERATOR, True), (Role.FINANCE, False), (Role.VIEWER, False), (Role.TENANT_ADMIN, True)]
)
def test_who_may_bind_cards(still: World, role: Role, may: bool) -> None:
    body = {"uid": f"0000{list(Role).index(role):04d}FFFFFFFF"}
    answer = still.call("POST", f"/customers/{still.ours.customer}/cards", body, token=still.ours.tokens[role])
    assert (answer.status_code == 201) is may, answer.json
    if not may:
        assert answer.json["code"] == "not_allowed"


def test_a_repeated_key_binds_once(world: World) -> None:
    path = f"/customers/{world.ours.customer}/cards"
    first = world.call("POST", path, CARD, key="k1")
    again = world.call("POST", path, CARD, key="k1")
    assert (first.status_code, again.json) == (201, first.json)


def test_an_orphan_is_listed_and_given_to_who_charged(world: World) -> None:
    keep(world, world.ours, orphan_of(world.ours))
    world.recharge(world.ours.customer, 10_000)
    (orphan,) = world.call("GET", "/orphans").json["items"]
    assert (orphan["serial"], orphan["station"], orphan["reason"]) == ("9" * 32, world.ours.station, "unknown_serial")
    assert (orphan["source"], orphan["energy_kwh"]) == ("card", 10)
    path = f"/orphans/{orphan['id']}/adopt"
    body = {"customer_id": world.ours.customer, "reason": "车主来电确认"}
    forbidden = world.call("POST", path, body, token=world.ours.tokens[Role.OPERATOR])
    assert forbidden.json["code"] == "not_allowed"
    answer = world.call("POST", path, body)
    assert answer.status_code == 201, answer.json
    assert (answer.json["state"], answer.json["total_fen"]) == ("settled", 1_100)
    wallet = world.call("GET", f"/customers/{world.ours.customer}").json["wallet"]
    assert (wallet["available_fen"], wallet["held_fen"]) == (8_900, 0)
    assert world.call("GET", "/orphans").json["items"] == []
    again = world.call("POST", path, body)
    assert (again.status_code, again.json["code"]) == (409, "no_orphan")
    with sessions(world.engine)() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "order_adopt")).one()
        assert (entry.actor, entry.object_id) == (f"user:{world.ours.users[Role.TENANT_ADMIN]}", "9" * 32)
        assert check(session) == []


def test_orphans_of_others_answer_like_nothing(world: World) -> None:
    keep(world, world.theirs, orphan_of(world.theirs))
    keep(world, world.ours, orphan_of(world.ours, "8" * 32))
    theirs = world.call("GET", "/orphans", token=world.theirs.tokens[Role.TENANT_ADMIN]).json["items"]
    (mine,) = world.call("GET", "/orphans").json["items"]
    assert mine["serial"] == "8" * 32
    body = {"customer_id": world.ours.customer, "reason": "x"}
    seen = world.call("POST", f"/orphans/{theirs[0]['id']}/adopt", body)
    nothing = world.call("POST", f"/orphans/{ABSENT_ROW}/adopt", body)
    assert seen.status_code == 404
    assert without_id(seen) == without_id(nothing)
    platform = world.ours.tokens[Role.PLATFORM_ADMIN]
    for customer in (world.theirs.customer, ABSENT_ROW):
        wrong = world.call(
            "POST", f"/orphans/{mine['id']}/adopt", {"customer_id": customer, "reason": "x"}, token=platform
        )
        assert (wrong.status_code, wrong.json["errors"][0]["field"]) == (404, "customer_id")


def test_a_joint_charge_makes_two_orders_or_none(world: World) -> None:
    world.recharge(world.ours.customer)
    body = {**order_body(world.ours), "joint_gun": 2}
    answer = world.call("POST", "/orders", body)
    assert answer.status_code == 201, answer.json
    joint = answer.json["joint"]
    assert (joint["number"], joint["role"]) == (f"{NOW.astimezone(BEIJING):%y%m%d%H%M%S}", "main")
    other = world.call("GET", f"/orders/{joint['serial']}").json
    assert (other["gun"], other["joint"]["role"], other["joint"]["serial"]) == (2, "auxiliary", answer.json["serial"])
    assert (answer.json["goal"]["amount_fen"], other["goal"]["amount_fen"]) == (750, 750)
    listed = world.call("GET", f"/orders?joint={joint['number']}").json["items"]
    assert {one["serial"] for one in listed} == {answer.json["serial"], joint["serial"]}
    again = world.call("POST", "/orders", body)
    assert (again.status_code, again.json["code"]) == (409, "gun_reserved_by_order")


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"joint_gun": 1}, 422, "joint_gun"),
        ({"joint_gun": 9}, 404, "joint_gun"),
        ({"joint_gun": 2, "goal": {"kind": "amount", "amount_fen": 1}}, 422, "goal"),
    ],
)
def test_what_is_no_joint_charge_is_refused(still: World, changes: dict[str, Any], status: int, field: str) -> None:
    answer = still.call("POST", "/orders", {**order_body(still.ours), **changes})
    assert (answer.status_code, answer.json["errors"][0]["field"]) == (status, field), answer.json
    with sessions(still.engine)() as session:
        assert session.scalar(select(func.count()).select_from(Order)) == 0
