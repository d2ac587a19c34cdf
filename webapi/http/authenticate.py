"""Who asks: a bearer token, or the session cookie with its CSRF token for every change."""

from hmac import compare_digest
from http import HTTPStatus

from flask import Flask, g, request

from webapi.database import reading
from webapi.http.call import SignedIn, adapters
from webapi.http.problems import Code, Problem, problem
from webapi.users.api_keys import find_token, touch_token
from webapi.users.sessions import COOKIE, find_session, touch_session

_SAFE = ("GET", "HEAD", "OPTIONS")
_OPEN = "/api/v1/sign-in"


def install(app: Flask) -> None:
    """Find out who asks before each request to the API; who it must be, each endpoint says."""
    app.before_request(_identify)


def _identify() -> None:
    if not request.path.startswith("/api/") or request.path == _OPEN:
        return
    header = request.headers.get("Authorization")
    found = _by_cookie() if header is None else _by_bearer(header)
    if found is not None:
        g.signed_in = found


def _unknown() -> Problem:
    challenge = 'Bearer error="invalid_token"'
    return problem(HTTPStatus.UNAUTHORIZED, Code.NOT_SIGNED_IN, headers=(("WWW-Authenticate", challenge),))


def _by_bearer(header: str) -> SignedIn:
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise _unknown()
    at = adapters().clock.now()
    with reading(adapters().engine) as session:
        found = find_token(session, token.strip(), at=at)
    if found is None:
        raise _unknown()
    touch_token(adapters().sessions, found, at=at)
    return found.signed_in


def _by_cookie() -> SignedIn | None:
    cookie = request.cookies.get(COOKIE)
    if not cookie:
        return None
    at = adapters().clock.now()
    with reading(adapters().engine) as session:
        found = find_session(session, cookie, at=at)
    if found is None:
        return None
    if request.method not in _SAFE:
        given = request.headers.get("X-CSRF-Token", "")
        if not compare_digest(given.encode(), (found.signed_in.csrf_token or "").encode()):
            raise problem(HTTPStatus.FORBIDDEN, Code.CSRF_TOKEN_WRONG)
    touch_session(adapters().sessions, found, at=at)
    return found.signed_in
