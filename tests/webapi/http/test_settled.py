"""A settled order over HTTP: bill by band, record, refusal, and the statement that leads to the wallet."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from evcs.contracts.gun import Figures, Verdict, VerdictKind
from evcs.contracts.reasons import Reason
from evcs.contracts.states import OrderState
from evcs.runtime.clock import ManualClock
from evcs.store.open import open_store
from tests.webapi.books import BEGIN, Books, changed, record
from webapi.app import create_app
from webapi.database import sessions
from webapi.http.call import Adapters
from webapi.ledger.models import Wallet
from webapi.orders.models import Order
from webapi.orders.refusal_view import refusal_of
from webapi.orders.settle import settle_record
from webapi.users.api_keys import issue_token
from webapi.users.models import Role, User

END = BEGIN + timedelta(minutes=141)


@pytest.fixture
def ask(engine: Engine, session: Session, books: Books, tmp_path: Path) -> Any:
    """GET as the tenant's administrator."""
    user = User(
        tenant_id=books.tenant_id, username="u", name="", password_hash="x", role=Role.TENANT_ADMIN, created_at=BEGIN
    )
    user.all_stations = True
    session.add(user)
    session.flush()
    token = issue_token(session, user_id=user.id, at=BEGIN).token
    session.commit()
    adapters = Adapters(engine, sessions(engine), open_store(f"sqlite:///{tmp_path / 't.db'}"), ManualClock(END))
    client = create_app(adapters).test_client()

    def get(path: str) -> Any:
        answer = client.get(f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200, answer.json
        return answer.json

    return get


def test_bill_lines_add_up_and_the_statement_leads_to_the_wallet(ask: Any, session: Session, books: Books) -> None:
    customer = books.customer(recharged_fen=10_000)
    order = books.order(customer, hold_fen=8_000)
    settle_record(session, record(order.serial), at=END)
    settle_record(session, record(order.serial, n=2), at=END)
    session.commit()

    detail = ask(f"/orders/{order.serial}")
    assert detail["total_fen"] == 6567
    [bill] = detail["bills"]
    assert [line["band"] for line in bill["lines"]] == ["peak", "flat", "valley"]
    for part in ("electricity_fen", "service_fen"):
        assert sum(line[part] for line in bill["lines"]) == bill[part] == detail[part]
    assert bill["electricity_fen"] + bill["service_fen"] == bill["total_fen"] == 6567
    [kept] = detail["records"]
    assert (kept["verdict"], kept["repeats"], kept["pile_amount_e4"]) == ("settled", 1, 656736)
    assert (detail["hold"]["state"], detail["hold"]["captured_fen"], detail["hold"]["released_fen"]) == (
        "captured",
        6567,
        1433,
    )

    lines = ask(f"/customers/{customer.id}/statement")["items"]
    assert [(line["kind"], line["change_fen"], line["balance_fen"]) for line in lines] == [
        ("settlement", -6567, 3433),
        ("recharge", 10_000, 10_000),
    ]
    assert lines[0]["serial"] == order.serial
    wallet = session.get_one(Wallet, customer.id, populate_existing=True)
    assert wallet.available_fen == lines[0]["balance_fen"]
    first = ask(f"/customers/{customer.id}/statement?limit=1")
    rest = ask(f"/customers/{customer.id}/statement?limit=1&cursor={first['next']}")
    assert first["items"] + rest["items"] == lines
    assert rest["next"] is None


def test_debt_makes_the_balance_negative(ask: Any, session: Session, books: Books) -> None:
    customer = books.customer(recharged_fen=1_000)
    order = books.order(customer, hold_fen=1_000)
    settle_record(session, record(order.serial), at=END)
    session.commit()
    assert ask(f"/customers/{customer.id}/statement")["items"][0]["balance_fen"] == 1_000 - 6_567
    assert ask(f"/customers/{customer.id}")["wallet"]["debt_fen"] == 5_567


def refused_order(reason: Reason, **columns: Any) -> Order:
    """An order as the gate or the pile left it."""
    return Order(state=OrderState.REFUSED, refusal_code=reason.value, **columns)


def test_refusal_speaks_as_the_gate_spoke() -> None:
    verdict = Verdict(
        id="v",
        kind=VerdictKind.REFUSED,
        reason=Reason.BAND_BLOCKED,
        zh="变压器负荷 81.9% 超过 80%",
        en="Load 81.9% is over 80%",
        decided_at=BEGIN,
    )
    view = refusal_of(refused_order(Reason.BAND_BLOCKED, verdict_json=msgspec.json.encode(verdict).decode()))
    assert view is not None
    assert (view.code, view.zh, view.en) == ("band_blocked", verdict.zh, verdict.en)


def test_refusal_fills_its_sentence_with_figures() -> None:
    figures = msgspec.json.encode(Figures(load_pct=81.9, blocked_pct=80.0)).decode()
    view = refusal_of(refused_order(Reason.BAND_BLOCKED, refusal_figures_json=figures))
    assert view is not None
    assert "81.9%" in view.zh
    assert "80.0%" in view.en
    assert {(figure.name, figure.value) for figure in view.figures} >= {("load_pct", "81.9"), ("blocked_pct", "80.0")}


def test_piles_own_words_are_told() -> None:
    words = '{"pile_code": 5, "zh": "未插枪", "en": "not plugged in"}'
    view = refusal_of(refused_order(Reason.PILE_REFUSED, refusal_figures_json=words))
    assert view is not None
    assert "未插枪" in view.zh
    assert "not plugged in" in view.en


def test_pile_without_words_is_told_by_its_code() -> None:
    view = refusal_of(refused_order(Reason.PILE_REFUSED, stop_code=0x4A))
    assert view is not None
    assert "0x4A" in view.zh


def test_order_that_was_never_refused_has_no_refusal() -> None:
    assert refusal_of(Order(state=OrderState.SETTLED)) is None


def test_an_order_whose_pile_had_a_wrong_clock_is_flagged(ask: Any, session: Session, books: Books) -> None:
    customer = books.customer(recharged_fen=20_000)
    right, wrong = books.order(customer, hold_fen=8_000), books.order(customer, hold_fen=8_000, gun=2)
    settle_record(session, record(right.serial), at=END)
    settle_record(session, changed(record(wrong.serial, gun=2), clock_offset_s=-61.5), at=END)
    session.commit()
    for order, is_wrong, offset in ((right, False, None), (wrong, True, -61.5)):
        detail = ask(f"/orders/{order.serial}")
        [kept] = detail["records"]
        assert (detail["clock_wrong"], kept["clock_wrong"], kept["clock_offset_s"]) == (is_wrong, is_wrong, offset)
