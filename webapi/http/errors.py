"""Every exception as an answer: problems as they are, the database's absence as 503, the rest logged as 500."""

from http import HTTPStatus
from typing import Any

from flask import Flask, Response, request
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from evcs.runtime.log import get_logger
from evcs.store.interface import StoreUnavailable
from webapi.http.field_messages import field_errors
from webapi.http.problems import Code, Problem, database_away, problem
from webapi.http.render import problem_response, request_id
from webapi.worker.errors import is_away, is_to_be_retried

log = get_logger()

_BY_STATUS = {
    400: Code.BAD_REQUEST,
    401: Code.NOT_SIGNED_IN,
    403: Code.NOT_ALLOWED,
    404: Code.NOT_FOUND,
    405: Code.METHOD_NOT_ALLOWED,
    406: Code.NOT_ACCEPTABLE,
    409: Code.CHANGED_MEANWHILE,
    413: Code.BODY_TOO_LARGE,
    415: Code.NOT_JSON,
    422: Code.INVALID,
    429: Code.BUSY,
    503: Code.BUSY,
}


def install(app: Flask) -> None:
    """Handle what is no HTTPException; those are handled by the Api."""
    app.register_error_handler(Problem, problem_response)
    app.register_error_handler(Exception, exception_response)


def http_exception_response(error: HTTPException) -> Response:
    """What Flask, werkzeug or webargs raised, as a problem; redirects stay what they are."""
    status = error.code or 500
    if status < 400:
        return Response(status=status, headers=list(error.get_headers(request.environ)))
    original = getattr(error, "original_exception", None)
    if isinstance(original, Exception):
        return exception_response(original)
    data: dict[str, Any] = getattr(error, "data", None) or {}
    code = _BY_STATUS.get(status, Code.INTERNAL if status >= 500 else Code.BAD_REQUEST)
    headers = [
        (name, value)
        for name, value in [*error.get_headers(request.environ), *(data.get("headers") or {}).items()]
        if name in ("Allow", "Retry-After", "WWW-Authenticate")
    ]
    if status == HTTPStatus.SERVICE_UNAVAILABLE and not any(name == "Retry-After" for name, _ in headers):
        headers.append(("Retry-After", "5"))
    return problem_response(
        problem(status, code, errors=field_errors(data.get("messages") or {}), headers=tuple(headers))
    )


def exception_response(error: Exception) -> Response:
    """Anything else that a handler let out."""
    if isinstance(error, HTTPException):
        return http_exception_response(error)
    if isinstance(error, Problem):
        return problem_response(error)
    if is_to_be_retried(error):
        return problem_response(problem(HTTPStatus.SERVICE_UNAVAILABLE, Code.CHANGED_MEANWHILE, retry_after_s=1))
    if isinstance(error, PoolTimeout) or (isinstance(error, SQLAlchemyError) and is_away(error)):
        log.warning("database_away", request=request_id(), path=request.path, why=f"{type(error).__name__}")
        return problem_response(database_away())
    if isinstance(error, StoreUnavailable):
        log.warning("store_away", request=request_id(), path=request.path, why=str(error))
        return problem_response(problem(HTTPStatus.SERVICE_UNAVAILABLE, Code.STORE_AWAY, retry_after_s=5))
    log.error("request_failed", request=request_id(), path=request.path, method=request.method, exc_info=error)
    return problem_response(problem(HTTPStatus.INTERNAL_SERVER_ERROR, Code.INTERNAL))
