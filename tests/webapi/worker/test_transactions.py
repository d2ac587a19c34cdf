"""The worker's transactions: given up for another's sake they begin again, whatever else goes wrong is told."""

from threading import Lock

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from tests.webapi.books import BEGIN
from webapi.database import sessions
from webapi.tenants.models import Tenant
from webapi.worker.transactions import TRIES, in_transaction


def tenants(engine: Engine) -> list[str]:
    with sessions(engine)() as session:
        return [tenant.code for tenant in session.query(Tenant)]


def test_what_another_writer_was_in_the_way_of_is_done_once(engine: Engine) -> None:
    tries: list[int] = []

    def work(session: Session) -> str:
        session.add(Tenant(code="demo", name="演示", created_at=BEGIN))
        session.flush()
        tries.append(1)
        if len(tries) < TRIES:
            raise StaleDataError
        return "done"

    assert in_transaction(sessions(engine), Lock(), work) == "done"
    assert (len(tries), tenants(engine)) == (TRIES, ["demo"])


@pytest.mark.parametrize(("error", "tries"), [(StaleDataError, TRIES), (ValueError, 1)])
def test_what_fails_for_a_reason_of_its_own_is_raised_and_leaves_nothing(
    engine: Engine, error: type[Exception], tries: int
) -> None:
    tried: list[int] = []

    def work(session: Session) -> None:
        session.add(Tenant(code="demo", name="演示", created_at=BEGIN))
        session.flush()
        tried.append(1)
        raise error

    with pytest.raises(error):
        in_transaction(sessions(engine), Lock(), work)
    assert (len(tried), tenants(engine)) == (tries, [])
