"""`python -m ingest`."""

from evcs.runtime import log
from evcs.runtime.clock import SystemClock
from evcs.runtime.run import run
from evcs.runtime.settings import read
from evcs.store.open import open_store
from ingest.settings import Settings
from ingest.worker import Worker


def main() -> int:
    """Settings, log, adapters, run."""
    settings = read(Settings)
    log.setup("ingest", settings.log_level, settings.log_format)
    clock = SystemClock(settings.clock_offset_file)
    worker = Worker(settings, open_store(settings.store_url, settings.store_secret), clock)
    return run(worker, settings, name="ingest", clock=clock)


if __name__ == "__main__":
    raise SystemExit(main())
