"""If-Match: a deed is done to what the asker has seen, or not at all (RFC 9110 §13.1.1)."""

from http import HTTPStatus

from flask import request

from webapi.http.problems import Code, problem


def etag_of(version: int) -> str:
    """How a version is spelt in answers and in If-Match: `"v3"`."""
    return f'"v{version}"'


def expect(version: int) -> None:
    """Refuse where the asker has seen another version (412), or does not say which (428)."""
    given = request.headers.get("If-Match", "").strip()
    if not given:
        raise problem(HTTPStatus.PRECONDITION_REQUIRED, Code.IF_MATCH_MISSING)
    if etag_of(version) not in (one.strip() for one in given.split(",")):
        raise problem(HTTPStatus.PRECONDITION_FAILED, Code.CHANGED_MEANWHILE)
