"""Finds the servers that tests need and no wheel brings (brokers, databases, stores), or installs them on Debian.

`python -m evcs.setup.servers install` before the tests, `report` after them: both say loudly what has to be left out.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evcs.setup.node import find_node

APT_TIMEOUT_S = 300
POLICY = Path("/usr/sbin/policy-rc.d")
DENY_STARTS = "#!/bin/sh\nexit 101\n"


def find_mosquitto() -> Path | None:
    """The Mosquitto broker; Debian puts it where an ordinary user's PATH does not look."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin")
    return Path(found) if found else None


def find_postgresql(debian: Path = Path("/usr/lib/postgresql")) -> Path | None:
    """The folder with PostgreSQL's `initdb` and `postgres`, the newest of several; Debian keeps it out of PATH."""

    def complete(folder: Path) -> bool:
        return all(os.access(folder / name, os.X_OK) for name in ("initdb", "postgres"))

    versions = [entry for entry in debian.iterdir() if entry.name.isdigit()] if debian.is_dir() else []
    for version in sorted(versions, key=lambda entry: int(entry.name), reverse=True):
        if complete(version / "bin"):
            return version / "bin"
    on_path = shutil.which("initdb")
    if on_path and complete(Path(on_path).resolve().parent):
        return Path(on_path).resolve().parent
    return None


def find_influxdb() -> Path | None:
    """InfluxDB 1.x."""
    found = shutil.which("influxd") or shutil.which("influxd", path="/usr/bin:/usr/local/bin:/opt/homebrew/bin")
    return Path(found) if found else None


def find_victoria_metrics() -> Path | None:
    """VictoriaMetrics, under the name that Debian gives it or that of its makers' archive."""
    found = shutil.which("victoria-metrics") or shutil.which("victoria-metrics-prod")
    return Path(found) if found else None


@dataclass(frozen=True, slots=True)
class Server:
    """One server, how it is found, the Debian package that brings it, and what cannot be tested without it."""

    name: str
    package: str
    find: Callable[[], Path | None]
    left_out: str


SERVERS = (
    Server("Mosquitto", "mosquitto", find_mosquitto, "everything that is proved on both brokers, on Mosquitto"),
    Server("InfluxDB 1.x", "influxdb", find_influxdb, "everything that is proved on a real InfluxDB"),
    Server("VictoriaMetrics", "victoria-metrics", find_victoria_metrics, "that /api/v2/write stores what is written"),
    Server("PostgreSQL", "postgresql", find_postgresql, "everything that is proved on both databases, on PostgreSQL"),
    Server("Node.js", "npm", find_node, "docs/asyncapi.yaml before the public AsyncAPI parser"),
)


def missing(servers: Sequence[Server] = SERVERS) -> list[Server]:
    """The servers that are not on this machine."""
    return [server for server in servers if server.find() is None]


def why_not_apt() -> str | None:
    """Why apt cannot be used here, or None when it can."""
    if shutil.which("apt-get") is None:
        return "this is not Debian, so they are not installed by themselves"
    if os.geteuid() != 0:
        return "only root may install packages"
    return None


def apt_install(packages: Sequence[str], policy: Path = POLICY) -> str | None:
    """Install Debian packages without letting Debian start what they bring; the reason when that cannot be."""
    if (why := why_not_apt()) is not None:
        return why
    say(f"installing {' and '.join(packages)} with apt")
    env = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    # Tests start servers of their own on free ports: one that Debian starts would only take the usual port.
    ours = not policy.exists()
    if ours:
        policy.write_text(DENY_STARTS)
        policy.chmod(0o755)
    try:
        for command in (
            ["apt-get", "update", "-qq"],
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages],
        ):
            done = subprocess.run(
                command,
                env=env,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=APT_TIMEOUT_S,
                check=False,
            )
            if done.returncode != 0:
                last = (done.stderr or done.stdout).strip().splitlines()
                return f"`{' '.join(command)}` failed: {last[-1] if last else 'it said nothing'}"
    except subprocess.TimeoutExpired as error:
        return f"`{' '.join(error.cmd)}` was not done after {APT_TIMEOUT_S} s"
    finally:
        if ours:
            policy.unlink(missing_ok=True)
    return None


def notice(absent: Sequence[Server], why: str | None) -> str:
    """The frame that nobody overlooks: what is not tested, why, and what would mend it."""
    lines = ["NOT ALL TESTS RUN", ""]
    lines += [f"{server.name} is not here. Left out: {server.left_out}." for server in absent]
    if why:
        lines.append(f"Why it was not installed: {why}.")
    lines += ["", f"To mend it, as root: apt-get install {' '.join(server.package for server in absent)}"]
    width = max(len(line) for line in lines) + 4
    frame = "!" * width
    return "\n".join([frame, *(f"! {line:<{width - 4}} !" for line in lines), frame])


def install(
    environ: Mapping[str, str],
    servers: Sequence[Server] = SERVERS,
    installer: Callable[[Sequence[str]], str | None] = apt_install,
) -> int:
    """Find or install every server; 1 when one stays missing and the environment asks for all of them."""
    absent, why = missing(servers), None
    if absent:
        why = installer([server.package for server in absent])
        absent = missing(servers)
    for server in servers:
        if (found := server.find()) is not None:
            say(f"{server.name}: {found}")
    if not absent:
        return 0
    say(notice(absent, why))
    return 1 if environ.get("EVCS_TEST_REQUIRE_ALL") == "1" else 0


def report(servers: Sequence[Server] = SERVERS) -> int:
    """Repeat after the tests what was left out, where the reader of a long output looks; nothing when all is there."""
    if absent := missing(servers):
        say(notice(absent, why_not_apt()))
    return 0


def say(text: str) -> None:
    """One line for the person who waits."""
    sys.stderr.write(text + "\n")


def main(arguments: Sequence[str]) -> int:
    """`install` or `report`."""
    match list(arguments):
        case ["install"]:
            return install(os.environ)
        case ["report"]:
            return report()
    say("usage: python -m evcs.setup.servers install|report")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
