"""Posting: the only writer of ledger transactions and entries, and by them (a trigger) of wallet balances."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from evcs.contracts.times import civil_day
from webapi.database import ROW_LOCK
from webapi.ledger.accounts import AccountName, account_id
from webapi.ledger.errors import InsufficientFunds, KeyTaken
from webapi.ledger.models import AccountKind, Entry, Seal, Transaction, TransactionKind, Wallet


@dataclass(frozen=True, slots=True)
class Move:
    """Money that arrives on (+) or leaves (−) an account, in fen."""

    account: AccountName
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Posting:
    """One movement of money: its key makes it single, its moves sum to zero.

    Every customer account in it belongs to `customer_id`, so that the books of each customer balance by themselves.
    """

    key: str
    kind: TransactionKind
    tenant_id: int
    moves: tuple[Move, ...]
    customer_id: int | None = None
    order_serial: str | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Posted:
    """A posting in the books; `is_new` is false where the same posting stood there already."""

    transaction_id: int
    is_new: bool


def post(session: Session, posting: Posting, *, at: datetime, by: str) -> Posted:
    """Write a posting, once; the caller commits. The same posting again changes nothing and says so.

    Moves of 0 fen are left out. The customer's wallet is locked first, so that no two postings can use the same
    fen. `posting_date` is the Beijing day of `at`. Raises InsufficientFunds when a balance would fall below zero,
    KeyTaken when the key stands for something else, ValueError when the posting is not one.
    """
    moves = tuple(move for move in posting.moves if move.amount_fen)
    _check(posting, moves)
    session.flush()
    wallet = lock_wallet(session, posting.customer_id) if posting.customer_id is not None else None
    known = _same_as_before(session, posting, moves)
    if known is not None:
        return Posted(known, is_new=False)
    if wallet is not None:
        _check_funds(wallet, moves)
    transaction_id = session.scalars(
        insert(Transaction).returning(Transaction.id),
        {
            "tenant_id": posting.tenant_id,
            "key": posting.key,
            "kind": posting.kind,
            "posting_date": civil_day(at),
            "customer_id": posting.customer_id,
            "order_serial": posting.order_serial,
            "note": posting.note,
            "created_at": at,
            "created_by": by,
        },
    ).one()
    for move in moves:
        account = account_id(session, posting.tenant_id, move.account)
        session.execute(
            insert(Entry).values(transaction_id=transaction_id, account_id=account, amount_fen=move.amount_fen)
        )
    session.execute(insert(Seal).values(transaction_id=transaction_id))
    if wallet is not None:
        session.refresh(wallet)
    return Posted(transaction_id, is_new=True)


def lock_wallet(session: Session, customer_id: int) -> Wallet:
    """Lock a customer's wallet until the commit and read its balances as they are now (PostgreSQL; SQLite has one
    writer anyway)."""
    return session.get_one(Wallet, customer_id, with_for_update=ROW_LOCK, populate_existing=True)


def _check(posting: Posting, moves: Sequence[Move]) -> None:
    if not moves or sum(move.amount_fen for move in moves) != 0:
        raise ValueError(f"{posting.key}: moves do not sum to zero: {moves}")
    names = [move.account.code for move in moves]
    if len(set(names)) != len(names):
        raise ValueError(f"{posting.key}: an account occurs twice: {names}")
    strangers = {move.account.customer_id for move in moves} - {None, posting.customer_id}
    if strangers:
        raise ValueError(f"{posting.key}: accounts of other customers: {strangers}")


def _same_as_before(session: Session, posting: Posting, moves: Sequence[Move]) -> int | None:
    known = session.scalars(select(Transaction).where(Transaction.key == posting.key)).one_or_none()
    if known is None:
        return None
    written = {entry.account.code: entry.amount_fen for entry in known.entries}
    if known.kind != posting.kind or written != {move.account.code: move.amount_fen for move in moves}:
        raise KeyTaken(f"{posting.key} stands for another {known.kind}: {written}")
    return known.id


def _check_funds(wallet: Wallet, moves: Sequence[Move]) -> None:
    for move in moves:
        if move.account.kind is AccountKind.AVAILABLE:
            balance = wallet.available_fen
        elif move.account.kind is AccountKind.HELD:
            balance = wallet.held_fen
        elif move.account.kind is AccountKind.GIFT:
            balance = wallet.gift_fen
        elif move.account.kind is AccountKind.DEBT:
            if wallet.debt_fen - move.amount_fen < 0:
                raise InsufficientFunds(move.account.code, wallet.debt_fen, -move.amount_fen)
            continue
        else:
            continue
        if balance + move.amount_fen < 0:
            raise InsufficientFunds(move.account.code, balance, move.amount_fen)
