"""Examples as plain JSON values for documents: complete, or without the fields that have their default."""

import json
from typing import Any

from evcs.contracts.examples import Example
from evcs.contracts.schemas import published


def plainly(example: Example[Any], *, complete: bool) -> dict[str, Any]:
    """The payload as it stands on the wire; unless `complete`, without what a reader fills in by himself."""
    whole: dict[str, Any] = json.loads(example.topic.encode(example.payload))
    if complete:
        return whole
    short: dict[str, Any] = _without_defaults(whole, published()[type(example.payload).__name__])
    return short


def _without_defaults(value: Any, schema: dict[str, Any]) -> Any:
    schema = _resolved(schema)
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        return [_without_defaults(one, schema["items"]) for one in value]
    if not isinstance(value, dict):
        return value
    required = schema.get("required", ())
    fields = schema["properties"]
    return {
        name: _without_defaults(inner, fields[name])
        for name, inner in value.items()
        if name in required or inner != fields[name].get("default")
    }


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """The structure behind a reference, also one that is wrapped or may be null."""
    for choice in (schema, *schema.get("allOf", ()), *schema.get("anyOf", ())):
        if "$ref" in choice:
            return published()[choice["$ref"].rpartition("/")[2]]
    return schema
