"""The SQL of the embedded store, made from the declared measurements: a table of series and one of points each."""

import sqlite3
from collections.abc import Sequence

from evcs.contracts.measurements import MEASUREMENTS, Measurement
from evcs.store.interface import How

_KIND = {"float": "REAL", "int": "INTEGER", "str": "TEXT"}


def create(connection: sqlite3.Connection) -> None:
    """Make the tables that are missing, and the columns of fields that were added since the file was made."""
    connection.execute("BEGIN IMMEDIATE")
    for measurement in MEASUREMENTS.values():
        tags = ", ".join(f"{tag} TEXT NOT NULL" for tag in measurement.tags)
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {measurement.name}_series"
            f" (id INTEGER PRIMARY KEY, {tags}, UNIQUE ({', '.join(measurement.tags)}))"
        )
        # Clustered by series and time: a curve is one stretch of the file, a repeated point meets its own row.
        columns = ", ".join(f"{field.name} {_KIND[field.kind]}" for field in measurement.fields)
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {measurement.name}"
            f" (series INTEGER NOT NULL, at_ms INTEGER NOT NULL, {columns}, PRIMARY KEY (series, at_ms)) WITHOUT ROWID"
        )
        there = {row[1] for row in connection.execute(f"PRAGMA table_info({measurement.name})")}
        for field in measurement.fields:
            if field.name not in there:
                connection.execute(f"ALTER TABLE {measurement.name} ADD COLUMN {field.name} {_KIND[field.kind]}")
    connection.execute("COMMIT")


def _upsert(measurement: Measurement) -> str:
    """A point again: the fields that it has overwrite, the others stay, as InfluxDB does it."""
    names = measurement.field_names
    marks = ", ".join("?" for _ in range(len(names) + 2))
    merged = ", ".join(f"{name} = coalesce(excluded.{name}, {name})" for name in names)
    return (
        f"INSERT INTO {measurement.name} (series, at_ms, {', '.join(names)}) VALUES ({marks})"
        f" ON CONFLICT (series, at_ms) DO UPDATE SET {merged}"
    )


def _add_series(measurement: Measurement) -> str:
    marks = ", ".join("?" for _ in measurement.tags)
    return f"INSERT OR IGNORE INTO {measurement.name}_series ({', '.join(measurement.tags)}) VALUES ({marks})"


def _find_series(measurement: Measurement) -> str:
    return f"SELECT id FROM {measurement.name}_series WHERE " + " AND ".join(f"{tag} = ?" for tag in measurement.tags)


UPSERT = {name: _upsert(measurement) for name, measurement in MEASUREMENTS.items()}
ADD_SERIES = {name: _add_series(measurement) for name, measurement in MEASUREMENTS.items()}
FIND_SERIES = {name: _find_series(measurement) for name, measurement in MEASUREMENTS.items()}
LATEST = {
    name: f"SELECT at_ms, {', '.join(measurement.field_names)} FROM {name} WHERE series = ? ORDER BY at_ms DESC LIMIT 1"
    for name, measurement in MEASUREMENTS.items()
}


def _within(fields: Sequence[str]) -> str:
    """Rows with one of the fields; arguments: series, start, end in ms. Field names must have been checked."""
    some = " OR ".join(f"{field} IS NOT NULL" for field in fields) or "0"
    return f"WHERE series = ? AND at_ms >= ? AND at_ms < ? AND ({some})"


def count(table: str, fields: Sequence[str]) -> str:
    """How many points a curve has; arguments as those of `curve`."""
    return f"SELECT count(*) FROM {table} {_within(fields)}"


def curve(table: str, fields: Sequence[str]) -> str:
    """Every point; arguments: series, start, end in ms."""
    columns = ", ".join(("at_ms", *fields))
    return f"SELECT {columns} FROM {table} {_within(fields)} ORDER BY at_ms"


def thin_curve(table: str, fields: Sequence[str]) -> str:
    """The last point of each window; arguments: series, start, end, start again, width in ms."""
    # SQLite takes the bare columns beside max() from the row that holds the maximum (documented since 3.7.11).
    columns = ", ".join(("max(at_ms) AS at", *fields))
    return f"SELECT {columns} FROM {table} {_within(fields)} GROUP BY (at_ms - ?) / ? ORDER BY at"


def aggregate(table: str, field: str, how: How) -> str:
    """One figure a window; arguments: shift and width in ms, series, start, end. Rows: (window's number, value)."""
    figure = {
        How.MEAN: f"avg({field})",
        How.MAX: f"max({field})",
        How.MIN: f"min({field})",
        How.SUM: f"sum({field})",
        How.LAST: field,
    }[how]
    beside = ", max(at_ms)" if how is How.LAST else ""
    return (
        f"SELECT at_window, figure FROM (SELECT (at_ms - ?) / ? AS at_window, {figure} AS figure{beside} FROM {table}"
        f" WHERE series = ? AND at_ms >= ? AND at_ms < ? AND {field} IS NOT NULL GROUP BY at_window) ORDER BY at_window"
    )
