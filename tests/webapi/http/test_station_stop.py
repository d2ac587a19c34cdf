"""全站停止: every charge ends or is named within 30 s, nothing begins, and what comes back is stopped."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from evcs.contracts.gun import GunReply
from evcs.contracts.pile import Outcome
from evcs.contracts.reasons import Reason
from evcs.contracts.states import GunState
from tests.webapi.http.sites import FOREIGN, audits, charge, drop_link, end, say, stops, told
from tests.webapi.http.world import NOW, World
from tests.webapi.said import receipt
from webapi.database import sessions
from webapi.guns.models import Gun
from webapi.piles.models import Pile
from webapi.stations.stop import lock_station, pursue, stop_replied
from webapi.users.models import Role

BODY = {"reason": "现场冒烟", "confirm": True}
AWAY = "55031412000099"


def path(world: World) -> str:
    return f"/stations/{world.ours.station}/stop"


def look(world: World, seconds: float) -> None:
    """The worker's job, so long after the stop."""
    at = NOW + timedelta(seconds=seconds)
    with sessions(world.engine).begin() as session:
        pursue(session, lock_station(session, world.ours.station), at=at)


def shown(world: World) -> dict[tuple[str, int], Any]:
    answer = world.call("GET", path(world)).json
    return {(gun["pile"], gun["gun"]): gun for gun in answer["guns"]}


@pytest.fixture
def busy(world: World) -> World:
    """An order charges at gun 1, something without an order at gun 2, and a second pile is offline."""
    with sessions(world.engine).begin() as session:
        session.add(
            Pile(
                number=AWAY,
                station_code=world.ours.station,
                transformer_code=f"{world.ours.station}-t",
                name="99",
                rated_kw=Decimal(60),
                source_networks=[],
                created_at=NOW,
            )
        )
        session.flush()
        session.add(Gun(pile_number=AWAY, no=1, rated_kw=Decimal(60)))
    charge(world)
    world.level(world.ours.pile, 2, GunState.CHARGING, FOREIGN)
    return world


def test_a_stop_reaches_what_it_can_and_names_what_it_cannot(busy: World) -> None:
    pile = busy.ours.pile
    serial = shown_serial(busy)
    before = told(busy, f"station/{busy.ours.station}")["version"]
    answer = busy.call("POST", path(busy), BODY)
    assert answer.status_code == 200, answer.json
    assert {name: answer.json[name] for name in ("idle", "stopped", "asked", "not_reached")} == {
        "idle": 0,
        "stopped": 0,
        "asked": 2,
        "not_reached": 1,
    }
    assert answer.json["stop"]["state"] == "stopping"
    away = shown(busy)[AWAY, 1]
    assert (away["outcome"], away["reason"], away["proof"]) == ("not_reached", "pile_offline", None)
    assert "离线" in away["sentence"]["zh"]
    assert {topic.rsplit("/", 2)[1]: (stop.serial, stop.why) for topic, stop in stops(busy)} == {
        "1": (serial, Reason.STATION_STOPPED),
        "2": (None, Reason.STATION_STOPPED),
    }
    station = told(busy, f"station/{busy.ours.station}")
    assert station["version"] == before + 1
    assert (station["station_stop"]["why"], station["station_stop"]["until"]) == ("现场冒烟", None)
    for number in (pile, AWAY):
        assert told(busy, f"pile/{number}")["lockout"]["why"] == "现场冒烟", "a card at the pile starts nothing either"
    order = busy.call("GET", f"/orders/{serial}").json
    assert (order["state"], order["stop_reason"]) == ("stopping", "station_stopped")

    end(busy, serial, pile)
    look(busy, 3)
    first, second = shown(busy)[pile, 1], shown(busy)[pile, 2]
    assert (first["outcome"], first["proof"], first["stopped_at"]) == (
        "stopped",
        "pile_said",
        "2026-11-24T12:50:03+00:00",
    )
    assert (second["outcome"], second["serial"], second["tries"]) == ("asked", FOREIGN, 1)
    look(busy, 29)
    assert (shown(busy)[pile, 2]["outcome"], shown(busy)[pile, 2]["tries"]) == ("asked", 2)
    look(busy, 30)
    late = shown(busy)[pile, 2]
    assert (late["outcome"], late["reason"]) == ("not_reached", "timed_out")
    assert len(stops(busy)) == 3, "asked again every 10 s at most"
    say(busy, pile, 2, GunState.DISABLED)
    look(busy, 95)
    assert shown(busy)[pile, 2]["outcome"] == "stopped", "late, but its pile says so"
    assert busy.call("GET", path(busy)).json["stop"]["state"] == "unconfirmed", "one pile is still away"


def shown_serial(world: World) -> str:
    return str(world.call("GET", "/orders").json["items"][0]["serial"])


def test_a_pile_that_comes_back_charging_is_stopped_then(busy: World) -> None:
    busy.call("POST", path(busy), BODY)
    busy.level(AWAY, 1, GunState.CHARGING, "8" * 32)
    look(busy, 40)
    gun = shown(busy)[AWAY, 1]
    assert (gun["outcome"], gun["serial"], gun["ran"]) == ("asked", "8" * 32, True)
    assert [topic for topic, _ in stops(busy) if f"/{AWAY}/" in topic] != []
    say(busy, AWAY, 1, GunState.IDLE)
    look(busy, 45)
    assert shown(busy)[AWAY, 1]["outcome"] == "stopped"


def test_a_link_that_goes_before_the_end_was_seen_is_no_stop(busy: World) -> None:
    busy.call("POST", path(busy), BODY)
    drop_link(busy, busy.ours.pile)
    look(busy, 2)
    assert [
        (shown(busy)[busy.ours.pile, gun]["outcome"], shown(busy)[busy.ours.pile, gun]["reason"]) for gun in (1, 2)
    ] == [("not_reached", "link_lost")] * 2


def test_what_the_pile_answers_is_the_reason(busy: World) -> None:
    busy.call("POST", path(busy), BODY)
    sent = [stop for topic, stop in stops(busy) if stop.serial is None]
    reply = GunReply(
        id=sent[0].id,
        receipt=receipt(),
        command="stop",
        outcome=Outcome.REFUSED,
        reason=Reason.PILE_REFUSED,
        received_at=NOW,
    )
    with sessions(busy.engine).begin() as session:
        stop_replied(session, reply)
    look(busy, 30)
    gun = shown(busy)[busy.ours.pile, 2]
    assert (gun["outcome"], gun["reason"]) == ("not_reached", "pile_refused")


def test_orders_that_come_later_are_cancelled_until_it_is_lifted(busy: World) -> None:
    busy.call("POST", path(busy), BODY)
    end(busy, shown_serial(busy), busy.ours.pile)
    serial = busy.order(busy.ours, 1)
    look(busy, 60)
    assert busy.call("GET", f"/orders/{serial}").json["state"] == "cancelled"
    assert busy.call("DELETE", path(busy)).status_code == 204
    lifted = busy.call("GET", path(busy)).json
    assert (lifted["stop"], len(lifted["guns"])) == (None, 3)
    assert told(busy, f"station/{busy.ours.station}")["station_stop"] is None
    assert told(busy, f"pile/{busy.ours.pile}")["lockout"] is None
    assert busy.call("DELETE", path(busy)).status_code == 204
    assert [len(audits(busy, action)) for action in ("station_stop", "station_stop_lift")] == [1, 1]
    sent = len(stops(busy))
    look(busy, 120)
    assert len(stops(busy)) == sent, "nobody stops anything any more"


def test_a_second_stop_keeps_the_first_ones_time_and_a_later_one_is_another(busy: World) -> None:
    busy.call("POST", path(busy), BODY)
    busy.clock.set(NOW + timedelta(seconds=20))
    again = busy.call("POST", path(busy), {**BODY, "reason": "再次"})
    assert (again.json["stopped_at"], again.json["stop"]["reason"]) == ("2026-11-24T12:50:00+00:00", "现场冒烟")
    busy.call("DELETE", path(busy))
    busy.clock.set(NOW + timedelta(hours=1))
    assert busy.call("POST", path(busy), BODY).json["stopped_at"] == "2026-11-24T13:50:00+00:00"


def test_a_station_that_was_never_stopped_shows_nothing(still: World) -> None:
    answer = still.call("GET", path(still)).json
    assert (answer["stop"], answer["stopped_at"], answer["guns"]) == (None, None, [])


@pytest.mark.parametrize("body", [{}, {"reason": "x"}, {"reason": "x", "confirm": False}, {"confirm": True}])
def test_it_has_a_reason_and_is_meant(still: World, body: Any) -> None:
    assert still.call("POST", path(still), body).status_code == 422


def test_operators_stop_others_look(still: World) -> None:
    tokens = still.ours.tokens
    assert still.call("POST", path(still), BODY, token=tokens[Role.VIEWER]).status_code == 403
    assert still.call("DELETE", path(still), token=tokens[Role.FINANCE]).status_code == 403
    assert still.call("GET", path(still), token=tokens[Role.VIEWER]).status_code == 200
