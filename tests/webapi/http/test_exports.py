"""Exports over HTTP: asked for, written beside the API, fetched by their owner alone, given up, forgotten."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from subprocess import Popen
from time import monotonic, sleep
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import select
from sqlalchemy.orm import Session

from evcs.contracts.reasons import Reason
from evcs.contracts.states import OrderState
from tests.webapi.http.test_isolation import without_id
from tests.webapi.http.test_order_list import make_order
from tests.webapi.http.world import NOW, World
from webapi.audit.models import AuditEntry
from webapi.customers.models import Customer
from webapi.database import sessions
from webapi.exports.kinds import KINDS
from webapi.exports.runner import MOST_TRIES, Runner
from webapi.exports.write import KEPT, file_of, write_export
from webapi.http.call import EXTENSION
from webapi.users.models import Role, User

EVIL = '=HYPERLINK("http://x","y")'


@pytest.fixture
def folder(world: World, tmp_path: Path) -> Path:
    """Where the files of this test's exports are."""
    found = tmp_path / "exports"
    world.app.extensions[EXTENSION] = replace(world.app.extensions[EXTENSION], exports=found)
    return found


@pytest.fixture
def busy(world: World) -> World:
    """Five orders of ours, one of them refused, one of a customer with an evil name."""
    ours = world.ours
    with sessions(world.engine).begin() as session:
        session.get_one(Customer, ours.second_customer).name = EVIL
        session.add_all(
            [
                *(make_order(ours, n) for n in (1, 2, 3)),
                make_order(ours, 4, customer_id=ours.second_customer),
                make_order(ours, 5, state=OrderState.REFUSED, refusal_code=Reason.GUN_BUSY.value),
                make_order(ours, 6, station_code=ours.other_station, pile_number=ours.other_pile),
                make_order(world.theirs, 1),
            ]
        )
    return world


def ask(
    world: World, filter: dict[str, str] | None = None, *, status: int = 202, kind: str = "orders", **how: Any
) -> Any:
    answer = world.call("POST", "/exports", {"kind": kind, "filter": filter or {}}, **how)
    assert answer.status_code == status, answer.json
    return answer.json


def written(world: World, folder: Path, filter: dict[str, str] | None = None, **how: Any) -> Any:
    """The sheet of an export, read as Excel would."""
    export = ask(world, filter, **how)
    write_export(world.engine, world.clock, folder, export["id"])
    for name in ("headers", "kind"):
        how.pop(name, None)
    state = world.call("GET", f"/exports/{export['id']}", **how).json
    assert (state["state"], state["rows_done"]) == ("done", state["rows_total"])
    answer = world.call("GET", f"/exports/{export['id']}/file", **how)
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    assert len(answer.data) == state["file_bytes"]
    return load_workbook(BytesIO(answer.data)).worksheets[0]


def test_the_file_has_the_rows_and_totals_of_the_list_in_typed_cells(busy: World, folder: Path) -> None:
    query = {"station": "s-a1", "tab": "all"}
    sheet = written(busy, folder, query)
    items = busy.call("GET", "/orders?limit=100&station=s-a1&tab=all").json["items"]
    totals = busy.call("GET", "/orders/totals?station=s-a1").json
    head, *rows, last = list(sheet.iter_rows())
    place = {cell.value: n for n, cell in enumerate(head)}
    assert [row[0].value for row in rows] == [item["serial"] for item in items]
    for row, item in zip(rows, items, strict=True):
        paid = row[place["实付"]]
        assert (paid.data_type, Decimal(str(paid.value)) * 100) == ("n", item["total_fen"])
        assert paid.number_format == '#,##0.00"元"'
        placed = row[place["下单时间"]]
        assert isinstance(placed.value, datetime)
        assert placed.value - timedelta(hours=8) == datetime.fromisoformat(item["requested_at"]).replace(tzinfo=None)
    first = rows[0]
    assert Decimal(str(first[place["电量（kWh）"]].value)) == Decimal(items[0]["energy_kwh"])
    assert first[place["营业日"]].value.isoformat() == "2026-11-24T00:00:00"
    assert last[0].value == "合计"
    assert Decimal(str(last[place["电量（kWh）"]].value)) == Decimal(totals["energy_kwh"])
    for title, name in (
        ("电费", "electricity_fen"),
        ("服务费", "service_fen"),
        ("占位费", "occupancy_fen"),
        ("优惠", "discount_fen"),
        ("实付", "total_fen"),
    ):
        assert Decimal(str(last[place[title]].value)) * 100 == totals[name]
    evil = rows[3][place["用户"]]
    assert (evil.value, evil.data_type, evil.quotePrefix) == (EVIL, "s", True)
    assert not rows[0][place["用户"]].quotePrefix
    assert "正在充电" in rows[4][place["未能充电或异常的原因"]].value


def test_transaction_records_are_exported_with_what_came_and_went(busy: World, folder: Path) -> None:
    busy.recharge(busy.ours.customer, 5_000)
    busy.recharge(busy.ours.customer, 1_500)
    busy.recharge(busy.theirs.customer, 700)
    busy.order(busy.ours)  # a hold moves nothing that leaves the customer
    sheet = written(busy, folder, {"kind": "recharge"}, kind="transactions")
    head, *rows, last = list(sheet.iter_rows(values_only=True))
    came, went = head.index("收入"), head.index("支出")
    assert [(row[head.index("类型")], row[came], row[went]) for row in rows] == [("充值", 15, 0), ("充值", 50, 0)]
    assert (last[came], last[went]) == (65, 0)
    everything = list(written(busy, folder, kind="transactions").iter_rows(values_only=True))
    assert len(everything) == 4
    refused = busy.call("POST", "/exports", {"kind": "transactions"}, token=busy.ours.tokens[Role.VIEWER])
    assert (refused.status_code, refused.json["code"]) == (403, "not_allowed")


def test_language_masks_and_scope_are_those_of_who_asked(busy: World, folder: Path) -> None:
    sheet = written(busy, folder, token=busy.ours.limited_token, headers={"Accept-Language": "en"})
    head, *rows, last = list(sheet.iter_rows(values_only=True))
    assert (head[0], last[0]) == ("Order", "Total")
    assert len(rows) == 5
    assert {row[head.index("Phone")] for row in rows} == {"138****0001", "138****0002"}
    assert "in use" in rows[4][head.index("Refusal, failure or trouble")]


def test_an_export_is_its_owners_alone(busy: World, folder: Path) -> None:
    export = ask(busy)
    write_export(busy.engine, busy.clock, folder, export["id"])
    for token in (busy.theirs.tokens[Role.TENANT_ADMIN], busy.ours.tokens[Role.OPERATOR], busy.ours.driver_token):
        for method, path in (("GET", ""), ("GET", "/file"), ("POST", "/cancel")):
            found = busy.call(method, f"/exports/{export['id']}{path}", token=token)
            nothing = busy.call(method, f"/exports/{'0' * 32}{path}", token=token)
            assert found.status_code == 404
            assert without_id(found) == without_id(nothing)
        assert busy.call("GET", "/exports", token=token).json == {"items": []}
    assert [one["id"] for one in busy.call("GET", "/exports").json["items"]] == [export["id"]]
    with Session(busy.engine) as session:
        assert session.scalar(select(AuditEntry.object_id).where(AuditEntry.action == "export_create")) == export["id"]


def test_who_lost_the_right_meanwhile_gets_no_file(busy: World, folder: Path) -> None:
    export = ask(busy, token=busy.ours.tokens[Role.VIEWER])
    with sessions(busy.engine).begin() as session:
        session.get_one(User, busy.ours.users[Role.VIEWER]).disabled_at = NOW
    write_export(busy.engine, busy.clock, folder, export["id"])
    assert list(folder.iterdir()) == []


def test_an_export_may_be_given_up_at_any_time(busy: World, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = ask(busy)
    assert busy.call("GET", f"/exports/{waiting['id']}/file").json["code"] == "export_not_ready"
    assert busy.call("POST", f"/exports/{waiting['id']}/cancel").json["state"] == "cancelled"
    write_export(busy.engine, busy.clock, folder, waiting["id"])
    assert not folder.exists()

    running = ask(busy)
    kind = KINDS["orders"]

    def rows(*given: Any) -> Iterator[Sequence[Any]]:
        for batch in kind.rows(*given):
            assert busy.call("GET", f"/exports/{running['id']}").json["state"] == "running"
            assert busy.call("POST", f"/exports/{running['id']}/cancel").status_code == 200
            yield batch

    monkeypatch.setitem(KINDS, "orders", replace(kind, rows=rows))
    write_export(busy.engine, busy.clock, folder, running["id"])
    assert busy.call("GET", f"/exports/{running['id']}").json["state"] == "cancelled"
    assert list(folder.iterdir()) == []


def test_files_are_forgotten_after_their_time(busy: World, folder: Path) -> None:
    export = ask(busy)
    write_export(busy.engine, busy.clock, folder, export["id"])
    runner = Runner(busy.engine, busy.clock, folder)
    busy.clock.advance(KEPT.total_seconds() - 60)
    runner.clean()
    assert file_of(folder, export["id"]).exists()
    busy.clock.advance(120)
    runner.clean()
    assert list(folder.iterdir()) == []
    assert busy.call("GET", f"/exports/{export['id']}").json["state"] == "expired"
    assert busy.call("GET", f"/exports/{export['id']}/file").status_code == 409


def test_what_cannot_be_exported_is_refused(busy: World) -> None:
    assert ask(busy, {"tab": "x"}, status=422)["errors"][0]["field"] == "filter.tab"
    assert ask(busy, {"nothing": "x"}, status=422)["errors"][0]["field"] == "filter.nothing"
    assert busy.call("POST", "/exports", {"kind": "x"}).status_code == 422
    for _ in range(5):
        ask(busy)
    assert ask(busy, status=409)["code"] == "exports_waiting"
    ask(busy, token=busy.ours.tokens[Role.VIEWER])


def until(world: World, export_id: str, state: str) -> Any:
    """Look at an export until it is there."""
    began = monotonic()
    while True:
        found = world.call("GET", f"/exports/{export_id}").json
        if found["state"] == state:
            return found
        assert monotonic() - began < 60, found
        sleep(0.1)


def test_a_process_of_its_own_writes_it(
    busy: World, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EVCS_DATABASE_URL", busy.engine.url.render_as_string(hide_password=False))
    monkeypatch.setenv("EVCS_VAR", str(tmp_path))
    monkeypatch.setenv("EVCS_STORE_URL", f"sqlite:///{tmp_path / 'telemetry.db'}")
    runner = Runner(busy.engine, busy.clock, folder, look_every_s=0.05)
    runner.start()
    try:
        found = until(busy, ask(busy)["id"], "done")
    finally:
        runner.stop()
    assert found["rows_done"] == 6
    assert file_of(folder, found["id"]).stat().st_size == found["file_bytes"]


def test_one_whose_process_dies_is_begun_anew_and_then_given_up(busy: World, folder: Path) -> None:
    export = ask(busy)
    begun: list[str] = []

    def dies(export_id: str) -> "Popen[bytes]":
        begun.append(export_id)
        return Popen(["false"])

    runner = Runner(busy.engine, busy.clock, folder, dies, look_every_s=0.05)
    runner.start()
    try:
        found = until(busy, export["id"], "failed")
    finally:
        runner.stop()
    assert found["why"] == "gave_up"
    assert begun == [export["id"]] * MOST_TRIES
