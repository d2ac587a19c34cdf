"""Where the run speaks to its person: sentences that scroll, below them, on a terminal, a status that stays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.rule import Rule
from rich.text import Text

from evcs.up import texts
from evcs.up.figures import Figures

LINE_EVERY_S = 5.0
LIVE_EVERY_S = 1.0

BAND_STYLES = {"normal": "green", "limited": "yellow", "blocked": "red", "unknown": "magenta"}


class Screen(Protocol):
    """What a run needs to speak; `every_s` is how often it wants figures."""

    every_s: float

    def say(self, text: str, style: str = "") -> None:
        """Some lines that stay."""

    def show(self, figures: Figures) -> None:
        """The figures now."""

    def close(self) -> None:
        """Leave the terminal as it was."""


class LineScreen:
    """For a pipe or a file: a status line now and then."""

    every_s = LINE_EVERY_S

    def __init__(self, console: Console, now: Callable[[], datetime]) -> None:
        self._console = console
        self._now = now

    def say(self, text: str, style: str = "") -> None:
        self._console.print(Text(text, style=style), soft_wrap=True)

    def show(self, figures: Figures) -> None:
        self.say(f"{self._now().astimezone():%H:%M:%S} {texts.status_line(figures)}")

    def close(self) -> None:
        """Nothing was changed."""


class LiveScreen:
    """For a terminal: the status is drawn anew in place."""

    every_s = LIVE_EVERY_S

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._live.start()

    def say(self, text: str, style: str = "") -> None:
        self._live.console.print(Text(text, style=style), soft_wrap=True)

    def show(self, figures: Figures) -> None:
        rows: list[Text | Rule] = [Rule(style="dim"), Text("guns   " + texts.guns(figures))]
        for one, line in zip(figures.transformers, texts.transformer_lines(figures), strict=True):
            rows.append(Text("load   " + line, style=BAND_STYLES.get(one.band, "")))
        rows.append(Text("total  " + texts.totals(figures)))
        self._live.update(Group(*rows), refresh=True)

    def close(self) -> None:
        self._live.stop()


def open_screen(console: Console, now: Callable[[], datetime]) -> Screen:
    """The screen that fits where the output goes."""
    return LiveScreen(console) if console.is_terminal else LineScreen(console, now)
