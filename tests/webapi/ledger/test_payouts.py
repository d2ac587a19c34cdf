"""A channel's payout empties its clearing account, once."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from tests.webapi.books import BEGIN, Books
from webapi.ledger.errors import KeyTaken
from webapi.ledger.invariants import check
from webapi.ledger.models import Account, Entry
from webapi.ledger.payouts import Payout, post_payout


def _balance(books: Books, code: str) -> int:
    query = select(func.coalesce(func.sum(Entry.amount_fen), 0)).join(Account).where(Account.code == code)
    return int(books.session.scalars(query).one())


def test_the_same_payout_is_posted_once(books: Books) -> None:
    books.customer(recharged_fen=10_000)
    assert _balance(books, "channel:manual:clearing") == -10_000
    payout = Payout(books.tenant_id, "manual", "P1", 10_000, 60)
    first = post_payout(books.session, payout, at=BEGIN, by="user:1")
    again = post_payout(books.session, payout, at=BEGIN, by="user:2")
    assert (first.is_new, again.is_new, again.transaction_id) == (True, False, first.transaction_id)
    assert [_balance(books, code) for code in ("channel:manual:clearing", "bank", "channel_fee")] == [0, -9_940, -60]
    assert check(books.session) == []
    with pytest.raises(KeyTaken):
        post_payout(books.session, replace(payout, fee_fen=61), at=BEGIN, by="user:1")


@pytest.mark.parametrize("amounts", [(0, 0), (-5, 0), (100, -1), (100, 101)])
def test_impossible_amounts_are_refused(books: Books, amounts: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="fee"):
        post_payout(books.session, Payout(books.tenant_id, "manual", "P2", *amounts), at=BEGIN, by="user:1")
