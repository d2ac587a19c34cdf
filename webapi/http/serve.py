"""How a request is served: rights first, then one transaction, one answer, one commit."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal

from flask import Response, g, request, send_file
from marshmallow import Schema
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from evcs.runtime.log import get_logger
from webapi.audit.note import note
from webapi.database import reading
from webapi.http.call import Call, Origin, SignedIn, adapters
from webapi.http.idempotency import Answered, Asked, checked_key, digest_of, once
from webapi.http.language import language
from webapi.http.problems import Code, Problem, problem
from webapi.http.render import PROBLEM_TYPE, encode, problem_response
from webapi.users.roles import Right
from webapi.worker.errors import is_to_be_retried

log = get_logger()

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
JSON_TYPE = "application/json"
TRIES = 3
"""Of a transaction that PostgreSQL gave up for another's sake (two that wait for each other)."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with more than its view."""

    view: object
    location: str | None = None


@dataclass(frozen=True, slots=True)
class File:
    """An answer to a read that is a file of its own, not JSON."""

    name: str
    """ASCII."""
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An answer to a read that is a file on disk; it is sent piece by piece."""

    name: str
    """ASCII."""
    content_type: str
    path: Path


@dataclass(frozen=True, slots=True)
class Declined:
    """A refusal that is committed with its audit entry (a raised Problem would leave nothing behind)."""

    problem: Problem


@dataclass(frozen=True, slots=True)
class Served:
    """What a request needs: a right, a key; and which further problems it may answer."""

    right: Right | None = None
    keyed: bool = False
    """An Idempotency-Key is required."""
    matched: bool = False
    """An If-Match with the version that the asker has seen is required (webapi.http.matching)."""
    needs_sign_in: bool = True
    own_transactions: bool = False
    """The handler is given no call and opens its own transactions (sign-in)."""
    problems: tuple[int, ...] = ()
    files: tuple[str, ...] = ()
    """Content types of the files that it may answer instead of JSON."""

    def check(self, has_body_schema: bool) -> None:
        """Refuse before anything is parsed: not signed in, not allowed, a body where none belongs."""
        if self.needs_sign_in:
            asker = signed_in().asker
            if self.right is not None and self.right not in asker.rights:
                _audit_forbidden(self.right)
                raise problem(HTTPStatus.FORBIDDEN, Code.NOT_ALLOWED)
        if request.method != "GET" and not has_body_schema and request.get_data(cache=True).strip() not in (b"", b"{}"):
            raise problem(HTTPStatus.UNPROCESSABLE_ENTITY, Code.INVALID)


def signed_in() -> SignedIn:
    """Who asks; raises 401 where nobody is signed in."""
    found: SignedIn | None = getattr(g, "signed_in", None)
    if found is None:
        raise problem(HTTPStatus.UNAUTHORIZED, Code.NOT_SIGNED_IN, headers=(("WWW-Authenticate", "Bearer"),))
    return found


def origin() -> Origin:
    """Where the request came from."""
    agent = re.sub(r"[^\x20-\x7e]", "?", request.headers.get("User-Agent", ""))
    return Origin((request.remote_addr or "")[:64], str(g.request_id), agent[:200])


def serve(
    handler: Callable[..., object], served: Served, method: Method, schema: Schema | None, status: HTTPStatus
) -> Callable[..., Any]:
    """The view of a handler: opens the transaction, calls it, dumps what it gives back, commits once."""

    def answer_of(result: object) -> Answered:
        if isinstance(result, Declined):
            shown = problem_response(result.problem)
            return Answered(shown.status_code, shown.get_data(as_text=True), PROBLEM_TYPE)
        reply = result if isinstance(result, Reply) else Reply(result)
        body = "" if schema is None else encode(schema.dump(reply.view))
        return Answered(status, body, JSON_TYPE, reply.location)

    def view(*args: object, **kwargs: object) -> Response:
        if served.own_transactions:
            result = handler(*args, **kwargs)
            return result if isinstance(result, Response) else _response(answer_of(result))
        if method == "GET":
            with reading(adapters().engine) as session:
                found = handler(_call(session, None), *args, **kwargs)
                return (
                    _file(found) if isinstance(found, File | StoredFile) else _conditional(_response(answer_of(found)))
                )
        for left in range(TRIES - 1, -1, -1):
            try:
                return written(*args, **kwargs)
            except (DBAPIError, StaleDataError) as error:
                if not left or not is_to_be_retried(error):
                    raise
        raise AssertionError("unreachable")

    def written(*args: object, **kwargs: object) -> Response:
        """One transaction, whole or not at all: so it may be done again when another writer was in the way."""
        with adapters().sessions() as session:
            key = checked_key(request.headers.get("Idempotency-Key")) if served.keyed else None
            call = _call(session, key)

            def work() -> Answered:
                return answer_of(handler(call, *args, **kwargs))

            if key is None:
                answer, repeated = work(), False
            else:
                digest = digest_of(request.method, request.path, request.get_data(cache=True))
                answer, repeated = once(session, Asked(call.asker.key, key, digest), work, at=call.at)
            session.commit()
            return _response(answer, repeated=repeated)

    view.__name__ = handler.__name__
    view.__doc__ = handler.__doc__
    return view


def _call(session: Session, key: str | None) -> Call:
    at_hand = adapters()
    now = at_hand.clock.now()
    return Call(session, signed_in(), origin(), now, at_hand.telemetry, key, at_hand.rollups)


def _response(answer: Answered, *, repeated: bool = False) -> Response:
    response = Response(answer.body, status=answer.status, mimetype=answer.content_type)
    if answer.status == HTTPStatus.NO_CONTENT:
        response.headers.remove("Content-Type")
    if answer.location is not None:
        response.headers["Location"] = answer.location
    if answer.content_type == PROBLEM_TYPE:
        response.headers["Content-Language"] = "en" if language() == "en" else "zh-CN"
    if repeated:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def _conditional(response: Response) -> Response:
    """A read with its ETag: who has it already (If-None-Match) is answered 304 without a body."""
    if response.status_code == HTTPStatus.OK:
        response.add_etag(weak=True)
        response.make_conditional(request)
    return response


def _file(file: File | StoredFile) -> Response:
    if isinstance(file, StoredFile):
        return send_file(file.path.resolve(), file.content_type, as_attachment=True, download_name=file.name)
    response = Response(file.body, mimetype=file.content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{file.name}"'
    return response


def _audit_forbidden(right: Right) -> None:
    asker = signed_in().asker
    log.warning("not_allowed", actor=asker.key, right=right.value, path=request.path)
    with adapters().sessions() as session:
        came = origin()
        note(
            session,
            at=adapters().clock.now(),
            actor=asker.key,
            action=f"{request.method} {request.url_rule.rule if request.url_rule else request.path}"[:64],
            outcome=Code.NOT_ALLOWED.value,
            tenant_id=asker.tenant_id,
            address=came.address,
            request_id=came.request_id,
        )
        session.commit()
