"""The generated files of the project: one table of path → text, written by `evcs docs` and compared by `make check`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from evcs import contract_page
from evcs.contracts import acl, asyncapi

ROOT = Path(__file__).resolve().parents[1]
NOTE = "<!-- Written by `make docs`; edit its source instead. -->\n\n"

# Where the settings classes stand. A room's settings are asked from a process of their own: evcs imports no room.
SETTINGS = (
    ("every service", "evcs.runtime.settings"),
    ("bridge", "bridge.settings"),
    ("bridge.meter", "bridge.meter.settings"),
    ("bridge.simulator", "bridge.simulator.settings"),
    ("ingest", "ingest.settings"),
    ("rules", "rules.settings"),
    ("webapi", "webapi.settings"),
    ("webapi.worker", "webapi.worker.settings"),
    ("webapi.demo", "webapi.demo.settings"),
    ("evcs up", "evcs.up.settings"),
)


class SourceMissing(Exception):
    """What a page is made from is not there; the text names it."""


def settings_page() -> str:
    """docs/settings.md: every variable of every service, from the classes that read them."""
    parts = ["# Settings\n\nEvery variable may also be given as a file that holds the value: `EVCS_X_FILE=/path`.\n"]
    for service, module in SETTINGS:
        asked = subprocess.run(
            [sys.executable, "-m", "evcs.settings_table", module],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if asked.returncode != 0:
            raise SourceMissing(f"{module}: {(asked.stderr.strip().splitlines() or [''])[-1]}")
        if asked.stdout.strip():
            parts.append(f"## {service}\n\n{asked.stdout}")
    return NOTE + "\n".join(parts)


def topics_page() -> str:
    """docs/topics.md: the topic table, one row per right, then every topic with its fields and examples."""
    return NOTE + contract_page.page()


def asyncapi_document() -> str:
    """docs/asyncapi.yaml: the contract for machines."""
    # Only here: PyYAML is a tool of development, and `evcs up` imports this module too.
    from evcs.yaml_text import yaml_text

    return "# Written by `make docs`; edit its source instead.\n" + yaml_text(asyncapi.document())


def frames_page() -> str:
    """docs/protocol/ykc.md: the byte table of every frame, from the declarations of the bridge."""
    made = subprocess.run([sys.executable, "-m", "bridge.protocols.tables"], cwd=ROOT, capture_output=True, check=False)
    if made.returncode != 0:
        raise SourceMissing(f"bridge.protocols.tables: {(made.stderr.decode().strip().splitlines() or [''])[-1]}")
    return NOTE + made.stdout.decode()


def shipped_fault_codes() -> str:
    """webapi/faults/shipped/ykc.json: the bridge's codes for the dictionary of webapi, which may not import it."""
    made = subprocess.run(
        [sys.executable, "-m", "bridge.protocols.code_list"], cwd=ROOT, capture_output=True, check=False
    )
    if made.returncode != 0:
        raise SourceMissing(f"bridge.protocols.code_list: {(made.stderr.decode().strip().splitlines() or [''])[-1]}")
    return made.stdout.decode()


def openapi_document() -> str:
    """docs/openapi.json: the HTTP API for machines, as the running process serves it at /openapi.json."""
    made = subprocess.run([sys.executable, "-m", "webapi.document"], cwd=ROOT, capture_output=True, check=False)
    if made.returncode != 0:
        raise SourceMissing(f"webapi.document: {(made.stderr.decode().strip().splitlines() or [''])[-1]}")
    return made.stdout.decode()


GENERATED: Mapping[str, Callable[[], str]] = {
    "docs/settings.md": settings_page,
    "docs/topics.md": topics_page,
    "docs/asyncapi.yaml": asyncapi_document,
    "docs/openapi.json": openapi_document,
    "mosquitto/acl": acl.acl_file,
    "docs/protocol/ykc.md": frames_page,
    "webapi/faults/shipped/ykc.json": shipped_fault_codes,
}


def run(
    *,
    check: bool,
    say: Callable[[str], None],
    root: Path = ROOT,
    table: Mapping[str, Callable[[], str]] = GENERATED,
) -> int:
    """Write every generated file that differs; with `check` write nothing and return 1 when one does."""
    stale = 0
    for name, generate in table.items():
        path = root / name
        try:
            wanted = generate()
        except SourceMissing as error:
            say(f"{name} cannot be made: {error}")
            return 1
        if path.is_file() and path.read_text(encoding="utf-8") == wanted:
            continue
        stale += 1
        if check:
            say(f"{name} is not up to date: make docs writes it anew")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(wanted, encoding="utf-8")
            say(f"{name} written")
    return 1 if check and stale else 0
