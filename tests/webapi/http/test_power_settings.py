"""功率设置: each gun shows how far its limit has come, the floor of the protocol is named, failures are tried again."""

import json
from datetime import timedelta
from typing import Any

import pytest

from evcs.contracts.gun import BatteryLimits, Goal, GunEvent, GunEventKind
from evcs.contracts.reasons import Reason
from evcs.contracts.session import Held, HeldCap, SessionLevel
from evcs.contracts.states import CapState, GoalKind, GunState
from evcs.contracts.times import to_ms
from evcs.contracts.topics import SESSION, Address
from tests.webapi.http.sites import audits, drop_link, told
from tests.webapi.http.world import NOW, World
from tests.webapi.said import receipt
from webapi.database import sessions
from webapi.guns.models import Gun
from webapi.guns.power_follow import give_up, overdue
from webapi.guns.power_models import GunSessionLive
from webapi.guns.session_level import Sieve, session_cleared, session_level
from webapi.users.models import Role
from webapi.worker.handlers import gun_event

SERIAL = "1" * 32


def body(world: World, *guns: int, limit: Any = "60 kW", reason: str = "夏季限电") -> dict[str, Any]:
    chosen = {"kw": 60} if limit == "60 kW" else limit
    return {
        "guns": [{"pile": world.ours.pile, "gun": gun} for gun in guns or (1,)],
        "limit": chosen,
        "reason": reason,
    }


def level(
    world: World,
    version: int,
    *,
    gun: int = 1,
    cap_kw: float | None = None,
    state: CapState = CapState.NONE,
    hand_kw: float | None = None,
    runs: bool = True,
    bound_by: str = "hand",
    refused: Reason | None = None,
    reserved_kw: float = 0.0,
) -> SessionLevel:
    held = Held(
        serial=SERIAL,
        goal=Goal(kind=GoalKind.FULL),
        covered_kwh=10,  # type: ignore[arg-type]
        reserved_kw=reserved_kw,
        cap_kw=cap_kw,
        bound_by="" if cap_kw is None else bound_by,
        caps=() if cap_kw is None else (HeldCap(source=bound_by, cap_kw=cap_kw),),
        cap_state=state,
        admitted_at=NOW,
    )
    return SessionLevel(
        version=version,
        pile=world.ours.pile,
        gun=gun,
        held=held if runs else None,
        allowance_sent_kw=cap_kw,
        allowance_confirmed_kw=cap_kw if state in (CapState.CONFIRMED, CapState.APPLIED) else None,
        allowance_refused=refused,
        hand_limit_kw=hand_kw,
    )


def say(world: World, given: SessionLevel) -> None:
    with sessions(world.engine).begin() as session:
        address = Address(station=world.ours.station, pile=given.pile, gun=given.gun)
        session_level(session, address, given, world.clock.now())


def result(world: World, setting: int) -> Any:
    """The only gun's."""
    (gun,) = world.call("GET", f"/power-settings/{setting}").json["guns"]
    return gun


@pytest.fixture
def charging(world: World) -> World:
    """Gun 1 charges without a cap, as pile and engine say."""
    world.level(world.ours.pile, 1, GunState.CHARGING, SERIAL)
    say(world, level(world, 1))
    return world


def test_a_limit_of_a_charging_gun_is_followed_until_it_is_applied(charging: World) -> None:
    before = told(charging, f"station/{charging.ours.station}")["version"]
    answer = charging.call("POST", "/power-settings", body(charging))
    assert answer.status_code == 201, answer.json
    setting = answer.json["id"]
    assert answer.headers["Location"] == f"/api/v1/power-settings/{setting}"
    (gun,) = answer.json["guns"]
    assert (gun["state"], gun["limit_kw"], gun["limit_pct"]) == ("asked", 60, 50)
    assert (gun["effective_kw"], gun["effective_pct"], gun["floor"]) == (60, 50, None)
    for leaf in (f"station/{charging.ours.station}", f"pile/{charging.ours.pile}"):
        config = told(charging, leaf)
        guns = config["piles"][0]["guns"] if "piles" in config else config["guns"]
        assert [one["hand_limit_kw"] for one in guns] == [60.0, None]
    assert told(charging, f"station/{charging.ours.station}")["version"] == before + 1
    for version, state in ((2, CapState.SENT), (3, CapState.CONFIRMED), (4, CapState.APPLIED)):
        say(charging, level(charging, version, cap_kw=60.0, state=state, hand_kw=60.0))
        assert (result(charging, setting)["state"], result(charging, setting)["bound_by"]) == (state.value, "hand")
    say(charging, level(charging, 5, runs=False, hand_kw=60.0))
    assert result(charging, setting)["state"] == "applied", "what was seen stays"
    (listed,) = charging.call("GET", "/power-settings").json["items"]
    assert (listed["id"], listed["counts"], "guns" in listed) == (setting, [{"state": "applied", "guns": 1}], False)
    (entry,) = audits(charging, "power_setting")
    kept = json.loads(entry.details_json or "{}")
    assert (kept["kind"], kept["value"], kept["reason"]) == ("kw", 60.0, "夏季限电")
    assert (kept["guns"], entry.station_code) == ([f"{charging.ours.pile}-1"], charging.ours.station)


def test_an_idle_gun_heeds_it_at_its_next_start(world: World) -> None:
    world.level(world.ours.pile, 1, GunState.IDLE)
    setting = world.call("POST", "/power-settings", body(world)).json["id"]
    assert result(world, setting)["state"] == "standing"
    say(world, level(world, 2, cap_kw=60.0, state=CapState.SENT, hand_kw=60.0))
    assert (result(world, setting)["state"], result(world, setting)["serial"]) == ("sent", SERIAL)


@pytest.mark.parametrize(
    ("limit", "limit_kw", "limit_pct", "effective_kw", "is_floor"),
    [
        ({"pct": 50}, 60, 50, 60, False),
        ({"pct": 33.3}, 39.96, 33.3, 39.6, False),
        ({"kw": "36.0"}, 36, 30, 36, False),
        ({"kw": 12}, 12, 10, 36, True),
        ({"pct": 10}, 12, 10, 36, True),
        (None, None, None, 120, False),
    ],
)
def test_kw_and_percent_are_both_shown_and_the_floor_is_named(
    world: World, limit: Any, limit_kw: Any, limit_pct: Any, effective_kw: Any, is_floor: bool
) -> None:
    gun = world.call("POST", "/power-settings", body(world, limit=limit)).json["guns"][0]
    assert (gun["limit_kw"], gun["limit_pct"], gun["effective_kw"]) == (limit_kw, limit_pct, effective_kw)
    assert (gun["floor"] is not None) is is_floor
    if is_floor:
        assert "30%" in gun["floor"]["zh"]
        assert "36 kW" in gun["floor"]["en"]


def test_a_limit_is_taken_away_again(charging: World) -> None:
    first = charging.call("POST", "/power-settings", body(charging)).json["id"]
    say(charging, level(charging, 2, cap_kw=60.0, state=CapState.SENT, hand_kw=60.0))
    second = charging.call("POST", "/power-settings", body(charging, limit=None)).json
    assert (second["kind"], second["value"], second["guns"][0]["state"]) == ("none", None, "asked")
    assert result(charging, first)["state"] == "superseded"
    with sessions(charging.engine)() as session:
        assert session.get_one(Gun, (charging.ours.pile, 1)).hand_limit_kw is None
    say(charging, level(charging, 3, cap_kw=60.0, state=CapState.APPLIED, hand_kw=60.0))
    assert result(charging, second["id"])["state"] == "asked", "no room yet to lift it"
    say(charging, level(charging, 4))
    assert result(charging, second["id"])["state"] == "applied"


def test_a_pile_that_refuses_is_tried_again_by_hand(charging: World) -> None:
    setting = charging.call("POST", "/power-settings", body(charging)).json["id"]
    refused = Reason.CAP_NOT_CONFIRMED
    say(charging, level(charging, 2, cap_kw=60.0, state=CapState.FAILED, hand_kw=60.0, refused=refused))
    gun = result(charging, setting)
    assert (gun["state"], gun["reason"]) == ("failed", "cap_not_confirmed")
    assert "重试" in gun["sentence"]["zh"]
    before = told(charging, f"station/{charging.ours.station}")["version"]
    again = charging.call("POST", f"/power-settings/{setting}/retry")
    assert (again.status_code, again.json["guns"][0]["state"], again.json["guns"][0]["tries"]) == (200, "asked", 2)
    assert told(charging, f"station/{charging.ours.station}")["version"] == before + 1
    say(charging, level(charging, 3, cap_kw=60.0, state=CapState.CONFIRMED, hand_kw=60.0))
    assert result(charging, setting)["state"] == "confirmed"
    nothing = charging.call("POST", f"/power-settings/{setting}/retry")
    assert (nothing.status_code, nothing.json["code"]) == (409, "nothing_failed")
    assert len(audits(charging, "power_setting_retry")) == 1


def test_an_offline_pile_is_named_and_goes_on_when_it_is_back(charging: World) -> None:
    drop_link(charging, charging.ours.pile)
    setting = charging.call("POST", "/power-settings", body(charging)).json["id"]
    assert (result(charging, setting)["state"], result(charging, setting)["reason"]) == ("failed", "pile_offline")
    say(charging, level(charging, 2, cap_kw=60.0, state=CapState.CONFIRMED, hand_kw=60.0))
    assert result(charging, setting)["state"] == "confirmed"


@pytest.mark.parametrize(
    ("limit", "heeded", "reason"),
    [({"kw": 60}, None, "engine_away"), ({"kw": 60}, 40.0, "no_headroom"), (None, 40.0, "no_headroom")],
)
def test_an_engine_that_does_not_heed_it_in_time_is_named(
    charging: World, limit: Any, heeded: float | None, reason: str
) -> None:
    state = CapState.NONE if heeded is None else CapState.APPLIED
    say(charging, level(charging, 2, cap_kw=heeded, hand_kw=heeded, state=state))
    setting = charging.call("POST", "/power-settings", body(charging, limit=limit)).json["id"]

    def look(seconds: float) -> str:
        at = NOW + timedelta(seconds=seconds)
        with sessions(charging.engine).begin() as session:
            for key, station in overdue(session, at=at, most=10):
                assert station == charging.ours.station
                give_up(session, key, at=at)
        gun = result(charging, setting)
        return str(gun["reason"] or gun["state"])

    assert look(29) == "asked"
    assert look(30) == reason


def test_many_guns_have_each_their_result(charging: World) -> None:
    charging.level(charging.ours.pile, 2, GunState.PLUGGED)
    wish = body(charging, 1, 2)
    wish["guns"].append({"pile": charging.ours.other_pile, "gun": 2})
    answer = charging.call("POST", "/power-settings", wish).json
    assert {(gun["pile"], gun["gun"]): gun["state"] for gun in answer["guns"]} == {
        (charging.ours.pile, 1): "asked",
        (charging.ours.pile, 2): "standing",
        (charging.ours.other_pile, 2): "standing",
    }
    assert sorted(entry.station_code or "" for entry in audits(charging, "power_setting")) == [
        charging.ours.station,
        charging.ours.other_station,
    ]
    seen = charging.call("GET", f"/power-settings/{answer['id']}", token=charging.ours.limited_token).json
    assert [gun["gun"] for gun in seen["guns"]] == [1, 2], "only those of the own station"
    elsewhere = charging.call("GET", f"/power-settings?station={charging.ours.other_station}").json
    assert [one["id"] for one in elsewhere["items"]] == [answer["id"]]
    assert charging.call("GET", "/power-settings?pile=55031412999999").json["items"] == []


def test_one_gun_that_is_not_there_and_nothing_is_done(charging: World) -> None:
    for pile, gun in ((charging.ours.pile, 3), (charging.theirs.pile, 1), ("55031412999999", 1)):
        wish = body(charging)
        wish["guns"].append({"pile": pile, "gun": gun})
        answer = charging.call("POST", "/power-settings", wish)
        assert (answer.status_code, answer.json["errors"][0]["field"]) == (404, "guns")
    with sessions(charging.engine)() as session:
        assert session.get_one(Gun, (charging.ours.pile, 1)).hand_limit_kw is None
    assert charging.call("GET", "/power-settings").json["items"] == []


def test_settings_are_paged_newest_first(world: World) -> None:
    wanted = [world.call("POST", "/power-settings", body(world, limit={"kw": kw})).json["id"] for kw in (50, 60, 70)]
    first = world.call("GET", "/power-settings?limit=2").json
    rest = world.call("GET", f"/power-settings?cursor={first['next']}").json
    assert [one["id"] for one in first["items"] + rest["items"]] == wanted[::-1]
    assert rest["next"] is None


def test_a_gun_shows_its_limits_and_which_binds(charging: World) -> None:
    path = f"/piles/{charging.ours.pile}/guns/1"
    power = charging.call("GET", path).json["power"]
    assert (power["effective_kw"], power["bound_by"], power["floor_kw"]) == (120, "rated", 36)
    limits = GunEvent(
        id="e1",
        receipt=receipt(),
        kind=GunEventKind.BMS_LIMITS,
        received_at=NOW,
        serial=SERIAL,
        limits=BatteryLimits(max_power_kw=90.0),
    )
    with sessions(charging.engine).begin() as session:
        gun_event(session, Address(station=charging.ours.station, pile=charging.ours.pile, gun=1), limits, NOW)
    power = charging.call("GET", path).json["power"]
    assert (power["effective_kw"], power["effective_pct"], power["bound_by"]) == (90, 75, "vehicle")
    setting = charging.call("POST", "/power-settings", body(charging)).json["id"]
    say(charging, level(charging, 2, cap_kw=45.0, state=CapState.CONFIRMED, hand_kw=60.0, bound_by="transformer"))
    power = charging.call("GET", path).json["power"]
    assert (power["effective_kw"], power["bound_by"], power["hand_limit_kw"]) == (45, "transformer", 60)
    assert (power["setting"], power["setting_state"]) == (setting, "confirmed")
    assert power["caps"] == [{"source": "transformer", "cap_kw": 45.0}]
    assert (power["cap_state"], power["allowance_confirmed_kw"]) == ("confirmed", 45)
    idle = charging.call("POST", "/power-settings", body(charging, 2, limit={"kw": 12}))
    assert idle.status_code == 201
    power = charging.call("GET", f"/piles/{charging.ours.pile}/guns/2").json["power"]
    assert (power["effective_kw"], power["bound_by"]) == (36, "pile_floor")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"limit": {}}, "limit"),
        ({"limit": {"kw": 1, "pct": 1}}, "limit"),
        ({"limit": {"kw": 0}}, "limit.kw"),
        ({"limit": {"kw": -5}}, "limit.kw"),
        ({"limit": {"kw": 1.0001}}, "limit.kw"),
        ({"limit": {"pct": 101}}, "limit.pct"),
        ({"limit": {"pct": 33.33}}, "limit.pct"),
        ({"limit": "none"}, "limit"),
        ({"reason": ""}, "reason"),
        ({"guns": []}, "guns"),
        ({"guns": [{"pile": "55031412000001", "gun": 0}]}, "guns.0.gun"),
        ({"guns": [{"pile": "55031412000001", "gun": 1}] * 2}, ""),
        ({"guns": [{"pile": "55031412000001", "gun": n} for n in range(1, 99)] * 6}, "guns"),
        ({"volts": 1}, "volts"),
    ],
)
def test_bad_input_is_named_in_both_languages(still: World, change: Any, field: str) -> None:
    wish = {**body(still), **change}
    zh = still.call("POST", "/power-settings", wish)
    en = still.call("POST", "/power-settings", wish, headers={"Accept-Language": "en"})
    assert (zh.status_code, en.status_code) == (422, 422), zh.json
    assert field in [error["field"] for error in zh.json["errors"]], zh.json
    assert zh.json["errors"] != en.json["errors"]


def test_operators_limit_others_look(still: World) -> None:
    tokens = still.ours.tokens
    for role in (Role.FINANCE, Role.VIEWER):
        assert still.call("POST", "/power-settings", body(still), token=tokens[role]).status_code == 403
        assert still.call("POST", "/power-settings/1/retry", token=tokens[role]).status_code == 403
    assert still.call("GET", "/power-settings", token=tokens[Role.VIEWER]).status_code == 200
    assert still.call("GET", "/power-settings", token=still.ours.driver_token).status_code == 403


def test_the_same_key_sets_once(world: World) -> None:
    first = world.call("POST", "/power-settings", body(world), key="k")
    again = world.call("POST", "/power-settings", body(world), key="k")
    assert (again.json, again.headers["Idempotency-Replayed"]) == (first.json, "true")
    assert len(world.call("GET", "/power-settings").json["items"]) == 1


# --- levels of the engine


def test_only_what_says_something_new_about_caps_is_looked_at(world: World) -> None:
    topic = SESSION.at(station=world.ours.station, pile=world.ours.pile, gun=1)

    def spelt(version: int, **more: Any) -> bytes:
        return SESSION.encode(level(world, version, **more))

    sieve = Sieve()
    assert sieve.is_news(topic, spelt(1))
    assert not sieve.is_news(topic, spelt(2, reserved_kw=30.0)), "reservations move with every reading"
    assert sieve.is_news(topic, spelt(3, cap_kw=60.0, state=CapState.SENT))
    assert not sieve.is_news(topic, spelt(4, cap_kw=60.0, state=CapState.SENT))
    assert sieve.is_news(topic, b"")
    assert sieve.is_news(topic, spelt(5, cap_kw=60.0, state=CapState.SENT))
    assert sieve.is_news(topic, b"{")
    assert sieve.is_news(topic, b"{"), "what cannot be read is told each time"


def test_an_older_level_changes_nothing_and_an_empty_one_forgets(world: World) -> None:
    key = (world.ours.pile, 1)
    say(world, level(world, to_ms(NOW), cap_kw=60.0, state=CapState.SENT))
    say(world, level(world, to_ms(NOW) - 1))
    with sessions(world.engine).begin() as session:
        assert session.get_one(GunSessionLive, key).cap_kw == 60
        session_cleared(session, Address(station=world.ours.station, pile=world.ours.pile, gun=1), NOW)
    with sessions(world.engine)() as session:
        assert session.get(GunSessionLive, key) is None
    say(world, SessionLevel(version=1, pile="55031412999999", gun=1))
    with sessions(world.engine)() as session:
        assert session.get(GunSessionLive, ("55031412999999", 1)) is None
