"""The one place that touches flask-smorest: its Api with our errors, and typed endpoints over its blueprints."""

from collections.abc import Callable, Mapping
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec
from flask import Flask, Request, Response
from flask_smorest import Api as SmorestApi
from flask_smorest import Blueprint as SmorestBlueprint
from marshmallow import RAISE, Schema, fields
from webargs import core
from webargs.flaskparser import FlaskParser, is_json_request

from webapi.http.errors import http_exception_response
from webapi.http.introduction import introduction
from webapi.http.problems import Code, problem
from webapi.http.render import PROBLEM_TYPE
from webapi.http.serve import Method, Served, serve

F = TypeVar("F", bound=Callable[..., object])

API_PREFIX = "/api/v1"
VERSION = "1"


class ErrorBodySchema(Schema):
    """One field that is not as it must be."""

    field = fields.String(metadata={"description": "path in body or query, dots between"})
    message = fields.String()


class ProblemSchema(Schema):
    """RFC 9457 problem: what was wrong and what to do, in the language of Accept-Language (zh-CN unless en)."""

    type = fields.String(metadata={"description": "urn:evcs:problem:{code}"})
    title = fields.String()
    status = fields.Integer()
    detail = fields.String()
    code = fields.String(metadata={"description": "a reason or problem code; its meaning never changes"})
    errors = fields.List(fields.Nested(ErrorBodySchema))
    figures = fields.Dict(fields.String(), fields.String(), metadata={"description": "figures of the sentence"})
    request_id = fields.String(metadata={"description": "also header X-Request-Id"})


class _Parser(FlaskParser):
    """Bodies by msgspec, which no depth, no number and no byte can upset; unknown query parameters are refused."""

    def _raw_load_json(self, req: Request) -> Any:
        body = req.get_data(cache=True)
        if not body:
            return core.missing
        if not is_json_request(req):
            raise problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, Code.NOT_JSON)
        try:
            return msgspec.json.decode(body)
        except (msgspec.DecodeError, RecursionError, ValueError) as error:
            raise problem(HTTPStatus.BAD_REQUEST, Code.BAD_REQUEST) from error


class _Blueprint(SmorestBlueprint):  # type: ignore[misc]
    ARGUMENTS_PARSER = _Parser(unknown=RAISE)


class _Api(SmorestApi):  # type: ignore[misc]
    ERROR_SCHEMA = ProblemSchema

    def _register_responses(self) -> None:
        """The answers that stand for any error are problems too."""
        self.DEFAULT_RESPONSE_CONTENT_TYPE = PROBLEM_TYPE
        super()._register_responses()
        del self.DEFAULT_RESPONSE_CONTENT_TYPE  # the class's own again, for what is no error

    def handle_http_exception(self, error: Any) -> Response:
        """Every error of Flask, werkzeug and webargs as a problem."""
        return http_exception_response(error)


class Endpoints:
    """A tag of the API: the routes of one folder, documented as they are served."""

    def __init__(self, name: str, description: str) -> None:
        self._blueprint = _Blueprint(name, name, url_prefix=API_PREFIX, description=description)

    @property
    def blueprint(self) -> Any:
        """For the app alone."""
        return self._blueprint

    def get(
        self, rule: str, served: Served, *, answers: type[Schema], query: type[Schema] | None = None
    ) -> Callable[[F], F]:
        """A read."""
        return self._route("GET", rule, served, answers, HTTPStatus.OK, query, "query")

    def post(
        self,
        rule: str,
        served: Served,
        *,
        answers: type[Schema] | None,
        body: type[Schema] | None = None,
        example: Mapping[str, object] | None = None,
        status: HTTPStatus = HTTPStatus.OK,
    ) -> Callable[[F], F]:
        """A deed; `example` is a body that works, for the document."""
        return self._route("POST", rule, served, answers, status, body, "json", example)

    def put(
        self,
        rule: str,
        served: Served,
        *,
        answers: type[Schema] | None,
        body: type[Schema],
        example: Mapping[str, object],
    ) -> Callable[[F], F]:
        """How something shall stand."""
        return self._route("PUT", rule, served, answers, HTTPStatus.OK, body, "json", example)

    def patch(
        self,
        rule: str,
        served: Served,
        *,
        answers: type[Schema] | None,
        body: type[Schema],
        example: Mapping[str, object],
    ) -> Callable[[F], F]:
        """A change of some of its fields."""
        return self._route("PATCH", rule, served, answers, HTTPStatus.OK, body, "json", example)

    def delete(self, rule: str, served: Served, *, query: type[Schema] | None = None) -> Callable[[F], F]:
        """An end."""
        return self._route("DELETE", rule, served, None, HTTPStatus.NO_CONTENT, query, "query")

    def _route(
        self,
        method: Method,
        rule: str,
        served: Served,
        answers: type[Schema] | None,
        status: HTTPStatus,
        given: type[Schema] | None,
        location: str,
        example: Mapping[str, object] | None = None,
    ) -> Callable[[F], F]:
        blueprint = self._blueprint

        def decorate(handler: F) -> F:
            schema = None if answers is None else answers()
            work = serve(handler, served, method, schema, status)
            if given is not None:
                work = blueprint.arguments(given, location=location, example=example)(work)
            work = blueprint.response(status, answers)(work)
            for code in _problems(served, method, given is not None, "<" in rule):
                work = blueprint.alt_response(code, schema=ProblemSchema, content_type=PROBLEM_TYPE)(work)
            work = blueprint.doc(**_operation(handler, served))(work)

            @wraps(work)
            def guarded(*args: object, **kwargs: object) -> object:
                served.check(given is not None and location == "json")
                return work(*args, **kwargs)

            blueprint.route(rule, methods=[method], endpoint=handler.__name__)(guarded)
            return handler

        return decorate


def _problems(served: Served, method: Method, has_input: bool, names_object: bool) -> list[int]:
    """The problems that an operation may answer, for the document."""
    found = {429, 503}
    if served.needs_sign_in:
        found.add(401)
    if served.right is not None or method != "GET":
        found.add(403)
    if names_object:
        found.add(404)
    if has_input:
        found.add(422)
    if method != "GET":
        found |= {400, 413, 415}
    if served.keyed:
        found |= {409, 422}
    if served.matched:
        found |= {412, 428}
    return sorted(found | set(served.problems))


def _operation(handler: Callable[..., object], served: Served) -> dict[str, Any]:
    doc: dict[str, Any] = {"operationId": handler.__name__}
    doc["security"] = [{"session": []}, {"bearer": []}] if served.needs_sign_in else []
    if served.files:
        binary = {"schema": {"type": "string", "format": "binary"}}
        doc["responses"] = {200: {"content": {kind: binary for kind in served.files}}}
    headers: list[dict[str, Any]] = []
    if served.keyed:
        headers.append(
            {
                "in": "header",
                "name": "Idempotency-Key",
                "required": True,
                "schema": {"type": "string", "minLength": 1, "maxLength": 255},
                "description": "每次操作一个新键（如 UUID），重试沿用原键：只生效一次，答复相同。 "
                "A new key for each deed, the same one to repeat it: one effect, the same answer.",
            }
        )
    if served.matched:
        headers.append(
            {
                "in": "header",
                "name": "If-Match",
                "required": True,
                "schema": {"type": "string", "minLength": 1},
                "description": "所见数据的 etag；已被他人修改则为 412。 "
                "The etag of what you have seen; 412: somebody changed it meanwhile.",
            }
        )
    if headers:
        doc["parameters"] = headers
    return doc


def make_api(app: Flask) -> Any:
    """The API with its document at /openapi.json."""
    app.config.update(
        API_TITLE="EVCS 充电运营平台 API",
        API_VERSION=VERSION,
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/",
        OPENAPI_JSON_PATH="openapi.json",
        PAGINATION_HEADER_NAME=None,
        API_SPEC_OPTIONS={
            "info": {
                "description": introduction(),
            },
            "components": {
                "securitySchemes": {
                    "session": {"type": "apiKey", "in": "cookie", "name": "evcs_session"},
                    "bearer": {"type": "http", "scheme": "bearer"},
                }
            },
        },
    )
    return _Api(app)


def register(api: Any, endpoints: Endpoints) -> None:
    """Serve and document a folder's endpoints."""
    api.register_blueprint(endpoints.blueprint)
