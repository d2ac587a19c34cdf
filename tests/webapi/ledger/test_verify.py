"""The command that proves the books: right ones pass, a changed row or a missing guard is found and named."""

import pytest
from sqlalchemy import Engine, text

from tests.webapi.books import BEGIN, Books, record
from webapi.database import sessions
from webapi.ledger.__main__ import main, verify
from webapi.orders.settle import settle_record


def _trade(engine: Engine) -> None:
    with sessions(engine)() as session:
        books = Books(session).build()
        customer = books.customer(recharged_fen=20_000)
        settle_record(session, record(books.order(customer, hold_fen=8_000).serial), at=BEGIN)
        session.commit()


def _tamper(engine: Engine, deed: str) -> str:
    """Drop the guard of the entries and do the deed; returns the guard's name."""
    name = "ledger_entry_append_only" if engine.dialect.name == "postgresql" else "ledger_entry_no_update"
    with engine.begin() as connection:
        on = " ON ledger_entry" if engine.dialect.name == "postgresql" else ""
        connection.execute(text(f"DROP TRIGGER {name}{on}"))
        connection.execute(text(deed))
    return name


def test_right_books_are_proved(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    _trade(engine)
    assert verify(engine) == 0
    said = capsys.readouterr().out
    assert "WRONG" not in said
    assert "paid in 20000 + owed 0" in said


def test_a_changed_entry_and_the_missing_guard_are_named(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    _trade(engine)
    guard = _tamper(engine, "UPDATE ledger_entry SET amount_fen = amount_fen + 1 WHERE amount_fen = 20000")
    assert verify(engine) == 1
    said = capsys.readouterr().out
    assert "transaction_sums_to_zero recharge:" in said
    assert "expected 0, found 1" in said
    assert "balance_is_its_entries customer:" in said
    assert f"books_are_append_only trigger:{guard}" in said


def test_the_command_reads_the_database_of_the_settings(
    engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _trade(engine)
    monkeypatch.setenv("EVCS_DATABASE_URL", database_url)
    assert main(["verify"]) == 0
    _tamper(engine, "UPDATE ledger_entry SET amount_fen = amount_fen + 1 WHERE id = 1")
    assert main(["verify"]) == 1
    monkeypatch.setenv("EVCS_DATABASE_URL", "sqlite:///no-such-folder/evcs.db")
    assert main(["verify"]) == 2
