"""Finds Node.js, and installs the npm packages of a test exactly as its lock file says, once for all who ask."""

from __future__ import annotations

import fcntl
import re
import shutil
import subprocess
from pathlib import Path

OLDEST = 18
NPM_TIMEOUT_S = 300
STAMP = "installed.lock"
"""In node_modules: the package-lock.json that was installed."""


class PackagesMissing(Exception):
    """The packages cannot be had here; the text says why."""


def find_node() -> Path | None:
    """Node.js that is new enough, where npm is beside it."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False, timeout=30)
    version = re.match(r"v(\d+)\.", said.stdout)
    return Path(node) if version and int(version[1]) >= OLDEST else None


def install(folder: Path) -> None:
    """Make `folder`/node_modules what its lock file says; instant when it is. Raises PackagesMissing.

    Several test processes may ask at once: one installs, the others wait for it.
    """
    npm = shutil.which("npm")
    if find_node() is None or npm is None:
        raise PackagesMissing(f"Node.js {OLDEST} or newer with npm is not here")
    wanted = (folder / "package-lock.json").read_bytes()
    stamp = folder / "node_modules" / STAMP
    with (folder / ".npmrc").open("rb") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        if stamp.is_file() and stamp.read_bytes() == wanted:
            return
        try:
            done = subprocess.run(
                [npm, "ci", "--no-progress"],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=NPM_TIMEOUT_S,
            )
        except subprocess.TimeoutExpired:
            raise PackagesMissing(f"npm ci was not done after {NPM_TIMEOUT_S} s") from None
        if done.returncode != 0:
            last = (done.stderr or done.stdout).strip().splitlines()
            raise PackagesMissing(f"npm ci failed: {last[-1] if last else 'it said nothing'}")
        stamp.write_bytes(wanted)
