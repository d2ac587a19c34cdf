"""The servers and databases that every room's tests share: one of each for a test process."""

from tests.databases import migrated_sqlite, postgres
from tests.servers import postgres_server

__all__ = ["migrated_sqlite", "postgres", "postgres_server"]
