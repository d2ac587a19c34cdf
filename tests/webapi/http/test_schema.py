"""What the OpenAPI document says is what is answered: whatever the schemas allow or forbid, sent to the real app."""

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.webapi.http.world import World
from webapi.users.models import Role

DOCUMENT = json.loads((Path(__file__).parents[3] / "docs" / "openapi.json").read_text(encoding="utf-8"))
OPERATIONS = [
    f"{method.upper()} {path}" for path, item in DOCUMENT["paths"].items() for method in item if method != "parameters"
]
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
SEEN = settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def schema(still: World) -> Any:
    return schemathesis.openapi.from_wsgi("/openapi.json", still.app)


@pytest.fixture(scope="module")
def there(still: World) -> Mapping[str, object]:
    """Path parameters of what exists, by path or by name, so that more is answered than 404."""
    still.recharge(still.ours.customer)
    return {
        "/stations/": still.ours.station,
        "/feeders/": "f1",
        "/piles/": still.ours.pile,
        "gun_no": 1,
        "customer_id": still.ours.customer,
        "transformer_code": f"{still.ours.station}-t",
        "/transformers/": f"{still.ours.station}-t",
        "tariff_id": 1,
        "serial": still.order(still.ours),
    }


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_answered_is_what_is_documented(
    still: World, schema: Any, there: Mapping[str, object], operation: str
) -> None:
    method, path = operation.split(" ", 1)
    declared = schema[path][method]
    allowed = declared.as_strategy(generation_mode=schemathesis.GenerationMode.POSITIVE)
    forbidden = declared.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE)

    @SEEN
    @given(case=allowed | forbidden if _has_input(method, path) else allowed)
    def answers(case: Any) -> None:
        parameters = case.path_parameters or {}
        if zlib.crc32(repr(sorted(parameters.items())).encode()) % 4:
            parameters.update({name: known(there, path, name, value) for name, value in parameters.items()})
        headers = {"Authorization": f"Bearer {still.ours.tokens[Role.TENANT_ADMIN]}"}
        if method != "GET":
            headers["Idempotency-Key"] = uuid4().hex
        case.call_and_validate(headers=headers, checks=CHECKS)

    answers()


def known(there: Mapping[str, object], path: str, name: str, drawn: object) -> object:
    """What exists under this name, or of this kind of path; else what was drawn."""
    of_path = next((value for part, value in there.items() if part in path and name in ("code", "number")), drawn)
    return there.get(name, of_path)


def _has_input(method: str, path: str) -> bool:
    item = DOCUMENT["paths"][path]
    operation = item[method.lower()]
    return bool(operation.get("requestBody") or operation.get("parameters") or item.get("parameters"))
