"""The folder of a run (var/): that it can be written, and that one run alone works on it."""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from pathlib import Path

WAIT_FOR_GUARD_S = 15.0
POLL_S = 0.1


class PlaceError(Exception):
    """The folder cannot be used; the text says what to do."""


def prepare(var: Path) -> None:
    """Make `var` and `var`/log, for nobody else to read: the demo's password and the database will stand there."""
    try:
        var.mkdir(mode=0o700, parents=True, exist_ok=True)
        (var / "log").mkdir(exist_ok=True)
        for folder in (var, var / "log"):
            with tempfile.TemporaryFile(dir=folder):
                pass
    except OSError as error:
        raise PlaceError(
            f"{var} cannot be written ({error.strerror}). All data of a run stands there: make it writable, "
            "or choose another folder: EVCS_VAR=/path/to/folder"
        ) from error


class RunLock:
    """Held as long as the run lives; its descriptor is also given to the guard, which ends what a killed run left."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    @classmethod
    def take(cls, var: Path, wait_s: float = WAIT_FOR_GUARD_S) -> RunLock:
        """Lock `var` for this process; raises PlaceError naming the process that has it.

        When that process is dead its guard is still ending its children: then this waits, `wait_s` at most.
        """
        path = var / "up.lock"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + wait_s
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                pid = _pid_in(descriptor)
                if (pid is not None and _is_alive(pid)) or time.monotonic() > deadline:
                    os.close(descriptor)
                    raise PlaceError(
                        f"another run already works on {var} (pid {pid}). Stop it (Ctrl-C there, or kill {pid}), "
                        "or give this one a folder and ports of its own: EVCS_VAR=… (see `evcs up --help`)"
                    ) from error
                time.sleep(POLL_S)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return cls(descriptor)

    def release(self) -> None:
        """Let the next run have the folder."""
        os.close(self.descriptor)


def is_locked(var: Path) -> bool:
    """Whether a run works on `var` now."""
    try:
        descriptor = os.open(var / "up.lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _pid_in(descriptor: int) -> int | None:
    text = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
    return int(text) if text.isdigit() else None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
