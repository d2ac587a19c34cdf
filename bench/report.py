"""bench/results.md: each measurement owns a section between two marks and writes it anew."""

import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).with_name("results.md")
HEAD = "# Measurements\n\nOne machine with two shared cores; ratios within a run are steadier than the figures.\n"


def section(key: str, title: str, text: str, *, write: bool = True) -> None:
    """Print a section, and put it in the place of its older self (else at the end)."""
    when = f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}"
    begin, end = f"<!-- bench:{key} -->", f"<!-- /bench:{key} -->"
    whole = f"{begin}\n## {title}\n\n{text.strip()}\n\n{when}.\n{end}"
    sys.stdout.write(f"{whole}\n")
    if not write:
        return
    old = RESULTS.read_text(encoding="utf-8") if RESULTS.is_file() else HEAD
    if begin in old and end in old:
        before, _, rest = old.partition(begin)
        new = before + whole + rest.partition(end)[2]
    else:
        new = old.rstrip() + "\n\n" + whole + "\n"
    RESULTS.write_text(new, encoding="utf-8")
