"""docs/topics.md: the table of rights, then each topic with its fields and examples, then the types they share."""

import json
from collections.abc import Iterator
from typing import Any

from evcs.contracts import asyncapi, examples
from evcs.contracts.plain import plainly
from evcs.contracts.schemas import Schema, name_of, published, types_of
from evcs.contracts.topics import TABLE, Topic

WIDTH = 110
"""An object or a list that fits stands on one line."""

RULES = """\
`S` = `evcs/v1/{shard}/station/{station}`, `P` = `S/pile/{pile}`, `G` = `P/gun/{gun}`,
`T` = `S/transformer/{transformer}`, `B` = `evcs/v1/bridge/{bridge}`. `webapi` is its worker and its HTTP processes;
`integrators` are outside systems, which only read. A service may also read what it writes.

## Rules · 约定

- **Names, meanings, types and units never change** within `evcs/v1`; new fields and topics are added beside them.
  字段名、含义、类型、单位不变；只增加新字段和新主题。 What was released is kept, and each change is compared with it.
- **New fields are optional** and have a default, so that a newer reader reads what an older publisher wrote. A field
  without a default (*required*) comes only with a new topic or kind. 新字段都有默认值。
- **Readers ignore fields that they do not know.** New kinds, states and reason codes may come, too: take an unknown one
  as something else than those you know. Within the platform readers are updated before publishers.
  读者忽略不认识的字段；枚举可能增加新值。
- **At least once**: QoS 1 may bring a message again, with the same `id` or `receipt`. Levels (retained) carry a
  `version`: keep the highest. 同一消息可能重复到达；保留消息以版本号最大者为准。
- **A message over 256 KiB, or one that is not as its schema says, is refused** and counted. An empty retained message
  says that its subject is gone. 超长或不合约定的消息被拒收；空的保留消息表示对象已不存在。
- Times are RFC 3339 in UTC with up to six digits of a second; money is whole fen; energies are JSON numbers, exact to
  0.0001 kWh (read them as decimals). Null means that there is no value, and never 0.
  时间为 UTC，金额为分，电量精确到 0.0001 kWh；null 表示没有数值，不是 0。

The same contract as a machine reads it: [asyncapi.yaml](asyncapi.yaml). 机器可读的同一契约。
"""


def page() -> str:
    """The whole page, without the note of generated files."""
    parts = [
        "# Topics",
        _table(),
        RULES,
        *(_section(topic) for topic in TABLE),
        "## Types · 共用类型",
        *(_type(name, schema) for name, schema in _shared()),
    ]
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def _table() -> str:
    lines = [
        "| topic | from → to | QoS | retained | payload | what |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for topic in TABLE:
        payloads = ", ".join(name_of(payload) for payload in types_of(topic))
        retained = "yes, last will" if topic.last_will else "yes" if topic.retained else ""
        lines.append(
            f"| `{topic.pattern}` | {', '.join(topic.by)} → {', '.join(topic.to)} | {topic.qos} "
            f"| {retained} | {payloads} | [{topic.title}](#{topic.leaf}) |".replace("| |", "|  |")
        )
    return "\n".join(lines)


def _section(topic: Topic[Any]) -> str:
    lines = [
        f"## {topic.leaf}",
        "",
        f"**{topic.zh} · {topic.title}.** `{topic.pattern}`",
    ]
    if topic in asyncapi.ANSWERS:
        answer = asyncapi.ANSWERS[topic].leaf
        lines += ["", f"Answered once on [{answer}](#{answer})."]
    for payload in types_of(topic):
        lines += ["", f"### {name_of(payload)}" if len(types_of(topic)) > 1 else "### Fields", ""]
        lines += _fields(published()[name_of(payload)])
        shown = [example for example in examples.of(topic) if type(example.payload) is payload]
        for number, example in enumerate(shown):
            note = "" if number == 0 else " (fields with their default left out)"
            shape = _json(plainly(example, complete=number == 0), 0)
            lines += ["", f"{example.zh} · {example.en}{note}:", "", "```json", shape, "```"]
    return "\n".join(lines)


def _shared() -> Iterator[tuple[str, Schema]]:
    """The types that stand in payloads, but are none."""
    payloads = {name_of(payload) for topic in TABLE for payload in types_of(topic)}
    return ((name, schema) for name, schema in published().items() if name not in payloads)


def _type(name: str, schema: Schema) -> str:
    lines = [f"### {name}", ""]
    if "enum" not in schema:
        return "\n".join([*lines, *_fields(schema)])
    about, *members = schema["description"].split("\n\n")
    told = {text.split("`")[1]: text.split("`: ", 1)[1] for text in members}
    lines += [about, ""]
    lines += [f"- `{value}`" + (f": {told[value]}" if value in told else "") for value in schema["enum"]]
    return "\n".join(lines)


def _fields(schema: Schema) -> list[str]:
    required = schema.get("required", ())
    lines = [schema["description"], "", "| field | type | default | what |", "| --- | --- | --- | --- |"]
    for name, field in schema["properties"].items():
        default = "*required*" if name in required else f"`{json.dumps(field.get('default'), ensure_ascii=False)}`"
        lines.append(f"| `{name}` | {_kind(field)} | {default} | {_what(field)} |")
    return lines


def _what(field: Schema) -> str:
    texts = [field.get("description", ""), *(choice.get("description", "") for choice in field.get("anyOf", ()))]
    return next((text for text in texts if text), "").replace("|", "\\|")


def _kind(field: Schema) -> str:
    """The type in a few words: `string`, `[number]`, a link to a shared type, what may be null."""
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "allOf" in field:
        return _kind(field["allOf"][0])
    if "anyOf" in field:
        return " or ".join(_kind(choice) for choice in field["anyOf"])
    if "enum" in field:
        return " or ".join(f"`{value}`" for value in field["enum"])
    names = field["type"] if isinstance(field["type"], list) else [field["type"]]
    said = [_items(field) if name == "array" else _format(field) if name == "string" else name for name in names]
    return " or ".join(said)


def _items(field: Schema) -> str:
    items = field["items"]
    return f"{len(items)} × {_kind(items[0])}" if isinstance(items, list) else f"[{_kind(items)}]"


def _format(field: Schema) -> str:
    return "time" if field.get("format") == "date-time" else "string"


def _json(value: Any, depth: int) -> str:
    """JSON in which what fits stands on one line."""
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or not value or (depth and len(line) + 2 * depth <= WIDTH):
        return line
    if isinstance(value, list) and not any(isinstance(one, dict | list) for one in value):
        return _wrapped(value, depth)
    pad = "  " * (depth + 1)
    if isinstance(value, dict):
        inner = [f"{pad}{json.dumps(name)}: {_json(one, depth + 1)}" for name, one in value.items()]
        return "{\n" + ",\n".join(inner) + "\n" + "  " * depth + "}"
    return "[\n" + ",\n".join(pad + _json(one, depth + 1) for one in value) + "\n" + "  " * depth + "]"


def _wrapped(values: list[Any], depth: int) -> str:
    """A long list of plain values, twelve a line."""
    pad = "  " * (depth + 1)
    texts = [json.dumps(value, ensure_ascii=False) for value in values]
    rows = [", ".join(texts[first : first + 12]) for first in range(0, len(texts), 12)]
    return "[\n" + ",\n".join(pad + row for row in rows) + "\n" + "  " * depth + "]"
