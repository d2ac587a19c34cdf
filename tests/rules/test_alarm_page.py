"""docs/alarms.md shows the rules as they are."""

from pathlib import Path

from rules.protection.page import table

PAGE = Path(__file__).parents[2] / "docs" / "alarms.md"


def test_the_page_has_the_rules_as_they_are() -> None:
    shown = PAGE.read_text(encoding="utf-8").partition("<!-- table -->\n")[2]
    assert shown == table(), "put the output of `python -m rules.protection.page` behind the mark"
