"""docs/asyncapi.yaml: accepted by the public AsyncAPI parser, complete, the same however often it is made."""

import subprocess
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from evcs import docs
from evcs.contracts import asyncapi, examples
from evcs.contracts.schemas import types_of
from evcs.contracts.topics import TABLE, Topic
from evcs.setup import node
from evcs.yaml_text import yaml_text
from tests.servers import absent

FOLDER = Path(__file__).resolve().parents[2] / "asyncapi"
REVIEWED = {"asyncapi-latest-version"}
"""What the parser may remark: that 3.1.0 exists. 3.0.0 is what more of the tools read, and we use nothing newer."""


@pytest.fixture(scope="module")
def parse(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Runs the public parser over a text."""
    try:
        node.install(FOLDER)
    except node.PackagesMissing as error:
        absent(f"the AsyncAPI parser ({error})")
    folder = tmp_path_factory.mktemp("asyncapi")

    def run(text: str) -> subprocess.CompletedProcess[str]:
        file = folder / "document.yaml"
        file.write_text(text, encoding="utf-8")
        return subprocess.run(
            ["node", str(FOLDER / "check.mjs"), str(file)], capture_output=True, text=True, check=False, timeout=90
        )

    return run


def remarks(done: subprocess.CompletedProcess[str]) -> set[str]:
    levels = ("error", "warning", "information", "hint")
    return {line.split()[1] for line in done.stdout.splitlines() if line.split()[0] in levels}


def test_document_is_accepted_by_the_public_parser(
    parse: Callable[[str], subprocess.CompletedProcess[str]],
) -> None:
    done = parse(docs.asyncapi_document())
    assert done.returncode == 0, done.stdout + done.stderr
    assert remarks(done) <= REVIEWED, done.stdout
    messages = sum(len(types_of(topic)) for topic in TABLE)
    rights = sum(len(topic.by) + len(topic.to) for topic in TABLE)
    assert done.stdout.splitlines()[-1] == f"{len(TABLE)} channels, {rights} operations, {messages} messages"


def broken_reference(document: asyncapi.Json) -> None:
    document["components"]["messages"]["telemetry"]["payload"] = {"$ref": "#/components/schemas/Nobody"}


def wrong_action(document: asyncapi.Json) -> None:
    document["operations"]["bridge_sends_telemetry"]["action"] = "shout"


def no_title(document: asyncapi.Json) -> None:
    del document["info"]["title"]


def unknown_level(document: asyncapi.Json) -> None:
    document["channels"]["telemetry"]["address"] += "/{nobody}"


def wrong_type(document: asyncapi.Json) -> None:
    document["components"]["schemas"]["Telemetry"]["properties"]["voltage_v"]["type"] = "volts"


@pytest.mark.parametrize(
    "damage", [broken_reference, wrong_action, no_title, unknown_level, wrong_type], ids=lambda damage: damage.__name__
)
def test_damaged_document_is_an_error(
    parse: Callable[[str], subprocess.CompletedProcess[str]], damage: Callable[[asyncapi.Json], None]
) -> None:
    document = deepcopy(asyncapi.document())
    damage(document)
    done = parse(yaml_text(document))
    assert done.returncode == 1, done.stdout
    assert any(line.startswith("error ") for line in done.stdout.splitlines()), done.stderr


@pytest.mark.parametrize("topic", TABLE, ids=lambda topic: topic.leaf)
def test_each_topic_stands_in_the_document_with_its_rights(topic: Topic[Any]) -> None:
    document = asyncapi.document()
    assert document["channels"][topic.leaf]["address"] == topic.pattern
    operations = {
        (operation["tags"][0]["name"], operation["action"]): operation["bindings"]["mqtt"]
        for operation in document["operations"].values()
        if operation["channel"] == {"$ref": f"#/channels/{topic.leaf}"}
    }
    assert set(operations) == {(role, "send") for role in topic.by} | {(role, "receive") for role in topic.to}
    for (_, action), binding in operations.items():
        assert binding["qos"] == topic.qos
        assert binding.get("retain") == (topic.retained if action == "send" else None)
    shown = sum(
        len(document["components"]["messages"][name]["examples"])
        for name in document["channels"][topic.leaf]["messages"]
    )
    assert shown == len(examples.of(topic))


def test_document_is_read_back_as_it_was_made() -> None:
    assert yaml.safe_load(docs.asyncapi_document()) == asyncapi.document()
    assert docs.asyncapi_document() == docs.asyncapi_document()
