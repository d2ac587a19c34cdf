"""Wrong sign-ins are slowed per identity and per address, and nobody locks the owner out."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from webapi.database import sessions
from webapi.users.throttle import (
    FREE_ADDRESS,
    FREE_HERE,
    FREE_IDENTITY,
    KNOWN,
    WINDOW,
    Attempt,
    Wait,
    begin_attempt,
    succeed,
    wait_after,
)

NOW = datetime(2026, 11, 24, 12, 50, tzinfo=UTC)


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0), (4, 0), (5, 1), (6, 2), (7, 4), (12, 128), (13, 256), (14, 300), (9999, 300)]
)
def test_each_failure_doubles_the_wait(failures: int, seconds: int) -> None:
    assert wait_after(failures, 5) == seconds


def fail(session: Session, identity: str, address: str, times: int, at: datetime = NOW) -> None:
    for _ in range(times):
        assert isinstance(begin_attempt(session, identity, address, at=at), Attempt)


def test_identity_waits_at_the_address_that_guesses_and_not_elsewhere(session: Session) -> None:
    fail(session, "boss", "10.0.0.1", FREE_HERE)
    assert begin_attempt(session, "boss", "10.0.0.1", at=NOW) == Wait(1)
    assert isinstance(begin_attempt(session, "boss", "10.0.0.2", at=NOW), Attempt)
    assert isinstance(begin_attempt(session, "other", "10.0.0.1", at=NOW), Attempt)


def test_wait_ends_and_the_next_failure_doubles_it(session: Session) -> None:
    fail(session, "boss", "10.0.0.1", FREE_HERE)
    later = NOW + timedelta(seconds=1)
    assert isinstance(begin_attempt(session, "boss", "10.0.0.1", at=later), Attempt)
    assert begin_attempt(session, "boss", "10.0.0.1", at=later) == Wait(2)
    assert isinstance(begin_attempt(session, "boss", "10.0.0.1", at=later + WINDOW), Attempt)


def test_success_forgets_the_failures_before_it(session: Session) -> None:
    fail(session, "boss", "10.0.0.1", FREE_HERE - 1)
    attempt = begin_attempt(session, "boss", "10.0.0.1", at=NOW)
    assert isinstance(attempt, Attempt)
    succeed(session, attempt, at=NOW)
    fail(session, "boss", "10.0.0.1", FREE_HERE)


def test_address_that_tries_many_identities_waits(session: Session) -> None:
    for n in range(FREE_ADDRESS):
        fail(session, f"user{n}", "10.0.0.1", 1)
    assert begin_attempt(session, "fresh", "10.0.0.1", at=NOW) == Wait(1)
    assert isinstance(begin_attempt(session, "fresh", "10.0.0.2", at=NOW), Attempt)


def test_many_addresses_slow_strangers_but_not_the_owners_own_address(session: Session) -> None:
    attempt = begin_attempt(session, "boss", "192.168.1.7", at=NOW - timedelta(days=1))
    assert isinstance(attempt, Attempt)
    succeed(session, attempt, at=NOW - timedelta(days=1))
    for n in range(FREE_IDENTITY):
        fail(session, "boss", f"10.0.{n}.1", 1)
    assert isinstance(begin_attempt(session, "boss", "10.9.9.9", at=NOW), Wait)
    assert isinstance(begin_attempt(session, "boss", "192.168.1.7", at=NOW), Attempt)


def test_a_guesser_with_an_account_does_not_wipe_the_slate(session: Session) -> None:
    for n in range(FREE_ADDRESS):
        fail(session, f"user{n}", "10.0.0.1", 1)
        if n % 5 == 0:
            own = begin_attempt(session, "guesser", "10.0.0.1", at=NOW)
            assert isinstance(own, Attempt)
            succeed(session, own, at=NOW)
    assert isinstance(begin_attempt(session, "fresh", "10.0.0.1", at=NOW), Wait)


def test_colleague_behind_the_same_address_is_not_slowed_by_guesses_at_others(session: Session) -> None:
    known = begin_attempt(session, "colleague", "10.0.0.1", at=NOW - timedelta(days=1))
    assert isinstance(known, Attempt)
    succeed(session, known, at=NOW - timedelta(days=1))
    for n in range(FREE_ADDRESS):
        fail(session, f"user{n}", "10.0.0.1", 1)
    assert isinstance(begin_attempt(session, "colleague", "10.0.0.1", at=NOW), Attempt)
    assert isinstance(begin_attempt(session, "stranger", "10.0.0.1", at=NOW), Wait)


def test_all_addresses_of_one_ipv6_network_count_as_one(session: Session) -> None:
    for n in range(FREE_HERE):
        fail(session, "boss", f"2001:db8:1:2::{n + 1:x}", 1)
    assert begin_attempt(session, "boss", "2001:db8:1:2:ffff::9", at=NOW) == Wait(1)
    assert isinstance(begin_attempt(session, "boss", "2001:db8:1:3::1", at=NOW), Attempt)
    fail(session, "chief", "::ffff:10.0.0.1", FREE_HERE)
    assert begin_attempt(session, "chief", "10.0.0.1", at=NOW) == Wait(1)


def test_what_is_old_is_forgotten(session: Session) -> None:
    from sqlalchemy import func, select

    from webapi.users.models import SignInAttempt

    fail(session, "boss", "10.0.0.1", 3, at=NOW - KNOWN - timedelta(days=1))
    attempt = begin_attempt(session, "boss", "10.0.0.1", at=NOW)
    assert isinstance(attempt, Attempt)
    succeed(session, attempt, at=NOW)
    assert session.scalar(select(func.count()).select_from(SignInAttempt)) == 1


def test_parallel_guesses_count_one_after_the_other(engine: Engine) -> None:
    def guess(_: int) -> Attempt | Wait:
        with sessions(engine)() as session:
            begun = begin_attempt(session, "boss", "10.0.0.1", at=NOW)
            session.commit()
            return begun

    with ThreadPoolExecutor(8) as pool:
        begun = list(pool.map(guess, range(12)))
    assert sum(isinstance(one, Attempt) for one in begun) == FREE_HERE
