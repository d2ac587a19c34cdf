"""`python -m webapi.ledger verify`: proves the books of a database, or names the rows that are wrong."""

import os
import sys
from pathlib import Path

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from webapi.database import open_database, reading
from webapi.ledger.invariants import RULES, figures
from webapi.ledger.models import Entry, Transaction, Wallet

SHOWN = 20
"""Wrong rows printed of each rule; the rest is counted."""


def verify(engine: Engine) -> int:
    """Prove every rule on one snapshot and print each as it is proved; 0: the books are right, 1: they are not.

    The database sums and compares: only rows that break a rule come here.
    """
    wrong = 0
    with reading(engine) as session:
        counted = [session.scalar(select(func.count()).select_from(table)) for table in (Transaction, Entry, Wallet)]
        _say("{} transactions, {} entries, {} wallets".format(*counted))
        for number, (rule, find) in enumerate(RULES.items(), 1):
            broken = find(session)
            wrong += len(broken)
            _say(f"[{number}/{len(RULES)}] {'WRONG' if broken else 'ok   '} {rule}")
            for row in broken[:SHOWN]:
                _say(f"    {row.rule} {row.where}: expected {row.expected}, found {row.found}")
            if len(broken) > SHOWN:
                _say(f"    and {len(broken) - SHOWN} more")
        of = figures(session)
    _say(f"sources {of.sources} fen = paid in {of.paid_in} + owed {of.debt}")
    _say(
        f"uses    {of.uses} fen = available {of.available} + held {of.held} + gift {of.gift} + spent {of.spent}"
        f" + in transit {of.in_transit} + written off {of.written_off}"
    )
    _say("the books are right" if not wrong else f"the books are WRONG: {wrong} rows")
    return 1 if wrong else 0


def database_url() -> str:
    """The database of the settings; without one, that of `make run`."""
    return os.environ.get("EVCS_DATABASE_URL") or f"sqlite:///{Path(os.environ.get('EVCS_VAR') or 'var') / 'evcs.db'}"


def main(arguments: list[str]) -> int:
    """Run the command; 2: it cannot be run."""
    if arguments != ["verify"]:
        sys.stderr.write("usage: python -m webapi.ledger verify\n")
        return 2
    url = database_url()
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).is_file():
        sys.stderr.write(f"{url}: there is no such database; make run makes it, EVCS_DATABASE_URL names another\n")
        return 2
    engine = open_database(url)
    try:
        return verify(engine)
    except SQLAlchemyError as error:
        sys.stderr.write(f"the books cannot be read: {type(error).__name__}: {error}\n")
        return 2
    finally:
        engine.dispose()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
