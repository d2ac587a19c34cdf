"""Plain values as YAML for readers: in the order given, long texts as blocks, short lists on one line."""

import re
from typing import Any

import yaml

WIDTH = 118

_NUMBER = re.compile(r"[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?|0o[0-7]+|0x[0-9a-fA-F]+")
"""What YAML 1.2 reads as a number; PyYAML, which writes 1.1, would leave a text like 12e4 bare."""


class _Dumper(yaml.SafeDumper):
    """No anchors: what is the same in two places is written twice."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _is_scalar(value: object) -> bool:
    return not isinstance(value, dict | list) and "\n" not in str(value)


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else "'" if _NUMBER.fullmatch(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _list(dumper: _Dumper, values: list[Any]) -> yaml.SequenceNode:
    flow = all(_is_scalar(value) for value in values)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", values, flow_style=flow)


def _map(dumper: _Dumper, values: dict[str, Any]) -> yaml.MappingNode:
    flow = (
        len(values) == 1 and next(iter(values)) in ("$ref", "name", "type") and _is_scalar(next(iter(values.values())))
    )
    return dumper.represent_mapping("tag:yaml.org,2002:map", values.items(), flow_style=flow)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(list, _list)
_Dumper.add_representer(dict, _map)


def yaml_text(value: dict[str, Any]) -> str:
    """The value as YAML 1.1 and 1.2 both read it."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=WIDTH)
