"""Slowing wrong sign-ins, per identity and per address, counted in the database.

After some failures each further try must wait twice as long. What is counted for an identity is counted per address,
so that nobody locks the owner out; failures on one identity from many addresses slow only addresses from which it has
not signed in of late. A try is written down as failed before the password is looked at, so parallel guesses count too.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import ColumnElement, delete, func, select, text, update
from sqlalchemy.orm import Session

from webapi.users.models import SignInAttempt

WINDOW = timedelta(minutes=15)
KNOWN = timedelta(days=30)
"""An address from which an identity signed in within this time is its own; older attempts are forgotten."""
LONGEST_S = 300
FREE_HERE = 5
"""Failures of an identity from one address before it has to wait."""
FREE_ADDRESS = 20
FREE_IDENTITY = 30


@dataclass(frozen=True, slots=True)
class Wait:
    """Come back later."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try that may be made; written down as failed until it is said to have succeeded."""

    id: int


def wait_after(failures: int, free: int) -> int:
    """Seconds to wait after the last of so many failures: none up to `free`, then 1, 2, 4 … 300."""
    over = failures - free
    return 0 if over < 0 else min(LONGEST_S, 2 ** min(over, 16))


def begin_attempt(session: Session, identity: str, address: str, *, at: datetime) -> Attempt | Wait:
    """Write a try down, or say how long to wait; the caller commits. `identity` as typed, lower case."""
    _alone(session, identity, address)
    seconds = max(
        _left(session, at, FREE_HERE, SignInAttempt.identity == identity, SignInAttempt.address == address),
        _left(session, at, FREE_ADDRESS, SignInAttempt.address == address),
        0
        if _is_known(session, identity, address, at)
        else _left(session, at, FREE_IDENTITY, SignInAttempt.identity == identity),
    )
    if seconds:
        return Wait(seconds)
    row = SignInAttempt(identity=identity, address=address, at=at, succeeded=False)
    session.add(row)
    session.flush()
    return Attempt(row.id)


def succeed(session: Session, attempt: Attempt, *, at: datetime) -> None:
    """The try was right: failures before it do not count any more. Old attempts are forgotten."""
    session.execute(update(SignInAttempt).where(SignInAttempt.id == attempt.id).values(succeeded=True))
    session.execute(delete(SignInAttempt).where(SignInAttempt.at < at - KNOWN))


def _alone(session: Session, identity: str, address: str) -> None:
    """Let parallel tries of one identity or address count one after the other (SQLite has one writer anyway)."""
    if session.get_bind().dialect.name == "postgresql":
        for kind, value in ((1, identity), (2, address)):
            session.execute(
                text("SELECT pg_advisory_xact_lock(:kind, hashtext(:value))"), {"kind": kind, "value": value}
            )


def _left(session: Session, at: datetime, free: int, *of: ColumnElement[bool]) -> int:
    """Seconds still to wait, by the failures since the last success within the window."""
    last_success = session.scalar(select(func.max(SignInAttempt.id)).where(SignInAttempt.succeeded, *of)) or 0
    failures, last = session.execute(
        select(func.count(), func.max(SignInAttempt.at)).where(
            ~SignInAttempt.succeeded, SignInAttempt.id > last_success, SignInAttempt.at > at - WINDOW, *of
        )
    ).one()
    if last is None:
        return 0
    return max(0, ceil((last - at).total_seconds() + wait_after(failures, free)))


def _is_known(session: Session, identity: str, address: str, at: datetime) -> bool:
    return (
        session.scalar(
            select(SignInAttempt.id)
            .where(
                SignInAttempt.identity == identity,
                SignInAttempt.address == address,
                SignInAttempt.succeeded,
                SignInAttempt.at > at - KNOWN,
            )
            .limit(1)
        )
        is not None
    )
