"""Alarms and the fault-code dictionary over HTTP: order, filters, scope, acknowledging, what waits, deletion."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from evcs.contracts.alarm import Alarm, AlarmKind, Severity
from evcs.contracts.topics import Address
from tests.webapi.http.test_isolation import ABSENT_ROW, without_id
from tests.webapi.http.world import NOW, Operator, World
from webapi.audit.models import AuditEntry
from webapi.database import sessions
from webapi.faults.events import alarm_level
from webapi.users.models import Role

NEW = {
    "protocol": "ykc",
    "code": "stop_a7",
    "text_zh": "冷却液不足",
    "text_en": "coolant low",
    "severity": "warning",
    "advice_zh": "补充冷却液",
}


def raise_at(world: World, station: str, alarm: str, minutes: float, **more: Any) -> None:
    """`rules` raises (or, with `open=False`, clears) an alarm so many minutes before now."""
    level = Alarm(
        version=1,
        alarm=alarm,
        code="bit13",
        kind=AlarmKind.FAULT,
        severity=Severity.CRITICAL,
        open=True,
        raised_at=NOW - timedelta(minutes=minutes),
        protocol="ykc",
        zh="门打开",
        en="door open",
    )
    with sessions(world.engine).begin() as session:
        alarm_level(session, Address(station=station, alarm=alarm), msgspec.structs.replace(level, **more), NOW)


def listed(world: World, query: str = "", token: str | None = None) -> list[str]:
    answer = world.call("GET", f"/alarms{query}", token=token)
    assert answer.status_code == 200, answer.json
    return [item["alarm"] for item in answer.json["items"]]


@pytest.fixture
def raised(world: World) -> World:
    """Two open, two cleared at our stations, one open at theirs."""
    ours, theirs = world.ours, world.theirs
    raise_at(world, ours.station, "old-open", 90, pile=ours.pile, gun=1, serial="1" * 32)
    raise_at(world, ours.station, "new-closed", 5, open=False, cleared_at=NOW, pile=ours.pile, gun=2)
    raise_at(world, ours.other_station, "new-open", 10, kind=AlarmKind.WARNING, severity=Severity.WARNING, code="hot")
    raise_at(world, ours.station, "old-closed", 200, open=False, cleared_at=NOW, transformer="s-a1-t", code="overload")
    raise_at(world, theirs.station, "theirs", 1)
    return world


def test_open_ones_come_first_then_the_newest_page_by_page(raised: World) -> None:
    everything = ["new-open", "old-open", "new-closed", "old-closed"]
    assert listed(raised) == everything
    found, cursor = [], ""
    for _ in everything:
        page = raised.call("GET", f"/alarms?limit=1{cursor}").json
        found += [item["alarm"] for item in page["items"]]
        cursor = f"&cursor={page['next']}"
    assert (found, cursor) == (everything, "&cursor=None")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?open=true", ["new-open", "old-open"]),
        ("?open=false", ["new-closed", "old-closed"]),
        ("?station=s-a2", ["new-open"]),
        ("?transformer=s-a1-t", ["old-closed"]),
        ("?pile=55031412000001", ["old-open", "new-closed"]),
        ("?pile=55031412000001&gun=2", ["new-closed"]),
        (f"?serial={'1' * 32}", ["old-open"]),
        ("?kind=warning", ["new-open"]),
        ("?severity=warning,info", ["new-open"]),
        ("?code=overload", ["old-closed"]),
        ("?since=2026-11-24T20:40:00%2B08:00", ["new-open", "new-closed"]),
        ("?until=2026-11-24T12:40:00Z", ["old-open", "old-closed"]),
        ("?acknowledged=true", []),
        ("?known=false", []),
        ("?station=s-b1", []),
    ],
)
def test_filters_leave_what_they_name(raised: World, query: str, found: list[str]) -> None:
    assert listed(raised, query) == found


def test_a_user_sees_alarms_of_the_own_stations_only(raised: World) -> None:
    assert listed(raised, token=raised.ours.limited_token) == ["old-open", "new-closed", "old-closed"]
    assert listed(raised, token=raised.theirs.tokens[Role.VIEWER]) == ["theirs"]
    assert "theirs" in listed(raised, token=raised.ours.tokens[Role.PLATFORM_ADMIN])
    assert raised.call("GET", "/alarms", token=raised.ours.driver_token).json["code"] == "not_allowed"
    theirs = number(raised, "theirs", raised.theirs)
    for method, path, body in (("GET", "", None), ("POST", "/acknowledge", {"note": "x"})):
        seen = raised.call(method, f"/alarms/{theirs}{path}", body)
        nothing = raised.call(method, f"/alarms/{ABSENT_ROW}{path}", body)
        assert seen.status_code == 404
        assert without_id(seen) == without_id(nothing)


def number(world: World, alarm: str, operator: Operator | None = None) -> int:
    token = (operator or world.ours).tokens[Role.TENANT_ADMIN]
    items = world.call("GET", "/alarms", token=token).json["items"]
    return next(int(item["id"]) for item in items if item["alarm"] == alarm)


def test_the_bell_counts_what_is_open(raised: World) -> None:
    counts = raised.call("GET", "/alarms/counts").json
    assert counts == {
        "open": 2,
        "unacknowledged": 2,
        "critical": 1,
        "warning": 1,
        "info": 0,
        "faults": 1,
        "warnings": 1,
        "undescribed": 0,
    }
    assert raised.call("GET", "/alarms/counts?station=s-a1").json["open"] == 1
    assert raised.call("GET", "/alarms/counts?station=s-b1").json["open"] == 0


def test_detail_has_duration_advice_and_the_times_before(raised: World) -> None:
    raise_at(raised, "s-a1", "old-open", 90, version=2, open=False, cleared_at=NOW - timedelta(minutes=80))
    raise_at(raised, "s-a1", "old-open", 30, version=3)
    detail = raised.call("GET", f"/alarms/{number(raised, 'old-open')}").json
    assert detail["alarm"]["duration_s"] == 1800
    assert detail["dictionary"]["zh"] == "门打开"
    assert "关门" in detail["dictionary"]["advice_zh"]
    (earlier,) = detail["earlier"]
    assert earlier["cleared_at"] == "2026-11-24T11:30:00+00:00"
    assert (detail["curve_since"], detail["curve_until"]) == ("2026-11-24T12:15:00+00:00", "2026-11-24T12:25:00+00:00")


def test_acknowledging_says_who_and_is_audited(raised: World) -> None:
    path = f"/alarms/{number(raised, 'old-open')}/acknowledge"
    assert raised.call("POST", path, {"note": "x"}, token=raised.ours.tokens[Role.VIEWER]).status_code == 403
    done = raised.call("POST", path, {"note": "已派人"}, token=raised.ours.tokens[Role.OPERATOR]).json["alarm"]
    assert (done["acknowledged_name"], done["acknowledge_note"]) == ("operator-a", "已派人")
    assert listed(raised, "?acknowledged=true") == ["old-open"]
    assert raised.call("GET", "/alarms/counts").json["unacknowledged"] == 1
    with sessions(raised.engine)() as session:
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "alarm_acknowledge"))
    assert (entry.actor, entry.station_code) == (f"user:{raised.ours.users[Role.OPERATOR]}", "s-a1")


def admin(world: World) -> str:
    return world.ours.tokens[Role.PLATFORM_ADMIN]


def test_the_dictionary_is_read_by_all_and_changed_by_the_platform_alone(world: World) -> None:
    refused = world.call("POST", "/fault-codes", NEW)
    assert (refused.status_code, refused.json["code"]) == (403, "not_allowed")
    assert world.call("POST", "/fault-codes/delete", {"ids": [1], "used_too": True}).status_code == 403
    made = world.call("POST", "/fault-codes", NEW, token=admin(world))
    assert made.status_code == 201
    assert made.headers["Location"] == f"/api/v1/fault-codes/{made.json['id']}"
    viewer = world.ours.tokens[Role.VIEWER]
    assert world.call("GET", made.headers["Location"].removeprefix("/api/v1"), token=viewer).json["code"] == "stop_a7"
    again = world.call("POST", "/fault-codes", NEW, token=admin(world))
    assert (again.status_code, again.json["code"]) == (409, "fault_code_taken")
    of_model = {**NEW, "model": "X"}
    assert world.call("POST", "/fault-codes", of_model, token=admin(world)).json["errors"][0]["field"] == "maker"


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("?q=急停", ["bit1", "stop_50", "stop_72", "fault.emergency_stop"]),
        ("?q=STOP_5&severity=critical", ["stop_50", "stop_53", "stop_56", "stop_57"]),
        ("?category=metering", ["bit7", "stop_4d", "stop_6d"]),
        ("?q=100%25", ["stop_41"]),
        ("?shipped=false", []),
        ("?protocol=other", []),
    ],
)
def test_the_dictionary_is_searched(still: World, query: str, codes: list[str]) -> None:
    found = still.call("GET", f"/fault-codes{query}")
    assert [item["code"] for item in found.json["items"]] == codes


def test_unknown_codes_wait_until_they_are_described(world: World) -> None:
    for alarm, minutes, pile in (("u1", 9, world.ours.pile), ("u2", 3, world.ours.other_pile)):
        raise_at(world, "s-a1", alarm, minutes, known=False, code="stop_a7", zh="未知 0xA7", raw="a7", pile=pile)
    raise_at(world, "s-b1", "u3", 1, known=False, code="bit15", zh="未知故障位", pile=world.theirs.pile)
    (waiting,) = world.call("GET", "/fault-codes/undescribed").json["items"]
    assert (waiting["code"], waiting["records"], waiting["piles"], waiting["raw"]) == ("stop_a7", 2, 2, "a7")
    assert waiting["first_at"] == "2026-11-24T12:41:00+00:00"
    all_codes = world.call("GET", "/fault-codes/undescribed?limit=1", token=admin(world)).json
    assert [item["code"] for item in all_codes["items"]] == ["bit15"]
    second = world.call("GET", f"/fault-codes/undescribed?cursor={all_codes['next']}", token=admin(world)).json
    assert [item["code"] for item in second["items"]] == ["stop_a7"]
    assert world.call("POST", "/fault-codes", NEW, token=admin(world)).json["described"] == 2
    assert world.call("GET", "/fault-codes/undescribed").json["items"] == []
    assert {item["zh"] for item in world.call("GET", "/alarms").json["items"]} == {"冷却液不足"}


def test_deleting_warns_of_records_which_keep_their_text(world: World) -> None:
    raise_at(world, "s-a1", "u1", 9, known=False, code="stop_a7", pile=world.ours.pile)
    made = world.call("POST", "/fault-codes", NEW, token=admin(world)).json["id"]
    unused = world.call("POST", "/fault-codes", {**NEW, "code": "stop_a8"}, token=admin(world)).json["id"]
    assert world.call("GET", f"/fault-codes/{made}").json["records"] == 1
    both = {"ids": [made, unused]}
    warned = world.call("POST", "/fault-codes/delete", both, token=admin(world))
    assert (warned.status_code, warned.json["code"], warned.json["figures"]) == (
        409,
        "fault_codes_in_use",
        {"records": "1"},
    )
    absent = world.call("POST", "/fault-codes/delete", {"ids": [made, ABSENT_ROW]}, token=admin(world))
    assert absent.status_code == 404
    done = world.call("POST", "/fault-codes/delete", {**both, "used_too": True}, token=admin(world))
    assert done.json == {"deleted": 2, "records": 1}
    assert world.call("GET", f"/fault-codes/{made}").status_code == 404
    detail = world.call("GET", f"/alarms/{number(world, 'u1')}").json
    assert (detail["alarm"]["zh"], detail["dictionary"]) == ("冷却液不足", None)


def test_a_changed_entry_says_so_in_the_audit_and_leaves_records(world: World) -> None:
    raise_at(world, "s-a1", "door", 9)
    door = world.call("GET", "/fault-codes?q=bit13").json["items"][0]["id"]
    path = f"/fault-codes/{door}"
    assert world.call("PATCH", path, {"text_zh": "柜门未关"}).json["code"] == "not_allowed"
    changed = world.call("PATCH", path, {"text_zh": "柜门未关", "action": "lock"}, token=admin(world))
    assert (changed.json["text_zh"], changed.json["action"], changed.json["text_en"]) == (
        "柜门未关",
        "lock",
        "door open",
    )
    detail = world.call("GET", f"/alarms/{number(world, 'door')}").json
    assert (detail["alarm"]["zh"], detail["dictionary"]["zh"]) == ("门打开", "柜门未关")
    with sessions(world.engine)() as session:
        refused, done = session.scalars(select(AuditEntry).where(AuditEntry.action == "fault_code_change"))
    assert (refused.outcome, done.outcome) == ("not_allowed", "done")
    assert '"门打开"' in (done.details_json or "")
