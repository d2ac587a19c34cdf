"""One run from its checks to its clean end: folder, lock, ports, supervisor, status line."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from functools import partial

from rich.console import Console

from evcs.runtime.clock import Clock, SystemClock
from evcs.up import nats, platform, ports, texts
from evcs.up.figures import Figures
from evcs.up.place import PlaceError, RunLock, prepare
from evcs.up.plan import Plan
from evcs.up.screen import Screen, open_screen
from evcs.up.settings import ROOT, UpSettings
from evcs.up.supervisor import Died, Event, Ready, Supervisor
from evcs.up.watch import Watch

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def up(settings: UpSettings, console: Console, errors: Console) -> int:
    """Run the platform until Ctrl-C or SIGTERM; 1 with sentences on `errors` when it cannot start."""
    folder = settings.folder()
    try:
        prepare(folder)
        lock = RunLock.take(folder)
    except PlaceError as error:
        errors.print(f"evcs up: {error}", style="red", soft_wrap=True)
        return 1
    try:
        if sentences := ports.trouble(settings.ports()):
            for sentence in sentences:
                errors.print(f"evcs up: {sentence}", style="red", soft_wrap=True)
            return 1
        if not nats.server().is_file():
            errors.print("evcs up: .venv has no NATS server; `make run` installs what is missing.", style="red")
            return 1
        plan = platform.plan(settings, nats.write_config(folder / "nats", settings.mqtt_port))
        return asyncio.run(Run(plan, settings, console, SystemClock(), lock).until_told())
    finally:
        lock.release()


class Run:
    """The supervisor with a screen beside it; what one does is told by the other."""

    def __init__(self, plan: Plan, settings: UpSettings, console: Console, clock: Clock, lock: RunLock) -> None:
        self._plan = plan
        self._settings = settings
        self._console = console
        self._clock = clock
        self._lock = lock
        self._waiting = {child.name for child in plan}
        self._screen: Screen | None = None
        self._supervisor: Supervisor | None = None
        self._broker_ready = asyncio.Event()

    async def until_told(self) -> int:
        """Run until a signal; 0 when everything was stopped."""
        folder = self._settings.folder()
        supervisor = self._supervisor = Supervisor(
            plan=self._plan,
            root=ROOT,
            logs=folder / "log",
            env=platform.environment(self._settings, os.environ),
            tell=self._tell,
            lock=self._lock.descriptor,
        )
        loop = asyncio.get_running_loop()

        def on_signal() -> None:
            self._say("stopping; Ctrl-C again does not wait", "bold")
            supervisor.stop()

        for number in SIGNALS:
            # nohup ignores SIGHUP on purpose: then a closed terminal is no reason to stop. A shell that starts a job in
            # the background ignores SIGINT for it as well, but whoever sends that by hand means it.
            if number is signal.SIGHUP and signal.getsignal(number) is signal.SIG_IGN:
                continue
            loop.add_signal_handler(number, on_signal)
        screen = self._screen = open_screen(self._console, self._clock.now)
        self._say(texts.where(self._plan, self._settings))
        status = asyncio.create_task(self._show(screen.every_s))
        try:
            await supervisor.run()
        finally:
            status.cancel()
            await asyncio.gather(status, return_exceptions=True)
            screen.close()
        self._say(f"stopped; the data stays in {folder}, the next run goes on with it", "bold")
        return 0

    def _tell(self, event: Event) -> None:
        if (text := texts.told(event)) is not None:
            self._say(f"{self._clock.now().astimezone():%H:%M:%S} {text}", "red" if isinstance(event, Died) else "")
        if isinstance(event, Ready):
            self._on_ready(event.name)

    def _on_ready(self, name: str) -> None:
        if name == "broker":
            self._broker_ready.set()
        if name == "seed":
            self._say(texts.sign_in(self._settings.folder() / platform.SIGN_IN), "bold")
        self._waiting.discard(name)
        if not self._waiting:
            self._say("everything runs", "bold green")

    def _say(self, text: str, style: str = "") -> None:
        self._speak(lambda screen: screen.say(text, style))

    def _speak(self, words: Callable[[Screen], None]) -> None:
        if self._screen is None:
            return
        try:
            words(self._screen)
        except (BrokenPipeError, SystemExit):
            # Nobody reads any more (`make run | head`); rich turns that into SystemExit. A run without a reader ends.
            self._screen = None
            if self._supervisor is not None:
                self._supervisor.stop()

    async def _show(self, every_s: float) -> None:
        await self._broker_ready.wait()
        async with Watch(self._settings, self._clock) as watch:
            while True:
                await asyncio.sleep(every_s)
                self._speak(partial(_show_on, watch.figures()))


def _show_on(figures: Figures, screen: Screen) -> None:
    screen.show(figures)
