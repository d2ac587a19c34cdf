"""What can go wrong with the database, told apart by type: away, to be tried again, or neither."""

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.orm.exc import StaleDataError

RETRY_STATES = frozenset({"40001", "40P01"})
"""SQLSTATE of a serialization failure and of a deadlock: the same transaction again may well succeed."""


def is_to_be_retried(error: Exception) -> bool:
    """Whether another writer was in the way and nothing else is the matter."""
    if isinstance(error, StaleDataError):
        return True
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in RETRY_STATES


def is_away(error: Exception) -> bool:
    """Whether the database cannot be reached or cannot write now (SQLite: locked for long, no space, not there)."""
    if is_to_be_retried(error):
        return False
    if isinstance(error, OperationalError | InterfaceError):
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated
