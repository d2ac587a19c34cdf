"""A service process for tests of the runner: its mode says what it does. It tells on standard output what happens."""

import asyncio
import sys
import threading
import time

from evcs.runtime import log
from evcs.runtime.health import OK, Health, degraded
from evcs.runtime.run import Fatal, run, run_sync, spawn
from evcs.runtime.settings import ServiceSettings, read


def say(text: str) -> None:
    print(text, flush=True)


class Asynchronous:
    def __init__(self, mode: str) -> None:
        self.mode = mode

    async def start(self) -> None:
        if self.mode == "start fails":
            raise ValueError("no disk")
        if self.mode == "start waits":
            say("starting")
            await asyncio.Event().wait()
        if self.mode == "part fails":
            spawn(self._fail(), "part")
        if self.mode == "callback fails":
            asyncio.get_running_loop().call_soon(lambda: 1 // 0)
        say("started")

    async def _fail(self) -> None:
        raise OSError("disk full")

    async def stop(self) -> None:
        say("stopping")
        if self.mode == "stop hangs":
            await asyncio.Event().wait()
        say("stopped")

    def health(self) -> Health:
        return degraded("the store is slow") if self.mode == "degraded" else OK


class Threaded:
    def __init__(self, mode: str, failed: threading.Event) -> None:
        self.mode = mode
        self.failed = failed

    def start(self) -> None:
        if self.mode == "sync start fails":
            raise Fatal("no disk")
        say("started")
        if self.mode == "sync part fails":
            self.failed.set()

    def stop(self) -> None:
        say("stopping")
        if self.mode == "sync stop hangs":
            time.sleep(60)
        say("stopped")

    def health(self) -> Health:
        return OK


def main() -> int:
    settings = read(ServiceSettings)
    log.setup("tried", settings.log_level)
    mode = sys.argv[1]
    if mode.startswith("sync"):
        failed = threading.Event()
        return run_sync(Threaded(mode, failed), settings, name="tried", failed=failed)
    return run(Asynchronous(mode), settings, name="tried")


if __name__ == "__main__":
    sys.exit(main())
