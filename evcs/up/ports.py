"""Whether the ports of a run are free, and who has one that is not."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Mapping
from pathlib import Path

LOOPBACK = "127.0.0.1"
LISTENING = "0A"


def trouble(ports: Mapping[str, int]) -> list[str]:
    """One sentence per port that a run cannot have; `ports` gives each by the variable that sets it."""
    sentences = []
    by_port: dict[int, str] = {}
    for variable, port in ports.items():
        if port in by_port:
            sentences.append(f"{variable} and {by_port[port]} are both {port}: give one of them another port.")
            continue
        by_port[port] = variable
        if (error := _bind_error(port)) is None:
            continue
        if error == errno.EADDRINUSE:
            owner = holder(port)
            who = f"by {owner}" if owner else "by another program (as root, `ss -ltnp` names it)"
            other = port + 1000 if port < 64000 else port - 1000
            sentences.append(f"port {port} is taken {who}. Stop it, or choose another port: {variable}={other}")
        else:
            sentences.append(f"port {port} cannot be opened ({os.strerror(error)}): set {variable} to another one.")
    return sentences


def accepts(port: int) -> bool:
    """Whether something on loopback accepts connections on `port` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((LOOPBACK, port)) == 0


def holder(port: int, proc: Path = Path("/proc")) -> str | None:
    """The process that listens on `port`, as `pid 12 (its command)`, where Linux lets us see it."""
    inodes = _listening_inodes(port, proc)
    if not inodes:
        return None
    for process in proc.iterdir():
        if not process.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            for descriptor in (process / "fd").iterdir():
                if os.readlink(descriptor) in inodes:
                    command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
                    return f"pid {process.name} ({command.strip()[:120]})"
    return None


def _bind_error(port: int) -> int | None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As a server does: an old connection that is still winding down is no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError as error:
            return error.errno or errno.EINVAL
    return None


def _listening_inodes(port: int, proc: Path) -> set[str]:
    found = set()
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for row in (proc / "net" / table).read_text().splitlines()[1:]:
                fields = row.split()
                if fields[3] == LISTENING and int(fields[1].rsplit(":", 1)[1], 16) == port:
                    found.add(f"socket:[{fields[9]}]")
    return found
