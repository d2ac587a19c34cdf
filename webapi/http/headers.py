"""What every answer carries: the request's id, and headers that keep a browser from doing what it should not."""

import re
from uuid import uuid4

from flask import Flask, Response, g, request

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

SECURITY = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


def install(app: Flask) -> None:
    """Give each request its id before anything else, and each answer its headers after everything else."""
    app.before_request(_name)
    app.after_request(_dress)


def _name() -> None:
    given = request.headers.get("X-Request-Id", "")
    g.request_id = given if _ID.fullmatch(given) else uuid4().hex


def _dress(response: Response) -> Response:
    response.headers["X-Request-Id"] = str(getattr(g, "request_id", ""))
    for name, value in SECURITY.items():
        response.headers.setdefault(name, value)
    if request.path.startswith("/api/"):
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.add("Vary", "Accept-Language")
    return response
