"""Generated files: written when they differ, told when they are stale, never touched by a check."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import Field

from evcs import docs, settings_table
from evcs.contracts.topics import TABLE
from evcs.runtime.settings import ServiceSettings


def test_stale_file_fails_the_check_and_is_left_as_it_is(tmp_path: Path) -> None:
    said: list[str] = []
    (tmp_path / "a.md").write_text("old")
    assert docs.run(check=True, say=said.append, root=tmp_path, table={"a.md": lambda: "new"}) == 1
    assert said == ["a.md is not up to date: make docs writes it anew"]
    assert (tmp_path / "a.md").read_text() == "old"


def test_files_are_written_once_and_then_pass_the_check(tmp_path: Path) -> None:
    said: list[str] = []
    table = {"docs/a.md": lambda: "new 桩"}
    assert docs.run(check=False, say=said.append, root=tmp_path, table=table) == 0
    assert docs.run(check=False, say=said.append, root=tmp_path, table=table) == 0
    assert said == ["docs/a.md written"]
    assert docs.run(check=True, say=said.append, root=tmp_path, table=table) == 0


def test_topics_page_has_a_row_for_every_topic() -> None:
    page = docs.topics_page()
    assert "| `evcs/v1/{shard}/station/{station}/pile/{pile}/gun/{gun}/record` | bridge → webapi | 1 |  |" in page
    assert page.count("\n| `evcs/v1/") == len(TABLE)


def test_topics_page_has_a_section_with_an_example_for_every_topic_and_no_dead_link() -> None:
    page = docs.topics_page()
    sections = page.split("\n## ")[1:]
    titles = [section.splitlines()[0] for section in sections]
    for topic in TABLE:
        assert "```json" in sections[titles.index(topic.leaf)]
    anchors = {line.lstrip("# ").lower() for line in page.splitlines() if line.startswith("#")}
    assert {link for link in re.findall(r"\]\(#([\w-]+)\)", page)} <= anchors


class Sample(ServiceSettings):
    """A room's settings as they may be."""

    port: int = Field(8767, description="port for piles")
    shard: str = Field(description="which one")
    health_port: int = Field(9000, description="health port of this one")
    token: str | None = Field(None, description="secret")


def test_settings_table_tells_what_a_service_adds_or_sets_otherwise() -> None:
    assert settings_table.table(settings_table.own_fields(Sample)).splitlines()[2:] == [
        "| `EVCS_HEALTH_PORT` | int | `9000` | health port of this one |",
        "| `EVCS_PORT` | int | `8767` | port for piles |",
        "| `EVCS_SHARD` | str | required | which one |",
        "| `EVCS_TOKEN` | str, optional |  | secret |",
    ]


def test_common_settings_have_a_table_of_their_own() -> None:
    assert settings_table.settings_classes("evcs.runtime.settings") == [ServiceSettings]
    assert set(settings_table.own_fields(ServiceSettings)) == set(ServiceSettings.model_fields)
