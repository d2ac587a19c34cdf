"""The order list over HTTP: every filter, sorting, pages, totals, and what each person may see of it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from evcs.contracts.reasons import Reason
from evcs.contracts.states import GoalKind, OrderState, StartSource, StopClass
from tests.webapi.http.world import NOW, Operator, World
from webapi.cards.bind import NewVehicle, bind_vehicle
from webapi.customers.models import Customer
from webapi.database import sessions
from webapi.orders.models import Order
from webapi.users.models import Role

VIN = "LSVAU2180N2183294"
OTHER_VIN = "LSVAU2180N2183295"
CARD = "00000000D14B0A54"


def make_order(operator: Operator, n: int, **given: Any) -> Order:
    """The n-th order of an operator, placed n hours before now; settled unless told otherwise."""
    pile, gun = given.get("pile_number", operator.pile), given.get("gun_no", 1)
    at = NOW - timedelta(hours=n)
    settled = given.get("state", OrderState.SETTLED) is OrderState.SETTLED
    figures: dict[str, Any] = {}
    if settled:
        figures = {
            "started_at": at + timedelta(minutes=1),
            "ended_at": at + timedelta(minutes=31),
            "settled_at": at + timedelta(minutes=32),
            "business_date": (at + timedelta(hours=8, minutes=31)).date(),
            "energy_kwh": Decimal(n),
            "electricity_fen": 70 * n,
            "service_fen": 40 * n,
            "discount_fen": n,
            "total_fen": 109 * n,
        }
    row: dict[str, Any] = {
        "serial": f"{pile}{gun:02d}{at:%y%m%d%H%M%S}{n:04d}",
        "tenant_id": operator.tenant,
        "station_code": operator.station,
        "pile_number": pile,
        "gun_no": gun,
        "customer_id": operator.customer,
        "source": StartSource.APP,
        "created_by": "test",
        "goal_kind": GoalKind.FULL,
        "state": OrderState.SETTLED,
        "state_since": at,
        "requested_at": at,
        **figures,
        **given,
    }
    return Order(**row)


@pytest.fixture(scope="module")
def listed(still: World) -> World:
    """Twelve orders of ours, each with something of its own, and one of theirs."""
    ours = still.ours
    with sessions(still.engine).begin() as session:
        session.add_all(
            [
                make_order(ours, 1),
                make_order(ours, 2, gun_no=2),
                make_order(ours, 3, station_code=ours.other_station, pile_number=ours.other_pile),
                make_order(ours, 4, customer_id=ours.second_customer),
                make_order(ours, 5, vin=VIN, source=StartSource.VIN),
                make_order(ours, 6, vin=OTHER_VIN, other_vin=VIN),
                make_order(ours, 7, card_number=CARD, source=StartSource.CARD),
                make_order(ours, 8, state=OrderState.CHARGING, goal_kind=GoalKind.ENERGY, goal_energy_kwh=Decimal(9)),
                make_order(ours, 9, state=OrderState.REFUSED, refusal_code=Reason.GUN_BUSY.value),
                make_order(
                    ours, 10, state=OrderState.START_FAILED, refusal_code=Reason.PILE_REFUSED.value, stop_code=74
                ),
                make_order(ours, 11, state=OrderState.REVIEW, exception_code="record_differs"),
                make_order(
                    ours, 12, state=OrderState.EXCEPTION, exception_code="link_lost", joint_number="260101010101"
                ),
                make_order(ours, 13, stop_reason="goal_reached", stop_class=StopClass.NORMAL.value),
                make_order(still.theirs, 1),
            ]
        )
        customer = session.get_one(Customer, ours.customer)
        assert bind_vehicle(session, customer, NewVehicle(vin=VIN, plate="浙A12345"), at=NOW) is not None
    return still


def ns(world: World, query: str, **how: Any) -> list[int]:
    """Which of the orders a query lists, in its order."""
    answer = world.call("GET", f"/orders?limit=100&{query}", **how)
    assert answer.status_code == 200, answer.json
    return [int(item["serial"][-4:]) for item in answer.json["items"]]


ALL = list(range(1, 14))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ALL),
        ("tab=all", ALL),
        ("tab=charging", [8]),
        ("tab=exception", [12]),
        ("tab=review", [11]),
        ("tab=failed", [9, 10]),
        ("tab=failed&state=refused", [9]),
        ("state=charging,review", [8, 11]),
        ("station=s-a1", [n for n in ALL if n != 3]),
        ("station=s-a2", [3]),
        ("station=s-a1,s-a2", ALL),
        ("station=s-a1,s-a2&state=settled,refused", [1, 2, 3, 4, 5, 6, 7, 9, 13]),
        ("station=s-b1", []),
        ("pile=55031412000002", [3]),
        ("pile=55031412000001&gun=2", [2]),
        ("phone=13800000002", [4]),
        ("phone=13900000000", []),
        ("card=D14B0A54", [7]),
        ("card=540A4BD1", [7]),
        (f"vin={VIN.lower()}", [5, 6]),
        ("plate=浙a12345", [n for n in ALL if n != 4]),
        ("number=55031412000001", [n for n in ALL if n != 3]),
        ("number=5503141200000102", [2]),
        ("number=9", []),
        ("joint=260101010101", [12]),
        ("source=card,vin", [5, 7]),
        ("goal=energy", [8]),
        ("since=2026-11-24T09:50:00Z", [1, 2, 3]),
        ("until=2026-11-24T09:50:00Z&since=2026-11-24T08:50:00Z", [4]),
        ("begun_since=2026-11-24T11:00:00Z", [1]),
        ("ended_until=2026-11-24T02:00:00Z", [13]),
        ("settled_since=2026-11-24T10:00:00Z&settled_until=2026-11-24T11:22:01Z", [2, 3]),
        ("day_since=2026-11-24&day_until=2026-11-24&amount_least_fen=763", [7, 13]),
        ("day_until=2026-11-23", []),
        ("amount_least_fen=327&amount_most_fen=436", [3, 4]),
        ("energy_least_kwh=2.5&energy_most_kwh=4", [3, 4]),
        ("stop_reason=goal_reached", [13]),
        ("stop_class=normal", [13]),
        ("failure=gun_busy", [9]),
        ("trouble=link_lost", [12]),
        ("sort=ended", [1, 2, 3, 4, 5, 6, 7, 13]),
        ("sort=amount&state=settled", [13, 7, 6, 5, 4, 3, 2, 1]),
        ("sort=amount&station=s-a1,s-a2&source=card,vin", [7, 5]),
        ("sort=ended&pile=55031412000002", [3]),
    ],
)
def test_a_filter_finds_what_it_says(listed: World, query: str, expected: list[int]) -> None:
    assert ns(listed, query) == expected


def test_pages_of_any_sort_are_the_whole_list_once(listed: World) -> None:
    for query in ("", "sort=ended", "sort=amount", "station=s-a1,s-a2&tab=all", "state=settled,refused&station=s-a1"):
        found: list[str] = []
        cursor = ""
        while True:
            page = listed.call("GET", f"/orders?limit=3&{query}{cursor}").json
            found += [item["serial"] for item in page["items"]]
            if page["next"] is None:
                break
            assert len(page["items"]) == 3
            cursor = f"&cursor={page['next']}"
        assert [int(serial[-4:]) for serial in found] == ns(listed, query)


def test_totals_are_those_of_the_list(listed: World) -> None:
    for query in (
        "",
        "tab=failed",
        "station=s-a1,s-a2&state=settled",
        f"vin={VIN}",
        "amount_least_fen=300",
        "number=9",
    ):
        items = listed.call("GET", f"/orders?limit=100&{query}").json["items"]
        totals = listed.call("GET", f"/orders/totals?{query}").json
        assert totals["complete"] is True
        assert totals["count"] == len(items)
        assert Decimal(totals["energy_kwh"]) == sum(Decimal(item["energy_kwh"] or 0) for item in items)
        for name in ("electricity_fen", "service_fen", "occupancy_fen", "discount_fen", "total_fen"):
            assert totals[name] == sum(item[name] for item in items)


def test_totals_of_too_many_say_so_and_cost_no_more(listed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webapi.orders.queries.MOST_SUMMED", 5)
    totals = listed.call("GET", "/orders/totals").json
    assert (totals["complete"], totals["count"], totals["total_fen"]) == (False, 5, None)


def test_each_sees_the_own_orders_by_every_way(listed: World) -> None:
    ours = listed.ours
    limited = [n for n in ALL if n != 3]
    for query in ("", "station=s-a1,s-a2", "tab=all", "sort=amount&sort=amount"):
        assert sorted(ns(listed, query, token=ours.limited_token)) == limited
    assert ns(listed, "pile=55031412000002", token=ours.limited_token) == []
    assert ns(listed, "number=55031412000002", token=ours.limited_token) == []
    for query in ("pile=55031412000001", f"vin={VIN}", "card=D14B0A54", "failure=gun_busy", "station=s-a1"):
        assert ns(listed, query, token=listed.theirs.tokens[Role.TENANT_ADMIN]) == []
    assert ns(listed, "", token=ours.driver_token) == [n for n in ALL if n != 4]
    assert ns(listed, "station=s-a2", token=ours.driver_token) == [3]
    assert ns(listed, "number=55031412&tab=failed", token=ours.driver_token) == [9, 10]
    everything = ns(listed, "", token=ours.tokens[Role.PLATFORM_ADMIN])
    assert sorted(everything) == sorted([*ALL, 1])


def test_why_a_car_did_not_charge_stands_in_the_list(listed: World) -> None:
    refused, failed = listed.call("GET", "/orders?tab=failed").json["items"]
    assert refused["refusal"]["code"] == "gun_busy"
    assert "正在充电" in refused["refusal"]["zh"]
    assert "in use" in refused["refusal"]["en"]
    assert "0x4A" in failed["refusal"]["zh"]


@pytest.mark.parametrize(
    "query",
    [
        "tab=x",
        "sort=x",
        "number=x",
        "vin=1",
        "day_since=24.11.2026",
        "day_since=0001-01-01",
        "amount_least_fen=-1",
        "energy_least_kwh=0.00001",
        "state=x",
        "station=%20",
        "card=xyz",
        "unknown=1",
    ],
)
def test_what_is_no_filter_is_refused(listed: World, query: str) -> None:
    assert listed.call("GET", f"/orders?{query}").status_code == 422


def test_a_cursor_belongs_to_its_sort(listed: World) -> None:
    cursor = listed.call("GET", "/orders?limit=1&sort=amount").json["next"]
    assert listed.call("GET", f"/orders?cursor={cursor}").status_code == 422
