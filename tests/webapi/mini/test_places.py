"""A driver's phone: stations around, the scanned gun and why it cannot start, an own order polled with its ETag."""

from decimal import Decimal
from typing import Any

import pytest

from evcs.contracts.states import GunState
from tests.webapi.http.conftest import still, world
from tests.webapi.http.world import NOW, World
from webapi.database import sessions
from webapi.mini.nearby import distance_km
from webapi.stations.models import Station
from webapi.users.models import Role

__all__ = ["still", "world"]


def driver(world: World, path: str, **kwargs: Any) -> tuple[int, dict[str, Any]]:
    answer = world.call("GET", path, token=world.ours.driver_token, **kwargs)
    return answer.status_code, answer.json or {}


def place(world: World, code: str, longitude: str, latitude: str) -> None:
    with sessions(world.engine)() as session:
        station = session.get_one(Station, code)
        station.longitude, station.latitude = Decimal(longitude), Decimal(latitude)
        session.commit()


def test_distance_is_that_of_the_great_circle() -> None:
    beijing, shanghai = (Decimal("116.4074"), Decimal("39.9042")), (Decimal("121.4737"), Decimal("31.2304"))
    assert distance_km(*beijing, *shanghai) == pytest.approx(1067, abs=3)
    assert distance_km(*beijing, *beijing) == 0
    assert distance_km(Decimal(179), Decimal(0), Decimal(-179), Decimal(0)) == pytest.approx(222, abs=1)


def test_stations_of_the_own_operator_come_nearest_first_and_the_far_ones_not_at_all(world: World) -> None:
    place(world, world.ours.station, "120.20", "30.25")
    place(world, world.ours.other_station, "120.16", "30.25")
    place(world, world.theirs.station, "120.155", "30.25")
    world.level(world.ours.pile, 1, GunState.IDLE)
    here = "/mini/stations?longitude=120.15&latitude=30.25"
    status, found = driver(world, here)
    assert status == 200
    items = found["items"]
    assert isinstance(items, list)
    assert [item["code"] for item in items] == [world.ours.other_station, world.ours.station]
    near, far = items
    assert 0.9 < near["distance_km"] < 1.0
    assert (far["guns"], far["free_guns"], far["open"]) == (2, 1, True)
    assert (far["price"]["total_e5"], far["price"]["band"]) == (110_000, "flat")
    _, close = driver(world, here + "&within_km=2")
    assert [item["code"] for item in close["items"]] == [world.ours.other_station]
    _, named = driver(world, "/mini/stations?q=A2")
    assert [item["code"] for item in named["items"]] == [world.ours.other_station]


@pytest.mark.parametrize(
    "query", ["longitude=120", "latitude=91&longitude=0", "latitude=NaN&longitude=0", "within_km=0"]
)
def test_a_place_that_is_none_is_refused(still: World, query: str) -> None:
    assert driver(still, f"/mini/stations?{query}")[0] == 422


def scan(world: World, code: str) -> tuple[int, dict[str, Any]]:
    answer = world.app.test_client().get(
        "/api/v1/mini/scan",
        query_string={"code": code},
        headers={"Authorization": f"Bearer {world.ours.driver_token}"},
    )
    return answer.status_code, answer.json or {}


def why(found: dict[str, Any]) -> object:
    hinders = found["hinders"]
    return hinders["code"] if isinstance(hinders, dict) else None


def test_scanned_gun_tells_price_and_what_hinders_a_start_until_nothing_does(world: World) -> None:
    made = world.call("GET", f"/piles/{world.ours.pile}/guns/2/qr")
    content = made.json["content"]
    status, found = scan(world, content)
    assert (status, found["pile"], found["gun"], found["is_ours"]) == (200, world.ours.pile, 2, True)
    assert why(found) == "pile_offline"
    world.level(world.ours.pile, 2, GunState.IDLE)
    assert why(scan(world, content)[1]) == "balance_too_low"
    world.recharge(world.ours.customer, 50_000)
    assert why(scan(world, content)[1]) == "gun_not_plugged"
    world.level(world.ours.pile, 2, GunState.PLUGGED)
    found = scan(world, content)[1]
    assert why(found) is None
    assert (found["available_fen"], found["hold_fen"]) == (50_000, 20_000)
    assert [(one["from_min"], one["until_min"]) for one in found["prices"]] == [(0, 1440)]
    serial = world.order(world.ours, gun=2)
    assert scan(world, content)[1]["order"] == serial


def test_a_piles_own_code_without_a_gun_shows_its_first_gun_and_the_choice(world: World) -> None:
    status, found = scan(world, f"https://pile.example/?no={world.ours.pile}")
    assert (status, found["gun"], found["is_ours"]) == (200, 1, False)
    assert [one["gun"] for one in found["guns"]] == [1, 2]


def test_codes_of_other_operators_and_of_nothing_answer_alike(still: World) -> None:
    foreign = still.call("GET", f"/piles/{still.theirs.pile}/guns/1/qr", token=still.theirs.tokens[Role.TENANT_ADMIN])
    answers = [scan(still, code) for code in (foreign.json["content"], still.theirs.pile, "55999999999999", "hello")]
    assert {status for status, _ in answers} == {404}
    assert len({str({**told, "request_id": None}) for _, told in answers}) == 1
    assert still.call("GET", f"/piles/{still.theirs.pile}/guns/1/qr").status_code == 404


def test_an_unchanged_order_is_answered_304_and_a_changed_one_anew(world: World) -> None:
    world.recharge(world.ours.customer)
    path = f"/mini/orders/{world.order(world.ours)}"
    first = world.call("GET", path, token=world.ours.driver_token)
    assert (first.status_code, first.json["state"], first.json["is_over"]) == (200, "holding", False)
    tag = {"If-None-Match": first.headers["ETag"]}
    world.clock.set(NOW.replace(minute=51))
    again = world.call("GET", path, token=world.ours.driver_token, headers=tag)
    assert (again.status_code, again.data) == (304, b"")
    world.call("POST", path.replace("/mini", "") + "/stop", token=world.ours.driver_token)
    stopped = world.call("GET", path, token=world.ours.driver_token, headers=tag)
    assert (stopped.status_code, stopped.json["state"], stopped.json["is_over"]) == (200, "cancelled", True)


def test_orders_of_others_are_not_there(world: World) -> None:
    world.recharge(world.theirs.customer)
    assert driver(world, f"/mini/orders/{world.order(world.theirs)}")[0] == 404
