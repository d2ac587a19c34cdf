"""Keyset pages: a page names the key after which the next one begins, in a cursor that only this API reads."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

import msgspec

from evcs.contracts.reasons import Sentence
from evcs.contracts.times import Instant
from webapi.http.field_messages import told
from webapi.http.instants import check_year
from webapi.http.problems import FieldError, Problem, invalid

Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{0,64}$")]
"""Codes, pile numbers, serials."""

T = TypeVar("T")
V = TypeVar("V")
K = TypeVar("K")

DEFAULT_LIMIT = 20
MOST = 200


@dataclass(frozen=True, slots=True)
class PageWish:
    """Which page is asked for."""

    limit: int = DEFAULT_LIMIT
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Items and the cursor of the next page; none: this is the last."""

    items: tuple[T, ...]
    next: str | None

    def map(self, make: Callable[[T], V]) -> "Page[V]":
        """The same page of something else."""
        return Page(tuple(make(item) for item in self.items), self.next)


class TimeKey(msgspec.Struct, frozen=True, array_like=True):
    """Key of lists by time: the time, then what tells equal times apart."""

    at: Instant
    id: Name

    def __post_init__(self) -> None:
        """A time that no row can have is no key: at the ends of the calendar it could not even be turned into UTC."""
        check_year(self.at)


class NameKey(msgspec.Struct, frozen=True, array_like=True):
    """Key of lists by code."""

    code: Name


class GunKey(msgspec.Struct, frozen=True, array_like=True):
    """Key of lists of guns."""

    pile: Name
    gun: Annotated[int, msgspec.Meta(ge=0, le=99)]


class NumberKey(msgspec.Struct, frozen=True, array_like=True):
    """Key of lists by row number."""

    id: Annotated[int, msgspec.Meta(ge=0, le=2**53)]


def page_of(found: Sequence[T], limit: int, key: Callable[[T], msgspec.Struct]) -> Page[T]:
    """The page out of `limit` + 1 rows that were asked for."""
    items = tuple(found[:limit])
    return Page(items, _spell(key(items[-1])) if len(found) > limit else None)


def read_cursor(cursor: str | None, kind: type[K]) -> K | None:
    """The key in a cursor; a Problem where it is not one of ours."""
    if cursor is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        key = msgspec.json.decode(raw, type=kind)
    except (ValueError, binascii.Error, msgspec.DecodeError) as error:
        raise _wrong() from error
    return key


def _spell(key: msgspec.Struct) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def _wrong() -> Problem:
    message: Sentence = told("Not a cursor of this list.")
    return invalid(FieldError("cursor", message))
