"""A writing transaction of the worker: one at a time in its process, again when another process was in the way."""

from collections.abc import Callable
from threading import Lock
from typing import TypeVar

from sqlalchemy.orm import Session, sessionmaker

from webapi.worker.errors import is_to_be_retried

T = TypeVar("T")

TRIES = 3


def in_transaction(sessions: "sessionmaker[Session]", writing: Lock, work: Callable[[Session], T]) -> T:
    """Do the work and commit; raises what it raises, the third time also that another writer was in the way."""
    for last in range(TRIES - 1, -1, -1):
        try:
            with writing, sessions.begin() as session:
                return work(session)
        except Exception as error:
            if not last or not is_to_be_retried(error):
                raise
    raise AssertionError("unreachable")
