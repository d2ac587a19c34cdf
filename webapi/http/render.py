"""Answers as bytes: JSON with exact decimals, and problems as application/problem+json."""

from decimal import Decimal
from typing import Any

import msgspec
from flask import Response, g, has_request_context
from flask.json.provider import JSONProvider

from webapi.http.language import language, say
from webapi.http.problems import FieldError, Problem
from webapi.refusals import Figure

PROBLEM_TYPE = "application/problem+json"
_encoder = msgspec.json.Encoder(decimal_format="number")


class ErrorBody(msgspec.Struct, frozen=True):
    """One field of a problem."""

    field: str
    message: str


class ProblemBody(msgspec.Struct, frozen=True, kw_only=True):
    """RFC 9457 with the members that this API adds."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: tuple[ErrorBody, ...] = ()
    figures: dict[str, str] = {}
    request_id: str


class MsgspecProvider(JSONProvider):
    """Flask's JSON by msgspec: energies as exact JSON numbers."""

    def dumps(self, obj: Any, **_: Any) -> str:
        """Encode an answer."""
        return encode(obj)

    def loads(self, s: str | bytes, **_: Any) -> Any:
        """Decode a body."""
        return msgspec.json.decode(s)


def encode(value: object) -> str:
    """JSON text of an answer."""
    return _encoder.encode(value).decode()


def number(value: Decimal | None) -> float | None:
    """A decimal where a plain number will do (kW of a rating)."""
    return None if value is None else float(value)


def request_id() -> str:
    """Of the request being served; empty outside one."""
    return str(getattr(g, "request_id", "")) if has_request_context() else ""


def problem_response(problem: Problem) -> Response:
    """The problem in the language of the request."""
    text = say(problem.sentence)
    body = ProblemBody(
        type=f"urn:evcs:problem:{problem.code}",
        title=text,
        status=problem.status,
        detail=_detail(text, problem.errors),
        code=problem.code,
        errors=tuple(ErrorBody(error.field, say(error.message)) for error in problem.errors),
        figures=_figures(problem.figures),
        request_id=request_id(),
    )
    response = Response(_encoder.encode(body), status=problem.status, mimetype=PROBLEM_TYPE)
    response.headers["Content-Language"] = "en" if language() == "en" else "zh-CN"
    for name, value in problem.headers:
        response.headers[name] = value
    return response


def _detail(text: str, errors: tuple[FieldError, ...]) -> str:
    if not errors:
        return text
    return " ".join(f"{error.field}: {say(error.message)}" if error.field else say(error.message) for error in errors)


def _figures(figures: tuple[Figure, ...]) -> dict[str, str]:
    return {figure.name: figure.value for figure in figures}
