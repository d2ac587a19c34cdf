"""Each endpoint's answer where everything is right."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from evcs.contracts.measurements import GUN
from evcs.contracts.states import Band, GunState, OrderState
from evcs.contracts.times import to_ms
from evcs.store.interface import Point
from tests.webapi.http.world import NOW, PASSWORD, World, order_body
from webapi.database import sessions
from webapi.orders.life import Trouble
from webapi.orders.models import Order
from webapi.orders.trouble_texts import sentence_of_trouble
from webapi.transformers.models import TransformerLive
from webapi.users.models import Role


def point(world: World, serial: str, seconds: int, **values: float) -> Point:
    """A charging reading of our pile's gun 1."""
    given: dict[str, Any] = {"state": "charging", "serial": serial, **values}
    return Point(
        GUN,
        (world.ours.station, world.ours.pile, "1"),
        tuple(given.get(name) for name in GUN.field_names),
        NOW + timedelta(seconds=seconds),
    )


def test_stations_show_guns_by_state(world: World) -> None:
    world.level(world.ours.pile, 1, GunState.PLUGGED)
    page = world.call("GET", "/stations").json
    assert [station["code"] for station in page["items"]] == ["s-a1", "s-a2"]
    assert page["items"][0]["guns"] == [{"state": "offline", "guns": 1}, {"state": "plugged", "guns": 1}]
    assert page["next"] is None


def test_station_has_its_transformers(world: World) -> None:
    station = world.call("GET", "/stations/s-a1").json
    assert station["name"] == "站 s-a1"
    assert [(t["code"], t["rated_kva"], t["limited_pct"], t["blocked_pct"]) for t in station["transformers"]] == [
        ("s-a1-t", 630, 50, 80)
    ]


def test_station_shows_band_and_load_of_its_transformer_with_their_age(world: World) -> None:
    path = f"/stations/{world.ours.station}"
    assert world.call("GET", path).json["transformers"][0]["live"] is None
    with sessions(world.engine)() as session:
        session.add(
            TransformerLive(
                transformer_code="s-a1-t",
                version=to_ms(NOW),
                told_at=NOW,
                band=Band.LIMITED,
                since=NOW - timedelta(minutes=3),
                load_pct=61.5,
                planned_pct=70.25,
                load_kva=387.45,
                guns_kw=340.0,
                source="estimate",
                why_zh="负荷 61.5%",
                why_en="Load 61.5%",
                meter_kva=380.0,
                estimate_kva=387.45,
                meter_at=NOW - timedelta(seconds=5),
                limited_pct=50.0,
                blocked_pct=80.0,
                curtailed=1,
            )
        )
        session.commit()
    world.clock.advance(12)
    assert world.call("GET", path).json["transformers"][0]["live"] == {
        "band": "limited",
        "since": "2026-11-24T12:47:00+00:00",
        "load_pct": 61.5,
        "planned_pct": 70.25,
        "load_kva": 387.45,
        "guns_kw": 340.0,
        "source": "estimate",
        "why": {"zh": "负荷 61.5%", "en": "Load 61.5%"},
        "meter_kva": 380.0,
        "estimate_kva": 387.45,
        "meter_at": "2026-11-24T12:49:55+00:00",
        "limited_pct": 50.0,
        "blocked_pct": 80.0,
        "degraded_until": None,
        "over_since": None,
        "curtailed": 1,
        "at": "2026-11-24T12:50:00+00:00",
        "age_s": 12.0,
    }


def test_pile_shows_its_link_and_its_tariff(world: World) -> None:
    world.level(world.ours.pile, 1, GunState.IDLE)
    world.clock.advance(90)
    pile = world.call("GET", f"/piles/{world.ours.pile}").json
    assert pile["live"]["online"] is True
    assert pile["live"]["link_age_s"] == 90
    assert pile["tariff"] == {
        "wanted": "v-a",
        "wanted_model_no": "0001",
        "confirmed": "v-a",
        "confirmed_model_no": "0001",
        "is_current": True,
    }
    listed = world.call("GET", f"/piles?station={world.ours.station}").json["items"]
    assert [row["number"] for row in listed] == [world.ours.pile]


def test_gun_is_offline_as_soon_as_its_bridge_has_another_start(world: World) -> None:
    from webapi.database import sessions
    from webapi.piles.models import BridgeLive

    world.level(world.ours.pile, 1, GunState.PLUGGED)
    path = f"/piles/{world.ours.pile}/guns/1"
    assert world.call("GET", path).json["state"] == "plugged"
    with sessions(world.engine)() as session:
        session.get_one(BridgeLive, "b1").started_ms += 1
        session.commit()
    assert world.call("GET", path).json["state"] == "offline"


def test_gun_shows_live_values_of_this_charge_only_while_charging(world: World) -> None:
    serial = "1" * 32
    world.telemetry.write([point(world, serial, 5, voltage_v=400.5, power_kw=60.0, soc_pct=40.0)])
    path = f"/piles/{world.ours.pile}/guns/1"
    world.clock.advance(8)
    world.level(world.ours.pile, 1, GunState.CHARGING, serial)
    live = world.call("GET", path).json["live"]
    assert (live["voltage_v"], live["power_kw"], live["soc_pct"], live["current_a"]) == (400.5, 60, 40, None)
    assert live["age_s"] == 3
    world.level(world.ours.pile, 1, GunState.CHARGING, "2" * 32)
    assert world.call("GET", path).json["live"] is None
    world.level(world.ours.pile, 1, GunState.FINISHED, serial)
    assert world.call("GET", path).json["live"] is None
    guns = world.call("GET", f"/guns?pile={world.ours.pile}").json["items"]
    assert [(gun["gun"], gun["state"]) for gun in guns] == [(1, "finished"), (2, "offline")]


def test_recharge_tells_the_balance_before_and_after(world: World) -> None:
    world.recharge(world.ours.customer, 700)
    answer = world.call(
        "POST",
        f"/customers/{world.ours.customer}/recharges",
        {"amount_fen": 300, "reason": "现金", "voucher": "收据 7"},
    )
    assert answer.status_code == 201
    assert (answer.json["before"]["available_fen"], answer.json["after"]["available_fen"]) == (700, 1000)
    lines = world.call("GET", f"/customers/{world.ours.customer}/statement").json["items"]
    assert [(line["kind"], line["change_fen"], line["balance_fen"], line["voucher"]) for line in lines] == [
        ("recharge", 300, 1000, "收据 7"),
        ("recharge", 700, 700, None),
    ]


def test_customer_is_opened_found_and_shown(world: World) -> None:
    answer = world.call("POST", "/customers", {"name": "赵师傅", "phone": "13900000009"})
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/api/v1/customers/{answer.json['id']}"
    assert answer.json["wallet"] == {"available_fen": 0, "held_fen": 0, "gift_fen": 0, "debt_fen": 0}
    for q in ("赵", "139000", "13900000009"):
        assert [c["name"] for c in world.call("GET", f"/customers?q={q}").json["items"]] == ["赵师傅"]
    assert world.call("GET", "/customers?q=%25").json["items"] == []
    assert world.call("POST", "/customers", {"name": "x", "phone": "13900000009"}).json["code"] == "phone_taken"


@pytest.mark.parametrize(
    ("goal", "hold_fen"),
    [
        ({"kind": "amount", "amount_fen": 1500}, 1500),
        ({"kind": "energy", "energy_kwh": 6.5}, 20_000),
        ({"kind": "energy", "energy_kwh": "6.5"}, 20_000),
        ({"kind": "time", "duration_s": 600}, 20_000),
        ({"kind": "full"}, 20_000),
    ],
)
def test_order_holds_money_and_asks_the_gate(world: World, goal: dict[str, Any], hold_fen: int) -> None:
    from sqlalchemy import select

    from webapi.database import sessions
    from webapi.worker.models import OutboxRow

    world.recharge(world.ours.customer)
    answer = world.call("POST", "/orders", order_body(world.ours, goal=goal))
    assert answer.status_code == 201, answer.json
    order = answer.json
    assert answer.headers["Location"] == f"/api/v1/orders/{order['serial']}"
    assert (order["state"], order["hold_fen"]) == ("holding", hold_fen)
    assert Decimal(str(order["covered_energy_kwh"])) == (Decimal(hold_fen) / 110).quantize(
        Decimal("0.0001"), "ROUND_DOWN"
    )
    assert order["goal"]["kind"] == goal["kind"]
    with sessions(world.engine)() as session:
        topics = session.scalars(select(OutboxRow.topic).order_by(OutboxRow.id)).all()
    assert [topic.rpartition("/")[2] for topic in topics] == ["request", order["serial"]]
    wallet = world.call("GET", f"/customers/{world.ours.customer}").json["wallet"]
    assert (wallet["available_fen"], wallet["held_fen"]) == (50_000 - hold_fen, hold_fen)
    detail = world.call("GET", f"/orders/{order['serial']}").json
    assert {key: detail[key] for key in order} == order
    assert [(row["actor"], row["action"]) for row in detail["audit"]] == [
        (f"user:{world.ours.users[Role.TENANT_ADMIN]}", "order_create")
    ]


@pytest.mark.parametrize(
    ("recharged", "goal", "code", "figure"),
    [
        (0, {"kind": "full"}, "balance_too_low", ("minimum_yuan", "5.00")),
        (600, {"kind": "amount", "amount_fen": 700}, "goal_over_balance", ("available_yuan", "6.00")),
    ],
)
def test_refused_order_says_why_with_its_figures_and_is_audited(
    world: World, recharged: int, goal: dict[str, Any], code: str, figure: tuple[str, str]
) -> None:
    from sqlalchemy import select

    from webapi.audit.models import AuditEntry
    from webapi.database import sessions

    if recharged:
        world.recharge(world.ours.customer, recharged)
    answer = world.call("POST", "/orders", order_body(world.ours, goal=goal), headers={"Accept-Language": "en"})
    assert answer.status_code == 409
    assert answer.mimetype == "application/problem+json"
    assert answer.json["code"] == code
    assert answer.json["figures"][figure[0]] == figure[1]
    assert figure[1] in answer.json["title"]
    with sessions(world.engine)() as session:
        outcomes = session.scalars(select(AuditEntry.outcome).where(AuditEntry.action == "order_create")).all()
    assert outcomes == [code]


def test_taken_gun_refuses_and_stopped_order_frees_it(world: World) -> None:
    world.recharge(world.ours.customer)
    serial = world.order(world.ours)
    assert world.call("POST", "/orders", order_body(world.ours)).json["code"] == "gun_reserved_by_order"
    stopped = world.call("POST", f"/orders/{serial}/stop")
    assert (stopped.status_code, stopped.json["state"]) == (200, "cancelled")
    assert stopped.json["hold"]["released_fen"] == 1500
    again = world.call("POST", f"/orders/{serial}/stop")
    assert (again.status_code, again.json["state"]) == (200, "cancelled")
    world.order(world.ours)


def test_driver_follows_the_own_charge_in_the_order(world: World) -> None:
    """A mini program sees neither stations nor guns: all that it shows stands in the order."""
    world.recharge(world.ours.customer)
    serial = world.order(world.ours)
    driver = world.ours.driver_token
    waiting = world.call("GET", f"/orders/{serial}", token=driver).json
    assert (waiting["station_name"], waiting["live"], waiting["live_available"]) == ("站 s-a1", None, True)
    with sessions(world.engine)() as session:
        order = session.get_one(Order, serial)
        order.state, order.started_at, order.exception_code = OrderState.CHARGING, NOW, None
        session.commit()
    world.telemetry.write([point(world, serial, 5, power_kw=60.0, energy_kwh=1.25, soc_pct=40.0, cost_fen=140.0)])
    world.clock.advance(9)
    live = world.call("GET", f"/orders/{serial}", token=driver).json["live"]
    assert (live["power_kw"], live["energy_kwh"], live["soc_pct"], live["cost_fen"]) == (60, 1.25, 40, 140)
    assert live["age_s"] == 4
    with sessions(world.engine)() as session:
        order = session.get_one(Order, serial)
        order.state, order.ended_at = OrderState.EXCEPTION, NOW + timedelta(seconds=75)
        order.exception_code = "no_record"
        session.commit()
    ended = world.call("GET", f"/orders/{serial}", token=driver).json
    assert (ended["live"], ended["duration_s"]) == (None, 75)
    assert "账单" in ended["trouble_text"]["zh"]


def test_every_trouble_is_told_in_both_languages() -> None:
    for trouble in Trouble:
        said = sentence_of_trouble(trouble.value)
        assert said is not None
        assert said.zh
        assert said.en


def test_orders_are_listed_newest_first_by_page_and_filter(world: World) -> None:
    world.recharge(world.ours.customer)
    serials = []
    for gun in (1, 2):
        serials.append(world.order(world.ours, gun))
        world.clock.advance(10)
    world.call("POST", f"/orders/{serials[0]}/stop")
    page = world.call("GET", "/orders?limit=1").json
    assert [order["serial"] for order in page["items"]] == [serials[1]]
    rest = world.call("GET", f"/orders?limit=1&cursor={page['next']}").json
    assert ([order["serial"] for order in rest["items"]], rest["next"]) == ([serials[0]], None)

    def found(query: str) -> list[str]:
        return [order["serial"] for order in world.call("GET", f"/orders?{query}").json["items"]]

    assert found("state=cancelled,settled") == [serials[0]]
    assert found("state=holding") == [serials[1]]
    assert found(f"station={world.ours.station}&gun=2") == [serials[1]]
    assert found(f"customer={world.ours.second_customer}") == []
    assert found("since=2026-11-24T20:50:05%2B08:00") == [serials[1]]
    assert found("until=2026-11-24T12:50:05Z") == [serials[0]]


def test_curve_has_the_orders_own_points_in_order(world: World) -> None:
    world.recharge(world.ours.customer)
    serial = world.order(world.ours)
    world.telemetry.write(
        [point(world, serial, n, voltage_v=400.0 + n, soc_pct=20.0) for n in range(10)]
        + [point(world, "9" * 32, 20, voltage_v=1.0)]
    )
    world.clock.advance(60)
    curve = world.call("GET", f"/orders/{serial}/curve").json
    assert [p["voltage_v"] for p in curve["points"]] == [400.0 + n for n in range(10)]
    assert curve["points"][0]["cable_temp_c"] is None
    assert len(world.call("GET", f"/orders/{serial}/curve?max_points=3").json["points"]) <= 3


def test_driver_orders_for_itself_and_sees_the_own_account(world: World) -> None:
    token = world.ours.driver_token
    world.recharge(world.ours.customer)
    body = order_body(world.ours)
    del body["customer_id"]
    order = world.call("POST", "/orders", body, token=token)
    assert (order.status_code, order.json["source"]) == (201, "app")
    assert world.call("GET", "/me", token=token).json["customer"]["id"] == world.ours.customer
    assert world.call("GET", "/customers", token=token).json["items"][0]["phone"] == "13800000001"
    assert len(world.call("GET", "/orders", token=token).json["items"]) == 1
    detail = world.call("GET", f"/orders/{order.json['serial']}", token=token).json
    assert detail["audit"] == []
    assert world.call("POST", f"/orders/{order.json['serial']}/stop", token=token).status_code == 200


def test_browser_signs_in_changes_with_its_csrf_token_and_signs_out(world: World) -> None:
    client = world.app.test_client()
    typed = {"username": "Operator-A", "password": PASSWORD}
    entered = client.post("/api/v1/sign-in", json=typed)
    assert entered.status_code == 200
    cookie = entered.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    me = client.get("/api/v1/me").json
    assert (me["user"]["username"], me["csrf_token"]) == ("operator-a", entered.json["csrf_token"])
    assert client.post("/api/v1/tokens", json={}).json["code"] == "csrf_token_wrong"
    with_token = {"X-CSRF-Token": entered.json["csrf_token"]}
    made = client.post("/api/v1/tokens", json={"name": "script"}, headers=with_token)
    assert made.status_code == 201
    assert world.call("GET", "/me", token=made.json["token"]).json["user"]["username"] == "operator-a"
    assert client.delete(f"/api/v1/tokens/{made.json['id']}", headers=with_token).status_code == 204
    assert world.call("GET", "/me", token=made.json["token"]).status_code == 401
    assert client.post("/api/v1/sign-out", headers=with_token).status_code == 204
    client.set_cookie("evcs_session", cookie.partition("=")[2].partition(";")[0])
    assert client.get("/api/v1/me").status_code == 401
