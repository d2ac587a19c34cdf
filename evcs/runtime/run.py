"""Runs a service from start to clean end: signals, last resort for exceptions, watch on a stalled loop, health."""

import asyncio
import concurrent.futures
import os
import signal
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from types import FrameType
from typing import Any, Protocol

from evcs.runtime.clock import Clock, SystemClock
from evcs.runtime.health import Health, HealthServer, down
from evcs.runtime.log import get_logger
from evcs.runtime.settings import ServiceSettings

log = get_logger()

STALL_S = 10.0
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Fatal(Exception):
    """The service cannot go on: it is stopped as cleanly as it can be and its process ends with code 1."""


class Service(Protocol):
    """An asyncio service. ``start`` returns when it works; ``stop`` takes nothing new, finishes, acks, leaves."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def health(self) -> Health: ...


class SyncService(Protocol):
    """The same for a service that works in threads."""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def health(self) -> Health: ...


class StallGuard:
    """Notices that the loop stood still for more than ``limit_s`` (a suspended machine, a blocking call).

    A service that stood still must not decide by what it knew before, so ``on_stall`` is told how long it was.
    """

    def __init__(self, clock: Clock, on_stall: Callable[[float], None], limit_s: float = STALL_S) -> None:
        self._clock = clock
        self._on_stall = on_stall
        self._limit_s = limit_s
        self._every_s = min(1.0, limit_s / 4)
        self._due: asyncio.TimerHandle | None = None
        self._last = 0.0

    def start(self) -> None:
        self._last = self._clock.monotonic()
        self._due = asyncio.get_running_loop().call_later(self._every_s, self._look)

    def stop(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _look(self) -> None:
        now = self._clock.monotonic()
        stood_s = now - self._last - self._every_s
        self._last = now
        self._due = asyncio.get_running_loop().call_later(self._every_s, self._look)
        if stood_s > self._limit_s:
            log.warning("loop_stood_still", seconds=round(stood_s, 1))
            self._on_stall(stood_s)


def abort(error: Exception, loop: asyncio.AbstractEventLoop | None = None) -> None:
    """End the service that runs in this loop because of ``error``. Callable from callbacks and tasks."""
    running = loop or asyncio.get_running_loop()
    cause = error if isinstance(error, Fatal) else Fatal(f"{type(error).__name__}: {error}")
    cause.__cause__ = cause.__cause__ or (error if error is not cause else None)
    running.call_exception_handler({"message": "service aborted", "exception": cause})


_kept: set[asyncio.Task[Any]] = set()


def spawn(work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
    """Run a part of the service in the background; if it raises, the whole service ends (and is started anew)."""
    task = asyncio.get_running_loop().create_task(work, name=name)
    _kept.add(task)  # the loop itself holds tasks only weakly

    def ended(done: asyncio.Task[Any]) -> None:
        _kept.discard(done)
        if done.cancelled():
            return
        error = done.exception()
        if isinstance(error, Exception):
            abort(error, done.get_loop())

    task.add_done_callback(ended)
    return task


def run(
    service: Service,
    settings: ServiceSettings,
    *,
    name: str,
    clock: Clock | None = None,
    on_stall: Callable[[float], None] | None = None,
    stop_within_s: float = 30.0,
) -> int:
    """Run until SIGTERM or SIGINT, then stop cleanly; a second signal ends the process at once.

    Returns the exit code: 0 after a signal, 1 after a failure (which is logged here, once).
    """
    try:
        import uvloop
    except ImportError:
        factory: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    else:
        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(_run(service, settings, name, clock or SystemClock(), on_stall, stop_within_s))


async def _run(
    service: Service,
    settings: ServiceSettings,
    name: str,
    clock: Clock,
    on_stall: Callable[[float], None] | None,
    stop_within_s: float,
) -> int:
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[str] = loop.create_future()
    ready = False
    failed = False

    def on_signal(number: signal.Signals) -> None:
        if ended.done():
            log.warning("stopped_hard", service=name, signal=number.name)
            os._exit(130)
        ended.set_result(number.name)

    def on_exception(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        nonlocal failed
        error = context.get("exception")
        if isinstance(error, Fatal):
            failed = True
            log.error("service_failed", service=name, reason=str(error), exc_info=error)
            if not ended.done():
                ended.set_result("failure")
        else:
            log.error("callback_failed", service=name, what=context.get("message"), exc_info=error)

    def health() -> Health:
        """Asked from the health server's thread; a loop that does not answer is itself the finding."""

        async def ask() -> Health:
            return service.health()

        asked = asyncio.run_coroutine_threadsafe(ask(), loop)
        try:
            return asked.result(2.0)
        except concurrent.futures.TimeoutError:
            return down("the event loop does not answer")

    for number in _STOP_SIGNALS:
        loop.add_signal_handler(number, on_signal, number)
    loop.set_exception_handler(on_exception)
    guard = StallGuard(clock, on_stall or (lambda _: None))
    server: HealthServer | None = None
    if settings.health_port:
        server = HealthServer(settings.health_host, settings.health_port, health, lambda: ready and not ended.done())
        server.start()
    guard.start()
    starting = asyncio.ensure_future(service.start())
    try:
        await asyncio.wait((starting, ended), return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            ready = True
            log.info("service_ready", name=name)
            await ended
        else:
            starting.cancel()
            with suppress(asyncio.CancelledError):
                await starting
        log.info("service_stopping", name=name, why=ended.result())
    except Exception as error:
        failed = True
        log.error("service_failed", service=name, reason=f"{type(error).__name__}: {error}", exc_info=error)
    guard.stop()
    try:
        await asyncio.wait_for(service.stop(), stop_within_s)
    except Exception as error:
        failed = True
        log.error("stop_failed", service=name, reason=f"{type(error).__name__}: {error}", exc_info=error)
    if server is not None:
        server.stop()
    log.info("service_stopped", name=name)
    return 1 if failed else 0


def run_sync(service: SyncService, settings: ServiceSettings, *, name: str, failed: threading.Event) -> int:
    """Run a threaded service until a signal, or until one of its threads has set ``failed`` (and logged why).

    A second signal ends the process at once. Returns 0 after a signal, 1 after a failure.
    """
    wake = threading.Event()
    signals: list[str] = []

    def on_signal(number: int, _: FrameType | None) -> None:
        if signals:
            os._exit(130)
        signals.append(signal.Signals(number).name)
        wake.set()

    for number in _STOP_SIGNALS:
        signal.signal(number, on_signal)
    ready = False
    code = 0
    server: HealthServer | None = None
    if settings.health_port:
        server = HealthServer(
            settings.health_host,
            settings.health_port,
            service.health,
            lambda: ready and not signals and not failed.is_set(),
        )
        server.start()
    try:
        starter = threading.Thread(target=_starting, args=(service, name, failed, wake), daemon=True)
        starter.start()
        # Woken twice a second to see `failed`: one event cannot wait for two things.
        while not wake.wait(0.5) and not failed.is_set():
            if not ready and not starter.is_alive():
                ready = True
                log.info("service_ready", name=name)
        log.info("service_stopping", name=name, why=signals[0] if signals else "failure")
        service.stop()
    except Exception as error:
        code = 1
        log.error("stop_failed", service=name, reason=f"{type(error).__name__}: {error}", exc_info=error)
    if server is not None:
        server.stop()
    log.info("service_stopped", name=name)
    return 1 if code or failed.is_set() else 0


def _starting(service: SyncService, name: str, failed: threading.Event, wake: threading.Event) -> None:
    """Start in a thread of its own, so that a signal is heard while a start still waits for its broker."""
    try:
        service.start()
    except Exception as error:
        log.error("service_failed", service=name, reason=f"{type(error).__name__}: {error}", exc_info=error)
        failed.set()
        wake.set()
