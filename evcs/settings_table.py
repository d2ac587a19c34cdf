"""`python -m evcs.settings_table bridge.settings`: the variables of one settings class as rows of a Markdown table.

A process of its own, since evcs imports no room.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from evcs.runtime.settings import ServiceSettings, variable


def settings_classes(module_name: str) -> list[type[ServiceSettings]]:
    """The settings classes that a module defines, in the order of their names."""
    module = importlib.import_module(module_name)
    found = [
        value
        for _, value in sorted(vars(module).items())
        if isinstance(value, type) and issubclass(value, ServiceSettings) and value.__module__ == module_name
    ]
    if not found:
        raise ValueError(f"{module_name} defines no settings class")
    return found


def own_fields(cls: type[ServiceSettings]) -> dict[str, FieldInfo]:
    """The fields that a class adds or gives another default; those of every service stand in a table of their own."""
    if cls is ServiceSettings:
        return dict(cls.model_fields)
    common = ServiceSettings.model_fields
    return {
        name: field
        for name, field in cls.model_fields.items()
        if name not in common or common[name].default != field.default
    }


def kind(annotation: Any) -> str:
    """A type as a person writes it: `int`, `str or None`, `debug, info`."""
    arguments = get_args(annotation)
    if not arguments:
        return getattr(annotation, "__name__", str(annotation))
    if str(get_origin(annotation)) == "typing.Literal":
        return ", ".join(str(argument) for argument in arguments)
    if type(None) in arguments:
        return " or ".join(kind(argument) for argument in arguments if argument is not type(None)) + ", optional"
    return str(annotation).replace("typing.", "")


def table(fields: dict[str, FieldInfo]) -> str:
    """Markdown rows: variable, kind, default, meaning."""
    lines = ["| variable | kind | default | meaning |", "| --- | --- | --- | --- |"]
    for name, field in fields.items():
        default = field.get_default(call_default_factory=False)
        if field.is_required() or default is PydanticUndefined:
            shown = "required" if field.is_required() else "computed"
        else:
            shown = "" if default is None else f"`{default}`"
        lines.append(f"| `{variable(name)}` | {kind(field.annotation)} | {shown} | {field.description or ''} |")
    return "\n".join(lines) + "\n"


def main(module_name: str) -> int:
    """Print the tables of one module."""
    for cls in settings_classes(module_name):
        if fields := own_fields(cls):
            sys.stdout.write(table(fields))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
