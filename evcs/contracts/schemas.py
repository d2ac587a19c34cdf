"""JSON Schemas (draft 7) of all payloads as they are published: exact decimals are numbers, fields are described."""

from collections.abc import Iterable, Mapping
from enum import Enum
from functools import cache
from typing import Any, get_args

import msgspec

from evcs.contracts.described import docstrings, own_text
from evcs.contracts.field_words import FIELDS
from evcs.contracts.reasons import SENTENCES, Reason
from evcs.contracts.topics import TABLE, Topic

REF = "#/components/schemas/{name}"

Schema = dict[str, Any]


def types_of(topic: Topic[Any]) -> tuple[type[msgspec.Struct], ...]:
    """The payload types of a topic: one, or those of its union."""
    return get_args(topic.payload) or (topic.payload,)


def name_of(payload: type) -> str:
    """The name under which a type stands among the schemas."""
    return payload.__name__


@cache
def published() -> Mapping[str, Schema]:
    """Every type of the contract by name, in alphabetical order."""
    payloads = [payload for topic in TABLE for payload in types_of(topic)]
    _, written = msgspec.json.schema_components(payloads, ref_template=REF)
    components = msgspec.json.decode(msgspec.json.encode(written))  # defaults as they stand in JSON
    classes = {cls.__name__: cls for cls in _reached(payloads)}
    return {name: _component(classes[name], components[name]) for name in sorted(components)}


def _reached(payloads: Iterable[type]) -> set[type]:
    """The structures and enumerations among the types of the payloads' fields, at any depth."""
    found: set[type] = set()
    todo: list[object] = list(payloads)
    while todo:
        one = todo.pop()
        if not isinstance(one, type):
            todo.extend(get_args(one))
        elif one not in found and issubclass(one, Enum | msgspec.Struct):
            found.add(one)
            if issubclass(one, msgspec.Struct):
                todo.extend(field.type for field in msgspec.structs.fields(one))
        else:
            todo.extend(get_args(one))
    return found


def _component(cls: type, schema: Schema) -> Schema:
    texts = docstrings(cls)
    plain = {**schema, "description": own_text(cls)}
    if issubclass(cls, Enum):
        said = [f"`{member.value}`: {text}" for member in cls if (text := _said(member, texts))]
        return {
            "title": cls.__name__,
            "type": "string",
            "enum": [member.value for member in cls],
            "description": "\n\n".join([own_text(cls), *said]),
        }
    plain["properties"] = {
        name: _described(_plain(field), texts.get(name) or (None if _says(field) else FIELDS.get(name)))
        for name, field in schema["properties"].items()
    }
    return plain


def _said(member: Enum, texts: Mapping[str, str]) -> str:
    """What a member means; of a reason the sentence that people are shown."""
    if isinstance(member, Reason):
        return f"{SENTENCES[member].zh} · {SENTENCES[member].en}"
    return texts.get(member.name, "")


def _says(schema: Schema) -> bool:
    """Whether the field's type says already what it is."""
    return "description" in schema or any("description" in choice for choice in schema.get("anyOf", []))


def _described(schema: Schema, text: str | None) -> Schema:
    """The field with its own description; a reference may have nothing beside it, so it is wrapped."""
    about = {"description": text} if text else {}
    beside = {name: value for name, value in schema.items() if name != "$ref"}
    if "$ref" in schema and (about or beside):
        return {**about, "allOf": [{"$ref": schema["$ref"]}], **beside}
    return {**schema, **about}


def _plain(schema: Schema) -> Schema:
    """What msgspec writes, put as draft 7 and for readers: numbers for decimals, null as a second type."""
    plain = {name: _inner(name, value) for name, value in schema.items()}
    if plain.get("format") == "decimal":
        del plain["format"]
        plain["type"] = "number"
    if "prefixItems" in plain:
        plain["items"] = plain.pop("prefixItems")
        plain["additionalItems"] = False
    choices = plain.get("anyOf", [])
    if len(choices) == 2 and choices[1] == {"type": "null"} and isinstance(choices[0].get("type"), str):
        rest = {name: value for name, value in plain.items() if name != "anyOf"}
        return {**choices[0], "type": [choices[0]["type"], "null"], **rest}
    return plain


def _inner(name: str, value: Any) -> Any:
    if isinstance(value, dict) and name != "default":
        return _plain(value)
    if name in ("anyOf", "prefixItems"):
        return [_plain(one) for one in value]
    return value
