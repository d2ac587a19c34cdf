"""The database itself refuses to refund more than was paid, whoever writes to it, on both databases."""

from threading import Barrier, Thread

import pytest
from alembic import command
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tests.webapi.books import BEGIN, Books
from webapi.customers.models import Customer
from webapi.database import migrations_config, sessions, upgrade
from webapi.recharges.place import RechargeOrder, place_recharge
from webapi.refunds.models import RefundRequest
from webapi.refunds.withdraw import ask_withdrawal

PART = text(
    "INSERT INTO refund_part (request_id, no, recharge_id, channel, amount_fen, gift_back_fen, out_refund_no, state, "
    "queries, settled_at) SELECT request_id, :no, recharge_id, channel, :fen, 0, :number, :state, 0, "
    "CASE WHEN CAST(:state AS VARCHAR(24)) = 'failed' THEN asked_at END "
    "FROM refund_part JOIN refund_request r ON r.id = request_id WHERE refund_part.no = 1"
)


def asked(session: Session, books: Books, amount_fen: int = 6_000) -> RefundRequest:
    """A withdrawal of a recharge of 100 yuan, committed."""
    customer = books.customer(recharged_fen=10_000)
    request = ask_withdrawal(session, customer, amount_fen, "x", at=BEGIN, by="user:1")
    session.commit()
    return request


def insert(session: Session, no: int, fen: int, state: str = "requested") -> None:
    session.execute(PART, {"no": no, "fen": fen, "number": f"r{no}", "state": state})


def test_parts_are_within_their_recharge_to_the_fen(session: Session, books: Books) -> None:
    asked(session, books)
    insert(session, 2, 9_999, "failed")
    insert(session, 3, 4_000)
    with pytest.raises(DBAPIError, match="more than was recharged"):
        insert(session, 4, 1)


def test_two_at_once_are_not_both_within_it(engine: Engine, session: Session, books: Books) -> None:
    asked(session, books)
    both, said = Barrier(2), []

    def add(no: int) -> None:
        both.wait()
        try:
            with sessions(engine).begin() as own:
                insert(own, no, 4_000)
            said.append("in")
        except DBAPIError:
            said.append("refused")

    threads = [Thread(target=add, args=(no,)) for no in (2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["in", "refused"]


CHANGES = (
    "UPDATE refund_part SET amount_fen = amount_fen + 1",
    "UPDATE refund_part SET out_refund_no = 'another'",
    "UPDATE refund_part SET recharge_id = recharge_id + 1",
    "UPDATE refund_request SET amount_fen = 1",
    "UPDATE refund_request SET two_persons = NOT two_persons",
    "UPDATE refund_request SET state = 'approved', decided_by = asked_by",
    "DELETE FROM refund_part",
    "DELETE FROM refund_request",
)


def test_what_was_asked_for_is_never_changed(session: Session, books: Books) -> None:
    asked(session, books)
    for change in CHANGES:
        with pytest.raises(DBAPIError):
            session.execute(text(change))
        session.rollback()


def test_what_succeeded_or_failed_is_final(session: Session, books: Books) -> None:
    asked(session, books)
    session.execute(text("UPDATE refund_part SET state = 'failed', settled_at = '2026-11-24 00:00:00'"))
    with pytest.raises(DBAPIError, match="never changed"):
        session.execute(text("UPDATE refund_part SET state = 'submitted', settled_at = NULL"))


def test_order_refunds_are_within_the_order(session: Session, books: Books) -> None:
    customer = books.customer(recharged_fen=10_000)
    order = books.order(customer)
    order.electricity_fen = order.total_fen = 1_000
    session.commit()
    approved = text(
        "INSERT INTO refund_request (tenant_id, customer_id, kind, order_serial, amount_fen, electricity_fen, "
        "service_fen, reason, two_persons, state, asked_by, asked_at, decided_by) SELECT tenant_id, customer_id, "
        "'order', serial, :fen, :fen, 0, 'x', false, :state, 'user:1', requested_at, :by FROM charging_order"
    )
    session.execute(approved, {"fen": 1_000, "state": "approved", "by": "user:2"})
    session.execute(approved, {"fen": 1, "state": "waiting", "by": None})
    with pytest.raises(DBAPIError, match="more than the order"):
        session.execute(
            text("UPDATE refund_request SET state = 'approved', decided_by = 'user:2' WHERE state = 'waiting'")
        )


def test_the_schema_goes_down_and_up_while_nothing_was_refunded(engine: Engine) -> None:
    with sessions(engine)() as session:
        books = Books(session).build()
        customer = books.customer()
        paid = RechargeOrder(customer.id, 10_000, number="g", reason="x", gift_fen=500)
        place_recharge(session, paid, at=BEGIN, by="user:1")
        session.commit()
    with engine.begin() as connection:
        command.downgrade(migrations_config(connection), "0022")
    upgrade(engine)
    with sessions(engine)() as session:
        assert session.execute(text("SELECT available_fen, gift_fen FROM wallet")).all() == [(10_000, 500)]
        (customer,) = session.scalars(select(Customer))
        ask_withdrawal(session, customer, 6_000, "x", at=BEGIN, by="user:1")
        session.commit()
    with pytest.raises(RuntimeError, match="1 refunds"), engine.begin() as connection:
        command.downgrade(migrations_config(connection), "0022")
