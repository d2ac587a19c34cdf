"""`python -m evcs`: the commands for a person at this project. up, history, doctor, docs, frame."""

import subprocess
import sys
from typing import Annotated

import typer
from rich.console import Console

from evcs import docs as documents
from evcs.runtime import log
from evcs.runtime.settings import read

app = typer.Typer(help="EV charging-station platform.", no_args_is_help=True, add_completion=False)


@app.command()
def up() -> None:
    """Run the whole platform on this machine with simulated piles, until Ctrl-C.

    Everything is set by EVCS_… variables; docs/settings.md lists them.
    """
    from evcs.up.run import up as run_up
    from evcs.up.settings import UpSettings

    settings = read(UpSettings)
    log.setup("up", "warning")
    raise SystemExit(run_up(settings, Console(highlight=False), Console(stderr=True, highlight=False)))


@app.command()
def history(
    days: Annotated[int, typer.Option(min=1, max=3650, help="So many whole days until yesterday.")] = 30,
) -> None:
    """Give the demo of `up` a past: charges, money, curves; also while it runs, and again without doing it twice."""
    from evcs.runtime.clock import SystemClock
    from evcs.up.history import history as make_history
    from evcs.up.settings import UpSettings

    settings = read(UpSettings)
    console, errors = Console(highlight=False), Console(stderr=True, highlight=False)
    raise SystemExit(make_history(settings, days, SystemClock(settings.clock_offset_file), console, errors))


@app.command()
def doctor() -> None:
    """Check this machine for what a run needs, and say what to do about what is missing."""
    from evcs.doctor import examine
    from evcs.up.settings import UpSettings

    raise SystemExit(examine(read(UpSettings), Console(highlight=False)))


@app.command()
def docs(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail when a file is not up to date.")] = False,
) -> None:
    """Write the generated files again."""
    raise SystemExit(documents.run(check=check, say=typer.echo))


@app.command(
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False},
)
def frame(context: typer.Context) -> None:
    """Read and make frames of the pile protocol in hex (`frame decode`, `frame encode`, `frame --help`)."""
    # A process of the bridge's own: the common ground imports no room.
    try:
        done = subprocess.run([sys.executable, "-m", "bridge.frame", *context.args], cwd=documents.ROOT, check=False)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    raise SystemExit(done.returncode)


if __name__ == "__main__":
    app()
