"""Starts the children of a plan in order, starts again what dies, stops all in reverse and leaves no process behind."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from evcs.up import backoff, guard
from evcs.up.logs import RotatedLog
from evcs.up.plan import Child, Plan
from evcs.up.ports import accepts

READY_POLL_S = 0.1
CHUNK = 65536
LAST_WORDS_S = 1.0


@dataclass(frozen=True, slots=True)
class Started:
    """A child runs as this process."""

    name: str
    pid: int


@dataclass(frozen=True, slots=True)
class Ready:
    """A child has done its part (`once`), accepts connections on its port, or, without a port, has started."""

    name: str


@dataclass(frozen=True, slots=True)
class Died:
    """A child ended that should not have; it is started again after `again_in_s` seconds."""

    name: str
    code: int
    last_line: str
    again_in_s: float


@dataclass(frozen=True, slots=True)
class Stopped:
    """A child has ended because it was told to; `killed` when it did not go by itself in its time."""

    name: str
    killed: bool


Event = Started | Ready | Died | Stopped
Tell = Callable[[Event], None]


class Supervisor:
    """One run of a plan.

    Every child leads a process group of its own, so that Ctrl-C reaches the supervisor alone and a child's own children
    go with it. `tell` hears what happens, from the event loop.
    """

    def __init__(
        self, plan: Plan, root: Path, logs: Path, env: Mapping[str, str], tell: Tell, lock: int | None
    ) -> None:
        self._plan = plan
        self._root = root
        self._logs = logs
        self._env = env
        self._tell = tell
        self._stopping = asyncio.Event()
        self._at_once = asyncio.Event()
        self._ready = {child.name: asyncio.Event() for child in plan}
        self._keepers = {child.name: _Keeper(child, self) for child in plan}
        self._guard = _Guard(lock)

    def stop(self) -> None:
        """Begin to stop; said a second time, nothing more is waited for."""
        if self._stopping.is_set():
            self._at_once.set()
        self._stopping.set()

    def is_ready(self, name: str) -> bool:
        """Whether this child has been ready once in this run."""
        return self._ready[name].is_set()

    async def run(self) -> None:
        """Keep the plan running until `stop`; returns when no child is left."""
        await self._guard.start()
        tasks = {name: asyncio.create_task(keeper.keep()) for name, keeper in self._keepers.items()}
        try:
            stopping = asyncio.create_task(self._stopping.wait())
            # A keeper ends by itself only by a fault in this program: then the run stops and the fault is raised below.
            services = [task for name, task in tasks.items() if not self._keepers[name].child.once]
            await asyncio.wait([stopping, *services], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._stopping.set()
            for group in reversed(self._plan.groups):
                await asyncio.gather(*(self._keepers[child.name].stop(self._at_once) for child in group))
            results = await asyncio.gather(*tasks.values(), return_exceptions=True)
            stopping.cancel()
            await self._guard.stop()
        for result in results:
            if isinstance(result, BaseException):
                raise result


async def _first_of(*events: asyncio.Event, within_s: float | None = None) -> None:
    """Wait until one of the events is set, or the time is over."""
    waits = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waits, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


class _Keeper:
    """Keeps one child alive."""

    def __init__(self, child: Child, run: Supervisor) -> None:
        self.child = child
        self._run = run
        self._process: asyncio.subprocess.Process | None = None
        self._gone = asyncio.Event()
        self._gone.set()

    async def keep(self) -> None:
        run, child = self._run, self.child
        for need in child.needs:
            await _first_of(run._ready[need], run._stopping)
        if run._stopping.is_set():
            return
        log = RotatedLog(run._logs / f"{child.name}.log")
        deaths = 0
        try:
            while not run._stopping.is_set():
                began = asyncio.get_running_loop().time()
                log.forget()
                code = await self._live(log)
                if run._stopping.is_set():
                    return
                if child.once and code == 0:
                    self._be_ready()
                    return
                deaths = backoff.deaths_in_a_row(deaths, asyncio.get_running_loop().time() - began)
                again_in_s = backoff.delay_s(deaths)
                run._tell(Died(child.name, code, log.last_line(), again_in_s))
                await _first_of(run._stopping, within_s=again_in_s)
        finally:
            log.close()

    async def stop(self, at_once: asyncio.Event) -> None:
        """End the child: SIGTERM to it, and SIGKILL to its whole group when its time is over or `at_once` is set."""
        if self._gone.is_set():
            return
        # None while the process is still being made: then _live passes the order on.
        if self._process is not None:
            _terminate(self._process)
        await _first_of(self._gone, at_once, within_s=self.child.stop_timeout_s)
        killed = not self._gone.is_set()
        if killed and self._process is not None:
            _kill_group(self._process.pid)
        await self._gone.wait()
        self._run._tell(Stopped(self.child.name, killed))

    async def _live(self, log: RotatedLog) -> int:
        """One life of the child, from its start to the end of its whole group; its exit code."""
        run, child = self._run, self.child
        self._gone.clear()
        # A pipe of our own: asyncio's wait() for a process also waits until the last holder of asyncio's pipe is gone.
        reading_end, writing_end = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                *child.command,
                cwd=run._root,
                env={**run._env, **child.env},
                stdin=subprocess.DEVNULL,
                stdout=writing_end,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            os.close(reading_end)
            log.write(f"{child.command[0]}: {error.strerror}\n".encode())
            self._gone.set()
            return error.errno or 1
        finally:
            os.close(writing_end)
        self._process = process
        run._guard.add(process.pid)
        run._tell(Started(child.name, process.pid))
        reading = asyncio.create_task(_copy(reading_end, log))
        readiness = asyncio.create_task(self._watch_readiness())
        if run._stopping.is_set():
            # The order to stop came while the process was being made, before stop() could see it.
            _terminate(process)
        try:
            return await process.wait()
        finally:
            readiness.cancel()
            # What the child started itself must not outlive it: it would keep the port from the next life.
            _kill_group(process.pid)
            run._guard.remove(process.pid)
            self._process = None
            self._gone.set()
            # A process that left the group may hold the pipe for ever; what it says is of no interest.
            await asyncio.wait([reading], timeout=LAST_WORDS_S)
            reading.cancel()

    async def _watch_readiness(self) -> None:
        child = self.child
        if child.once:
            return
        while child.port is not None:
            if await asyncio.to_thread(accepts, child.port):
                break
            await asyncio.sleep(READY_POLL_S)
        self._be_ready()

    def _be_ready(self) -> None:
        if not self._run._ready[self.child.name].is_set():
            self._run._ready[self.child.name].set()
            self._run._tell(Ready(self.child.name))


class _Guard:
    """The process that ends the children should the supervisor be killed; one is there as long as the run lasts."""

    def __init__(self, lock: int | None) -> None:
        self._lock = lock
        self._groups: set[int] = set()
        self._process: asyncio.subprocess.Process | None = None
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._spawn()
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
        process = self._process
        if process is not None and process.stdin is not None:
            process.stdin.close()
            await process.wait()

    def add(self, group: int) -> None:
        self._groups.add(group)
        self._say(f"+{group}\n")

    def remove(self, group: int) -> None:
        self._groups.discard(group)
        self._say(f"-{group}\n")

    def _say(self, line: str) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(line.encode())

    async def _spawn(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-I",
            "-S",
            guard.__file__,
            *map(str, self._groups),
            stdin=subprocess.PIPE,
            start_new_session=True,
            pass_fds=() if self._lock is None else (self._lock,),
        )
        for group in self._groups:
            self._say(f"+{group}\n")  # also those that were begun meanwhile

    async def _keep(self) -> None:
        while self._process is not None:
            await self._process.wait()
            await asyncio.sleep(backoff.delay_s(1))
            await self._spawn()


async def _copy(reading_end: int, log: RotatedLog) -> None:
    """Everything the child prints, into its log, until the pipe is closed by the last process that holds it."""
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(reading_end, "rb", buffering=0)
    )
    try:
        while data := await reader.read(CHUNK):
            log.write(data)
    finally:
        transport.close()


def _terminate(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
