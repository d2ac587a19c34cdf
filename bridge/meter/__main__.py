"""`python -m bridge.meter`."""

from bridge.meter.config import load_meters
from bridge.meter.settings import Settings
from bridge.meter.worker import Worker
from evcs.runtime import log
from evcs.runtime.clock import SystemClock
from evcs.runtime.run import run
from evcs.runtime.settings import read


def main() -> int:
    """Settings, log, adapters, run."""
    settings = read(Settings)
    log.setup("meter", settings.log_level, settings.log_format)
    clock = SystemClock(settings.clock_offset_file)
    return run(Worker(settings, load_meters(settings.meter_config), clock), settings, name="meter", clock=clock)


if __name__ == "__main__":
    raise SystemExit(main())
