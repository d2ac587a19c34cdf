"""A store from its address; the only place that knows which kinds there are."""

import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from evcs.store.influxql import Bucket
from evcs.store.interface import StoreError, TelemetryReader, TelemetryStore
from evcs.store.sqlite import SqliteStore

ABOUT = (
    "telemetry store: sqlite:///absolute/path.db; InfluxDB 2.x: influxdb+http://host:8086/?bucket=evcs/raw&org=…;"
    " 1.x: influxdb1+http://user@host:8086/evcs/raw (?retention=90d where the policy is to be made); https likewise"
)
SECRET = "token (InfluxDB 2.x) or password (1.x) of the telemetry store; never in its address"
KEPT = {"raw": timedelta(days=90), "rollup_1m": timedelta(days=730)}
"""How long the points of a bucket stay where its address does not say; all others: for ever."""
_LEVEL = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_RETENTION = re.compile(r"(\d{1,6})([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


class StoreAddressError(StoreError, ValueError):
    """An address that names no store that we have; the text says what would, and repeats nothing secret."""


def open_store(url: str, secret: str | None = None) -> TelemetryStore:
    """The store at `url` for reading and writing (`ingest`). Opens nothing yet. Raises StoreAddressError.

    ``secret``: the token (2.x) or the user's password (1.x).
    """
    if (influx := _influx(url, secret)) is not None:
        return influx.store()
    return SqliteStore(_sqlite_path(url), writable=True)


def open_reader(url: str, secret: str | None = None) -> TelemetryReader:
    """The store at `url`, read-only (everybody else). Opens nothing yet. Raises StoreAddressError."""
    if (influx := _influx(url, secret)) is not None:
        return influx.reader()
    return SqliteStore(_sqlite_path(url), writable=False)


def beside(url: str, policy: str) -> str:
    """The address of another bucket of the same store (`rollup_1m` beside `raw`); SQLite has one file for all."""
    if _influx(url, None if urlsplit(url).username is None else "") is None:
        return url
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    if "bucket" in options:
        database = options["bucket"].partition("/")[0]
        return parts._replace(query=urlencode({**options, "bucket": f"{database}/{policy}"}, safe="/")).geturl()
    database = parts.path.strip("/").partition("/")[0]
    return parts._replace(path=f"/{database}/{policy}", query="").geturl()  # a retention was said of the other


@dataclass(frozen=True, slots=True)
class _Influx:
    """Loaded only where an address asks for it: influxdb-client takes a quarter of a second to import."""

    store: Callable[[], TelemetryStore]
    reader: Callable[[], TelemetryReader]


def _influx(url: str, secret: str | None) -> _Influx | None:
    parts = urlsplit(url)
    kind, _, scheme = parts.scheme.partition("+")
    if kind not in ("influxdb", "influxdb1"):
        return None
    if scheme not in ("http", "https"):
        raise StoreAddressError(f"the scheme is {kind}+http or {kind}+https")
    if parts.password is not None:
        raise StoreAddressError("no password in the address, which is logged: it belongs in EVCS_STORE_SECRET")
    try:
        port = parts.port or (443 if scheme == "https" else 8086)
    except ValueError:
        raise StoreAddressError("the port is a number up to 65535") from None
    if not parts.hostname:
        raise StoreAddressError(f"{kind}+{scheme}://host:8086/…: a host is missing")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    options = dict(parse_qsl(parts.query))
    if kind == "influxdb":
        return _v2(scheme, f"{host}:{port}", parts, options, secret)
    return _v1(scheme, f"{host}:{port}", parts, options, secret)


def _v2(scheme: str, where: str, parts: SplitResult, options: dict[str, str], secret: str | None) -> _Influx:
    _only(options, {"bucket", "org"})
    if parts.username is not None:
        raise StoreAddressError("2.x knows tokens and no users: the token belongs in EVCS_STORE_SECRET")
    bucket = _bucket(options.get("bucket", ""))
    org = options.get("org", "")
    base = f"{scheme}://{where}{parts.path.rstrip('/')}"
    headers = {"Authorization": f"Token {secret}"} if secret else {}

    def store() -> TelemetryStore:
        from evcs.store.influx import InfluxStore, V2Transport
        from evcs.store.wire import Wire

        wire = Wire(base, where, headers)
        return InfluxStore(wire, bucket, V2Transport(base, wire, bucket, org, secret))

    return _Influx(store, lambda: _reader(base, where, headers, bucket))


def _v1(scheme: str, where: str, parts: SplitResult, options: dict[str, str], secret: str | None) -> _Influx:
    _only(options, {"retention"})
    bucket = _bucket(unquote(parts.path).strip("/"))
    base = f"{scheme}://{where}"
    headers = {}
    if parts.username is not None:
        credentials = f"{unquote(parts.username)}:{secret or ''}".encode()
        headers["Authorization"] = f"Basic {b64encode(credentials).decode()}"
    elif secret:
        raise StoreAddressError("1.x needs a user for the password: influxdb1+http://user@host:8086/evcs/raw")
    kept = _retention(options["retention"]) if "retention" in options else KEPT.get(bucket.policy)

    def store() -> TelemetryStore:
        from evcs.store.influx import InfluxStore
        from evcs.store.influx_v1 import V1Transport
        from evcs.store.wire import Wire

        wire = Wire(base, where, headers)
        return InfluxStore(wire, bucket, V1Transport(wire, bucket, kept))

    return _Influx(store, lambda: _reader(base, where, headers, bucket))


def _reader(base: str, where: str, headers: dict[str, str], bucket: Bucket) -> TelemetryReader:
    from evcs.store.influx_read import InfluxReader
    from evcs.store.wire import Wire

    return InfluxReader(Wire(base, where, headers), bucket)


def _bucket(text: str) -> Bucket:
    database, slash, policy = text.partition("/")
    if not slash or not _LEVEL.fullmatch(database) or not _LEVEL.fullmatch(policy):
        raise StoreAddressError(
            "a bucket is named database/policy, e.g. evcs/raw: that is how 1.x and InfluxQL find it"
        )
    return Bucket(database, policy)


def _retention(text: str) -> timedelta | None:
    """None: for ever. InfluxDB keeps for an hour at least."""
    if text == "inf":
        return None
    if (found := _RETENTION.fullmatch(text)) is None or int(found[1]) == 0:
        raise StoreAddressError("retention is e.g. 90d, 12h, 4w, or inf")
    return int(found[1]) * _UNITS[found[2]]


def _only(options: dict[str, str], known: set[str]) -> None:
    if unknown := sorted(set(options) - known):
        raise StoreAddressError(f"the address knows {', '.join(sorted(known))}, not {', '.join(unknown)}")


def _sqlite_path(url: str) -> Path:
    # Three slashes or SQLAlchemy's four: the path is absolute either way, since services start in different folders.
    parts = urlsplit(url)
    if parts.scheme != "sqlite":
        raise StoreAddressError(f"no telemetry store has the scheme {parts.scheme!r}. {ABOUT}")
    path = unquote(parts.path).lstrip("/")
    if parts.netloc or not path:
        raise StoreAddressError("a sqlite store is addressed by three slashes and a path: sqlite:///absolute/path.db")
    return Path("/") / path
