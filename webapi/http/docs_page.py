"""The documentation page at /docs: Swagger UI from its wheel, nothing from elsewhere."""

from importlib.util import find_spec
from pathlib import Path

from flask import Flask, Response, abort, send_from_directory

_PAGE = """<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>EVCS API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" href="/docs/favicon-32x32.png">
</head>
<body>
<div id="ui"></div>
<noscript>The document itself: <a href="/openapi.json">/openapi.json</a></noscript>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
"""

# A change by the session cookie needs the CSRF token: it is taken from the answer to sign-in or to GET /me.
_START = """let csrf = "";
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#ui",
  deepLinking: true,
  validatorUrl: null,
  requestInterceptor: (request) => {
    if (csrf && request.method !== "GET") request.headers["X-CSRF-Token"] = csrf;
    return request;
  },
  responseInterceptor: (response) => {
    if (response.body && response.body.csrf_token) csrf = response.body.csrf_token;
    return response;
  },
});
"""

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'"
)
_ASSETS = ("swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png")


def assets() -> Path:
    """Where the wheel keeps Swagger UI; found without running its code."""
    spec = find_spec("flask_swagger_ui")
    if spec is None or spec.origin is None:
        raise RuntimeError("flask-swagger-ui is not installed")
    return Path(spec.origin).with_name("dist")


def install(app: Flask) -> None:
    """Serve the page and its assets."""
    folder = assets()

    def page() -> Response:
        return Response(_PAGE, mimetype="text/html", headers={"Content-Security-Policy": _POLICY})

    def asset(name: str) -> Response:
        if name == "start.js":
            return Response(_START, mimetype="text/javascript")
        if name not in _ASSETS:
            abort(404)
        return send_from_directory(folder, name, max_age=3600)

    app.add_url_rule("/docs", "docs_page", page)
    app.add_url_rule("/docs/<name>", "docs_asset", asset)
