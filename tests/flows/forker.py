"""`python -m tests.flows.forker MODULE`: imports a service once and forks it for each line on its standard input."""

import gc
import importlib
import importlib.util
import json
import os
import runpy
import selectors
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any


def main(module: str) -> int:
    """Until its standard input ends."""
    package = importlib.util.find_spec(module)
    assert package is not None
    name = f"{module}.__main__" if package.submodule_search_locations else module
    importlib.import_module(name)
    del sys.modules[name]  # it is run again, under the name `__main__`, in each fork
    if "sqlalchemy.orm" in sys.modules:
        sys.modules["sqlalchemy.orm"].configure_mappers()
    assert threading.active_count() == 1, "a fork would lose the other threads"
    gc.collect()
    gc.freeze()  # the forks share these pages
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, _heard)
    selector = selectors.DefaultSelector()
    selector.register(0, selectors.EVENT_READ)
    selector.register(wake, selectors.EVENT_READ)
    asked = b""
    running: set[int] = set()
    while True:
        for key, _ in selector.select():
            if key.fd == wake:
                os.read(wake, 512)
                running -= set(_ended())
                continue
            more = os.read(0, 65536)
            if not more:  # who asked has gone, perhaps killed: nothing of it stays behind
                for pid in running:
                    os.kill(pid, signal.SIGKILL)
                return 0
            *lines, asked = (asked + more).split(b"\n")
            for line in lines:
                pid = os.fork()
                if pid == 0:
                    selector.close()
                    os.close(wake)
                    signal.set_wakeup_fd(-1)
                    os.close(waker)
                    return _serve(module, json.loads(line))
                running.add(pid)
                _tell({"started": pid})


def _heard(number: int, frame: FrameType | None) -> None:
    """The wake-up pipe has it."""


def _tell(news: dict[str, int]) -> None:
    os.write(1, json.dumps(news).encode() + b"\n")


def _ended() -> Iterator[int]:
    """Tells of each service that has ended."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        _tell({"ended": pid, "code": os.waitstatus_to_exitcode(status)})
        yield pid


def _serve(module: str, wish: dict[str, Any]) -> int:
    """What `python -m module` would do from here on; the exit code."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(wish["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    for target, source in ((0, nothing), (1, log), (2, log)):
        os.dup2(source, target)
    os.close(nothing)
    os.close(log)
    os.environ.clear()
    os.environ.update(wish["environment"])
    sys.argv = [module]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
