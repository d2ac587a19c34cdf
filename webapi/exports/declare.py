"""What an export is made of: a declared object beside the list whose filter it takes. Nothing here writes a file."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from evcs.contracts.reasons import Sentence
from webapi.access import Visible
from webapi.http.fields import Body
from webapi.reports.tables import Cell
from webapi.users.roles import Right

Say = Callable[[Sentence], str]
"""The sentence in the language of the file."""


class Shape(StrEnum):
    """How the cells of a column are typed. `fen`: whole fen in, yuan in the file."""

    TEXT = "text"
    FEN = "fen"
    KWH = "kwh"
    TIME = "time"
    DAY = "day"
    WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `width` in characters. `summed`: the last row has its sum."""

    title: Sentence
    shape: Shape
    width: int = 14
    summed: bool = False


@dataclass(frozen=True, slots=True)
class ExportKind:
    """A list that can be exported.

    `query`: the schema of the list's query, which makes its filter. `count` and `rows` read in one snapshot; `rows`
    gives batches, so that never more than one of them is in memory.
    """

    code: str
    title: Sentence
    right: Right
    query: type[Body]
    columns: tuple[Column, ...]
    count: Callable[[Session, Visible, Any], int]
    rows: Callable[[Session, Visible, Any, Say], Iterator[Sequence[tuple[Cell, ...]]]]

    def filter_of(self, given: Mapping[str, str]) -> Any:
        """The filter that a query means; a marshmallow ValidationError where it means none."""
        return self.query().load(dict(given))
