"""Slowing wrong sign-ins, per identity and per address, counted in the database.

After some failures each further try must wait twice as long. What is counted for an identity is counted per address,
so that nobody locks the owner out; what others fail at one address, or at one identity from many addresses, slows only
those who have not signed in from there of late. A success forgives the failures of its own identity at its own address
and no others: else a guesser with an account would wipe the slate between guesses. A try is written down as failed
before the password is looked at, so parallel guesses count too.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address
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
    place = place_of(address)
    _alone(session, identity, place)
    of_identity, from_here = SignInAttempt.identity == identity, SignInAttempt.address == place
    seconds = _left(session, at, FREE_HERE, _last_success(session, of_identity, from_here), of_identity, from_here)
    if not _is_known(session, identity, place, at):
        seconds = max(
            seconds,
            _left(session, at, FREE_ADDRESS, 0, from_here),
            _left(session, at, FREE_IDENTITY, 0, of_identity),
        )
    if seconds:
        return Wait(seconds)
    row = SignInAttempt(identity=identity, address=place, at=at, succeeded=False)
    session.add(row)
    session.flush()
    return Attempt(row.id)


def place_of(address: str) -> str:
    """What counts as one address: of IPv6 the network (/64) that one subscriber is given whole."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return f"{IPv6Address(int(parsed) >> 64 << 64)}/64"


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


def _last_success(session: Session, *of: ColumnElement[bool]) -> int:
    """Row of the newest success; 0: there was none."""
    return session.scalar(select(func.max(SignInAttempt.id)).where(SignInAttempt.succeeded, *of)) or 0


def _left(session: Session, at: datetime, free: int, after: int, *of: ColumnElement[bool]) -> int:
    """Seconds still to wait, by the failures within the window that were written down after a row."""
    failures, last = session.execute(
        select(func.count(), func.max(SignInAttempt.at)).where(
            ~SignInAttempt.succeeded, SignInAttempt.id > after, SignInAttempt.at > at - WINDOW, *of
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
