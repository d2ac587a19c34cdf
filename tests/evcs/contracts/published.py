"""The contract as integrators have it: docs/asyncapi.yaml, read as a stranger would, and what it says of payloads."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft7Validator, FormatChecker

FILE = Path(__file__).resolve().parents[3] / "docs" / "asyncapi.yaml"
Json = dict[str, Any]


@cache
def document() -> Json:
    """The file as it stands in the repository."""
    return dict(yaml.load(FILE.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader)))


@cache
def validator(schema: str) -> Draft7Validator:
    """Checks values against one of the document's schemas, formats too."""
    whole = {"$ref": f"#/components/schemas/{schema}", "components": {"schemas": document()["components"]["schemas"]}}
    return Draft7Validator(whole, format_checker=FormatChecker(("date-time",)))


def schemas_of(leaf: str) -> tuple[str, ...]:
    """The names of the payload schemas of a channel."""
    messages = document()["components"]["messages"]
    names = [reference["$ref"].rpartition("/")[2] for reference in document()["channels"][leaf]["messages"].values()]
    return tuple(messages[name]["payload"]["$ref"].rpartition("/")[2] for name in names)


def complaints(leaf: str, raw: bytes) -> list[str]:
    """What the published schemas of a channel have against a message; empty when one of them allows it."""
    found: list[str] = []
    for schema in schemas_of(leaf):
        errors = [
            f"{schema}.{error.json_path}: {error.message}" for error in validator(schema).iter_errors(json.loads(raw))
        ]
        if not errors:
            return []
        found += errors
    return found
