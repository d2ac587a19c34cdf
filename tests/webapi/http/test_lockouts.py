"""停用: from its first moment nothing starts; it shows in force only when the current is gone; a person ends it."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from evcs.contracts.alarm import Alarm, AlarmAction, AlarmKind, Severity
from evcs.contracts.reasons import Reason
from evcs.contracts.states import GunState, OrderState
from evcs.contracts.topics import Address
from tests.webapi.http.sites import FOREIGN, audits, charge, drop_link, end, say, stops, told
from tests.webapi.http.world import NOW, World
from webapi.database import sessions
from webapi.guns.models import Gun
from webapi.orders.models import Order
from webapi.piles.models import Pile
from webapi.stations.lockout_upkeep import end_run_out, stop_what_charges
from webapi.stations.lockouts import run_out
from webapi.stations.models import Station
from webapi.users.models import Role
from webapi.worker.handlers import alarm

WHY = {"reason": "更换枪线"}


def places(world: World) -> dict[str, str]:
    pile = world.ours.pile
    return {
        "station": f"/stations/{world.ours.station}",
        "pile": f"/piles/{pile}",
        "gun": f"/piles/{pile}/guns/1",
    }


def lockouts_told(world: World) -> tuple[Any, Any, Any, Any]:
    """Station's, pile's and gun's as the gate is told, and the pile's as its bridge is."""
    station = told(world, f"station/{world.ours.station}")
    (pile,) = station["piles"]
    bridge = told(world, f"pile/{world.ours.pile}")
    return station["lockout"], pile["lockout"], pile["guns"][0]["lockout"], bridge["lockout"]


@pytest.mark.parametrize("kind", ["station", "pile", "gun"])
def test_a_lockout_stands_in_the_configuration_of_gate_and_bridge_until_it_is_lifted(world: World, kind: str) -> None:
    path = places(world)[kind]
    world.level(world.ours.pile, 1, GunState.PLUGGED)
    world.level(world.ours.pile, 2, GunState.IDLE)
    before = told(world, f"station/{world.ours.station}")["version"], told(world, f"pile/{world.ours.pile}")["version"]
    answer = world.call("PUT", f"{path}/lockout", {**WHY, "until": "2026-11-24T15:00:00Z"})
    assert answer.status_code == 200, answer.json
    assert (answer.json["state"], answer.json["while_charging"]) == ("in_force", "stop")
    assert answer.json["by"] == f"user:{world.ours.users[Role.TENANT_ADMIN]}"
    assert world.call("GET", path).json["lockout"] == answer.json
    expected = {
        "who": answer.json["by"],
        "why": "更换枪线",
        "since": "2026-11-24T12:50:00Z",
        "until": "2026-11-24T15:00:00Z",
    }
    station, pile, gun, bridge = lockouts_told(world)
    assert (station, pile, gun) == tuple(expected if one == kind else None for one in ("station", "pile", "gun"))
    assert bridge == (None if kind == "gun" else expected)
    assert told(world, f"station/{world.ours.station}")["version"] == before[0] + 1
    assert told(world, f"pile/{world.ours.pile}")["version"] == before[1] + 1

    assert world.call("DELETE", f"{path}/lockout").status_code == 204
    assert lockouts_told(world) == (None, None, None, None)
    assert world.call("GET", path).json["lockout"] is None
    assert told(world, f"station/{world.ours.station}")["version"] == before[0] + 2
    assert world.call("DELETE", f"{path}/lockout").status_code == 204
    assert [len(audits(world, action)) for action in ("lockout", "lockout_lift")] == [1, 1]
    (entry,) = audits(world, "lockout_lift")
    assert (entry.object_kind, entry.station_code) == (kind, world.ours.station)
    assert json.loads(entry.details_json or "{}")["reason"] == "更换枪线"


@pytest.mark.parametrize("kind", ["station", "pile", "gun"])
def test_a_charge_is_stopped_first_and_the_lockout_is_in_force_when_its_pile_says_so(world: World, kind: str) -> None:
    serial = charge(world)
    world.level(world.ours.pile, 2, GunState.IDLE)
    path = places(world)[kind]
    answer = world.call("PUT", f"{path}/lockout", WHY)
    assert answer.json["state"] == "stopping"
    order = world.call("GET", f"/orders/{serial}").json
    assert (order["state"], order["stop_reason"]) == ("stopping", "lockout_stopped")
    (sent,) = stops(world)
    assert (sent[1].serial, sent[1].why) == (serial, Reason.LOCKOUT_STOPPED)
    (entry,) = audits(world, "lockout")
    assert json.loads(entry.details_json or "{}")["stopped"] == [serial]

    say(world, world.ours.pile, 1, GunState.DISABLED)
    assert world.call("GET", path).json["lockout"]["state"] == "in_force"


def test_a_person_may_let_the_charge_end_by_itself(world: World) -> None:
    serial = charge(world)
    path = places(world)["gun"]
    answer = world.call("PUT", f"{path}/lockout", {**WHY, "while_charging": "wait"})
    assert answer.json["state"] == "waiting"
    assert stops(world) == []
    assert world.call("GET", f"/orders/{serial}").json["state"] == "charging"
    assert lockouts_told(world)[2]["why"] == "更换枪线", "nothing new starts meanwhile"
    with sessions(world.engine).begin() as session:
        stop_what_charges(session, session.get_one(Gun, (world.ours.pile, 1)), at=NOW + timedelta(seconds=5))
    assert stops(world) == []
    end(world, serial, world.ours.pile)
    assert world.call("GET", path).json["lockout"]["state"] == "in_force"

    # A charge that begins in spite of it is not the one that was let go on.
    world.clock.set(NOW + timedelta(seconds=60))
    say(world, world.ours.pile, 1, GunState.CHARGING, FOREIGN)
    with sessions(world.engine).begin() as session:
        stop_what_charges(session, session.get_one(Gun, (world.ours.pile, 1)), at=world.clock.now())
    assert [(stop.serial, stop.why) for _, stop in stops(world)] == [(FOREIGN, Reason.LOCKOUT_STOPPED)]


def test_who_waits_may_change_his_mind(world: World) -> None:
    serial = charge(world)
    path = places(world)["pile"]
    world.call("PUT", f"{path}/lockout", {**WHY, "while_charging": "wait"})
    world.clock.set(NOW + timedelta(seconds=30))
    answer = world.call("PUT", f"{path}/lockout", {"reason": "冒烟", "while_charging": "stop"})
    assert (answer.json["reason"], answer.json["since"]) == ("冒烟", "2026-11-24T12:50:00+00:00")
    assert [stop.serial for _, stop in stops(world)] == [serial]
    assert len(audits(world, "lockout")) == 2


def test_a_charge_without_an_order_is_stopped_too(world: World) -> None:
    world.level(world.ours.pile, 1, GunState.CHARGING, FOREIGN)
    world.level(world.ours.pile, 2, GunState.CHARGING, None)
    world.call("PUT", f"{places(world)['pile']}/lockout", WHY)
    sent = {topic.rsplit("/", 2)[1]: (stop.serial, stop.why) for topic, stop in stops(world)}
    assert sent == {"1": (FOREIGN, Reason.LOCKOUT_STOPPED), "2": (None, Reason.LOCKOUT_STOPPED)}


def test_an_order_that_does_not_charge_yet_is_cancelled(world: World) -> None:
    world.recharge(world.ours.customer)
    serial = world.order(world.ours)
    world.call("PUT", f"{places(world)['gun']}/lockout", WHY)
    order = world.call("GET", f"/orders/{serial}").json
    assert (order["state"], order["stop_reason"]) == ("cancelled", "lockout_stopped")


def test_a_gun_of_another_pile_goes_on(world: World) -> None:
    serial = charge(world, 2)
    world.level(world.ours.pile, 1, GunState.IDLE)
    assert world.call("PUT", f"{places(world)['gun']}/lockout", WHY).json["state"] == "in_force"
    assert world.call("GET", f"/orders/{serial}").json["state"] == "charging"


def test_without_its_link_nobody_says_that_it_is_in_force(world: World) -> None:
    path = places(world)["pile"]
    assert world.call("PUT", f"{path}/lockout", WHY).json["state"] == "unconfirmed"
    charge(world)
    drop_link(world, world.ours.pile)
    shown = world.call("GET", path).json["lockout"]
    assert shown["state"] == "unconfirmed"
    assert "离线" in shown["sentence"]["zh"]


def test_a_pile_that_comes_back_charging_is_stopped(world: World) -> None:
    world.call("PUT", f"{places(world)['pile']}/lockout", WHY)
    world.level(world.ours.pile, 1, GunState.CHARGING, FOREIGN)
    with sessions(world.engine).begin() as session:
        stop_what_charges(session, session.get_one(Pile, world.ours.pile), at=NOW + timedelta(seconds=5))
    assert [stop.serial for _, stop in stops(world)] == [FOREIGN]


@pytest.mark.parametrize("kind", ["station", "pile", "gun"])
def test_a_timed_lockout_ends_by_itself_with_its_entry(world: World, kind: str) -> None:
    until = NOW + timedelta(minutes=5)
    world.call("PUT", f"{places(world)[kind]}/lockout", {**WHY, "until": until.isoformat()})

    def run_outs(at: datetime) -> int:
        with sessions(world.engine).begin() as session:
            found = run_out(session, at=at)
            return sum(end_run_out(session, place, at=at) for place in found)

    assert run_outs(until - timedelta(seconds=1)) == 0
    assert world.call("GET", places(world)[kind]).json["lockout"] is not None
    assert run_outs(until) == 1
    assert world.call("GET", places(world)[kind]).json["lockout"] is None
    assert lockouts_told(world) == (None, None, None, None)
    (entry,) = audits(world, "lockout_ended")
    assert (entry.actor, entry.object_kind) == ("worker", kind)
    assert run_outs(until + timedelta(minutes=1)) == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "reason"),
        ({"reason": ""}, "reason"),
        ({"reason": "x", "until": "2026-11-24T12:50:00Z"}, "until"),
        ({"reason": "x", "until": "soon"}, "until"),
        ({"reason": "x", "while_charging": "kick"}, "while_charging"),
        ({"reason": "x", "who": "me"}, "who"),
    ],
)
def test_bad_input_is_named(still: World, body: Any, field: str) -> None:
    for path in places(still).values():
        answer = still.call("PUT", f"{path}/lockout", body)
        assert answer.status_code == 422
        assert [error["field"] for error in answer.json["errors"]] == [field]


def test_operators_lock_out_others_only_look(world: World) -> None:
    path = places(world)["gun"] + "/lockout"
    for role in (Role.FINANCE, Role.VIEWER):
        assert world.call("PUT", path, WHY, token=world.ours.tokens[role]).status_code == 403
        assert world.call("DELETE", path, token=world.ours.tokens[role]).status_code == 403
    assert world.call("PUT", path, WHY, token=world.ours.driver_token).status_code == 403
    assert world.call("PUT", path, WHY, token=world.ours.tokens[Role.OPERATOR]).status_code == 200


def test_the_same_key_locks_once(world: World) -> None:
    path = places(world)["gun"] + "/lockout"
    first = world.call("PUT", path, WHY, key="k")
    assert world.call("DELETE", path).status_code == 204
    again = world.call("PUT", path, WHY, key="k")
    assert (again.json, again.headers["Idempotency-Replayed"]) == (first.json, "true")
    assert world.call("GET", places(world)["gun"]).json["lockout"] is None


# --- lockouts that an alarm makes


def raised(world: World, version: int = 1, *, at: datetime = NOW, gun: int | None = 1, **more: Any) -> None:
    """The engine holds an alarm with the action lock open."""
    given: dict[str, Any] = {"action": AlarmAction.LOCK, "open": True, "pile": world.ours.pile, **more}
    level = Alarm(
        version=version,
        alarm="insulation-1",
        code="insulation_low",
        kind=AlarmKind.WARNING,
        severity=Severity.CRITICAL,
        raised_at=at,
        gun=gun,
        zh="绝缘过低",
        en="Insulation too low",
        **given,
    )
    with sessions(world.engine).begin() as session:
        alarm(session, Address(station=world.ours.station, alarm="insulation-1"), level, world.clock.now())


def test_an_alarm_locks_once_and_a_person_lifts_it(world: World) -> None:
    serial = charge(world)
    raised(world)
    shown = world.call("GET", places(world)["gun"]).json["lockout"]
    assert (shown["by"], shown["reason"], shown["state"]) == ("rule:insulation_low", "绝缘过低", "stopping")
    with sessions(world.engine)() as session:
        assert session.get_one(Order, serial).state is OrderState.STOPPING
    assert world.call("DELETE", places(world)["gun"] + "/lockout").status_code == 204
    raised(world, 2)
    assert world.call("GET", places(world)["gun"]).json["lockout"] is None, "the same alarm, which a person has seen"
    raised(world, 3, open=False)
    raised(world, 4, at=NOW + timedelta(minutes=3))
    assert world.call("GET", places(world)["gun"]).json["lockout"] is not None, "raised anew"
    assert [entry.outcome for entry in audits(world, "lockout_by_alarm")] == ["done", "done"]


def test_an_alarm_leaves_a_persons_lockout_as_it_is(world: World) -> None:
    world.call("PUT", f"{places(world)['pile']}/lockout", WHY)
    raised(world, gun=None)
    shown = world.call("GET", places(world)["pile"]).json["lockout"]
    assert (shown["reason"], shown["by"]) == ("更换枪线", f"user:{world.ours.users[Role.TENANT_ADMIN]}")
    assert [entry.outcome for entry in audits(world, "lockout_by_alarm")] == ["already_locked_out"]


@pytest.mark.parametrize(
    "more", [{"action": AlarmAction.STOP}, {"open": False}, {"pile": None}, {"pile": "nobody"}, {"gun": 9}]
)
def test_other_alarms_lock_nothing(world: World, more: dict[str, Any]) -> None:
    raised(world, **more)
    with sessions(world.engine)() as session:
        assert session.get_one(Station, world.ours.station).revision == 1
    assert audits(world, "lockout_by_alarm") == []
