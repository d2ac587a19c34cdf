"""What was published once, a line each; `python -m tests.evcs.contracts.released` adds at a release what is new."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from evcs.contracts.schemas import published

FILE = Path(__file__).with_name("released.txt")
WORDS = ("description", "title", "default")
"""What may be said otherwise: it binds nobody."""


def lines(schemas: Mapping[str, Any]) -> Iterator[str]:
    """Each type's fields with their types, and each enumeration's values."""
    for name, schema in sorted(schemas.items()):
        for value in schema.get("enum", ()):
            yield f"{name} may be {value}"
        for field, told in schema.get("properties", {}).items():
            need = "required" if field in schema.get("required", ()) else "optional"
            yield f"{name}.{field} {need} {json.dumps(_bare(told), ensure_ascii=False, sort_keys=True)}"


def breaks(before: set[str], now: set[str]) -> list[str]:
    """What a reader or publisher of the earlier contract would trip over; growth is no break."""
    types = {line.split(".")[0] for line in before if "." in line.split(" ")[0]}
    gone = [f"no more: {line}" for line in sorted(before - now)]
    asked = [
        f"asked of those who do not know it: {line}"
        for line in sorted(now - before)
        if line.split(" ")[1] == "required" and line.split(".")[0] in types
    ]
    return gone + asked


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        bare = {name: _bare(inner) for name, inner in value.items() if name not in WORDS}
        # A description beside a reference only wraps it.
        return bare["allOf"][0] if set(bare) == {"allOf"} else bare
    return [_bare(inner) for inner in value] if isinstance(value, list) else value


if __name__ == "__main__":
    kept = set(FILE.read_text(encoding="utf-8").splitlines()) if FILE.exists() else set()
    FILE.write_text("\n".join(sorted(kept | set(lines(published())))) + "\n", encoding="utf-8")
