"""`python -m rules`."""

from evcs.runtime import log
from evcs.runtime.clock import SystemClock
from evcs.runtime.run import run
from evcs.runtime.settings import read
from rules.settings import Settings
from rules.worker import Worker


def main() -> int:
    """Settings, log, adapters, run."""
    settings = read(Settings)
    log.setup("rules", settings.log_level, settings.log_format)
    clock = SystemClock(settings.clock_offset_file)
    worker = Worker(settings, clock)
    return run(worker, settings, name="rules", clock=clock, on_stall=worker.stood_still)


if __name__ == "__main__":
    raise SystemExit(main())
