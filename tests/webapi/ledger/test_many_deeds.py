"""Thousands of deeds on wallets, a third of them crashed at some statement: the books keep every rule (M1–M4)."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from evcs.contracts.gun import Goal
from evcs.contracts.states import GoalKind
from tests.databases import PostgresForTests
from tests.webapi.books import BEGIN, STATION, Books
from tests.webapi.ledger.deeds import Deed
from tests.webapi.ledger.many import Wrong, main, many, running, unsynced
from webapi.database import open_database, sessions
from webapi.guns.models import Gun
from webapi.ledger.accounts import available, clearing
from webapi.ledger.invariants import check
from webapi.ledger.models import Account, AccountKind, Entry, Transaction, TransactionKind, Wallet
from webapi.ledger.post import Move, Posting, post
from webapi.orders.models import Order
from webapi.orders.place import PlaceOrder, place_order
from webapi.piles.models import Pile

DEEDS = {"sqlite": 1_400, "postgresql": 250}
MOVED = {
    TransactionKind.RECHARGE,
    TransactionKind.HOLD,
    TransactionKind.EXTEND_HOLD,
    TransactionKind.RELEASE,
    TransactionKind.SETTLEMENT,
    TransactionKind.CORRECTION,
    TransactionKind.PAYOUT,
    TransactionKind.GIFT,
    TransactionKind.GIFT_TAKEN_BACK,
    TransactionKind.DECISION,
    TransactionKind.ORDER_REFUND,
    TransactionKind.REFUND_SUBMITTED,
    TransactionKind.REFUND_PAID,
    TransactionKind.REFUND_FAILED,
}
"""What the deeds come to, all but a few of these in a short run."""
STARTS = 200


def test_the_books_stay_right_through_crashes_and_repetitions(engine: Engine) -> None:
    deeds = DEEDS[engine.dialect.name]
    done = many(unsynced(engine), deeds, 20261125, every=deeds // 3)
    assert done["crashed"] > deeds / 8
    assert done["repeated"] > deeds / 20
    assert done["refused"]
    with Session(engine) as session:
        missing = MOVED - set(session.scalars(select(Transaction.kind).distinct()))
        assert len(missing) <= (3 if deeds > 1_000 else 7), missing
        debts = select(func.count(), func.max(Entry.amount_fen)).join(Account).where(Account.kind == AccountKind.DEBT)
        often, paid = session.execute(debts).one()
    assert often > 2
    assert paid > 0, "a recharge paid a debt"


def _recharge(customer: int, number: str, tenant: int) -> Posting:
    moves = (Move(clearing("manual"), -5), Move(available(customer), 5))
    return Posting(f"x:{number}", TransactionKind.RECHARGE, tenant, moves, customer_id=customer)


def test_a_deed_that_commits_half_of_itself_is_noticed(engine: Engine) -> None:
    with running(engine, 1) as run:
        numbers = iter(range(1_000))

        def halves(session: Session) -> None:
            for _ in range(2):
                customer = run.drawing.customers[0]
                post(session, _recharge(customer, str(next(numbers)), run.drawing.tenant), at=BEGIN, by="t")
                session.commit()

        half = Deed("half", run.drawing.customers[0], halves, again=False)
        run.drawing.deed = lambda: half  # type: ignore[method-assign]
        with pytest.raises(Wrong, match="crashed and left something behind"):
            run.steps(100)


def test_a_deed_with_a_second_effect_is_noticed(engine: Engine) -> None:
    with running(engine, 1) as run:
        numbers = iter(range(1_000))
        customer = run.drawing.customers[0]

        def anew(session: Session) -> None:
            post(session, _recharge(customer, str(next(numbers)), run.drawing.tenant), at=BEGIN, by="t")

        run.drawing.deed = lambda: Deed("anew", customer, anew, again=True)  # type: ignore[method-assign]
        with pytest.raises(Wrong, match="second effect"):
            run.steps(100)


def test_the_command_runs_and_says_what_was_done(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--operations", "30", "--seed", "3"]) == 0
    said = capsys.readouterr()
    assert "the books are right" in said.out
    assert "30 of 30 deeds" in said.err


def test_two_hundred_starts_at_once_never_spend_a_fen_twice(postgres: PostgresForTests) -> None:
    engine = open_database(postgres.fresh())
    with sessions(engine).begin() as session:
        books = Books(session).build()
        customer = books.customer(recharged_fen=10_000).id
        piles = _piles(session, STARTS // 2)
    together = Barrier(STARTS)

    def start(n: int) -> int:
        """Fen held by a start at a gun of its own; 0: refused."""
        together.wait(timeout=60)
        goal = Goal(kind=GoalKind.AMOUNT, amount_fen=300)
        wish = PlaceOrder(customer_id=customer, pile=piles[n // 2], gun=n % 2 + 1, goal=goal, by=f"customer:{customer}")
        with sessions(engine)() as session:
            placed = place_order(session, wish, at=BEGIN)
            session.commit()
            return placed.pile_balance_fen or 0 if isinstance(placed, Order) else 0

    with ThreadPoolExecutor(STARTS) as pool:
        held = list(pool.map(start, range(STARTS)))
    # With less than 5 yuan available nothing starts: so 32 of them hold 3 yuan each, and 4 yuan are left.
    assert (len(held) - held.count(0), sum(held)) == (32, 9_600)
    with Session(engine) as session:
        assert _wallet(session, customer) == (400, 9_600, 0)
        assert check(session) == []
    engine.dispose()


def _wallet(session: Session, customer: int) -> tuple[int, int, int]:
    """(available, held, debt) of a customer."""
    wallet = session.get_one(Wallet, customer)
    return wallet.available_fen, wallet.held_fen, wallet.debt_fen


def _piles(session: Session, count: int) -> list[str]:
    """More piles of the station, each with two guns."""
    template = session.scalars(select(Pile)).one()
    numbers = [f"32010600020{n:03d}" for n in range(count)]
    for number in numbers:
        session.add(
            Pile(
                number=number,
                station_code=STATION,
                transformer_code=template.transformer_code,
                name=number[-3:],
                rated_kw=template.rated_kw,
                confirmed_tariff_version_id="v1",
                source_networks=[],
                created_at=BEGIN,
            )
        )
    session.flush()
    session.add_all([Gun(pile_number=number, no=no, rated_kw=template.rated_kw) for number in numbers for no in (1, 2)])
    session.flush()
    return numbers
