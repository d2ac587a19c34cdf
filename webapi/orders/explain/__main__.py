"""`python -m webapi.orders.explain <serial>` or `--all`: bills rebuilt from their evidence; the first that differs.

Reads the database that EVCS_DATABASE_URL names. Exit 0: everything agrees; 1: something does not; 2: wrong use.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

import webapi.models  # noqa: F401 - rows of one folder refer to those of others
from webapi.database import DEFAULT_URL, open_database, reading
from webapi.orders.evidence_models import OrderEvidence
from webapi.orders.explain.check import explain_order, without_evidence
from webapi.orders.explain.words import words_of
from webapi.orders.models import Order

PROGRESS_EVERY = 1000
AT_ONCE = 200


def main(arguments: Sequence[str]) -> int:
    """Explain one order aloud, or check all."""
    parser = argparse.ArgumentParser(prog="python -m webapi.orders.explain", description=__doc__)
    parser.add_argument("serial", nargs="?", help="an order's 32 digits")
    parser.add_argument("--all", action="store_true", help="check every order that has evidence")
    parser.add_argument("--lang", choices=("zh", "en"), default="zh")
    wish = parser.parse_args(arguments)
    if wish.all == (wish.serial is not None):
        parser.error("name one order, or --all")
    engine = open_database(os.environ.get("EVCS_DATABASE_URL") or DEFAULT_URL)
    try:
        with reading(engine) as session:
            return check_all(session) if wish.all else explain_one(session, wish.serial, wish.lang)
    finally:
        engine.dispose()


def explain_one(session: Session, serial: str, language: str) -> int:
    """Say every bill of an order."""
    order = session.get(Order, serial)
    if order is None:
        _say(f"no order {serial}")
        return 2
    for kind in without_evidence(session, serial):
        _say(f"{kind}: written before evidence was kept")
    is_right = True
    for row, explained in explain_order(session, order):
        _say(f"#{row.n} {row.hash}")
        for sentence in words_of(explained):
            _say(f"  {sentence.zh if language == 'zh' else sentence.en}")
        for one in explained.differences:
            _say(f"  ! {one.what}: {one.expected} expected, {one.found} found")
        is_right = is_right and explained.is_right
    return 0 if is_right else 1


def check_all(session: Session) -> int:
    """Check every order; stop at the first that differs and name it."""
    whole = session.scalar(select(func.count(OrderEvidence.order_serial.distinct()))) or 0
    for done, serial in enumerate(_serials(session), start=1):
        try:
            wrong = [
                (row, one)
                for row, explained in explain_order(session, session.get_one(Order, serial))
                for one in explained.differences
            ]
        except msgspec.DecodeError as error:
            _say(f"{serial}: its evidence cannot be read ({error}); {done - 1} of {whole} agreed before it")
            return 1
        if wrong:
            row, one = wrong[0]
            _say(f"{serial} #{row.n}: {one.what}: {one.expected} expected, {one.found} found; {done - 1} agreed before")
            return 1
        if done % PROGRESS_EVERY == 0:
            _say(f"{done} of {whole} orders agree")
    _say(f"all {whole} orders agree with their evidence")
    return 0


def _serials(session: Session) -> Iterator[str]:
    after = ""
    while True:
        page = session.scalars(
            select(OrderEvidence.order_serial)
            .where(OrderEvidence.order_serial > after)
            .distinct()
            .order_by(OrderEvidence.order_serial)
            .limit(AT_ONCE)
        ).all()
        if not page:
            return
        yield from page
        after = page[-1]
        session.expunge_all()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
