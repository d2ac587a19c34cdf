"""`python -m bridge.simulator --piles N --guns G --seed S --speed X`: a fleet of piles over real TCP.

`python -m bridge.simulator history --help`: days and months at once, as files.
"""

import argparse
import os
import sys

from bridge.simulator.fleet import Fleet
from bridge.simulator.settings import Settings
from evcs.runtime import log
from evcs.runtime.clock import SystemClock
from evcs.runtime.run import run
from evcs.runtime.settings import read, variable

_OWN = "simulator_"


def options_into_environment(arguments: list[str]) -> None:
    """Every EVCS_SIMULATOR_X is also an option --x: it sets the variable, so that both are checked in one place."""
    parser = argparse.ArgumentParser(prog="python -m bridge.simulator", description=__doc__)
    for name, field in Settings.model_fields.items():
        if name.startswith(_OWN) and field.repr:  # a secret on a command line is no secret
            parser.add_argument(
                "--" + name.removeprefix(_OWN).replace("_", "-"),
                dest=name,
                metavar="VALUE",
                help=f"{field.description} (default {field.default}; {variable(name)})".replace("%", "%%"),
            )
    for name, value in vars(parser.parse_args(arguments)).items():
        if value is not None:
            os.environ[variable(name)] = value


def main() -> int:
    if sys.argv[1:2] == ["history"]:
        from bridge.simulator.history.command import main as history

        return history(sys.argv[2:])
    options_into_environment(sys.argv[1:])
    settings = read(Settings)
    log.setup("simulator", settings.log_level, settings.log_format)
    clock = SystemClock(settings.clock_offset_file)
    return run(Fleet(settings, clock), settings, name="simulator", clock=clock)


if __name__ == "__main__":
    sys.exit(main())
