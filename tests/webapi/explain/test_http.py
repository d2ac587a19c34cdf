"""A bill explained over HTTP, its evidence, and what stands beside the curves of a charge."""

import hashlib
import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from evcs.contracts.gun import Goal
from evcs.contracts.measurements import GUN
from evcs.contracts.session import Held
from evcs.contracts.states import CapState, GoalKind, OrderState
from evcs.runtime.clock import ManualClock
from evcs.store.interface import Point, TelemetryStore
from evcs.store.open import open_store
from tests.webapi.books import BEGIN, PILE, STATION, Books, record
from webapi.app import create_app
from webapi.database import sessions
from webapi.http.call import Adapters
from webapi.ledger.holds import lengthen_hold
from webapi.orders.evidence_keep import keep_cap
from webapi.orders.settle import settle_record
from webapi.users.api_keys import issue_token
from webapi.users.models import Role, User

END = BEGIN + timedelta(minutes=141)


@pytest.fixture
def telemetry(tmp_path: Path) -> TelemetryStore:
    store = open_store(f"sqlite:///{tmp_path / 't.db'}")
    store.write([point("9" * 32, 60, voltage_v=1.0)])
    return store


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(END)


@pytest.fixture
def ask(engine: Engine, session: Session, books: Books, telemetry: TelemetryStore, clock: ManualClock) -> Any:
    """GET in a role of the tenant: status and body."""
    tokens = {}
    for role in (Role.TENANT_ADMIN, Role.VIEWER):
        user = User(
            tenant_id=books.tenant_id, username=role.value, name="", password_hash="x", role=role, created_at=BEGIN
        )
        user.all_stations = True
        session.add(user)
        session.flush()
        tokens[role] = issue_token(session, user_id=user.id, at=BEGIN).token
    session.commit()
    client = create_app(Adapters(engine, sessions(engine), telemetry, clock)).test_client()

    def get(path: str, role: Role = Role.TENANT_ADMIN, status: int = 200) -> Any:
        answer = client.get(f"/api/v1{path}", headers={"Authorization": f"Bearer {tokens[role]}"})
        assert answer.status_code == status, answer.json
        return answer.json

    return get


def point(serial: str, seconds: int, **values: float) -> Point:
    given: dict[str, Any] = {"state": "charging", "serial": serial, **values}
    return Point(
        GUN,
        (STATION, PILE, "1"),
        tuple(given.get(name) for name in GUN.field_names),
        BEGIN + timedelta(seconds=seconds),
    )


def test_a_bill_is_explained_and_its_evidence_can_be_checked_elsewhere(
    ask: Any, session: Session, books: Books
) -> None:
    order = books.order(books.customer(recharged_fen=10_000), hold_fen=8_000)
    settle_record(session, record(order.serial), at=END)
    session.commit()
    explained = ask(f"/orders/{order.serial}/explanation", Role.VIEWER)
    assert explained["is_right"] is True
    [bill] = explained["bills"]
    assert (bill["total_fen"], bill["differences"], len(bill["lines"])) == (6567, [], 3)
    assert "应付 65.67 元。" in [one["zh"] for one in bill["sentences"]]
    [kept] = ask(f"/orders/{order.serial}/evidence")["items"]
    assert hashlib.sha256(f"{kept['before_hash']}\n{kept['content']}".encode()).hexdigest() == bill["hash"]
    assert ask(f"/orders/{order.serial}/evidence", Role.VIEWER, 403)["code"] == "not_allowed"
    for what in ("explanation", "evidence", "timeline"):
        assert ask(f"/orders/{'1' * 32}/{what}", status=404)["code"] == "not_found"


def test_the_time_line_has_bands_holds_and_caps(ask: Any, session: Session, books: Books) -> None:
    order = books.order(books.customer(recharged_fen=10_000), hold_fen=5_000)
    lengthen_hold(session, order, 2_000, at=BEGIN + timedelta(minutes=30), by="worker")
    held = Held(
        serial=order.serial,
        goal=Goal(kind=GoalKind.FULL),
        covered_kwh=Decimal(40),
        reserved_kw=0.0,
        cap_kw=40.0,
        bound_by="transformer",
        cap_state=CapState.CONFIRMED,
        admitted_at=BEGIN,
    )
    for version in (1, 2):
        keep_cap(session, order, held, version=version, at=BEGIN + timedelta(minutes=40))
    settle_record(session, record(order.serial), at=END)
    session.commit()
    line = ask(f"/orders/{order.serial}/timeline")
    assert [band["band"] for band in line["bands"]] == ["peak", "flat", "valley"]
    assert (line["bands"][0]["start"], line["bands"][-1]["end"]) == (line["start"], line["end"])
    events = [(one["kind"], one["amount_fen"], one["cap_kw"]) for one in line["events"]]
    assert ("extend_hold", 2_000, None) in events
    assert [one for one in events if one[0] == "cap"] == [("cap", None, 40.0)]
    assert [one for one in events if one[0] == "settlement"] == [("settlement", -7_000, None)]
    assert sorted(one["at"] for one in line["events"]) == [one["at"] for one in line["events"]]


def test_a_charge_that_runs_is_shown_up_to_now(ask: Any, session: Session, books: Books, clock: ManualClock) -> None:
    order = books.order(books.customer(recharged_fen=10_000), hold_fen=5_000)
    session.commit()
    line = ask(f"/orders/{order.serial}/timeline")
    assert (line["is_open"], line["end"]) == (True, END.isoformat())


def test_no_reading_is_said_and_no_line_goes_across_a_gap(
    ask: Any, session: Session, books: Books, telemetry: TelemetryStore
) -> None:
    order = books.order(books.customer(recharged_fen=10_000), hold_fen=8_000)
    settle_record(session, record(order.serial), at=END)
    order.state = OrderState.SETTLED
    session.commit()
    nothing = ask(f"/orders/{order.serial}/curve")
    assert (nothing["has_data"], nothing["points"], len(nothing["gaps"])) == (False, [], 1)
    seconds = [*range(0, 3600, 15), *range(4500, 8400, 15)]
    telemetry.write([point(order.serial, second, voltage_v=400.0) for second in seconds])
    curve = ask(f"/orders/{order.serial}/curve")
    assert curve["has_data"] is True
    assert [(gap["start"], gap["end"]) for gap in curve["gaps"]] == [
        ((BEGIN + timedelta(seconds=3585)).isoformat(), (BEGIN + timedelta(seconds=4500)).isoformat())
    ]


def test_detail_curves_and_time_line_of_ten_hours_are_there_within_a_second(
    ask: Any, session: Session, books: Books, telemetry: TelemetryStore, clock: ManualClock
) -> None:
    order = books.order(books.customer(recharged_fen=10_000), hold_fen=8_000)
    session.commit()
    names = ("voltage_v", "current_a", "power_kw", "energy_kwh", "soc_pct", "cable_temp_c")
    telemetry.write(
        [point(order.serial, second, **dict.fromkeys(names, second / 100)) for second in range(0, 36_000, 15)]
    )
    clock.set(BEGIN + timedelta(hours=10))
    paths = [f"/orders/{order.serial}{what}" for what in ("", "/curve", "/timeline")]
    ask(paths[0])
    began = time.process_time()  # of this process: neighbours on the machine do not count
    detail, curve, line = (ask(path) for path in paths)
    took_s = time.process_time() - began
    assert detail["serial"] == order.serial
    assert len(curve["points"]) <= 2000
    assert curve["gaps"] == []
    assert line["is_open"] is True
    assert took_s < 1.0, f"{took_s:.3f} s"
