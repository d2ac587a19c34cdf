"""A store from its address; the only place that knows which kinds there are."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from evcs.store.interface import StoreError, TelemetryReader, TelemetryStore
from evcs.store.sqlite import SqliteStore


class StoreAddressError(StoreError, ValueError):
    """An address that names no store that we have; the text says what would."""


def open_store(url: str) -> TelemetryStore:
    """The store at `url` for reading and writing (`ingest`). Opens nothing yet. Raises StoreAddressError."""
    return SqliteStore(_sqlite_path(url), writable=True)


def open_reader(url: str) -> TelemetryReader:
    """The store at `url`, read-only (everybody else). Opens nothing yet. Raises StoreAddressError."""
    return SqliteStore(_sqlite_path(url), writable=False)


def _sqlite_path(url: str) -> Path:
    # Three slashes or SQLAlchemy's four: the path is absolute either way, since services start in different folders.
    parts = urlsplit(url)
    if parts.scheme != "sqlite":
        raise StoreAddressError(
            f"no telemetry store has the scheme {parts.scheme!r}; sqlite:///absolute/path.db has one"
        )
    path = unquote(parts.path).lstrip("/")
    if parts.netloc or not path:
        raise StoreAddressError("a sqlite store is addressed by three slashes and a path: sqlite:///absolute/path.db")
    return Path("/") / path
