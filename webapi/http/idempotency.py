"""Idempotency keys: the same key and body give the same answer and one effect.

The key's row is written in the transaction of the effect. So a parallel request waits for the first to commit and then
finds its answer, a crash leaves neither key nor effect, and no row can be stuck. Who waits too long is told so (409).
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

import msgspec
from sqlalchemy import insert, text, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from webapi.http.models import IdempotencyKey, RequestState
from webapi.http.problems import Code, problem

KEY = re.compile(r"[\x21-\x7e]{1,255}")
WAIT_MS = 10_000
"""How long a parallel request waits for the first one (PostgreSQL; SQLite: its busy timeout, the same)."""
_LOCK_NOT_AVAILABLE = "55P03"


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer as it was given: status, headers that belong to it, body."""

    status: int
    body: str
    content_type: str
    location: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A request under a key; `digest` tells two bodies apart."""

    owner: str
    key: str
    digest: str


class _Headers(msgspec.Struct, frozen=True):
    content_type: str
    location: str | None = None


def checked_key(given: str | None) -> str:
    """The key of a request that must have one."""
    if not given:
        raise problem(HTTPStatus.BAD_REQUEST, Code.KEY_MISSING)
    if KEY.fullmatch(given) is None:
        raise problem(HTTPStatus.UNPROCESSABLE_ENTITY, Code.KEY_INVALID)
    return given


def digest_of(method: str, path: str, body: bytes) -> str:
    """SHA-256 of a request; spaces and the order of fields in a JSON body make no difference."""
    try:
        canonical = msgspec.json.encode(msgspec.json.decode(body), order="deterministic") if body else b""
    except (msgspec.DecodeError, RecursionError):
        canonical = body
    return hashlib.sha256(b"\n".join((method.encode(), path.encode(), canonical))).hexdigest()


def once(session: Session, asked: Asked, work: Callable[[], Answered], *, at: datetime) -> tuple[Answered, bool]:
    """Do the work under a key, or give back the answer of the first time; the caller commits.

    Returns the answer and whether it is a repetition. Raises a Problem where the key stands for another request, or
    where the first one is still being worked on.
    """
    if not _claim(session, asked, at):
        return _known(session, asked), True
    answer = work()
    session.execute(
        update(IdempotencyKey)
        .where(IdempotencyKey.owner == asked.owner, IdempotencyKey.key == asked.key)
        .values(
            state=RequestState.DONE,
            response_status=answer.status,
            response_headers_json=msgspec.json.encode(_Headers(answer.content_type, answer.location)).decode(),
            response_body=answer.body,
            finished_at=at,
        )
    )
    return answer, False


def _claim(session: Session, asked: Asked, at: datetime) -> bool:
    """Whether this request is the first with its key; waits for one that is being worked on."""
    values = {
        "owner": asked.owner,
        "key": asked.key,
        "request_hash": asked.digest,
        "state": RequestState.IN_FLIGHT,
        "created_at": at,
    }
    returning = IdempotencyKey.key
    dialect = session.get_bind().dialect.name
    try:
        if dialect == "postgresql":
            session.execute(text(f"SET LOCAL lock_timeout = {WAIT_MS}"))
            claim = postgresql_insert(IdempotencyKey).values(values).on_conflict_do_nothing().returning(returning)
            first = session.scalars(claim).one_or_none() is not None
            session.execute(text("SET LOCAL lock_timeout = 0"))
            return first
        if dialect == "sqlite":
            claim_here = sqlite_insert(IdempotencyKey).values(values).on_conflict_do_nothing().returning(returning)
            return session.scalars(claim_here).one_or_none() is not None
        session.execute(insert(IdempotencyKey).values(values))
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
            raise problem(HTTPStatus.CONFLICT, Code.KEY_IN_FLIGHT, retry_after_s=2) from error
        raise
    return True


def _known(session: Session, asked: Asked) -> Answered:
    row = session.get_one(IdempotencyKey, (asked.owner, asked.key), populate_existing=True)
    if row.request_hash != asked.digest:
        raise problem(HTTPStatus.UNPROCESSABLE_ENTITY, Code.KEY_REUSED)
    if row.response_status is None or row.response_body is None or row.response_headers_json is None:
        raise problem(HTTPStatus.CONFLICT, Code.KEY_IN_FLIGHT, retry_after_s=2)
    headers = msgspec.json.decode(row.response_headers_json, type=_Headers)
    return Answered(row.response_status, row.response_body, headers.content_type, headers.location)
