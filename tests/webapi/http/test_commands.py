"""Telling piles something over HTTP: audited and answered once, refusals with what to do, no password kept."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text

from evcs.contracts import topics
from evcs.contracts.gun import BatteryLimits, GroundLock, GunEvent, GunEventKind, Vehicle
from evcs.contracts.pile import (
    CardResult,
    FrameField,
    Outcome,
    PileCommand,
    PileEvent,
    PileEventKind,
    PileFrame,
    PileReply,
)
from evcs.contracts.reasons import Reason
from evcs.contracts.states import GunState
from evcs.contracts.topics import Address
from tests.webapi.http.world import NOW, World
from tests.webapi.said import receipt
from webapi.audit.models import AuditEntry
from webapi.cards.models import Card, CardState
from webapi.database import sessions
from webapi.http.models import IdempotencyKey
from webapi.piles.command_models import PileCommandRow
from webapi.piles.events import pile_event, pile_frame, pile_reply
from webapi.users.models import Role
from webapi.worker.handlers import gun_event
from webapi.worker.models import OutboxRow

PASSWORD = "hush-hush-4711"
UPDATE = {"server": "10.0.0.8", "user": "ota", "password": PASSWORD, "path": "/dc.bin"}
CARD = {"uid": "00000000D14B0A54", "printed_no": "1000000573"}

CALLS: list[tuple[str, Any, str, dict[str, Any]]] = [
    ("/commands/restart", {}, "restart", {"when": "when_idle"}),
    ("/commands/restart", {"when": "at_once"}, "restart", {"when": "at_once"}),
    ("/commands/update", UPDATE, "update", {"when": "when_idle"}),
    (
        "/commands/qr-prefix",
        {"prefix": "https://ev/q/"},
        "qr_prefix",
        {"qr": {"prefix": "https://ev/q/", "kind": "gun"}},
    ),
    ("/commands/cards-store", {"cards": [CARD]}, "cards_store", {}),
    ("/commands/cards-clear", {"cards": [CARD]}, "cards_clear", {}),
    ("/commands/cards-query", {"cards": [{"uid": "d14b0a54"}]}, "cards_query", {}),
    ("/commands/poll", None, "poll", {}),
    ("/guns/2/commands/poll", None, "poll", {}),
    ("/guns/1/commands/ground-lock", {"action": "raise"}, "ground_lock", {"lock": "raise"}),
    ("/commands/clock", None, "clock", {}),
    ("/commands/tariff-push", None, "tariff_push", {"tariff_version": "v-a"}),
    ("/commands/trace", {"on": True, "minutes": 5}, "trace", {"trace_until": "2026-11-24T12:55:00+00:00"}),
    ("/commands/trace", {"on": False}, "trace", {"trace_until": None}),
]
IDS = [f"{path}-{n}" for n, (path, *_) in enumerate(CALLS)]


@pytest.fixture
def online(world: World) -> World:
    """Our pile and theirs are logged in."""
    for operator in (world.ours, world.theirs):
        world.level(operator.pile, 1, GunState.PLUGGED)
    return world


def at_pile(world: World, path: str) -> str:
    return f"/piles/{world.ours.pile}{path}"


def told(world: World) -> list[PileCommand]:
    with sessions(world.engine)() as session:
        rows = session.scalars(select(OutboxRow).where(OutboxRow.topic.endswith("/command")).order_by(OutboxRow.id))
        return [topics.PILE_COMMAND.decode(row.payload) for row in rows]


def say(world: World, handle: Any, payload: Any, gun: int = 0) -> None:
    with sessions(world.engine)() as session:
        handle(session, Address(station=world.ours.station, pile=world.ours.pile, gun=gun), payload, NOW)
        session.commit()


@pytest.mark.parametrize(("path", "body", "kind", "params"), CALLS, ids=IDS)
def test_every_command_goes_out_once_and_is_audited(
    online: World, path: str, body: Any, kind: str, params: dict[str, Any]
) -> None:
    answer = online.call("POST", at_pile(online, path), body, key="k")
    assert answer.status_code == 202, answer.json
    shown = answer.json
    assert (shown["kind"], shown["state"], shown["pile"]) == (kind, "waiting", online.ours.pile)
    assert {name: shown["params"][name] for name in params} == params
    assert shown["sentence"]["zh"]
    assert answer.headers["Location"] == f"/api/v1/commands/{shown['id']}"
    again = online.call("POST", at_pile(online, path), body, key="k")
    assert again.data == answer.data
    assert again.headers["Idempotency-Replayed"] == "true"
    (message,) = told(online)
    assert (message.id, message.kind, message.bridge, message.link) == (shown["id"], kind, "b1", "l1")
    with sessions(online.engine)() as session:
        (entry,) = session.scalars(select(AuditEntry).where(AuditEntry.action == f"pile_{kind}")).all()
    assert (entry.actor, entry.outcome) == (f"user:{online.ours.users[Role.TENANT_ADMIN]}", "done")
    assert (entry.address, entry.at, entry.object_id) == ("127.0.0.1", NOW, online.ours.pile)
    assert shown["id"] in (entry.details_json or "")
    assert online.call("GET", f"/commands/{shown['id']}").json == shown
    assert online.call("GET", at_pile(online, "/commands")).json == {"items": [shown], "next": None}


@pytest.mark.parametrize(("path", "body", "kind", "params"), CALLS, ids=IDS)
def test_a_pile_that_is_away_is_refused_with_the_reason_and_audited(
    world: World, path: str, body: Any, kind: str, params: dict[str, Any]
) -> None:
    answer = world.call("POST", at_pile(world, path), body)
    assert (answer.status_code, answer.json["code"]) == (409, "pile_offline")
    assert told(world) == []
    assert world.call("GET", at_pile(world, "/commands")).json["items"] == []
    with sessions(world.engine)() as session:
        assert session.scalars(select(AuditEntry.outcome).where(AuditEntry.action == f"pile_{kind}")).all() == [
            "pile_offline"
        ]


@pytest.mark.parametrize(("path", "body", "kind", "params"), CALLS, ids=IDS)
@pytest.mark.parametrize("role", list(Role))
def test_only_who_operates_piles_may(
    still: World, role: Role, path: str, body: Any, kind: str, params: dict[str, Any]
) -> None:
    may = role in (Role.PLATFORM_ADMIN, Role.TENANT_ADMIN, Role.OPERATOR)
    answer = still.call("POST", at_pile(still, path), body, token=still.ours.tokens[role])
    assert answer.json["code"] == ("pile_offline" if may else "not_allowed")
    assert still.call("POST", at_pile(still, path), body, token=still.ours.driver_token).json["code"] == "not_allowed"


def _stored(world: World) -> str:
    """Every row of every table that may keep something of a request, as text."""
    with sessions(world.engine)() as session:
        tables = ("pile_command", "audit", "idempotency_key", "handled_event")
        return "".join(str(row) for table in tables for row in session.execute(text(f"SELECT * FROM {table}")))


def test_the_ftp_password_reaches_the_pile_and_nothing_else(online: World) -> None:
    answer = online.call("POST", at_pile(online, "/commands/update"), UPDATE)
    (message,) = told(online)
    assert message.update is not None
    assert message.update.password == PASSWORD
    assert PASSWORD not in answer.get_data(as_text=True)
    assert PASSWORD not in _stored(online)
    assert "password" not in answer.json["params"]["update"]
    with sessions(online.engine)() as session:
        (row,) = session.scalars(select(OutboxRow).where(OutboxRow.topic.endswith("/command"))).all()
        assert row.is_secret
    refused = online.call("POST", f"/piles/{online.ours.other_pile}/commands/update", UPDATE)
    assert refused.status_code == 409
    assert PASSWORD not in _stored(online)


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/commands/restart", {"when": "soon"}, "when"),
        ("/commands/restart", {"force": True}, "force"),
        ("/commands/update", {**UPDATE, "server": "update.example.com"}, "server"),
        ("/commands/update", {**UPDATE, "server": ""}, "server"),
        ("/commands/update", {**UPDATE, "path": "/固件.bin"}, "path"),
        ("/commands/update", {**UPDATE, "user": "a b"}, "user"),
        ("/commands/update", {**UPDATE, "password": "x" * 17}, "password"),
        ("/commands/update", {**UPDATE, "port": 65536}, "port"),
        ("/commands/update", {**UPDATE, "timeout_min": 0}, "timeout_min"),
        ("/commands/update", {"server": "10.0.0.8"}, "path"),
        ("/commands/qr-prefix", {"prefix": "x" * 181}, "prefix"),
        ("/commands/qr-prefix", {"prefix": "https://ev/q\n"}, "prefix"),
        ("/commands/qr-prefix", {"prefix": "https://ev/q", "kind": "car"}, "kind"),
        ("/commands/cards-store", {}, ""),
        ("/commands/cards-store", {"cards": []}, ""),
        ("/commands/cards-store", {"cards": [CARD, CARD]}, ""),
        ("/commands/cards-store", {"cards": [{"uid": "D14B0A5"}]}, "cards.0.uid"),
        ("/commands/cards-store", {"cards": [{"uid": "D14B0A54\n"}]}, "cards.0.uid"),
        ("/commands/cards-store", {"cards": [{**CARD, "printed_no": "1" * 17}]}, "cards.0.printed_no"),
        ("/commands/cards-store", {"cards": [{**CARD, "owner": "x"}]}, "cards.0.owner"),
        ("/commands/cards-store", {"cards": [{"uid": f"{n:016X}"} for n in range(501)]}, "cards"),
        ("/commands/cards-clear", {"card_ids": [0]}, "card_ids.0"),
        ("/guns/1/commands/ground-lock", {}, "action"),
        ("/guns/1/commands/ground-lock", {"action": "up"}, "action"),
        ("/commands/trace", {"on": "yes"}, "on"),
        ("/commands/trace", {"on": True, "minutes": 61}, "minutes"),
    ],
)
def test_a_value_that_the_protocol_cannot_carry_is_named_in_both_languages(
    still: World, path: str, body: Any, field: str
) -> None:
    zh = still.call("POST", at_pile(still, path), body)
    en = still.call("POST", at_pile(still, path), body, headers={"Accept-Language": "en"})
    assert (zh.status_code, en.status_code) == (422, 422), zh.json
    assert field in [error["field"] for error in zh.json["errors"]]
    assert zh.json["errors"] != en.json["errors"]


@pytest.mark.parametrize("path", ["/commands/poll", "/commands/clock", "/commands/tariff-push"])
def test_a_command_without_values_takes_no_body(still: World, path: str) -> None:
    assert still.call("POST", at_pile(still, path), {"x": 1}).status_code == 422
    assert still.call("POST", at_pile(still, path), {}).status_code == 409


def test_a_gun_that_is_not_there(still: World) -> None:
    for path in ("/guns/3/commands/poll", "/guns/99999999999/commands/poll"):
        assert still.call("POST", at_pile(still, path)).status_code == 404
    lock = still.call("POST", at_pile(still, "/guns/3/commands/ground-lock"), {"action": "raise"})
    assert lock.status_code == 404


def test_the_reply_shows_with_its_cards_masked_for_who_does_not_need_them(online: World) -> None:
    body = {"cards": [CARD, {"uid": "00000000D14B0A55"}]}
    command = online.call("POST", at_pile(online, "/commands/cards-store"), body).json["id"]
    said = PileReply(
        id=command,
        receipt=receipt(),
        outcome=Outcome.REFUSED,
        received_at=NOW + timedelta(seconds=3),
        pile_code=2,
        pile_text_zh="存储已满",
        pile_text_en="no space",
        cards=(CardResult(uid=CARD["uid"], ok=True), CardResult(uid="00000000D14B0A55", ok=False, pile_code=2)),
    )
    say(online, pile_reply, said)
    shown = online.call("GET", f"/commands/{command}").json
    assert (shown["state"], shown["reason"], shown["pile_code"]) == ("refused", "pile_refused", 2)
    assert "存储已满" in shown["sentence"]["zh"]
    assert shown["pile_text"] == {"zh": "存储已满", "en": "no space"}
    assert [(card["uid"], card["ok"], card["pile_code"]) for card in shown["cards"]] == [
        (CARD["uid"], True, 0),
        ("00000000D14B0A55", False, 2),
    ]
    seen = online.call("GET", f"/commands/{command}", token=online.ours.tokens[Role.VIEWER]).json["cards"][0]
    assert (seen["uid"], seen["printed_no"]) == ("************0A54", "******0573")


def test_commands_are_paged_newest_first_and_filtered(online: World) -> None:
    wanted = []
    for n in range(5):
        online.clock.set(NOW + timedelta(seconds=n))
        path = "/commands/poll" if n % 2 else "/commands/clock"
        wanted.append(online.call("POST", at_pile(online, path)).json["id"])
    wanted.reverse()
    seen, cursor = [], ""
    while True:
        page = online.call("GET", at_pile(online, f"/commands?limit=2{cursor}")).json
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == wanted
    polls = online.call("GET", at_pile(online, "/commands?kind=poll,restart")).json["items"]
    assert [item["id"] for item in polls] == [wanted[1], wanted[3]]
    assert online.call("GET", at_pile(online, "/commands?state=accepted,refused")).json["items"] == []
    assert len(online.call("GET", at_pile(online, "/commands?state=waiting&kind=clock")).json["items"]) == 3
    assert online.call("GET", at_pile(online, "/commands?kind=dance")).status_code == 422


def _card(world: World, operator: Any, uid: str, **more: Any) -> int:
    with sessions(world.engine)() as session:
        card = Card(
            tenant_id=operator.tenant,
            customer_id=operator.customer,
            uid=uid,
            printed_no="1000000573",
            state=more.pop("state", CardState.BOUND),
            state_since=NOW,
            offline_allowed=more.pop("offline_allowed", True),
            bound_at=NOW,
        )
        session.add(card)
        session.commit()
        return card.id


def test_bound_cards_are_named_by_their_id(online: World) -> None:
    good = _card(online, online.ours, "00000000000000A1")
    barred = _card(online, online.ours, "00000000000000A2", state=CardState.BLOCKED)
    inside = _card(online, online.ours, "00000000000000A3", offline_allowed=False)
    theirs = _card(online, online.theirs, "00000000000000A4")
    store, clear = at_pile(online, "/commands/cards-store"), at_pile(online, "/commands/cards-clear")
    answer = online.call("POST", store, {"card_ids": [good], "cards": [CARD]})
    assert [card["uid"] for card in answer.json["cards"]] == [CARD["uid"], "00000000000000A1"]
    assert [(card.uid, card.printed_no) for card in told(online)[0].cards][1] == ("00000000000000A1", "1000000573")
    for card in (barred, inside):
        refused = online.call("POST", store, {"card_ids": [card]})
        assert (refused.status_code, refused.json["errors"][0]["field"]) == (422, "card_ids")
        assert online.call("POST", clear, {"card_ids": [card]}).status_code == 202
    for path in (store, clear):
        seen, nothing = (online.call("POST", path, {"card_ids": [card]}).json for card in (theirs, 999_999))
        assert (seen["status"], seen["errors"]) == (nothing["status"], nothing["errors"])
        assert seen["status"] == 404


def test_a_right_key_for_another_body_is_refused(online: World) -> None:
    path = at_pile(online, "/guns/1/commands/ground-lock")
    assert online.call("POST", path, {"action": "raise"}, key="k").status_code == 202
    other = online.call("POST", path, {"action": "lower"}, key="k")
    assert (other.status_code, other.json["code"]) == (422, "idempotency_key_reused")
    with sessions(online.engine)() as session:
        assert session.scalar(select(func.count()).select_from(PileCommandRow)) == 1
        assert session.scalar(select(func.count()).select_from(IdempotencyKey)) == 1


def test_what_happened_at_a_pile_is_listed_newest_first(world: World) -> None:
    for n, kind in enumerate(
        (PileEventKind.CONNECTION_REPLACED, PileEventKind.CLOCK_WRONG, PileEventKind.LOGIN_REFUSED)
    ):
        reason = Reason.NETWORK_NOT_ALLOWED if kind is PileEventKind.LOGIN_REFUSED else None
        event = PileEvent(id=f"e{n}", receipt=receipt(n), kind=kind, received_at=NOW, reason=reason)
        say(world, pile_event, event)
    first = world.call("GET", at_pile(world, "/events?limit=2")).json
    assert [item["kind"] for item in first["items"]] == ["login_refused", "clock_wrong"]
    assert first["items"][0]["sentence"]["zh"]
    assert first["items"][1]["sentence"] is None
    rest = world.call("GET", at_pile(world, f"/events?cursor={first['next']}")).json
    assert [(item["kind"], item["times"]) for item in rest["items"]] == [("connection_replaced", 1)]
    assert rest["next"] is None


def test_frames_of_a_traced_pile_are_for_who_operates_piles(world: World) -> None:
    frame = PileFrame(
        pile=world.ours.pile,
        received_at=NOW,
        from_pile=True,
        frame_type="0x13",
        title_zh="上传实时监测数据",
        fields=(FrameField(name="voltage", zh="电压", value="380.0 V"),),
        frame_hex="68",
    )
    say(world, pile_frame, frame)
    (shown,) = world.call("GET", at_pile(world, "/frames")).json["items"]
    assert (shown["frame_type"], shown["frame_hex"], shown["from_pile"]) == ("0x13", "68", True)
    assert shown["fields"] == [{"name": "voltage", "zh": "电压", "value": "380.0 V"}]
    viewer = world.call("GET", at_pile(world, "/frames"), token=world.ours.tokens[Role.VIEWER])
    assert viewer.status_code == 403


def test_a_guns_bay_shows_in_its_detail(world: World) -> None:
    path = at_pile(world, "/guns/1")
    empty = world.call("GET", path).json
    assert (empty["ground_lock"], empty["vehicle"]) == (None, None)
    for n, (kind, more) in enumerate(
        (
            (GunEventKind.GROUND_LOCK, {"ground_lock": GroundLock(state="raised", is_occupied=False, battery_pct=87)}),
            (GunEventKind.BMS_HANDSHAKE, {"vehicle": Vehicle(vin="LSVAA49J132047371", battery_type="LFP")}),
            (GunEventKind.BMS_LIMITS, {"limits": BatteryLimits(max_power_kw=90.0, soc_pct=31.0)}),
        )
    ):
        event: Any = GunEvent(id=f"e{n}", receipt=receipt(n), kind=kind, received_at=NOW, serial="1" * 32, **more)  # type: ignore[arg-type]
        say(world, gun_event, event, 1)
    shown = world.call("GET", path).json
    assert (shown["ground_lock"]["state"], shown["ground_lock"]["battery_pct"]) == ("raised", 87)
    assert shown["ground_lock"]["is_occupied"] is False
    assert (shown["vehicle"]["vin"], shown["vehicle"]["max_power_kw"]) == ("LSVAA49J132047371", 90.0)
    viewer = world.call("GET", path, token=world.ours.tokens[Role.VIEWER]).json
    assert viewer["vehicle"]["vin"] == "*************7371"
    assert world.call("GET", at_pile(world, "/guns/2")).json["ground_lock"] is None
