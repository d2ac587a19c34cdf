"""What the database itself refuses, whoever writes to it."""

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tests.databases import PostgresForTests
from tests.webapi.books import BEGIN, Books
from webapi.customers.models import Customer
from webapi.database import open_database
from webapi.ledger.accounts import account_id, available, clearing
from webapi.ledger.models import Account, Entry, Seal, Transaction, TransactionKind, Wallet

HEAD = {
    "key": "by-hand",
    "kind": TransactionKind.RECHARGE,
    "posting_date": BEGIN.date(),
    "note": "",
    "created_at": BEGIN,
    "created_by": "hand",
}


def _by_hand(books: Books, customer: Customer, *amounts: int) -> int:
    """A transaction with one entry each for clearing and available, without the guard of `post`."""
    session = books.session
    head = insert(Transaction).returning(Transaction.id)
    number = session.scalars(head, {**HEAD, "tenant_id": books.tenant_id, "customer_id": customer.id}).one()
    for name, amount in zip((clearing("manual"), available(customer.id)), amounts, strict=False):
        account = account_id(session, books.tenant_id, name)
        session.execute(insert(Entry).values(transaction_id=number, account_id=account, amount_fen=amount))
    return number


@pytest.mark.parametrize("amounts", [(-100, 99), (-100,), ()])
def test_a_transaction_that_does_not_sum_to_zero_gets_no_seal(books: Books, amounts: tuple[int, ...]) -> None:
    number = _by_hand(books, books.customer(), *amounts)
    with pytest.raises(IntegrityError, match="sum to zero"):
        books.session.execute(insert(Seal).values(transaction_id=number))


def test_a_transaction_without_seal_cannot_be_committed(books: Books) -> None:
    _by_hand(books, books.customer(), -100, 100)
    with pytest.raises(IntegrityError):
        books.session.commit()


def test_a_sealed_transaction_takes_no_further_entry(books: Books) -> None:
    customer = books.customer()
    number = _by_hand(books, customer, -100, 100)
    books.session.execute(insert(Seal).values(transaction_id=number))
    account = account_id(books.session, books.tenant_id, clearing("wechat"))
    with pytest.raises(IntegrityError, match="sealed"):
        books.session.execute(insert(Entry).values(transaction_id=number, account_id=account, amount_fen=5))


@pytest.mark.parametrize("table", ["ledger_entry", "ledger_transaction", "ledger_seal", "ledger_account"])
@pytest.mark.parametrize("deed", ["DELETE FROM {table}", "UPDATE {table} SET {column} = {column}"])
def test_nothing_in_the_ledger_is_changed_or_deleted(books: Books, table: str, deed: str) -> None:
    books.customer(recharged_fen=100)
    column = "transaction_id" if table == "ledger_seal" else "id"
    with pytest.raises(IntegrityError, match="append only"):
        books.session.execute(text(deed.format(table=table, column=column)))


@pytest.mark.parametrize("table", ["ledger_entry", "ledger_transaction", "ledger_account", "audit"])
def test_the_ledger_cannot_be_emptied_at_one_stroke(postgres: PostgresForTests, table: str) -> None:
    """SQLite has no TRUNCATE; its DELETE without a condition is refused row by row, which the test above shows."""
    engine = open_database(postgres.fresh())
    with engine.connect() as connection, pytest.raises(IntegrityError, match="append only"):
        connection.execute(text(f"TRUNCATE {table} CASCADE"))
    engine.dispose()


def test_audit_tariff_versions_and_prices_are_never_changed(books: Books) -> None:
    for deed in (
        "UPDATE tariff_version SET slots = slots",
        "UPDATE tariff_price SET energy_price_e5 = 1",
        "DELETE FROM tariff_price",
    ):
        with pytest.raises(IntegrityError, match="append only"), books.session.begin_nested():
            books.session.execute(text(deed))


def test_a_balance_moves_by_an_entry_and_by_nothing_else(books: Books) -> None:
    customer = books.customer(recharged_fen=500)
    books.session.commit()
    for deed in (
        update(Wallet).values(available_fen=Wallet.available_fen + 100),
        update(Wallet).values(available_fen=0, held_fen=500),
    ):
        with pytest.raises(IntegrityError, match="by entries only"):
            books.session.execute(deed)
        books.session.rollback()
    with pytest.raises(IntegrityError):
        books.session.execute(text("DELETE FROM wallet"))
    books.session.rollback()
    assert books.wallet(customer) == (500, 0, 0)


def test_a_wallet_starts_empty(session: Session, books: Books) -> None:
    customer = Customer(tenant_id=books.tenant_id, name="x", opened_at=BEGIN)
    session.add(customer)
    session.flush()
    with pytest.raises(IntegrityError, match="starts empty"):
        session.execute(
            insert(Wallet).values(customer_id=customer.id, available_fen=1, held_fen=0, gift_fen=0, debt_fen=0)
        )


def test_a_balance_cannot_fall_below_zero_by_hand_either(books: Books) -> None:
    customer = books.customer(recharged_fen=50)
    with pytest.raises(IntegrityError):
        _by_hand(books, customer, 51, -51)


def test_an_account_belongs_to_a_customer_or_to_the_platform(books: Books) -> None:
    with pytest.raises(IntegrityError):
        books.session.execute(insert(Account).values(tenant_id=books.tenant_id, code="x", kind="available"))


def test_the_wallet_follows_entries_of_each_of_its_accounts(books: Books) -> None:
    customer = books.customer(recharged_fen=700)
    assert books.wallet(customer) == (700, 0, 0)
    total = books.session.scalar(
        select(Entry.amount_fen).join(Account).where(Account.customer_id == customer.id, Account.kind == "available")
    )
    assert total == 700
