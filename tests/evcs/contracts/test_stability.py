"""What keeps old and new versions together: unknown fields pass by, fields with a default may be absent."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from evcs.contracts.envelope import MAX_PAYLOAD_BYTES, ContractError
from evcs.contracts.examples import EXAMPLES, Example
from tests.evcs.contracts.published import complaints, document, schemas_of

each = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"{example.topic.leaf}-{example.name}")

Json = dict[str, Any]


def resolved(schema: Json) -> Json:
    """The structure behind a reference, also one that is wrapped or may be null."""
    for choice in (schema, *schema.get("allOf", ()), *schema.get("anyOf", ())):
        if "$ref" in choice:
            return dict(document()["components"]["schemas"][choice["$ref"].rpartition("/")[2]])
    return schema


def rewritten(value: Any, schema: Json, change: Callable[[Json, Json], Json]) -> Any:
    """The value with `change` applied to each structure in it, given the structure's schema."""
    schema = resolved(schema)
    if isinstance(value, list) and isinstance(schema.get("items"), dict):
        return [rewritten(one, schema["items"], change) for one in value]
    if not isinstance(value, dict):
        return value
    inner = {name: rewritten(one, schema["properties"][name], change) for name, one in value.items()}
    return change(inner, schema)


def message_of(example: Example[Any]) -> tuple[Json, Json]:
    """An example as JSON, with its published schema."""
    (name,) = {type(example.payload).__name__} & set(schemas_of(example.topic.leaf))
    return json.loads(example.topic.encode(example.payload)), document()["components"]["schemas"][name]


def only_required(value: Json, schema: Json) -> Json:
    return {name: inner for name, inner in value.items() if name in schema.get("required", ())}


def with_later_fields(value: Json, schema: Json) -> Json:
    return {"a_later_field": {"of": ["any", "kind"]}, **value, "another": None}


@each
def test_message_with_only_the_required_fields_is_read(example: Example[Any]) -> None:
    bare = rewritten(*message_of(example), only_required)
    raw = json.dumps(bare).encode()
    assert complaints(example.topic.leaf, raw) == []
    read = json.loads(example.topic.encode(example.topic.decode(raw)))
    assert rewritten(read, message_of(example)[1], only_required) == bare


@each
def test_fields_of_later_versions_are_ignored_at_every_depth(example: Example[Any]) -> None:
    later = rewritten(*message_of(example), with_later_fields)
    assert later != message_of(example)[0]
    assert example.topic.decode(json.dumps(later).encode()) == example.payload
    assert complaints(example.topic.leaf, json.dumps(later).encode()) == []


@each
def test_message_without_a_required_field_is_refused_by_us_and_by_the_schema(example: Example[Any]) -> None:
    whole, schema = message_of(example)
    for name in schema["required"]:
        raw = json.dumps({field: value for field, value in whole.items() if field != name}).encode()
        with pytest.raises(ContractError, match=name):
            example.topic.decode(raw)
        assert complaints(example.topic.leaf, raw)


@each
def test_message_that_is_too_long_or_cut_off_is_refused(example: Example[Any]) -> None:
    raw = example.topic.encode(example.payload)
    with pytest.raises(ContractError, match="is over"):
        example.topic.decode(raw + b" " * (MAX_PAYLOAD_BYTES + 1 - len(raw)))
    with pytest.raises(ContractError):
        example.topic.decode(raw[:-1])


def test_what_may_be_absent_has_a_published_default() -> None:
    for name, schema in document()["components"]["schemas"].items():
        for field, told in schema.get("properties", {}).items():
            assert (field in schema.get("required", ())) != ("default" in told), f"{name}.{field}"


def test_every_type_and_field_is_described() -> None:
    for name, schema in document()["components"]["schemas"].items():
        assert schema["description"], name
        for field, told in schema.get("properties", {}).items():
            if "enum" in told:  # the tag of a union, which names the type
                continue
            texts = [told.get("description"), *(choice.get("description") for choice in told.get("anyOf", ()))]
            assert any(texts), f"{name}.{field}"
