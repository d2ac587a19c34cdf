"""What a report consists of, whichever file it becomes: a head of named figures and tables of typed cells."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

Cell = str | int | float | Decimal | datetime | date | None
"""None: there is no such figure; shown as a dash, never as 0. Times are aware and shown in Beijing time."""

NO_FIGURE = "—"


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `width` in characters."""

    title: str
    width: int
    digits: int | None = None
    """Decimals of its numbers; None: as they are."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table with what is to be said below its title."""

    title: str
    columns: tuple[Column, ...]
    rows: Sequence[tuple[Cell, ...]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A named figure of the head."""

    name: str
    value: Cell
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """A column of a picture; None: no data, drawn as a gap."""

    label: str
    value: float | None


@dataclass(frozen=True, slots=True)
class Picture:
    """Columns with lines across them, all in one unit."""

    title: str
    unit: str
    bars: tuple[Bar, ...]
    lines: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report in one language."""

    title: str
    subtitle: str
    head: tuple[Figure, ...]
    notes: tuple[str, ...]
    picture: Picture | None
    tables: tuple[Table, ...]
    page_words: str
    """ "{page}" and "{pages}" filled in on each page of a PDF."""
    rest_words: str
    """ "{number}" of the rows that a PDF leaves to the workbook."""
