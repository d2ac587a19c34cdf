"""More kinds of transactions: the schema goes up and down with money in the books, and keeps its triggers."""

import pytest
from alembic import command
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tests.webapi.books import BEGIN, Books
from webapi.database import migrations_config, sessions, upgrade
from webapi.ledger.accounts import BANK, CHANNEL_FEE, clearing
from webapi.ledger.invariants import check
from webapi.ledger.models import TransactionKind
from webapi.ledger.post import Move, Posting, post

BEFORE = "0021"


def _payout(tenant_id: int) -> Posting:
    moves = (Move(clearing("manual"), 10_000), Move(BANK, -9_940), Move(CHANNEL_FEE, -60))
    return Posting("payout:manual:1", TransactionKind.PAYOUT, tenant_id, moves)


def _down(engine: Engine) -> None:
    with engine.begin() as connection:
        command.downgrade(migrations_config(connection), BEFORE)


def test_up_and_down_with_money_in_the_books(engine: Engine) -> None:
    with sessions(engine)() as session:
        tenant_id = _recharged(session)
    _down(engine)
    with sessions(engine)() as session, pytest.raises(DBAPIError):
        post(session, _payout(tenant_id), at=BEGIN, by="test")
    upgrade(engine)
    with sessions(engine)() as session:
        post(session, _payout(tenant_id), at=BEGIN, by="test")
        session.commit()
        assert check(session) == []
    with engine.connect() as connection, pytest.raises(DBAPIError, match="append only"):
        connection.execute(text("UPDATE ledger_transaction SET note = 'x'"))
    with pytest.raises(RuntimeError, match="1 ledger transactions"):
        _down(engine)


def _recharged(session: Session) -> int:
    books = Books(session).build()
    books.customer(recharged_fen=10_000)
    session.commit()
    return books.tenant_id
