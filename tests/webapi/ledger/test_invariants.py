"""The proof finds what is wrong: each rule is broken once, behind the back of the triggers."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.webapi.books import BEGIN, Books, record
from webapi.ledger.invariants import check
from webapi.orders.settle import settle_record


def _without_triggers(session: Session, deed: str) -> None:
    """Do what only somebody with the database's password could do."""
    session.flush()
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SET session_replication_role = replica"))
        session.execute(text(deed))
        session.execute(text("SET session_replication_role = DEFAULT"))
        return
    triggers = session.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
    for name in triggers:
        session.execute(text(f"DROP TRIGGER {name}"))
    session.execute(text(deed))


BREAKS = {
    "transaction_sums_to_zero": "UPDATE ledger_entry SET amount_fen = amount_fen + 1 WHERE id = 1",
    "transaction_is_sealed": "DELETE FROM ledger_seal WHERE transaction_id = 1",
    "balance_is_its_entries": "UPDATE wallet SET available_fen = available_fen + 1",
    "held_is_open_holds": "UPDATE hold SET placed_fen = placed_fen + 1 WHERE state = 'open'",
    "closed_order_holds_nothing": "UPDATE charging_order SET state = 'cancelled' WHERE state = 'charging'",
    "customer_account_in_own_transaction": "UPDATE ledger_transaction SET customer_id = NULL WHERE id = 1",
    "sources_are_uses": "UPDATE wallet SET available_fen = available_fen + 1",
    "order_total_is_posted": "UPDATE charging_order SET total_fen = 7, electricity_fen = 7 WHERE total_fen = 0",
    "bill_is_its_lines": "UPDATE bill_line SET service_fen = service_fen + 1",
    "bill_energy_is_its_lines": "UPDATE bill_line SET energy_kwh = energy_kwh + 1",
    "rounding_is_zero": "UPDATE ledger_account SET kind = 'rounding' WHERE code = 'revenue:service'",
}


@pytest.mark.parametrize("rule", BREAKS)
def test_the_first_bad_row_is_named(books: Books, rule: str) -> None:
    customer = books.customer(recharged_fen=20_000)
    settle_record(books.session, record(books.order(customer, hold_fen=8_000).serial), at=BEGIN)
    books.order(customer, hold_fen=500)
    assert check(books.session) == []
    _without_triggers(books.session, BREAKS[rule])
    found = check(books.session)
    assert rule in {broken.rule for broken in found}
    assert all(broken.where and broken.expected != broken.found for broken in found)
