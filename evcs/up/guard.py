"""Ends the children when the supervisor is gone: even a SIGKILL of the supervisor leaves no orphan.

Run as a program with a pipe on standard input; its arguments are the process groups that run already, so that it knows
them from its first moment. A line `+<group>` names a process group to end, `-<group>` one that has
ended by itself. When the pipe closes, the supervisor is dead: the groups left get SIGTERM and, after a while, SIGKILL.
The parent-death signal of Linux would do for direct children only, and not on other systems.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Iterable

GRACE_S = 5.0
POLL_S = 0.05


def is_alive(group: int) -> bool:
    """Whether any process is left in the group (a zombie whose parent is gone is reaped by init at once)."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def end(groups: Iterable[int], grace_s: float = GRACE_S) -> None:
    """SIGTERM to every group, SIGKILL to what is still there after `grace_s` seconds."""
    left = set(groups)
    for group in left:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGTERM)
    deadline = time.monotonic() + grace_s
    while left and time.monotonic() < deadline:
        left = {group for group in left if is_alive(group)}
        time.sleep(POLL_S)
    for group in left:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)


def watch(lines: Iterable[str], running: Iterable[int] = ()) -> set[int]:
    """Follow the supervisor until the pipe closes; the groups that are left then."""
    groups = set(running)
    for line in lines:
        sign, number = line[:1], line[1:].strip()
        if sign == "+":
            groups.add(int(number))
        elif sign == "-":
            groups.discard(int(number))
    return groups


def main() -> int:
    """Only the end of the pipe ends the guard; a signal meant for the whole run must not disarm it."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    end(watch(sys.stdin, map(int, sys.argv[1:])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
