"""Pure: what a store's answer to a write means, and how a refused batch is parted to find the guilty points."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import msgspec

from evcs.store.interface import Point
from evcs.store.wire import Answer

REASON_CHARACTERS = 400


class Means(StrEnum):
    """What an answer says of the points of its write."""

    STORED = "stored"
    REFUSED = "refused"
    """Some or all of them will never be taken; the others may be stored or not."""
    TOO_LARGE = "too_large"
    MISSING = "missing"
    """The place is not there; who may can make it. Nothing is stored."""
    AWAY = "away"
    """Not now: nothing is known to be stored."""


@dataclass(frozen=True, slots=True)
class Verdict:
    means: Means
    reason: str = ""
    dropped: int | None = None
    """How many points were not stored, all others being stored; None: it did not say."""
    retry_after_s: float | None = None


class _Told(msgspec.Struct, frozen=True):
    """1.x says `error`, 2.x `code` and `message`."""

    error: str | None = None
    code: str | None = None
    message: str | None = None


_decoder = msgspec.json.Decoder(_Told)
_DROPPED = re.compile(r"\bdropped=(\d+)")
_CONFLICT = re.compile(r'input field "((?:[^"\\]|\\.)+)" on measurement "((?:[^"\\]|\\.)+)"')
_RETENTION = "beyond retention policy"
_MISSING = re.compile(r"(database|retention policy|bucket) not found")
"""1.6.7 answers 404 for a missing database and 500 for a missing policy."""
_OF_THE_PLACE = re.compile(
    r"(database|retention policy|bucket|organization|org) (?:\S+ )?not found|is required|precision|unauthorized",
    re.IGNORECASE,
)
"""A 400 that speaks of the place or the question and not of the points: setting points aside for it would lose them."""


def verdict(answer: Answer, where: str) -> Verdict:
    """What an answer means. Only 204 says stored: 200 with a page is some other server."""
    told = _told(answer.body)
    reason = told if told is not None else answer.body.strip()[:REASON_CHARACTERS]
    match answer.status:
        case 204:
            return Verdict(Means.STORED)
        case 400 | 422 if told is not None and not _OF_THE_PLACE.search(told):
            dropped = _DROPPED.search(told)
            return Verdict(Means.REFUSED, reason, int(dropped[1]) if dropped is not None else None)
        case 413:
            return Verdict(Means.TOO_LARGE, reason)
        case 404 | 500 if answer.status == 404 or (told is not None and _MISSING.search(told)):
            return Verdict(Means.MISSING, f"{where}: {reason or 'not found'}")
        case 401 | 403:
            return Verdict(Means.AWAY, f"{where} does not let us in ({answer.status}): {reason}")
        case _:
            text = f"{where} answers {answer.status}: {reason}"
            return Verdict(Means.AWAY, text, retry_after_s=answer.retry_after_s)


def _told(body: str) -> str | None:
    """The reason in an answer of an InfluxDB; None where it is somebody else's."""
    try:
        told = _decoder.decode(body)
    except msgspec.DecodeError:
        return None
    if (reason := told.error if told.error is not None else told.message) is None:
        return None
    return reason[:REASON_CHARACTERS]


def part(points: Sequence[Point], verdict: Verdict) -> tuple[list[int], list[int]]:
    """Indexes of a refused batch (≥ 2) in two parts, neither empty, so that the guilty stand together if they can.

    A type conflict names its field: those who have it are the suspects. Beyond retention are the oldest. Where the
    answer names nothing the halves tell.
    """
    everybody = range(len(points))
    suspects: list[int] = []
    if (named := _CONFLICT.search(verdict.reason)) is not None:
        suspects = [at for at in everybody if _has(points[at], named[2], named[1])]
    elif _RETENTION in verdict.reason:
        oldest = sorted(everybody, key=lambda at: points[at].at)
        count = verdict.dropped if verdict.dropped and verdict.dropped < len(points) else len(points) // 2
        suspects = oldest[:count]
    if 0 < len(suspects) < len(points):
        chosen = set(suspects)
        return sorted(chosen), [at for at in everybody if at not in chosen]
    half = len(points) // 2
    return list(everybody[:half]), list(everybody[half:])


def _has(point: Point, measurement: str, field: str) -> bool:
    if point.measurement.name != measurement:
        return False
    names = point.measurement.field_names
    return field in names and point.fields[names.index(field)] is not None
