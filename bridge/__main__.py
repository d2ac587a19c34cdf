"""`python -m bridge`."""

from bridge.settings import Settings
from bridge.worker import Worker
from evcs.runtime import log
from evcs.runtime.clock import SystemClock
from evcs.runtime.run import run
from evcs.runtime.settings import read


def main() -> int:
    """Settings, log, adapters, run."""
    settings = read(Settings)
    log.setup("bridge", settings.log_level, settings.log_format)
    clock = SystemClock(settings.clock_offset_file)
    return run(Worker(settings, clock), settings, name="bridge", clock=clock)


if __name__ == "__main__":
    raise SystemExit(main())
