"""Progress of a long job: a bar on a terminal, a plain line now and then elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LINES = 10
"""Plain lines over the whole job."""

Moved = Callable[[int, str], None]
"""So many more are done, and what to say beside it."""


@contextmanager
def progress(what: str, total: int, unit: str) -> Iterator[Moved]:
    """Show how far a job of `total` units is, on standard error; what is printed to standard output stays clean."""
    if sys.stderr.isatty():
        with _bar(what, total) as moved:
            yield moved
        return
    done = told = 0

    def plain(more: int, note: str = "") -> None:
        nonlocal done, told
        done += more
        step = done * LINES // total if total else LINES
        if step > told:
            told = step
            sys.stderr.write(f"{what}: {done} of {total} {unit}{f' · {note}' if note else ''}\n")
            sys.stderr.flush()

    yield plain


@contextmanager
def _bar(what: str, total: int) -> Iterator[Moved]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as shown:
        task = shown.add_task(what, total=total, note="")

        def moved(more: int, note: str = "") -> None:
            shown.update(task, advance=more, note=note)

        yield moved
