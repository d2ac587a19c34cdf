"""`python -m tests.webapi.ledger.many`: the books stay right through any number of deeds, crashes and repetitions."""

import argparse
import logging
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import structlog
from sqlalchemy import Engine, event, func, select
from sqlalchemy.orm import Session

from evcs.runtime.progress import progress
from tests.webapi.books import Books
from tests.webapi.ledger.deeds import Deed, Drawing
from webapi.database import open_database, sessions, upgrade
from webapi.ledger.errors import InsufficientFunds, NoOpenHold
from webapi.ledger.invariants import check, figures
from webapi.ledger.models import Hold, Transaction, Wallet
from webapi.orders.models import Bill
from webapi.refunds.errors import RefundRefused
from webapi.refunds.models import PartState, RefundPart, RefundRequest

CUSTOMERS = 4
CRASHES = 0.35
"""Share of the deeds that are to crash."""
REPEATED = 0.2
"""Share of those done that are done once more with the same key or number."""
MOST_STATEMENTS = 45
"""Up to which statement a crash may fall; beyond the deed's last one it falls just before the commit."""


class Crash(Exception):
    """The process dies here."""


class Wrong(AssertionError):
    """A promise about money was broken."""


@dataclass
class Faults:
    """Lets the n-th statement of the running transaction crash, or what comes before its commit."""

    left: int | None = None

    def statement(self, *_: Any) -> None:
        """Before a statement is executed."""
        if self.left is not None:
            self.left -= 1
            if self.left <= 0:
                self._crash()

    def end(self) -> None:
        """All is written, and nothing committed."""
        if self.left is not None:
            self._crash()

    def _crash(self) -> None:
        self.left = None
        raise Crash


@dataclass
class Run:
    """Carries out deeds on one database and sees after each that it was whole or not at all."""

    engine: Engine
    chance: Random
    done: Counter[str] = field(default_factory=Counter)
    paid_in: Counter[int] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Make the world of the books and its customers."""
        with sessions(self.engine)() as session:
            books = Books(session).build()
            customers = tuple(books.customer().id for _ in range(CUSTOMERS))
            session.commit()
        self.drawing = Drawing(self.chance, books.tenant_id, customers)
        self.faults = Faults()

    def step(self) -> None:
        """One deed: perhaps crashed and tried again, perhaps repeated though it was done."""
        deed = self.drawing.deed()
        if self.chance.random() < CRASHES:
            before = self._seen(deed)
            self.faults.left = self.chance.randint(1, MOST_STATEMENTS)
            if self._do(deed) == "crashed":
                if self._seen(deed) != before:
                    raise Wrong(f"deed {self.drawing.drawn} {deed.name} crashed and left something behind")
                if self.chance.random() < 0.3:
                    return
                self._do(deed)
        else:
            self._do(deed)
        if deed.again and self.chance.random() < REPEATED:
            before = self._seen(deed)
            self._do(deed, count="repeated")
            if self._seen(deed) != before:
                raise Wrong(f"deed {self.drawing.drawn} {deed.name} had a second effect")

    def steps(self, count: int) -> None:
        """So many of them."""
        for _ in range(count):
            self.step()

    def prove(self) -> None:
        """All rules of the ledger, and what each customer has paid in."""
        with Session(self.engine) as session:
            broken = check(session)
            if broken:
                raise Wrong(f"after deed {self.drawing.drawn}: {broken[:5]}")
            for customer in self.drawing.customers:
                own = figures(session, customer)
                paid_in = self.paid_in[customer] - _paid_back(session, customer)
                if own.paid_in != paid_in or own.sources != own.uses:
                    raise Wrong(f"customer {customer} has paid in {paid_in} fen, the books say {own}")

    def _do(self, deed: Deed, count: str | None = None) -> str:
        try:
            with sessions(self.engine)() as session:
                deed.do(session)
                session.flush()
                self.faults.end()
                session.commit()
            outcome = count or deed.name
            if count is None:
                self.paid_in[deed.customer] += deed.recharged_fen
        except (InsufficientFunds, NoOpenHold, RefundRefused):
            outcome = "refused"
        except Crash:
            outcome = "crashed"
        self.faults.left = None
        self.done[outcome] += 1
        return outcome

    def _seen(self, deed: Deed) -> tuple[Any, ...]:
        """All that may have changed: the wallet, its holds, and how many transactions and bills there are."""
        with Session(self.engine) as session:
            wallet = session.execute(
                select(Wallet.available_fen, Wallet.held_fen, Wallet.gift_fen, Wallet.debt_fen).where(
                    Wallet.customer_id == deed.customer
                )
            ).one()
            holds = session.execute(
                select(func.sum(Hold.placed_fen), func.sum(Hold.captured_fen), func.sum(Hold.released_fen)).where(
                    Hold.customer_id == deed.customer
                )
            ).one()
            others = (select(func.max(table.id)).scalar_subquery() for table in (Bill, RefundRequest))
            newest = session.execute(select(func.max(Transaction.id), *others))
            return (*wallet, *holds, *newest.one())


def _paid_back(session: Session, customer: int) -> int:
    """What the customer was paid out, in fen."""
    paid = select(func.sum(RefundPart.amount_fen)).join(RefundPart.request)
    of_customer = paid.where(RefundRequest.customer_id == customer, RefundPart.state == PartState.SUCCEEDED)
    return int(session.scalar(of_customer) or 0)


@contextmanager
def running(engine: Engine, seed: int) -> Iterator[Run]:
    """A run whose statements may crash."""
    run = Run(engine, Random(seed))
    event.listen(engine, "before_cursor_execute", run.faults.statement)
    try:
        yield run
    finally:
        event.remove(engine, "before_cursor_execute", run.faults.statement)


def many(engine: Engine, operations: int, seed: int, *, every: int) -> Counter[str]:
    """So many deeds, with the proof after each `every` of them and at the end; raises Wrong."""
    with running(engine, seed) as run, progress("deeds", operations, "deeds") as moved:
        for n in range(1, operations + 1):
            run.step()
            moved(1, f"{run.done['crashed']} crashes, {run.done['repeated']} repeated")
            if n % every == 0:
                run.prove()
        run.prove()
    return run.done


def unsynced(engine: Engine) -> Engine:
    """The same without waiting for the disk: these crashes are those of a process, not of a computer."""

    def _unsynced(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA synchronous=OFF").close()

    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _unsynced)
    return engine


def main(arguments: list[str]) -> int:
    """Run the command; 1: the books went wrong, with the deed that did it and the seed that repeats it."""
    parser = argparse.ArgumentParser(prog="python -m tests.webapi.ledger.many", description=__doc__)
    parser.add_argument("--operations", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=int, default=5_000, help="deeds between two proofs")
    parser.add_argument("--database", help="URL of an empty database; without: a SQLite file that is thrown away")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        engine = unsynced(open_database(given.database or f"sqlite:///{Path(folder) / 'evcs.db'}"))
        upgrade(engine)
        try:
            done = many(engine, given.operations, given.seed, every=given.every)
        except Wrong as wrong:
            sys.stderr.write(f"seed {given.seed}: {wrong}\n")
            return 1
        finally:
            engine.dispose()
    sys.stdout.write(", ".join(f"{name} {often}" for name, often in sorted(done.items())) + ": the books are right\n")
    return 0


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    sys.exit(main(sys.argv[1:]))
