"""The supervisor against real processes: starts in order, starts again, stops in reverse, leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from evcs.up.plan import Child, Plan
from evcs.up.supervisor import Died, Event, Ready, Started, Stopped, Supervisor

ROOT = Path(__file__).resolve().parents[2]
WITHIN_S = 20.0

FOR_EVER = "import signal; print('running', flush=True); signal.pause()"
DEAF = "import signal; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); [signal.pause() for _ in range(9)]"
# Says its name at its end, so that the order of stopping can be read from the file.
SAYS_BYE = """
import signal, sys
def bye(*_):
    open(sys.argv[1], "a").write(sys.argv[2] + "\\n"); sys.exit(0)
signal.signal(signal.SIGTERM, bye)
print("running", flush=True)
while True: signal.pause()
"""
WITH_GRANDCHILD = """
import subprocess, sys, signal
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.signal(15, signal.SIG_IGN); signal.pause()"])
open(sys.argv[1], "a").write(f"{child.pid}\\n")
print("running", flush=True)
signal.pause()
"""


def python(code: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code, *arguments)


class Told:
    """What a supervisor told, with waiting for a certain event."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._changed = asyncio.Event()

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        self._changed.set()

    async def until(self, fits: Callable[[list[Event]], bool]) -> None:
        async with asyncio.timeout(WITHIN_S):
            while not fits(self.events):
                self._changed.clear()
                await self._changed.wait()

    def of(self, kind: type[Event], name: str) -> list[Event]:
        return [event for event in self.events if isinstance(event, kind) and event.name == name]

    def pid(self, name: str) -> int:
        started = self.of(Started, name)[-1]
        assert isinstance(started, Started)
        return started.pid


@asynccontextmanager
async def running(tmp_path: Path, *groups: tuple[Child, ...]) -> AsyncIterator[tuple[Supervisor, Told]]:
    told = Told()
    supervisor = Supervisor(Plan(groups), ROOT, tmp_path, os.environ, told, None)
    task = asyncio.create_task(supervisor.run())
    try:
        yield supervisor, told
    finally:
        supervisor.stop()
        async with asyncio.timeout(WITHIN_S):
            await task


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that is dead and only not yet collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


async def until(fits: Callable[[], bool]) -> None:
    """For what no event announces: the state of processes that are not our children."""
    deadline = time.monotonic() + WITHIN_S
    while not fits():
        assert time.monotonic() < deadline, "waited too long"
        await asyncio.sleep(0.02)


async def test_dead_child_starts_again_after_growing_waits_and_its_last_line_is_told(tmp_path: Path) -> None:
    child = Child("broken", python("import sys; print('first'); print('no such database'); sys.exit(3)"), "")
    async with running(tmp_path, (child,)) as (_, told):
        await told.until(lambda _: len(told.of(Died, "broken")) == 2)
    assert told.of(Died, "broken") == [
        Died("broken", 3, "no such database", 1.0),
        Died("broken", 3, "no such database", 2.0),
    ]
    assert (tmp_path / "broken.log").read_text() == "first\nno such database\n" * 2


async def test_killed_child_is_replaced_and_the_signal_is_told(tmp_path: Path) -> None:
    async with running(tmp_path, (Child("service", python(FOR_EVER), ""),)) as (_, told):
        await told.until(lambda _: bool(told.of(Ready, "service")))
        first = told.pid("service")
        os.kill(first, signal.SIGKILL)
        await told.until(lambda _: len(told.of(Started, "service")) == 2)
        died = told.of(Died, "service")[0]
        assert isinstance(died, Died)
        assert died.code == -signal.SIGKILL
        assert is_alive(told.pid("service"))
        assert told.pid("service") != first


async def test_program_that_is_not_there_is_tried_again(tmp_path: Path) -> None:
    async with running(tmp_path, (Child("lost", (str(tmp_path / "nothing"),), ""),)) as (_, told):
        await told.until(lambda _: bool(told.of(Died, "lost")))
    died = told.of(Died, "lost")[0]
    assert isinstance(died, Died)
    assert "No such file" in died.last_line


async def test_stop_goes_backwards_through_the_groups(tmp_path: Path) -> None:
    order = tmp_path / "order"
    names = ("broker", "service", "fleet")
    groups = tuple((Child(name, python(SAYS_BYE, str(order), name), ""),) for name in names)
    async with running(tmp_path, *groups) as (_, _told):
        await until(lambda: all((tmp_path / f"{name}.log").exists() for name in names))
        await until(lambda: all("running" in (tmp_path / f"{name}.log").read_text() for name in names))
    assert order.read_text().split() == ["fleet", "service", "broker"]
    assert [event.name for event in _told.events if isinstance(event, Stopped)] == ["fleet", "service", "broker"]
    assert not any(is_alive(_told.pid(name)) for name in names)


async def test_child_that_does_not_stop_in_time_is_killed(tmp_path: Path) -> None:
    async with running(tmp_path, (Child("deaf", python(DEAF), "", stop_timeout_s=0.2),)) as (_, told):
        await until(lambda: (tmp_path / "deaf.log").exists() and "deaf" in (tmp_path / "deaf.log").read_text())
    assert told.of(Stopped, "deaf") == [Stopped("deaf", killed=True)]
    assert not is_alive(told.pid("deaf"))


async def test_second_order_to_stop_waits_for_nobody(tmp_path: Path) -> None:
    began = time.monotonic()
    async with running(tmp_path, (Child("deaf", python(DEAF), "", stop_timeout_s=WITHIN_S * 3),)) as (supervisor, told):
        await until(lambda: (tmp_path / "deaf.log").exists() and "deaf" in (tmp_path / "deaf.log").read_text())
        supervisor.stop()
    assert told.of(Stopped, "deaf") == [Stopped("deaf", killed=True)]
    assert time.monotonic() - began < WITHIN_S


@pytest.mark.parametrize("how", ["killed", "stopped"])
async def test_what_a_child_started_goes_with_it(tmp_path: Path, how: str) -> None:
    pids = tmp_path / "pids"
    async with running(tmp_path, (Child("parent", python(WITH_GRANDCHILD, str(pids)), ""),)) as (_, told):
        await until(lambda: pids.exists() and pids.read_text().endswith("\n"))
        grandchild = int(pids.read_text().split()[0])
        assert is_alive(grandchild)
        if how == "killed":
            os.kill(told.pid("parent"), signal.SIGKILL)
            await told.until(lambda _: len(told.of(Started, "parent")) == 2)
            await until(lambda: not is_alive(grandchild))
    await until(lambda: not is_alive(grandchild))


async def test_child_waits_until_its_need_has_done_its_part(tmp_path: Path) -> None:
    # Fails once, then succeeds: what needs it must not start between.
    flag = tmp_path / "tried"
    code = "import os, sys; p = sys.argv[1]; done = os.path.exists(p); open(p, 'w').close(); sys.exit(0 if done else 1)"
    async with running(
        tmp_path,
        (Child("migrate", python(code, str(flag)), "", once=True),),
        (Child("service", python(FOR_EVER), "", needs=("migrate",)),),
    ) as (_, told):
        await told.until(lambda _: bool(told.of(Ready, "service")))
    names = [(type(event), event.name) for event in told.events]
    assert names[:6] == [
        (Started, "migrate"),
        (Died, "migrate"),
        (Started, "migrate"),
        (Ready, "migrate"),
        (Started, "service"),
        (Ready, "service"),
    ]


async def test_child_with_a_port_is_ready_when_it_accepts(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    go = tmp_path / "go"
    code = (
        "import os, socket, sys, time\n"
        "while not os.path.exists(sys.argv[2]): time.sleep(0.01)\n"
        "s = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n"
        "while True: s.accept()\n"
    )
    async with running(
        tmp_path,
        (Child("server", python(code, str(port), str(go)), "", port=port),),
        (Child("client", python(FOR_EVER), "", needs=("server",)),),
    ) as (supervisor, told):
        await told.until(lambda _: bool(told.of(Started, "server")))
        assert not supervisor.is_ready("server")
        assert not told.of(Started, "client")
        go.touch()
        await told.until(lambda _: bool(told.of(Started, "client")))
    assert told.events.index(Ready("server")) < told.events.index(told.of(Started, "client")[0])


SUPERVISED = """
import asyncio, os, sys
from pathlib import Path
from evcs.up.plan import Child, Plan
from evcs.up.supervisor import Started, Supervisor
def tell(event):
    if isinstance(event, Started):
        print(event.name, event.pid, flush=True)
children = tuple(Child(name, (sys.executable, "-c", code), "") for name, code in zip("ab", sys.argv[2:]))
asyncio.run(Supervisor(Plan((children,)), Path.cwd(), Path(sys.argv[1]), os.environ, tell, None).run())
"""


@contextmanager
def supervised(tmp_path: Path, *codes: str) -> Iterator[tuple[subprocess.Popen[str], list[int]]]:
    """A supervisor in a process of its own, to be killed, and the pids of its children."""
    command = [sys.executable, "-c", SUPERVISED, str(tmp_path), *codes]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process, [int(process.stdout.readline().split()[1]) for _ in codes]
        process.kill()


async def test_killed_supervisor_leaves_no_process(tmp_path: Path) -> None:
    with supervised(tmp_path, FOR_EVER, DEAF) as (_, pids):
        await until(lambda: (tmp_path / "b.log").exists() and "deaf" in (tmp_path / "b.log").read_text())
        assert all(is_alive(pid) for pid in pids)
    await until(lambda: not any(is_alive(pid) for pid in pids))


async def test_guard_that_was_killed_is_replaced_and_knows_the_children(tmp_path: Path) -> None:
    with supervised(tmp_path, FOR_EVER, FOR_EVER) as (process, pids):

        def guards() -> set[int]:
            children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
            return {int(pid) for pid in children} - set(pids)

        (first,) = guards()
        os.kill(first, signal.SIGKILL)
        await until(lambda: bool(guards() - {first}))
    await until(lambda: not any(is_alive(pid) for pid in pids))


def test_plan_refuses_a_need_that_nothing_earlier_meets() -> None:
    with pytest.raises(ValueError, match="service needs broker"):
        Plan(((Child("service", ("true",), "", needs=("broker",)),), (Child("broker", ("true",), ""),)))


def test_plan_refuses_one_name_twice() -> None:
    with pytest.raises(ValueError, match="two children are called broker"):
        Plan(((Child("broker", ("true",), ""),), (Child("broker", ("true",), ""),)))
